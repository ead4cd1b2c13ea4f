package proxy

import (
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"portico/translate/htccapi"
)

// Metrics are what the door counts. Any number of goroutines may use them.
type Metrics struct {
	requests         *prometheus.CounterVec
	durations        *prometheus.HistogramVec
	requestsInFlight prometheus.Gauge
	pushInFlight     prometheus.Gauge
	delayedInFlight  prometheus.Gauge
	responses        map[operation]*[statuses + 1]prometheus.Counter
	silent           bool // nothing is registered, so requests are not counted
}

// buckets of answering times, in seconds. The boundaries of objectives, 0.5 and 2.5, are among them.
var buckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

// Values of labels. Routes are templates; whatever has no route is unmatched.
const (
	apiMe          = "me"
	apiHTCC        = "htcc" // passed through
	apiICWS        = "icws" // passed through, or answered from the cache
	apiCometD      = "cometd"
	routeUnmatched = "unmatched"
	methodOther    = "OTHER"
	kindRequest    = "request"
	kindPush       = "push"
	kindDelayed    = "delayed"
)

// methods are the values of the method label.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
	http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace, methodOther}

func methodLabel(method string) string {
	if slices.Contains(methods, method) {
		return method
	}
	return methodOther
}

// An operation is a value of the operation label: what was read, or an operationName.
type operation string

// Operations that are no operationName.
const (
	opNone           operation = "" // not counted as an answer of the API
	opMe             operation = "me"
	opDevices        operation = "devices"
	opChannels       operation = "channels"
	opAgentStates    operation = "agent_states"
	opStatusMessages operation = "status_messages"
	opVersion        operation = "version"
	opCustom         operation = "custom"
	opOther          operation = "other" // a POST that failed before its operationName was read
)

func operations() []operation {
	all := []operation{opMe, opDevices, opChannels, opAgentStates, opStatusMessages, opVersion, opCustom, opOther}
	for _, name := range htccapi.Reserved {
		all = append(all, operation(name))
	}
	return all
}

// operationOf returns what a posted operation is counted as.
func operationOf(name htccapi.Operation) operation {
	if slices.Contains(htccapi.Reserved, name) {
		return operation(name)
	}
	return opCustom
}

// statuses is how many values a statusCode has.
//
// Source: GWS 8.5.2, ReturnValues: 0 to 20.
const statuses = 21

// NewMetrics registers the door's metrics with reg. With a nil reg nothing is registered.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	with := promauto.With(reg)
	inFlight := with.NewGaugeVec(prometheus.GaugeOpts{
		Name: "portico_http_requests_in_flight",
		Help: "Requests being served. kind: request, push, delayed (wrong log-ins whose answer is kept back).",
	}, []string{"kind"})
	responses := with.NewCounterVec(prometheus.CounterOpts{
		Name: "portico_api_responses_total",
		Help: "Answers by HTCC statusCode, whatever the dialect. api: me. operation: me, devices, channels, agent_states, " +
			"status_messages, version, an operationName, custom (any other), other (not known). status: 0 to 20, other.",
	}, []string{"api", "operation", "status"})
	return &Metrics{
		requests: with.NewCounterVec(prometheus.CounterOpts{
			Name: "portico_http_requests_total",
			Help: "Requests answered. api: me, htcc, icws, cometd. route: template, passthrough, unmatched. method: the standard verbs, OTHER. " +
				"code: HTTP status, 499 (the caller left), other.",
		}, []string{"api", "route", "method", "code"}),
		durations: with.NewHistogramVec(prometheus.HistogramOpts{
			Name: "portico_http_request_duration_seconds",
			Help: "Time to answer, of what is passed through until the head of the answer; held connects, streams, delays of wrong log-ins, " +
				"and waits for the caller to send or to read excluded. api: me, htcc, icws, cometd. route: template, passthrough, unmatched. " +
				"method: the standard verbs, OTHER. code_class: 2xx, 3xx, 4xx, 5xx, none.",
			Buckets:                         buckets,
			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  160,
			NativeHistogramMinResetDuration: time.Hour,
		}, []string{"api", "route", "method", "code_class"}),
		requestsInFlight: inFlight.WithLabelValues(kindRequest),
		pushInFlight:     inFlight.WithLabelValues(kindPush),
		delayedInFlight:  inFlight.WithLabelValues(kindDelayed),
		responses:        resolved(responses),
		silent:           reg == nil,
	}
}

// resolved makes every series of the answers, at 0.
func resolved(responses *prometheus.CounterVec) map[operation]*[statuses + 1]prometheus.Counter {
	all := map[operation]*[statuses + 1]prometheus.Counter{}
	for _, op := range operations() {
		byStatus := new([statuses + 1]prometheus.Counter)
		for status := range statuses {
			byStatus[status] = responses.WithLabelValues(apiMe, string(op), strconv.Itoa(status))
		}
		byStatus[statuses] = responses.WithLabelValues(apiMe, string(op), "other")
		all[op] = byStatus
	}
	return all
}

// answered counts an answer of the API.
func (m *Metrics) answered(op operation, status int) {
	byStatus, counted := m.responses[op]
	if !counted || m.silent {
		return
	}
	if status < 0 || status >= statuses {
		status = statuses
	}
	byStatus[status].Inc()
}

// An endpoint counts the requests of one route and method. Its series are made when a code is first
// seen, and then kept.
type endpoint struct {
	api, route, method string

	silent bool // nobody sees what is counted

	held bool // may be held, so its times tell nothing and are not counted

	requests  *prometheus.CounterVec // curried: code is left
	durations prometheus.ObserverVec // curried: code_class is left

	mu      sync.RWMutex
	codes   map[int]prometheus.Counter  // guarded by mu
	classes map[int]prometheus.Observer // guarded by mu
}

func (m *Metrics) endpoint(api, route, method string) *endpoint {
	labels := prometheus.Labels{"api": api, "route": route, "method": method}
	return &endpoint{
		api: api, route: route, method: method, silent: m.silent,
		requests: m.requests.MustCurryWith(labels), durations: m.durations.MustCurryWith(labels),
		codes: map[int]prometheus.Counter{}, classes: map[int]prometheus.Observer{},
	}
}

// count counts a request that was answered. Trace is the id of a trace that was recorded of it, "" if
// none was.
func (e *endpoint) count(code int, took time.Duration, trace string) {
	if e.silent {
		return
	}
	e.mu.RLock()
	counter, observer := e.codes[code], e.classes[code/100]
	e.mu.RUnlock()
	if counter == nil {
		counter, observer = e.resolve(code)
	}
	counter.Inc()
	switch {
	case observer == nil:
	case trace == "":
		observer.Observe(took.Seconds())
	default:
		observer.(prometheus.ExemplarObserver).ObserveWithExemplar(took.Seconds(), prometheus.Labels{"trace_id": trace})
	}
}

// codeLabel returns the label of an HTTP status. A site that is passed through may answer with any.
func codeLabel(code int) string {
	if http.StatusText(code) == "" && code != codeClientGone {
		return "other"
	}
	return strconv.Itoa(code)
}

// classLabel returns the class of an HTTP status, none for what is outside 2xx to 5xx.
func classLabel(code int) string {
	if code < 200 || code > 599 {
		return "none"
	}
	return strconv.Itoa(code/100) + "xx"
}

func (e *endpoint) resolve(code int) (prometheus.Counter, prometheus.Observer) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.codes[code] = e.requests.WithLabelValues(codeLabel(code))
	if e.held {
		return e.codes[code], nil
	}
	e.classes[code/100] = e.durations.WithLabelValues(classLabel(code))
	return e.codes[code], e.classes[code/100]
}
