package session

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
)

// A failing store fails as it is told.
type failing struct {
	Store
	err error
}

func (f *failing) ByLogin(context.Context, string) (Session, error) { return Session{}, f.err }

func TestStoreOperationsAreCounted(t *testing.T) {
	reg := prometheus.NewRegistry()
	broken := &failing{Store: NewMemory()}
	o := Observe(broken, reg)
	for _, test := range []struct {
		name    string
		err     error
		outcome string
		up      float64
	}{
		{"an answer", nil, outcomeOK, 1},
		{"no answer", errors.New("broken"), outcomeError, 0},
		{"no such session", ErrNotFound, outcomeOK, 1},
		{"no answer in time", context.DeadlineExceeded, outcomeTimedOut, 0},
		{"an answer again", nil, outcomeOK, 1},
		{"a caller who left", context.Canceled, outcomeError, 1},
	} {
		before := countOf(t, reg, test.outcome)
		broken.err = test.err
		_, err := o.ByLogin(t.Context(), "anna")
		if !errors.Is(err, test.err) || countOf(t, reg, test.outcome) != before+1 || testutil.ToFloat64(o.up) != test.up {
			t.Errorf("%s: %v, %d more of outcome %s, up %v; want 1 and %v", test.name, err, countOf(t, reg, test.outcome)-before, test.outcome,
				testutil.ToFloat64(o.up), test.up)
		}
	}
	problems, err := testutil.GatherAndLint(reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
}

// countOf returns how many reads ended so.
func countOf(t *testing.T, reg *prometheus.Registry, outcome string) int {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(families, func(f *dto.MetricFamily) bool {
		return f.GetName() == "portico_session_store_operation_duration_seconds"
	})
	for _, series := range families[at].GetMetric() {
		if series.GetLabel()[0].GetValue() == OpGet && series.GetLabel()[1].GetValue() == outcome {
			return int(series.GetHistogram().GetSampleCount())
		}
	}
	return -1
}
