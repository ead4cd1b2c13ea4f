package dashboards

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"

	"portico/cache"
	"portico/proxy"
	"portico/proxy/admin/inventory"
	"portico/proxy/gateway"
	"portico/proxy/logs"
	"portico/proxy/push"
	"portico/proxy/session"
	"portico/proxy/upstream"
)

// A family is what may be asked of a metric.
type family struct {
	labels  []string // without those of its target
	counter bool     // only its rate says something
	help    string   // lists the values of its labels
	buckets []string // values of le, of a histogram
}

// A vocabulary is every metric that a query may name.
type vocabulary map[string]family

// target are the labels that Prometheus gives to all it scrapes.
var target = []string{"job", "instance"}

// listed are the metrics that no room registers.
var listed = vocabulary{
	"up":                                    {},
	"scrape_samples_post_metric_relabeling": {},
	"ALERTS":                                {labels: []string{"alertname", "alertstate"}},

	// Of client_golang's collectors.
	"process_start_time_seconds":    {},
	"process_cpu_seconds_total":     {counter: true},
	"process_resident_memory_bytes": {},
	"go_goroutines":                 {},
}

// inCmd are the metrics of cmd/portico, which cannot be imported.
var inCmd = vocabulary{
	"portico_build_info":                    {labels: []string{"version", "revision", "goversion"}},
	"portico_config_last_reload_successful": {},

	"portico_config_last_reload_success_timestamp_seconds": {},
	"portico_tls_certificate_not_after_timestamp_seconds":  {labels: []string{"name"}},
}

// metrics returns all that a query may name: what the rooms register, and what is listed above.
func metrics(t *testing.T) vocabulary {
	t.Helper()
	reg := inventory.New()
	cache.NewMetrics(reg, "site")
	gateway.NewMetrics(reg)
	push.NewMetrics(reg)
	upstream.NewMetrics(reg, []string{"site"})
	proxy.NewMetrics(reg)
	proxy.NewPlaces(1, reg)
	session.Observe(session.NewMemory(), reg)
	logs.New(logs.Settings{Out: io.Discard, Level: new(slog.LevelVar), Registerer: reg})
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	known := vocabulary{}
	for _, f := range families {
		known.add(f)
	}
	maps.Copy(known, listed)
	maps.Copy(known, inCmd)
	return known
}

// add notes a family under each name that its series have.
func (v vocabulary) add(f *dto.MetricFamily) {
	one := family{help: f.GetHelp(), counter: f.GetType() == dto.MetricType_COUNTER}
	for _, label := range f.GetMetric()[0].GetLabel() {
		one.labels = append(one.labels, label.GetName())
	}
	if f.GetType() != dto.MetricType_HISTOGRAM {
		v[f.GetName()] = one
		return
	}
	one.counter = true
	v[f.GetName()+"_count"], v[f.GetName()+"_sum"] = one, one
	one.labels = append(slices.Clone(one.labels), "le")
	for _, bucket := range f.GetMetric()[0].GetHistogram().GetBucket() {
		one.buckets = append(one.buckets, fmt.Sprint(bucket.GetUpperBound()))
	}
	v[f.GetName()+"_bucket"] = one
}

// has reports whether the series of a metric have a label.
func (f family) has(label string) bool {
	return slices.Contains(f.labels, label) || slices.Contains(target, label)
}

// What is listed by hand must stand in the source of cmd/portico.
func TestCmdHasTheMetricsListedHere(t *testing.T) {
	files, err := filepath.Glob("../cmd/portico/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var source []byte
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(file, "_test.go") {
			source = append(source, text...)
		}
	}
	for name, f := range inCmd {
		for _, word := range append([]string{name}, f.labels...) {
			if !strings.Contains(string(source), `"`+word+`"`) {
				t.Errorf("cmd/portico has no %q of %s", word, name)
			}
		}
	}
}

func TestVocabularyHasVectorsWithoutSeries(t *testing.T) {
	known := metrics(t)
	bucket := known["portico_upstream_request_duration_seconds_bucket"]
	want := []string{"code_class", "operation", "site", "le"}
	if !slices.Equal(bucket.labels, want) || !bucket.counter || !slices.Contains(bucket.buckets, "0.5") {
		t.Errorf("buckets of upstream calls = %+v; want a counter of %q with a bound of 0.5", bucket, want)
	}
}
