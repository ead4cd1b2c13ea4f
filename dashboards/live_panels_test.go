package dashboards

import (
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// mayBeEmpty are the panels that show nothing while all is well.
var mayBeEmpty = []string{
	"API errors in the time shown",
	"Firing alerts",
	"Session store failures",
}

// TestLivePanels plays a shift of the load model before portico demo, and draws every panel from what
// Prometheus saw of it.
func TestLivePanels(t *testing.T) {
	t.Parallel()
	shift := startShift(t, 40, 40*time.Second) // every rate sees something of it
	t.Run("promtool takes the metrics", func(t *testing.T) { takesMetrics(t, shift.admin) })
	w, over := shift.watcher, shift.finish(t)
	for _, d := range dashboards(t) {
		for _, p := range d.Panels {
			t.Run(d.Title+"/"+p.Title, func(t *testing.T) { w.drawPanel(t, p, over) })
		}
	}
	t.Run("metrics and labels", func(t *testing.T) { w.findNames(t, over) })
	t.Run("rules", func(t *testing.T) { w.keepRules(t, over) })
}

// takesMetrics has promtool read what Prometheus scrapes.
func takesMetrics(t *testing.T, admin string) {
	res, err := http.Get("http://" + admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	check := exec.Command("promtool", "check", "metrics")
	check.Stdin = res.Body
	out, err := check.CombinedOutput()
	if err != nil {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

// fill puts what Grafana would put for the variables of an expression, when everything is chosen and
// Prometheus scrapes each second.
func fill(expr string, over span) string {
	return strings.NewReplacer("$__rate_interval", "4s", "$__range", fmt.Sprintf("%ds", int(over.to.Sub(over.from).Seconds())),
		"$job", ".+", "$instance", ".+", "$site", ".+").Replace(expr)
}

// drawPanel draws each query of a panel. A number must come of it, unless the panel may be empty.
func (w *watcher) drawPanel(t *testing.T, p panel, over span) {
	for _, r := range p.Targets {
		lines, err := w.draw(fill(r.Expr, over), over)
		if err != nil {
			t.Errorf("%s: %v", r.Expr, err)
			continue
		}
		excused := slices.Contains(mayBeEmpty, p.Title)
		if !excused && !slices.ContainsFunc(lines, line.finite) {
			t.Errorf("%s: %d series, none with a finite value", r.Expr, len(lines))
		}
	}
}

// notHere are series that a run without a service user and without HTTPS has not, and that Prometheus makes itself.
var notHere = []string{"portico_site_service_watching", "portico_tls_certificate_not_after_timestamp_seconds", "ALERTS"}

// findNames looks for every metric, and every label that queries match or group by, among the series that
// Prometheus has.
func (w *watcher) findNames(t *testing.T, over span) {
	for metric, labels := range namedLabels(t) {
		if slices.Contains(notHere, metric) {
			continue
		}
		had, err := w.labels(metric, over)
		if err != nil || had == nil {
			t.Errorf("Prometheus has no %s (%v)", metric, err)
			continue
		}
		for label := range labels {
			if !had[label] {
				t.Errorf("no series of %s has label %s", metric, label)
			}
		}
	}
}

// namedLabels returns the metrics that panels and rules ask for, each with the labels they speak of.
func namedLabels(t *testing.T) map[string]map[string]bool {
	t.Helper()
	named := map[string]map[string]bool{}
	note := func(metric, label string) {
		if named[metric] == nil {
			named[metric] = map[string]bool{}
		}
		if label != "" {
			named[metric][label] = true
		}
	}
	for _, expr := range everyExpr(t) {
		q, err := read(expr)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range q.selectors {
			note(s.metric, "")
			for _, m := range s.matchers {
				note(s.metric, m.label)
			}
		}
		for _, g := range q.groupings {
			for _, s := range g.over {
				for _, label := range g.labels {
					note(s.metric, label)
				}
			}
		}
	}
	return named
}

// keepRules looks at what became of the rules: each was evaluated, each recorded series has a number, and
// nobody was called.
func (w *watcher) keepRules(t *testing.T, over span) {
	var data struct {
		Groups []struct {
			Rules []struct{ Name, Health, LastError string }
		}
	}
	err := w.api("rules", nil, &data)
	if err != nil {
		t.Fatal(err)
	}
	evaluated := 0
	for _, group := range data.Groups {
		for _, r := range group.Rules {
			evaluated++
			if r.Health != "ok" {
				t.Errorf("rule %s is %s: %s", r.Name, r.Health, r.LastError)
			}
		}
	}
	recorded, alerts := rules(t)
	if want := len(recorded) + len(alerts); evaluated != want {
		t.Errorf("Prometheus keeps %d rules; want %d", evaluated, want)
	}
	for _, r := range recorded {
		lines, err := w.draw(r.Record, over)
		if err != nil || !slices.ContainsFunc(lines, line.finite) {
			t.Errorf("%s: %d series, none with a finite value (%v)", r.Record, len(lines), err)
		}
	}
	for _, a := range alerts {
		_, err := w.draw(a.Expr, over)
		if err != nil {
			t.Errorf("%s: %v", a.Alert, err)
		}
	}
	for name := range w.alerts(t, "firing", over) {
		t.Errorf("%s fires though all is well", name)
	}
}
