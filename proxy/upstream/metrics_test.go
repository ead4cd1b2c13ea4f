package upstream

import (
	"fmt"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestMetricsLint(t *testing.T) {
	reg := prometheus.NewRegistry()
	metrics := NewMetrics(reg, []string{"pc"})
	site := metrics.Site("pc", Vocabulary{Kind: "icws", Operations: []string{"get"}, Errors: []string{"auth"}, Hosts: []string{"ic1"}})
	site.Info("ic1", "2019 R3")
	site.of("get").requests.WithLabelValues("client", "200").Inc()
	site.of("get").durations.WithLabelValues("2xx").Observe(1)
	problems, err := testutil.GatherAndLint(reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	if len(families) != 16 {
		t.Errorf("%d families with a series; want all 16", len(families))
	}
}

func TestKnownSeriesExistFromTheStart(t *testing.T) {
	metrics := NewMetrics(prometheus.NewRegistry(), []string{"pc"})
	metrics.Site("pc", Vocabulary{Kind: "icws", Operations: []string{"get"}, Errors: []string{"auth"}, Hosts: []string{"ic1"}})
	counts := []struct {
		name string
		of   prometheus.Collector
		want int
	}{
		{"requests, which have a code", metrics.requests, 0},
		{"durations", metrics.durations, 0},
		{"failures", metrics.failures, 2 * len(reasons)}, // the operation, and other
		{"api errors", metrics.apiErrors, 2 * 2},
		{"avoided", metrics.avoided, 2 * len(avoidances)},
		{"connections", metrics.connections, 2},
		{"streams", metrics.streams, len(transports) * 2},
		{"stream events", metrics.events, len(events)},
		{"site up", metrics.up, 1},
		{"logins", metrics.logins, len(outcomes)},
		{"short circuits", metrics.shorts, 2 * len(shorts)},
		{"breakers", metrics.breakers, 2 * len(circuitStates)}, // the host, and other
		{"logins waiting", metrics.waiting, 1},
	}
	for _, c := range counts {
		if got := testutil.CollectAndCount(c.of); got != c.want {
			t.Errorf("%s: %d series at start; want %d", c.name, got, c.want)
		}
	}
}

// What a site or a caller chooses must not make series.
func TestUnknownValuesMakeNoSeries(t *testing.T) {
	reg := prometheus.NewRegistry()
	metrics := NewMetrics(reg, []string{"pc"})
	vocabulary := Vocabulary{Kind: "icws", Operations: []string{"get"}, Errors: []string{"auth"}}
	use := func(value string) {
		site := metrics.Site("pc"+value, vocabulary)
		site.APIError("get"+value, "auth"+value)
		site.Avoided("get"+value, CacheHit+Avoided(value))
		site.Login(LoginOK + LoginOutcome(value))
		site.Event(Opened + StreamEvent(value))
		site.Info("host"+value, "1")
		reader := site.Reader()
		reader.Set(SSE+Transport(value), true)
		reader.Close()
	}
	use("-0")
	before, err := testutil.GatherAndCount(reg)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		use(fmt.Sprintf("-%d", i))
	}
	after, err := testutil.GatherAndCount(reg)
	if err != nil {
		t.Fatal(err)
	}
	if after != before {
		t.Errorf("%d series after 1000 unknown values; want %d", after, before)
	}
}

func TestCodeLabel(t *testing.T) {
	for status, want := range map[int]string{0: "none", 200: "200", 404: "404", 299: "other", 799: "other"} {
		if got := codeLabel(status); got != want {
			t.Errorf("codeLabel(%d) = %q; want %q", status, got, want)
		}
	}
	for status, want := range map[int]string{0: "none", 101: "none", 201: "2xx", 302: "3xx", 599: "5xx", 600: "none"} {
		if got := classLabel(status); got != want {
			t.Errorf("classLabel(%d) = %q; want %q", status, got, want)
		}
	}
}

func TestReaderState(t *testing.T) {
	metrics := NewMetrics(prometheus.NewRegistry(), []string{"pc"})
	reader := metrics.Site("pc", Vocabulary{}).Reader()
	live := metrics.streams.WithLabelValues("pc", "sse", "live")
	broken := metrics.streams.WithLabelValues("pc", "sse", "broken")
	steps := []struct {
		name         string
		step         func()
		live, broken float64
	}{
		{"new", func() {}, 0, 0},
		{"broken", func() { reader.Set(SSE, false) }, 0, 1},
		{"live", func() { reader.Set(SSE, true) }, 1, 0},
		{"live again", func() { reader.Set(SSE, true) }, 1, 0},
		{"closed", func() { reader.Close() }, 0, 0},
		{"closed again", func() { reader.Close() }, 0, 0},
	}
	for _, s := range steps {
		s.step()
		if l, b := testutil.ToFloat64(live), testutil.ToFloat64(broken); l != s.live || b != s.broken {
			t.Errorf("%s: live %v, broken %v; want %v, %v", s.name, l, b, s.live, s.broken)
		}
	}
}

func TestInfoReplacesTheVersionOfAHost(t *testing.T) {
	metrics := NewMetrics(prometheus.NewRegistry(), []string{"pc"})
	site := metrics.Site("pc", Vocabulary{Kind: "icws", Hosts: []string{"ic1", "ic2"}})
	for _, version := range []string{"1", "1", "2"} {
		site.Info("ic1", version)
		site.Info("ic2", "1")
	}
	if n := testutil.CollectAndCount(metrics.info); n != 2 {
		t.Errorf("%d series of info; want one a host", n)
	}
}
