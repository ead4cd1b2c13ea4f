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

// A ruleBook is what the file of rules has.
type ruleBook struct {
	Groups []ruleGroup `yaml:"groups"`
}

type ruleGroup struct {
	Name     string `yaml:"name"`
	Interval string `yaml:"interval,omitempty"`
	Rules    []rule `yaml:"rules"`
}

// A rule records a series or alerts.
type rule struct {
	Record      string            `yaml:"record,omitempty"`
	Alert       string            `yaml:"alert,omitempty"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for,omitempty"`
	Labels      map[string]string `yaml:"labels,omitempty"`
	Annotations map[string]string `yaml:"annotations,omitempty"`
}

func rulebook(t *testing.T) ruleBook {
	t.Helper()
	var book ruleBook
	decodeYAML(t, rulesFile, &book)
	return book
}

// rules returns the recording rules and the alerts.
func rules(t *testing.T) ([]rule, []rule) {
	t.Helper()
	var recorded, alerts []rule
	for _, group := range rulebook(t).Groups {
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

// everyExpr returns the queries of all panels, annotations, rules and alerts.
func everyExpr(t *testing.T) []string {
	t.Helper()
	var all []string
	recorded, alerts := rules(t)
	for _, r := range slices.Concat(recorded, alerts) {
		all = append(all, r.Expr)
	}
	for _, d := range dashboards(t) {
		all = append(all, d.exprs()...)
	}
	return all
}

// asked returns the metrics and recorded series that they ask for.
func asked(t *testing.T) map[string]bool {
	t.Helper()
	used := map[string]bool{}
	for _, expr := range everyExpr(t) {
		q, err := read(expr)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range q.selectors {
			used[s.metric] = true
		}
	}
	return used
}

func TestEveryRecordedSeriesIsUsed(t *testing.T) {
	used := asked(t)
	recorded, _ := rules(t)
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
		if s := a.Labels["severity"]; s != "page" && s != "ticket" && s != "none" {
			t.Errorf("%s has severity %q; want page, ticket or none", a.Alert, s)
		}
		if got := slices.Sorted(maps.Keys(a.Annotations)); !slices.Equal(got, []string{"runbook", "summary"}) {
			t.Errorf("%s is annotated with %q; want runbook and summary", a.Alert, got)
		}
	}
}

// section is the headline of an alert in runbook.md.
var section = regexp.MustCompile(`(?m)^## (\w+)\n\n\*((?:page|ticket|none)[^*]*)\.\* `)

func TestRunbookHasEveryAlert(t *testing.T) {
	source, err := os.ReadFile("runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]string{}
	for _, found := range section.FindAllStringSubmatch(string(source), -1) {
		written[found[1]] = found[2]
	}
	named := map[string]bool{}
	_, alerts := rules(t)
	for _, a := range alerts {
		named[a.Alert] = true
		if !strings.Contains(written[a.Alert], a.Labels["severity"]) {
			t.Errorf("runbook.md says %q of %s, which is a %s", written[a.Alert], a.Alert, a.Labels["severity"])
		}
	}
	for name := range written {
		if !named[name] {
			t.Errorf("runbook.md has %s, which is no alert", name)
		}
	}
}

// panelName is how runbook.md names a panel.
var panelName = regexp.MustCompile(`\*\*([^*]+)\*\*`)

func TestRunbookNamesPanelsThatExist(t *testing.T) {
	source, err := os.ReadFile("runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	titles := map[string]bool{}
	for _, d := range dashboards(t) {
		for _, p := range d.Panels {
			titles[p.Title] = true
		}
	}
	for _, found := range panelName.FindAllStringSubmatch(string(source), -1) {
		if !titles[found[1]] {
			t.Errorf("runbook.md sends the reader to %q, which is no panel", found[1])
		}
	}
}

// An expectation is what alerts/portico.test.yml says of an alert at one time.
type expectation struct {
	At    string `yaml:"eval_time"`
	Alert string `yaml:"alertname"`
	Fires []struct {
		Labels      map[string]string `yaml:"exp_labels"`
		Annotations map[string]string `yaml:"exp_annotations"`
	} `yaml:"exp_alerts"`
}

// expectations returns those of all tests.
func expectations(t *testing.T) []expectation {
	t.Helper()
	var file struct {
		RuleFiles []string `yaml:"rule_files"`
		Interval  string   `yaml:"evaluation_interval"`
		Tests     []struct {
			Name     string        `yaml:"name"`
			Interval string        `yaml:"interval"`
			Series   []any         `yaml:"input_series"`
			Values   []any         `yaml:"promql_expr_test"`
			Alerts   []expectation `yaml:"alert_rule_test"`
		} `yaml:"tests"`
	}
	decodeYAML(t, "alerts/portico.test.yml", &file)
	var all []expectation
	for _, test := range file.Tests {
		all = append(all, test.Alerts...)
	}
	return all
}

// Alerts of one name are told apart by their window.
func TestEveryAlertFiresAndStaysSilentInAPromtoolTest(t *testing.T) {
	fires, silent := map[string]bool{}, map[string]bool{}
	for _, e := range expectations(t) {
		silent[e.Alert] = silent[e.Alert] || len(e.Fires) == 0
		for _, one := range e.Fires {
			fires[e.Alert+one.Labels["window"]] = true
		}
	}
	_, alerts := rules(t)
	for _, a := range alerts {
		if !fires[a.Alert+a.Labels["window"]] {
			t.Errorf("no test in alerts/portico.test.yml makes %s %s fire", a.Alert, a.Labels["window"])
		}
		if !silent[a.Alert] {
			t.Errorf("no test in alerts/portico.test.yml has %s silent", a.Alert)
		}
	}
}
