package dashboards

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A lint is a rule of form. Its check returns what breaks it.
type lint struct {
	rule  string
	check func(dashboard) []string
}

var lints = []lint{
	{"a dashboard is a frozen file that is provisioned", frozen},
	{"dashboards lead to each other and share a crosshair", linked},
	{"there is one data source, and everything asks it", oneDatasource},
	{"job, instance and site are variables of the same kind", variables},
	{"a panel says what it shows and in which unit", explained},
	{"panels stand in rows, in a grid without holes to fall through", placed},
	{"a query asks for the chosen jobs, instances and sites only", chosen},
	{"rates follow the step of the picture", stepped},
	{"a legend names only labels that are left", legends},
	{"a table names all its columns, and its unit is that of its value alone", tables},
}

func TestForm(t *testing.T) {
	for _, l := range lints {
		t.Run(l.rule, func(t *testing.T) {
			for _, d := range dashboards(t) {
				for _, problem := range l.check(d) {
					t.Errorf("%s: %s", d.file, problem)
				}
			}
		})
	}
}

// wrong collects a line for each condition that holds.
type wrong []string

func (w *wrong) when(broken bool, format string, args ...any) {
	if broken {
		*w = append(*w, fmt.Sprintf(format, args...))
	}
}

func frozen(d dashboard) []string {
	var w wrong
	name := strings.TrimSuffix(d.file, ".json")
	w.when(d.UID != name, "uid is %q; want %q", d.UID, name)
	w.when(d.ID != nil, "has an id, which belongs to one Grafana")
	w.when(d.Inputs != nil, "has __inputs, which provisioning cannot fill")
	w.when(d.Editable, "is editable")
	w.when(d.SchemaVersion != 39, "schemaVersion is %d; want 39", d.SchemaVersion)
	w.when(!strings.HasPrefix(d.Title, "Portico: ") || d.Description == "", "needs a title that begins with Portico, and a description")
	return w
}

func linked(d dashboard) []string {
	var w wrong
	w.when(!slices.Equal(d.Tags, []string{"portico"}), "tags are %q", d.Tags)
	w.when(d.GraphTooltip != 1, "has no shared crosshair")
	good := len(d.Links) == 1 && d.Links[0].Type == "dashboards" && slices.Equal(d.Links[0].Tags, d.Tags) &&
		d.Links[0].IncludeVars && d.Links[0].KeepTime
	w.when(!good, "has no one link to the others by tag that keeps variables and time")
	return w
}

func oneDatasource(d dashboard) []string {
	var w wrong
	var sources []string
	for _, v := range d.Templating.List {
		if v.Type == "datasource" {
			sources = append(sources, v.Name)
		}
	}
	w.when(!slices.Equal(sources, []string{"datasource"}), "has data source variables %q; want one, datasource", sources)
	v := d.variable("datasource")
	w.when(v.Label != "Data source" || v.Query != "prometheus", "the data source variable is %q of %v", v.Label, v.Query)
	chosen := datasource{"prometheus", "${datasource}"}
	for _, v := range d.Templating.List {
		w.when(v.Type == "query" && v.Datasource != chosen, "variable %s asks %v", v.Name, v.Datasource)
	}
	for _, a := range d.Annotations.List {
		w.when(a.Datasource != chosen, "annotation %s asks %v", a.Name, a.Datasource)
	}
	for _, p := range d.Panels {
		w.when(p.Type != "row" && p.Datasource != chosen, "panel %q asks %v", p.Title, p.Datasource)
		for _, r := range p.Targets {
			w.when(r.Datasource != chosen, "query %s of %q asks %v", r.RefID, p.Title, r.Datasource)
		}
	}
	return w
}

func variables(d dashboard) []string {
	var w wrong
	for i, name := range []string{"datasource", "job", "instance", "site"} {
		if i == len(d.Templating.List) && name == "site" {
			break // not every dashboard has it
		}
		w.when(i >= len(d.Templating.List) || d.Templating.List[i].Name != name, "variable %d is not %s", i+1, name)
	}
	const onTimeRange = 2
	for _, v := range d.Templating.List {
		good := v.Multi && v.IncludeAll && v.AllValue == ".+" && v.Refresh == onTimeRange && v.Label != ""
		query, _ := v.Query.(map[string]any)
		w.when(v.Type == "query" && query["query"] != v.Definition, "variable %s shows %q and asks %v", v.Name, v.Definition, v.Query)
		w.when(v.Type == "query" && !good, "variable %s must be labelled, allow several and all as .+, and follow the time range", v.Name)
	}
	return w
}

// Grafana's ids of the units in use. An id that it does not know is drawn as a suffix.
var units = []string{"reqps", "cps", "s", "percentunit", "short", "none", "bytes"}

var panelTypes = []string{"row", "stat", "timeseries", "table", "state-timeline", "heatmap"}

