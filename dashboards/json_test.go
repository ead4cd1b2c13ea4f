package dashboards

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// A dashboard is what these tests read of Grafana's JSON.
type dashboard struct {
	file string

	ID            *int           `json:"id"`
	UID           string         `json:"uid"`
	Title         string         `json:"title"`
	Description   string         `json:"description"`
	Tags          []string       `json:"tags"`
	SchemaVersion int            `json:"schemaVersion"`
	Editable      bool           `json:"editable"`
	GraphTooltip  int            `json:"graphTooltip"`
	Inputs        []any          `json:"__inputs"`
	Links         []link         `json:"links"`
	Annotations   list[annotate] `json:"annotations"`
	Templating    list[variable] `json:"templating"`
	Panels        []panel        `json:"panels"`
}

type list[T any] struct {
	List []T `json:"list"`
}

type link struct {
	Type        string   `json:"type"`
	Tags        []string `json:"tags"`
	IncludeVars bool     `json:"includeVars"`
	KeepTime    bool     `json:"keepTime"`
}

type datasource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

type annotate struct {
	Name       string     `json:"name"`
	Datasource datasource `json:"datasource"`
	Expr       string     `json:"expr"`
}

// A variable's query is text for a data source, an object else.
type variable struct {
	Name       string     `json:"name"`
	Type       string     `json:"type"`
	Label      string     `json:"label"`
	Definition string     `json:"definition"`
	Query      any        `json:"query"`
	Datasource datasource `json:"datasource"`
	Multi      bool       `json:"multi"`
	IncludeAll bool       `json:"includeAll"`
	AllValue   string     `json:"allValue"`
	Refresh    int        `json:"refresh"`
}

type panel struct {
	ID          int        `json:"id"`
	Type        string     `json:"type"`
	Title       string     `json:"title"`
	Description string     `json:"description"`
	Datasource  datasource `json:"datasource"`
	GridPos     grid       `json:"gridPos"`
	Targets     []request  `json:"targets"`
	FieldConfig struct {
		Defaults struct {
			Unit string `json:"unit"`
		} `json:"defaults"`
		Overrides []override `json:"overrides"`
	} `json:"fieldConfig"`
	Transformations []transformation `json:"transformations"`
}

type grid struct {
	X int `json:"x"`
	Y int `json:"y"`
	W int `json:"w"`
	H int `json:"h"`
}

type request struct {
	RefID        string     `json:"refId"`
	Datasource   datasource `json:"datasource"`
	Expr         string     `json:"expr"`
	LegendFormat string     `json:"legendFormat"`
	Format       string     `json:"format"`
	Instant      bool       `json:"instant"`
}

type override struct {
	Matcher struct {
		ID      string `json:"id"`
		Options string `json:"options"`
	} `json:"matcher"`
	Properties []struct {
		ID    string `json:"id"`
		Value any    `json:"value"`
	} `json:"properties"`
}

type transformation struct {
	ID      string `json:"id"`
	Options struct {
		RenameByName map[string]string `json:"renameByName"`
	} `json:"options"`
}

// dashboards returns every dashboard of the folder.
func dashboards(t *testing.T) []dashboard {
	t.Helper()
	files, err := filepath.Glob("portico-*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("there are no dashboards")
	}
	var all []dashboard
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		one := dashboard{file: file}
		err = json.Unmarshal(source, &one)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, one)
	}
	return all
}

// exprs returns the queries of all panels and annotations.
func (d dashboard) exprs() []string {
	var all []string
	for _, a := range d.Annotations.List {
		all = append(all, a.Expr)
	}
	for _, p := range d.Panels {
		for _, r := range p.Targets {
			all = append(all, r.Expr)
		}
	}
	return all
}

// variable returns the variable of a name, the zero one if there is none.
func (d dashboard) variable(name string) variable {
	for _, v := range d.Templating.List {
		if v.Name == name {
			return v
		}
	}
	return variable{}
}
