package dashboards

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// A watcher is a Prometheus that scrapes one Portico every second and keeps rules.
type watcher struct{ url string }

// watch starts Prometheus with the settings of prometheus.yml, but for where Portico is and how often it
// looks: each second, at the rules as well.
func watch(t *testing.T, portico string, book ruleBook) *watcher {
	t.Helper()
	settings := prometheusConfig(t)
	for name := range settings.Global {
		settings.Global[name] = "1s"
	}
	for i := range book.Groups {
		book.Groups[i].Interval = "" // that of all
	}
	folder := t.TempDir()
	config, rules := filepath.Join(folder, "prometheus.yml"), filepath.Join(folder, "rules.yml")
	settings.RuleFiles = []string{rules}
	settings.ScrapeConfigs[0].StaticConfigs[0].Targets = []string{portico}
	write(t, config, settings)
	write(t, rules, book)
	address := "127.0.0.1:" + freePort(t)
	process := start(t, "prometheus", "--config.file="+config, "--storage.tsdb.path="+filepath.Join(folder, "data"),
		"--web.listen-address="+address, "--log.level=warn")
	w := &watcher{"http://" + address}
	until(t, "Prometheus is ready", time.Minute, func() bool {
		if process.hasEnded() {
			t.Fatalf("Prometheus ended: %v", process.result)
		}
		res, err := http.Get(w.url + "/-/ready")
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
	return w
}

// write keeps a value as YAML.
func write(t *testing.T, file string, value any) {
	t.Helper()
	data, err := yaml.Marshal(value)
	if err == nil {
		err = os.WriteFile(file, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// api asks Prometheus' HTTP API; an error is Prometheus' own, such as one of parsing.
func (w *watcher) api(path string, ask url.Values, into any) error {
	res, err := http.Get(w.url + "/api/v1/" + path + "?" + ask.Encode())
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer := struct {
		Status string `json:"status"`
		Error  string `json:"error"`
		Data   any    `json:"data"`
	}{Data: into}
	err = json.NewDecoder(res.Body).Decode(&answer)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if answer.Status != "success" {
		return fmt.Errorf("%s: %s", answer.Status, answer.Error)
	}
	return nil
}

// A span is the time shown.
type span struct{ from, to time.Time }

func (s span) ask() url.Values {
	at := func(when time.Time) string { return strconv.FormatFloat(float64(when.UnixMilli())/1000, 'f', 3, 64) }
	return url.Values{"start": {at(s.from)}, "end": {at(s.to)}}
}

// lately returns the last moments.
func (w *watcher) lately() span { return span{time.Now().Add(-time.Second), time.Now()} }

// A line is a series over a span.
type line struct {
	Labels  map[string]string `json:"metric"`
	Samples [][2]any          `json:"values"` // time and the number as text
}

// draw evaluates an expression for every second of a span.
func (w *watcher) draw(expr string, over span) ([]line, error) {
	ask := over.ask()
	ask.Set("query", expr)
	ask.Set("step", "1")
	var data struct {
		Result []line `json:"result"`
	}
	err := w.api("query_range", ask, &data)
	return data.Result, err
}

// shows reports whether an expression has a value now.
func (w *watcher) shows(t *testing.T, expr string) bool {
	t.Helper()
	lines, err := w.draw(expr, w.lately())
	if err != nil {
		t.Fatal(err)
	}
	return len(lines) > 0
}

// finite reports whether a line has a number that can be drawn.
func (l line) finite() bool {
	for _, sample := range l.Samples {
		text, _ := sample[1].(string)
		number, err := strconv.ParseFloat(text, 64)
		if err == nil && !math.IsNaN(number) && !math.IsInf(number, 0) {
			return true
		}
	}
	return false
}

// labels returns the names of labels that the series of a metric had in a span, nil if there was none.
func (w *watcher) labels(metric string, over span) (map[string]bool, error) {
	ask := over.ask()
	ask.Set("match[]", metric)
	var series []map[string]string
	err := w.api("series", ask, &series)
	if err != nil || len(series) == 0 {
		return nil, err
	}
	names := map[string]bool{}
	for _, one := range series {
		for name := range one {
			names[name] = true
		}
	}
	return names, nil
}

// alerts returns those that were in a state at some time of a span, each with its window or site.
func (w *watcher) alerts(t *testing.T, state string, over span) map[string]bool {
	t.Helper()
	lines, err := w.draw(`ALERTS{alertstate="`+state+`"}`, over)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, l := range lines {
		found[alertName(l.Labels)] = true
	}
	return found
}

// alertName returns the name of an alert with its window or site, which tell it from others.
func alertName(labels map[string]string) string {
	name := labels["alertname"]
	for _, label := range []string{"window", "site"} {
		if labels[label] != "" {
			name += " " + labels[label]
		}
	}
	return name
}