func explained(d dashboard) []string {
	var w wrong
	titles := map[string]bool{}
	for _, p := range d.Panels {
		w.when(p.Title == "" || titles[p.Title], "title %q is empty or used twice", p.Title)
		titles[p.Title] = true
		w.when(!slices.Contains(panelTypes, p.Type), "panel %q is a %s", p.Title, p.Type)
		if p.Type == "row" {
			continue
		}
		w.when(!strings.HasSuffix(p.Description, "."), "panel %q needs a description in sentences", p.Title)
		w.when(!slices.Contains(units, p.FieldConfig.Defaults.Unit), "panel %q has unit %q", p.Title, p.FieldConfig.Defaults.Unit)
		w.when(len(p.Targets) == 0, "panel %q asks nothing", p.Title)
		ids := map[string]bool{}
		for _, r := range p.Targets {
			w.when(ids[r.RefID], "panel %q has two queries %s", p.Title, r.RefID)
			ids[r.RefID] = true
		}
	}
	return w
}

// columns of Grafana's grid.
const columns = 24

func placed(d dashboard) []string {
	var w wrong
	ids := map[int]bool{}
	taken := map[[2]int]string{}
	w.when(len(d.Panels) == 0 || d.Panels[0].Type != "row", "does not begin with a row")
	for _, p := range d.Panels {
		w.when(p.ID == 0 || ids[p.ID], "panel %q has id %d, which is 0 or taken", p.Title, p.ID)
		ids[p.ID] = true
		g := p.GridPos
		w.when(g.W < 1 || g.H < 1 || g.X < 0 || g.X+g.W > columns, "panel %q leaves the grid: %+v", p.Title, g)
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				at := [2]int{x, y}
				w.when(taken[at] != "" && x == g.X && y == g.Y, "panel %q lies on %q", p.Title, taken[at])
				taken[at] = p.Title
			}
		}
	}
	return w
}

func chosen(d dashboard) []string {
	var w wrong
	for _, expr := range d.exprs() {
		q, err := read(expr)
		if err != nil {
			return []string{err.Error()}
		}
		for _, s := range q.selectors {
			if s.metric == "ALERTS" {
				continue // that nothing is scraped is an alert without a job
			}
			w.when(!s.asks("job"), "%s has no matcher of $job", expr)
			if strings.Contains(s.metric, ":") {
				continue // a recorded series is of all instances
			}
			w.when(!s.asks("instance"), "%s has no matcher of $instance", expr)
		}
	}
	return w
}

// asks reports whether the selector takes only what the variable of that name allows.
func (s selector) asks(name string) bool {
	return slices.Contains(s.matchers, matcher{name, "=~", "$" + name})
}

func stepped(d dashboard) []string {
	var w wrong
	for _, expr := range d.exprs() {
		q, err := read(expr)
		if err != nil {
			return []string{err.Error()}
		}
		for _, s := range q.selectors {
			whole := s.function == "increase" && s.window == "[$__range]" // of the time shown
			w.when(s.window != "" && s.window != "[$__rate_interval]" && !whole, "%s has window %s", expr, s.window)
		}
	}
	return w
}

var legendLabel = regexp.MustCompile(`\{\{(\w+)\}\}`)

// kept returns the labels that the series of an expression still have, as far as a legend may rely
// on it: those it groups by first, else those of the recorded series that it is.
func kept(expr string) []string {
	q, err := read(expr)
	if err != nil {
		return nil
	}
	for _, g := range q.groupings {
		return g.labels
	}
	if len(q.functions) == 0 && len(q.selectors) == 1 {
		return level(q.selectors[0].metric)
	}
	return nil
}

func legends(d dashboard) []string {
	var w wrong
	for _, p := range d.Panels {
		for _, r := range p.Targets {
			w.when(r.LegendFormat == "" && r.Format != "table", "query %s of %q has no legend", r.RefID, p.Title)
			for _, found := range legendLabel.FindAllStringSubmatch(r.LegendFormat, -1) {
				w.when(!slices.Contains(kept(r.Expr), found[1]), "the legend of %q names %s; left are %q", p.Title, found[1], kept(r.Expr))
			}
		}
	}
	return w
}

func tables(d dashboard) []string {
	var w wrong
	for _, p := range d.Panels {
		if p.Type != "table" {
			continue
		}
		w.when(p.FieldConfig.Defaults.Unit != "none", "the unit of table %q formats every number in it", p.Title)
		w.when(len(p.Targets) != 1 || !p.Targets[0].Instant, "table %q needs one instant query", p.Title)
		named := map[string]string{}
		for _, t := range p.Transformations {
			named = t.Options.RenameByName
		}
		for _, column := range append(slices.Clone(kept(p.Targets[0].Expr)), "Value") {
			w.when(named[column] == "", "table %q has no name for column %s", p.Title, column)
		}
		for _, o := range p.FieldConfig.Overrides {
			w.when(o.Matcher.ID == "byName" && o.Matcher.Options != named["Value"], "table %q formats column %q", p.Title, o.Matcher.Options)
		}
	}
	return w
}
