package dashboards

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const rulesFile = "alerts/portico.rules.yml"

// A rule records a series or alerts.
type rule struct {
	Record      string            `yaml:"record"`
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

// rules returns the recording rules and the alerts.
func rules(t *testing.T) ([]rule, []rule) {
	t.Helper()
	var file struct {
		Groups []struct {
			Name     string `yaml:"name"`
			Interval string `yaml:"interval"`
			Rules    []rule `yaml:"rules"`
		} `yaml:"groups"`
	}
	decodeYAML(t, rulesFile, &file)
	var recorded, alerts []rule
	for _, group := range file.Groups {
		for _, r := range group.Rules {
			if r.Record != "" {
				recorded = append(recorded, r)
			} else {
				alerts = append(alerts, r)
			}
		}
	}
	return recorded, alerts
}

func decodeYAML(t *testing.T, name string, into any) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	decoder := yaml.NewDecoder(file)
	decoder.KnownFields(true)
	err = decoder.Decode(into)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// level returns the labels of a recorded series, which its name begins with.
func level(record string) []string {
	labels, _, _ := strings.Cut(record, ":")
	return strings.Split(labels, "_")
}

// everything returns the metrics of the rooms and the series that the rules record of them.
func everything(t *testing.T) vocabulary {
	t.Helper()
	known := metrics(t)
	recorded, _ := rules(t)
	for _, r := range recorded {
		known[r.Record] = family{labels: level(r.Record)}
	}
	return known
}

func TestRulesAskForWhatExists(t *testing.T) {
	known := everything(t)
	recorded, alerts := rules(t)
	for _, r := range slices.Concat(recorded, alerts) {
		for _, problem := range known.problems(r.Expr) {
			t.Errorf("%s%s: %s", r.Record, r.Alert, problem)
		}
	}
}

func TestRecordedSeriesHaveTheLabelsOfTheirName(t *testing.T) {
	recorded, _ := rules(t)
	for _, r := range recorded {
		q, err := read(r.Expr)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range q.groupings {
			if !slices.Equal(g.labels, level(r.Record)) {
				t.Errorf("%s groups by %q; want %q", r.Record, g.labels, level(r.Record))
			}
		}
		for _, s := range q.selectors {
			if strings.Contains(s.metric, ":") && !slices.Equal(level(s.metric), level(r.Record)) {
				t.Errorf("%s is made of %s, which has other labels", r.Record, s.metric)
			}
			window := strings.Trim(s.window, "[]")
			if window != "" && !strings.HasSuffix(r.Record, "rate"+window) {
				t.Errorf("%s has a window of %s", r.Record, window)
			}
		}
	}
}

func TestEveryRecordedSeriesIsUsed(t *testing.T) {
	used := map[string]bool{}
	note := func(expr string) {
		q, err := read(expr)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range q.selectors {
			used[s.metric] = true
		}
	}
	recorded, alerts := rules(t)
	for _, r := range slices.Concat(recorded, alerts) {
		note(r.Expr)
	}
	for _, d := range dashboards(t) {
		for _, expr := range d.exprs() {
			note(expr)
		}
	}
	for _, r := range recorded {
		if !used[r.Record] {
			t.Errorf("nobody asks for %s", r.Record)
		}
	}
}

var camelCase = regexp.MustCompile(`^Portico([A-Z][a-z]+)+$`)

func TestAlertsSayWhatToDo(t *testing.T) {
	_, alerts := rules(t)
	for _, a := range alerts {
		if !camelCase.MatchString(a.Alert) {
			t.Errorf("alert %q is no CamelCase name that begins with Portico", a.Alert)
		}
		if s := a.Labels["severity"]; s != "page" && s != "ticket" {
			t.Errorf("%s has severity %q; want page or ticket", a.Alert, s)
		}
		if got := slices.Sorted(maps.Keys(a.Annotations)); !slices.Equal(got, []string{"runbook", "summary"}) {
			t.Errorf("%s is annotated with %q; want runbook and summary", a.Alert, got)
		}
	}
}

// Where exp_alerts has nothing behind it, entries follow: the alert fires.
var fires = regexp.MustCompile(`alertname: (\w+)\n\s+exp_alerts:\n`)

func TestEveryAlertFiresInAPromtoolTest(t *testing.T) {
	source, err := os.ReadFile("alerts/portico.test.yml")
	if err != nil {
		t.Fatal(err)
	}
	tested := map[string]bool{}
	for _, found := range fires.FindAllStringSubmatch(string(source), -1) {
		tested[found[1]] = true
	}
	_, alerts := rules(t)
	for _, a := range alerts {
		if !tested[a.Alert] {
			t.Errorf("no test in alerts/portico.test.yml makes %s fire", a.Alert)
		}
	}
}
