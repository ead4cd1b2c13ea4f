package upstream

import (
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics are the families that the clients of all sites share. Any number of goroutines may use
// them. A client takes its Site from them once.
type Metrics struct {
	requests    *prometheus.CounterVec
	durations   *prometheus.HistogramVec
	inFlight    *prometheus.GaugeVec
	failures    *prometheus.CounterVec
	apiErrors   *prometheus.CounterVec
	avoided     *prometheus.CounterVec
	connections *prometheus.CounterVec
	streams     *prometheus.GaugeVec
	events      *prometheus.CounterVec
	up          *prometheus.GaugeVec
	info        *prometheus.GaugeVec
	logins      *prometheus.CounterVec
	shorts      *prometheus.CounterVec
	breakers    *prometheus.GaugeVec
	waiting     *prometheus.GaugeVec
	waits       *prometheus.HistogramVec

	names []string

	mu    sync.Mutex // guards sites
	sites map[string]*Site
}

// buckets of call times, in seconds. The boundaries of objectives, 0.5 and 2.5, are among them.
var buckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

// NewMetrics registers the families with reg. Sites are the names from the settings; a site with
// another name is counted as "other".
func NewMetrics(reg prometheus.Registerer, sites []string) *Metrics {
	with := promauto.With(reg)
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return with.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return with.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	}
	return &Metrics{
		requests: counter("portico_upstream_requests_total",
			"Attempts sent to a site. cause: "+list(causes)+". code: HTTP status, none (no status came), other.",
			"site", "operation", "cause", "code"),
		durations: with.NewHistogramVec(prometheus.HistogramOpts{
			Name: "portico_upstream_request_duration_seconds",
			Help: "Time of one attempt, from sending to the end of the body; event streams and held calls excluded." +
				" code_class: 2xx, 3xx, 4xx, 5xx, none.",
			Buckets:                         buckets,
			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  160,
			NativeHistogramMinResetDuration: time.Hour,
		}, []string{"site", "operation", "code_class"}),
		inFlight: gauge("portico_upstream_requests_in_flight", "Attempts outstanding, those of readers that are held excluded.", "site"),
		failures: counter("portico_upstream_failures_total",
			"Attempts without a usable answer. reason: "+list(reasons)+".", "site", "operation", "reason"),
		apiErrors: counter("portico_upstream_api_errors_total",
			"Errors that a site's API reported. error: the classes of the site's kind, other.", "site", "operation", "error"),
		avoided: counter("portico_upstream_requests_avoided_total",
			"Calls that callers asked for and that were not sent. reason: "+list(avoidances)+".", "site", "operation", "reason"),
		connections: counter("portico_upstream_connections_total",
			"Connections obtained for attempts. reused: true, false.", "site", "reused"),
		streams: gauge("portico_upstream_streams",
			"Readers of upstream sessions. transport: "+list(transports)+". state: "+list(streamState)+".",
			"site", "transport", "state"),
		events: counter("portico_upstream_stream_events_total",
			"What happened to readers. event: "+list(events)+".", "site", "event"),
		up: gauge("portico_site_up", "1 if the last active probe of the site passed.", "site"),
		info: gauge("portico_site_info",
			"Facts learned of a site, always 1. host: from the settings, at most 8, other.", "site", "kind", "version", "host"),
		logins: counter("portico_logins_total",
			"Log-ins. outcome: "+list(outcomes)+".", "site", "outcome"),
		shorts: counter("portico_upstream_short_circuits_total",
			"Calls refused here, with nothing sent. reason: "+list(shorts)+".", "site", "operation", "reason"),
		breakers: gauge("portico_breaker_state",
			"1 for the state that a host's circuit breaker is in. host: from the settings, at most 8, other. state: closed, half_open, open.",
			"site", "host", "state"),
		waiting: gauge("portico_logins_waiting", "Log-ins that wait for their turn.", "site"),
		waits: with.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "portico_login_wait_duration_seconds",
			Help:    "How long log-ins waited for the turn that they got.",
			Buckets: []float64{.001, .05, .25, .5, 1, 2.5, 5, 10, 30, 60, 300},
		}, []string{"site"}),
		names: slices.Clone(sites),
		sites: make(map[string]*Site),
	}
}

// A Vocabulary is what the client of one kind of site can report.
type Vocabulary struct {
	Kind       string   // htcc or icws
	Operations []string // labels of its calls
	Errors     []string // classes of its API's errors
	Hosts      []string // host names from the settings
}

// Site returns the numbers of one site, the same for the same name. Every series whose labels are
// known beforehand exists at 0 from then on. Any number of goroutines may call it.
func (m *Metrics) Site(name string, v Vocabulary) *Site {
	if !slices.Contains(m.names, name) {
		name = other
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	site, ok := m.sites[name]
	if !ok {
		site = newSite(m, name, v)
		m.sites[name] = site
	}
	return site
}
