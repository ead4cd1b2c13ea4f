package session

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Observed is a Store whose operations are counted by how long they take and how they end.
type Observed struct {
	store Store
	up    prometheus.Gauge
	times map[string]map[string]prometheus.Observer // by operation and outcome
}

// Values of labels.
const (
	opGet, opPut, opDelete, opScan           = "get", "put", "delete", "scan"
	outcomeOK, outcomeError, outcomeTimedOut = "ok", "error", "timeout"
)

// Observe returns a store that registers its numbers with reg; nil registers nowhere. A store in memory
// is always up.
func Observe(store Store, reg prometheus.Registerer) *Observed {
	with := promauto.With(reg)
	times := with.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "portico_session_store_operation_duration_seconds",
		Help:    "Time of one operation of the session store. operation: get, put, delete, scan. outcome: ok, error, timeout.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5}, NativeHistogramBucketFactor: 1.1,
		NativeHistogramMaxBucketNumber: 160, NativeHistogramMinResetDuration: time.Hour,
	}, []string{"operation", "outcome"})
	o := &Observed{store: store, times: map[string]map[string]prometheus.Observer{}, up: with.NewGauge(prometheus.GaugeOpts{
		Name: "portico_session_store_up", Help: "1 if the last operation of the session store brought an answer."})}
	o.up.Set(1)
	for _, operation := range []string{opGet, opPut, opDelete, opScan} {
		o.times[operation] = map[string]prometheus.Observer{}
		for _, outcome := range []string{outcomeOK, outcomeError, outcomeTimedOut} {
			o.times[operation][outcome] = times.WithLabelValues(operation, outcome)
		}
	}
	return o
}

// ended counts an operation. That there is no such session is an answer, and who left waits for none.
func (o *Observed) ended(operation string, began time.Time, err error) {
	outcome := outcomeOK
	switch {
	case err == nil, errors.Is(err, ErrNotFound):
	case errors.Is(err, context.DeadlineExceeded):
		outcome = outcomeTimedOut
	default:
		outcome = outcomeError
	}
	o.times[operation][outcome].Observe(time.Since(began).Seconds())
	if outcome == outcomeOK {
		o.up.Set(1)
	} else if !errors.Is(err, context.Canceled) {
		o.up.Set(0)
	}
}

// Get implements Store.
func (o *Observed) Get(ctx context.Context, id string) (Session, error) {
	began := time.Now()
	s, err := o.store.Get(ctx, id)
	o.ended(opGet, began, err)
	return s, err
}

// ByLogin implements Store.
func (o *Observed) ByLogin(ctx context.Context, login string) (Session, error) {
	began := time.Now()
	s, err := o.store.ByLogin(ctx, login)
	o.ended(opGet, began, err)
	return s, err
}

// Put implements Store.
func (o *Observed) Put(ctx context.Context, s Session) error {
	began := time.Now()
	err := o.store.Put(ctx, s)
	o.ended(opPut, began, err)
	return err
}

// Delete implements Store.
func (o *Observed) Delete(ctx context.Context, id string) error {
	began := time.Now()
	err := o.store.Delete(ctx, id)
	o.ended(opDelete, began, err)
	return err
}

// Len implements Store.
func (o *Observed) Len(ctx context.Context) (int, error) {
	began := time.Now()
	n, err := o.store.Len(ctx)
	o.ended(opScan, began, err)
	return n, err
}
