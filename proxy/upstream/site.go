package upstream

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"

	"portico/proxy/fault"

	"github.com/prometheus/client_golang/prometheus"
)

// maxHosts is how many of a site's hosts are told apart in labels.
const maxHosts = 8

// A Site is what one site's calls are counted in. Any number of goroutines may call its methods.
type Site struct {
	metrics *Metrics
	name    string
	kind    string
	hosts   []string

	operations  map[string]*operation // with other; never changes
	inFlight    prometheus.Gauge
	connections map[bool]prometheus.Counter // by reused
	events      map[StreamEvent]prometheus.Counter
	logins      map[LoginOutcome]prometheus.Counter
	up          prometheus.Gauge

	loginsWaiting prometheus.Gauge
	loginWait     prometheus.Observer
	breakers      map[string]*breakerState // by host, with other; never changes

	mu       sync.Mutex // guards versions
	versions map[string]string
}

// An operation holds the children of one call's label, resolved once.
type operation struct {
	name      string
	requests  *prometheus.CounterVec   // curried: cause and code are left
	durations *prometheus.HistogramVec // curried: code_class is left
	failures  map[reason]prometheus.Counter
	apiErrors map[string]prometheus.Counter
	avoided   map[Avoided]prometheus.Counter
	shorts    map[short]prometheus.Counter
}

func newSite(m *Metrics, name string, v Vocabulary) *Site {
	s := &Site{
		metrics:     m,
		name:        name,
		kind:        v.Kind,
		hosts:       v.Hosts[:min(len(v.Hosts), maxHosts)],
		operations:  make(map[string]*operation),
		inFlight:    m.inFlight.WithLabelValues(name),
		connections: make(map[bool]prometheus.Counter),
		events:      make(map[StreamEvent]prometheus.Counter),
		logins:      make(map[LoginOutcome]prometheus.Counter),
		up:          m.up.WithLabelValues(name),
		versions:    make(map[string]string),

		loginsWaiting: m.waiting.WithLabelValues(name),
		loginWait:     m.waits.WithLabelValues(name),
		breakers:      make(map[string]*breakerState),
	}
	for _, host := range append(slices.Clone(s.hosts), other) {
		s.breakers[host] = newBreakerState(m.breakers, name, host)
	}
	for _, op := range append(slices.Clone(v.Operations), other) {
		s.operations[op] = newOperation(m, name, op, append(slices.Clone(v.Errors), other))
	}
	for _, reused := range []bool{true, false} {
		s.connections[reused] = m.connections.WithLabelValues(name, strconv.FormatBool(reused))
	}
	for _, event := range events {
		s.events[event] = m.events.WithLabelValues(name, string(event))
	}
	for _, outcome := range outcomes {
		s.logins[outcome] = m.logins.WithLabelValues(name, string(outcome))
	}
	for _, transport := range transports {
		for _, state := range streamState {
			m.streams.WithLabelValues(name, string(transport), state)
		}
	}
	return s
}

func newOperation(m *Metrics, site, op string, classes []string) *operation {
	labels := prometheus.Labels{"site": site, "operation": op}
	o := &operation{
		name:      op,
		requests:  m.requests.MustCurryWith(labels),
		durations: m.durations.MustCurryWith(labels).(*prometheus.HistogramVec),
		failures:  make(map[reason]prometheus.Counter),
		apiErrors: make(map[string]prometheus.Counter),
		avoided:   make(map[Avoided]prometheus.Counter),
		shorts:    make(map[short]prometheus.Counter),
	}
	for _, why := range shorts {
		o.shorts[why] = m.shorts.WithLabelValues(site, op, string(why))
	}
	for _, r := range reasons {
		o.failures[r] = m.failures.WithLabelValues(site, op, string(r))
	}
	for _, class := range classes {
		o.apiErrors[class] = m.apiErrors.WithLabelValues(site, op, class)
	}
	for _, a := range avoidances {
		o.avoided[a] = m.avoided.WithLabelValues(site, op, string(a))
	}
	return o
}

// of returns the children of an operation, those of other if it is unknown.
func (s *Site) of(op string) *operation {
	found, ok := s.operations[op]
	if !ok {
		return s.operations[other]
	}
	return found
}

// got counts the connection that an attempt got.
func (s *Site) got(reused bool) { s.connections[reused].Inc() }

// APIError counts an error of the site's API by its class.
func (s *Site) APIError(op, class string) { count(s.of(op).apiErrors, class) }

// Avoided counts a call that a caller asked for and that was not sent.
func (s *Site) Avoided(op string, why Avoided) { count(s.of(op).avoided, why) }

// breakersOf returns the state set of a host's breakers.
func (s *Site) breakersOf(host string) *breakerState { return s.breakers[known(s.hosts, host)] }

// Login counts a log-in.
func (s *Site) Login(outcome LoginOutcome) { count(s.logins, outcome) }

// LoggedIn counts how a log-in ended; one that its caller gave up says nothing of the site.
func (s *Site) LoggedIn(err error) {
	switch {
	case err == nil:
		s.Login(LoginOK)
	case errors.Is(err, fault.Unauthenticated):
		s.Login(LoginRefused)
	case !errors.Is(err, context.Canceled):
		s.Login(LoginError)
	}
}

// Event counts something that happened to a reader.
func (s *Site) Event(event StreamEvent) { count(s.events, event) }

// Up says whether the last probe of the site passed.
func (s *Site) Up(up bool) {
	if up {
		s.up.Set(1)
		return
	}
	s.up.Set(0)
}

// Info says which version a host of the site runs. It replaces what was said of that host.
func (s *Site) Info(host, version string) {
	host = known(s.hosts, host)
	s.mu.Lock()
	defer s.mu.Unlock()
	before, ok := s.versions[host]
	if ok && before != version {
		s.metrics.info.DeleteLabelValues(s.name, s.kind, before, host)
	}
	s.versions[host] = version
	s.metrics.info.WithLabelValues(s.name, s.kind, version, host).Set(1)
}

// count adds one to the counter of value, or of other.
func count[T ~string](counters map[T]prometheus.Counter, value T) {
	counter, ok := counters[value]
	if !ok {
		counter = counters[other]
	}
	counter.Inc()
}

// A ReaderState is one reader's place in the gauge of readers. One goroutine uses it.
type ReaderState struct {
	site *Site
	now  prometheus.Gauge // nil before the first Set and after Close
}

// Reader returns the place of a new reader, which is not counted before Set.
func (s *Site) Reader() *ReaderState { return &ReaderState{site: s} }

// Set says how the reader receives and whether it does.
func (r *ReaderState) Set(transport Transport, live bool) {
	r.Close()
	state := stateBroken
	if live {
		state = stateLive
	}
	transport = known(transports, transport)
	r.now = r.site.metrics.streams.WithLabelValues(r.site.name, string(transport), state)
	r.now.Inc()
}

// Close takes the reader out of the gauge.
func (r *ReaderState) Close() {
	if r.now != nil {
		r.now.Dec()
	}
	r.now = nil
}
