package session

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics are how long the operations of a store take and how they end. A process has one store, so
// they are registered once, by who makes it.
type Metrics struct {
	up    prometheus.Gauge
	deaf  atomic.Bool // the replica does not hear the others
	lost  prometheus.Counter
	times map[string]map[string]prometheus.Observer // by operation and outcome
}

// Operations of a store, as numbers tell them.
const (
	OpGet    = "get"
	OpPut    = "put"
	OpDelete = "delete"
	OpScan   = "scan"
)

const outcomeOK, outcomeError, outcomeTimedOut = "ok", "error", "timeout"

// NewMetrics registers the numbers of a store with reg; nil registers nowhere. It is taken to be up.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	with := promauto.With(reg)
	times := with.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "portico_session_store_operation_duration_seconds",
		Help:    "Time of one operation of the session store. operation: get, put, delete, scan. outcome: ok, error, timeout.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5}, NativeHistogramBucketFactor: 1.1,
		NativeHistogramMaxBucketNumber: 160, NativeHistogramMinResetDuration: time.Hour,
	}, []string{"operation", "outcome"})
	m := &Metrics{times: map[string]map[string]prometheus.Observer{}, up: with.NewGauge(prometheus.GaugeOpts{
		Name: "portico_session_store_up", Help: "1 if the last operation of the session store brought an answer, and it lets the replica hear the others."})}
	m.up.Set(1)
	m.lost = with.NewCounter(prometheus.CounterOpts{Name: "portico_session_store_losses_total",
		Help: "How often the session store was found without what had been written to it: lost, or of an older copy."})
	for _, operation := range []string{OpGet, OpPut, OpDelete, OpScan} {
		m.times[operation] = map[string]prometheus.Observer{}
		for _, outcome := range []string{outcomeOK, outcomeError, outcomeTimedOut} {
			m.times[operation][outcome] = times.WithLabelValues(operation, outcome)
		}
	}
	return m
}

// Ended counts an operation. That there is no such session is an answer, and who left waits for none.
func (m *Metrics) Ended(operation string, began time.Time, err error) {
	outcome := outcomeOf(err)
	m.times[operation][outcome].Observe(time.Since(began).Seconds())
	if !errors.Is(err, context.Canceled) {
		m.SetUp(outcome == outcomeOK)
	}
}

// Lost counts that the store has lost what was written to it.
func (m *Metrics) Lost() { m.lost.Inc() }

// SetUp notes whether the store answers.
func (m *Metrics) SetUp(up bool) {
	value := 0.0
	if up && !m.deaf.Load() {
		value = 1
	}
	m.up.Set(value)
}

// SetHears notes whether the store lets the replica hear the others. While it does not, it is not up, whatever it
// answers.
func (m *Metrics) SetHears(hears bool) { m.deaf.Store(!hears) }

func outcomeOf(err error) string {
	slow, ok := errors.AsType[net.Error](err)
	switch {
	case err == nil, errors.Is(err, ErrNotFound):
		return outcomeOK
	case errors.Is(err, context.DeadlineExceeded), ok && slow.Timeout():
		return outcomeTimedOut
	}
	return outcomeError
}
