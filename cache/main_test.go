package cache

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A list stands for a catalogue: immutable, with the names an agent chooses from.
type list struct{ names []string }

// with is a change that adds a name to a copy.
func with(name string) func(*list) *list {
	return func(old *list) *list {
		return &list{append(append([]string(nil), old.names...), name)}
	}
}

// An upstream answers fetches in a way the test chooses and counts them.
type upstream struct {
	calls  atomic.Int64
	answer func(ctx context.Context, call int64) (*list, error)
}

func (u *upstream) fetch(ctx context.Context) (*list, error) {
	return u.answer(ctx, u.calls.Add(1))
}

// always answers every fetch with a list of the given names.
func always(names ...string) *upstream {
	return &upstream{answer: func(context.Context, int64) (*list, error) { return &list{names}, nil }}
}

// after answers with a list of the given names once delay is over, unless the fetch is cancelled.
func after(delay time.Duration, names ...string) *upstream {
	return &upstream{answer: func(ctx context.Context, _ int64) (*list, error) {
		select {
		case <-time.After(delay):
			return &list{names}, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
}

const site = "pureconnect"

// newCell returns a catalogue cell of up that lives as long as the test, and what it counts in.
func newCell(t testing.TB, up *upstream, options ...func(*CellOptions[list])) (*Cell[list], *prometheus.Registry) {
	t.Helper()
	reg := prometheus.NewRegistry()
	opts := CellOptions[list]{Cache: Catalogue, Site: site, Fetch: up.fetch, Metrics: NewMetrics(reg, site)}
	for _, option := range options {
		option(&opts)
	}
	return NewCell(t.Context(), opts), reg
}

func staleFor(d time.Duration) func(*CellOptions[list]) {
	return func(opts *CellOptions[list]) { opts.StaleIfError = d }
}

func within(d time.Duration) func(*CellOptions[list]) {
	return func(opts *CellOptions[list]) { opts.Timeout = d }
}

// number returns the value of one series, 0 if there is none. labels are name, value, name, value.
func number(t testing.TB, reg prometheus.Gatherer, name string, labels ...string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatalf("gather: %v", err)
	}
	want := make(map[string]string)
	for i := 0; i < len(labels); i += 2 {
		want[labels[i]] = labels[i+1]
	}
	sum := 0.0
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, metric := range family.GetMetric() {
			matching := 0
			for _, label := range metric.GetLabel() {
				if want[label.GetName()] == label.GetValue() {
					matching++
				}
			}
			if matching == len(want) {
				sum += metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// lookups returns how many look-ups came to result.
func lookups(t testing.TB, reg prometheus.Gatherer, result Result) float64 {
	t.Helper()
	return number(t, reg, "portico_cache_requests_total", "site", site, "result", result.String())
}

// names returns what a Get brings, or fails the test.
func names(t testing.TB, cell *Cell[list]) []string {
	t.Helper()
	got, err := cell.Get(t.Context())
	if err != nil {
		t.Fatalf("Get: %v", err)
	}
	return got.names
}

// until polls condition for as long as it may reasonably take.
func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}
