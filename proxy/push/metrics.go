package push

import (
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// A transport carries a client's messages.
type transport int

const (
	longPolling transport = iota
	webSocket
)

var transports = []string{"long_polling", "websocket"} // by transport

// A lifeEvent is a turn in the life of a client.
type lifeEvent int

const (
	opened     lifeEvent = iota // shook hands
	closed                      // disconnected, or its owner was ended
	timedOut                    // did not connect again in time
	refused                     // its handshake was
	overflowed                  // did not take its events in time
	broughtIn                   // came from another server
	movedAway                   // goes on at another server
)

var lifeEvents = []string{"opened", "closed", "timed_out", "refused", "overflowed", "brought_in", "moved_away"} // by lifeEvent

// An outcome is what became of an event for one client. What is left over when one leaves has none.
type outcome int

const (
	delivered outcome = iota
	dropped
)

var outcomes = []string{"delivered", "dropped"} // by outcome

// topics are the labels of channels, each the last segment of those it stands for.
var topics = []string{"devices", "channels", "services", "other"}

// buckets of delivery times, in seconds.
var buckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

// Metrics are what a server counts. Any number of goroutines may use them.
type Metrics struct {
	connections [2]prometheus.Gauge              // by transport
	life        [2][7]prometheus.Counter         // by transport and lifeEvent
	events      map[string][2]prometheus.Counter // by topic, then outcome
	backlog     prometheus.Gauge
	capacity    prometheus.Gauge
	delivery    prometheus.Histogram
}

// NewMetrics registers the families with reg; nil registers nowhere. All series exist from the start.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	with := promauto.With(reg)
	connections := with.NewGaugeVec(prometheus.GaugeOpts{Name: "portico_push_connections",
		Help: "Clients of the Bayeux server. transport: " + strings.Join(transports, ", ") + "."}, []string{"transport"})
	life := with.NewCounterVec(prometheus.CounterOpts{Name: "portico_push_connection_events_total",
		Help: "What happened to clients of the Bayeux server. transport: " + strings.Join(transports, ", ") +
			". event: " + strings.Join(lifeEvents, ", ") + "."}, []string{"transport", "event"})
	events := with.NewCounterVec(prometheus.CounterOpts{Name: "portico_push_events_total",
		Help: "Events, counted once for each client they were for. channel: " + strings.Join(topics, ", ") +
			". outcome: " + strings.Join(outcomes, ", ") + " (not taken in time)."}, []string{"channel", "outcome"})
	m := &Metrics{
		events: make(map[string][2]prometheus.Counter, len(topics)),
		backlog: with.NewGauge(prometheus.GaugeOpts{Name: "portico_push_backlog_events",
			Help: "Events that wait for all clients together."}),
		capacity: with.NewGauge(prometheus.GaugeOpts{Name: "portico_push_backlog_capacity_events",
			Help: "Events that may wait for all clients together."}),
		delivery: with.NewHistogram(prometheus.HistogramOpts{Name: "portico_push_delivery_duration_seconds",
			Help:    "Time from an event's receipt from the site until it was written to a client.",
			Buckets: buckets, NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160,
			NativeHistogramMinResetDuration: time.Hour}),
	}
	for t, name := range transports {
		m.connections[t] = connections.WithLabelValues(name)
		for e, event := range lifeEvents {
			m.life[t][e] = life.WithLabelValues(name, event)
		}
	}
	for _, topic := range topics {
		m.events[topic] = [2]prometheus.Counter{
			events.WithLabelValues(topic, outcomes[delivered]), events.WithLabelValues(topic, outcomes[dropped])}
	}
	return m
}

// topic returns the label of channel.
func topic(channel string) string {
	last := channel[strings.LastIndexByte(channel, '/')+1:]
	for _, known := range topics {
		if last == known {
			return known
		}
	}
	return "other"
}

// delivered counts an event that was written to a client. Trace is the id of a trace that was recorded
// of it, "" if none was.
func (m *Metrics) delivered(e *event, trace string) {
	m.events[e.topic][delivered].Inc()
	took := time.Since(e.received).Seconds()
	if trace == "" {
		m.delivery.Observe(took)
		return
	}
	m.delivery.(prometheus.ExemplarObserver).ObserveWithExemplar(took, prometheus.Labels{"trace_id": trace})
}

// dropped counts an event that a client did not take in time.
func (m *Metrics) dropped(e *event) { m.events[e.topic][dropped].Inc() }
