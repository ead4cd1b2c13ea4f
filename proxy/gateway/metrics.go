package gateway

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics are what the room counts beside the calls, which proxy/upstream counts.
type Metrics struct {
	active prometheus.Gauge
	events *prometheus.CounterVec
}

// Values of the event label.
const eventCreated = "created"

// NewMetrics registers the room's metrics with reg.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	make := promauto.With(reg)
	m := &Metrics{
		active: make.NewGauge(prometheus.GaugeOpts{
			Name: "portico_sessions_active",
			Help: "Agent sessions held by this process.",
		}),
		events: make.NewCounterVec(prometheus.CounterOpts{
			Name: "portico_session_events_total",
			Help: "Life of agent sessions. event: created, logged_out, idle, upstream_gone, operator, stopped.",
		}, []string{"event"}),
	}
	for _, event := range []string{eventCreated, string(endByAgent), string(endIdle), string(endUpstream), string(endOperator), string(endStopped)} {
		m.events.WithLabelValues(event)
	}
	return m
}

func (m *Metrics) began() {
	m.active.Inc()
	m.events.WithLabelValues(eventCreated).Inc()
}

func (m *Metrics) ended(why ending) {
	if why == endForced { // for operators both are the site's doing
		why = endUpstream
	}
	m.active.Dec()
	m.events.WithLabelValues(string(why)).Inc()
}
