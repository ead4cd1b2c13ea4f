package dashboards

import (
	"strings"
	"testing"
)

// Each rule of form sees a dashboard that breaks it, and only that rule does.
func TestFormSeesWhatBreaksIt(t *testing.T) {
	for _, test := range []struct {
		name    string
		breaks  func(*dashboard)
		rule    string
		problem string
	}{
		{"another uid", func(d *dashboard) { d.UID = "portico" }, "is provisioned", `uid is "portico"`},
		{"exported for import by hand", func(d *dashboard) { d.Inputs = []any{} }, "is provisioned", "has __inputs"},
		{"no crosshair", func(d *dashboard) { d.GraphTooltip = 0 }, "share a crosshair", "has no shared crosshair"},
		{"a fixed data source", func(d *dashboard) { d.Panels[1].Targets[0].Datasource.UID = "abc" }, "one data source", "asks {prometheus abc}"},
		{"one instance at a time", func(d *dashboard) { d.Templating.List[2].Multi = false }, "are variables", "variable instance must"},
		{"no description", func(d *dashboard) { d.Panels[1].Description = "" }, "says what it shows", "needs a description"},
		{"an unknown unit", func(d *dashboard) { d.Panels[1].FieldConfig.Defaults.Unit = "requests" }, "says what it shows", `has unit "requests"`},
		{"a panel on another", func(d *dashboard) { d.Panels[2].GridPos = d.Panels[1].GridPos }, "stand in rows", "lies on"},
		{"all jobs at once", func(d *dashboard) {
			d.Panels[1].Targets[0].Expr = `sum(portico_sessions_active{instance=~"$instance"})`
		},
			"chosen jobs", "has no matcher of $job"},
		{"a fixed window", func(d *dashboard) {
			d.Panels[1].Targets[0].Expr = `sum(rate(portico_logins_total{job=~"$job",instance=~"$instance"}[5m]))`
		}, "follow the step", "has window [5m]"},
		{"a legend of a label that is summed away", func(d *dashboard) { d.Panels[1].Targets[0].LegendFormat = "{{route}}" },
			"legend", "names route"},
		{"a unit on a whole table", func(d *dashboard) { d.Panels[len(d.Panels)-1].FieldConfig.Defaults.Unit = "s" }, "table", "formats every number"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := overview(t)
			test.breaks(&d)
			for _, l := range lints {
				problems := strings.Join(l.check(d), "; ")
				if strings.Contains(l.rule, test.rule) {
					if !strings.Contains(problems, test.problem) {
						t.Errorf("%s: %q; want %q", l.rule, problems, test.problem)
					}
				} else if problems != "" {
					t.Errorf("%s: %q; want nothing", l.rule, problems)
				}
			}
		})
	}
}

func overview(t *testing.T) dashboard {
	t.Helper()
	for _, d := range dashboards(t) {
		if d.file == "portico-overview.json" {
			return d
		}
	}
	t.Fatal("there is no portico-overview.json")
	return dashboard{}
}
