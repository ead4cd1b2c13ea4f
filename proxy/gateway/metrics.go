package gateway

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics are what the room counts beside the calls, which proxy/upstream counts.
type Metrics struct {
	active prometheus.Gauge
	events *prometheus.CounterVec
	ages   map[string]map[source]prometheus.Observer // by site
	leases *prometheus.CounterVec

	watching *prometheus.GaugeVec // by site
}

// Values of the event label.
const eventCreated = "created"

const eventTakenOver = "taken_over"

// A leaseEvent is what became of the right to read an agent's upstream sessions.
type leaseEvent string

const (
	leaseAcquired leaseEvent = "acquired"
	leaseLost     leaseEvent = "lost" // to another replica, or for want of an answer
)

// ageBuckets are in seconds: from a state that was pushed a moment ago to one of an outage.
var ageBuckets = []float64{.05, .25, .5, 2.5, 10, 30, 60, 300, 900}

// NewMetrics registers the room's metrics with reg, with a series of each kind for each site.
func NewMetrics(reg prometheus.Registerer, sites ...string) *Metrics {
	register := promauto.With(reg)
	m := &Metrics{
		active: register.NewGauge(prometheus.GaugeOpts{
			Name: "portico_sessions_active",
			Help: "Agent sessions held by this process.",
		}),
		events: register.NewCounterVec(prometheus.CounterOpts{
			Name: "portico_session_events_total",
			Help: "Life of agent sessions. event: created, taken_over, logged_out, idle, upstream_gone, operator, stopped.",
		}, []string{"event"}),
	}
	for _, event := range []string{eventCreated, eventTakenOver, string(endByAgent), string(endIdle), string(endUpstream), string(endOperator), string(endStopped)} {
		m.events.WithLabelValues(event)
	}
	m.leases = register.NewCounterVec(prometheus.CounterOpts{
		Name: "portico_session_lease_events_total",
		Help: "Leases to read an agent's upstream sessions, between replicas. event: acquired, lost.",
	}, []string{"event"})
	for _, event := range []leaseEvent{leaseAcquired, leaseLost} {
		m.leases.WithLabelValues(string(event))
	}
	m.watching = register.NewGaugeVec(prometheus.GaugeOpts{
		Name: "portico_site_service_watching",
		Help: "1 while the service user receives what the site pushes about its agents; a site without one has no series.",
	}, []string{"site"})
	m.ages = map[string]map[source]prometheus.Observer{}
	ages := register.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "portico_state_served_age_seconds",
		Help:    "Age of the agent state when it was served. source: push, read.",
		Buckets: ageBuckets, NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100,
	}, []string{"site", "source"})
	for _, site := range sites {
		m.ages[site] = map[source]prometheus.Observer{}
		for _, from := range []source{fromPush, fromRead} {
			m.ages[site][from] = ages.WithLabelValues(site, string(from))
		}
	}
	return m
}

// serviceOf returns the gauge of whether a site's service user receives.
func (m *Metrics) serviceOf(site string) prometheus.Gauge { return m.watching.WithLabelValues(site) }

// served counts what was shown of an agent at a site, unless the site was not there to show it.
func (m *Metrics) served(site string, view shown) {
	age := m.ages[site][view.from]
	if age != nil {
		age.Observe(view.age.Seconds())
	}
}

func (m *Metrics) began() {
	m.active.Inc()
	m.events.WithLabelValues(eventCreated).Inc()
}

// adopted counts an agent whose session another replica began.
func (m *Metrics) adopted() {
	m.active.Inc()
	m.events.WithLabelValues(eventTakenOver).Inc()
}

// left counts an agent whose session goes on elsewhere.
func (m *Metrics) left() { m.active.Dec() }

func (m *Metrics) lease(event leaseEvent) { m.leases.WithLabelValues(string(event)).Inc() }

func (m *Metrics) ended(why ending) {
	if why == endForced { // for operators both are the site's doing
		why = endUpstream
	}
	m.active.Dec()
	m.events.WithLabelValues(string(why)).Inc()
}
