package dashboards

import (
	"fmt"
	"regexp"
	"testing"
)

func TestDashboardsAskForWhatExists(t *testing.T) {
	known := everything(t)
	for _, d := range dashboards(t) {
		for _, expr := range d.exprs() {
			for _, problem := range known.problems(expr) {
				t.Errorf("%s: %s: %s", d.file, expr, problem)
			}
		}
		for _, v := range d.Templating.List {
			if v.Type != "query" {
				continue
			}
			asked := labelValues.FindStringSubmatch(v.Definition)
			if asked == nil {
				t.Errorf("%s: variable %s asks %q; want label_values(metric, label)", d.file, v.Name, v.Definition)
				continue
			}
			for _, problem := range known.problems(fmt.Sprintf("count by (%s) (%s)", asked[2], asked[1])) {
				t.Errorf("%s: variable %s: %s", d.file, v.Name, problem)
			}
		}
	}
}

var labelValues = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)

// A dashboard where one can choose a site shows nothing of the others.
func TestChosenSites(t *testing.T) {
	known := everything(t)
	for _, d := range dashboards(t) {
		if d.variable("site").Name == "" {
			continue
		}
		for _, p := range d.Panels {
			for _, r := range p.Targets {
				q, err := read(r.Expr)
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range q.selectors {
					if known[s.metric].has("site") && !s.asks("site") {
						t.Errorf("%s: %s has no matcher of $site", d.file, r.Expr)
					}
				}
			}
		}
	}
}
