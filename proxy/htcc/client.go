package htcc

import (
	"fmt"
	"net/http"
	"time"

	"portico/proxy/tracing"
	"portico/proxy/upstream"
)

// defaultTimeout is what is assumed of a Settings.Timeout that is zero: what the usual CometD
// client allows a network (maxNetworkDelay).
const defaultTimeout = 10 * time.Second

// defaultPassthroughTimeout is what reverse proxies usually allow between two reads.
const defaultPassthroughTimeout = time.Minute

// Settings say where a site is and how to call it.
type Settings struct {
	Site  string   // its name, for metrics
	Bases []string // the URL before /api/v2, one per host, in the order to try; at least one

	// Timeout is that of each call, and of a held call beyond the time that the server announced
	// to hold it; default 10 s.
	Timeout time.Duration

	// PassthroughTimeout is how long the server may be silent while a request that is passed through
	// waits for it: before the answer, and in it. Default 1 min.
	PassthroughTimeout time.Duration

	Limits upstream.Limits // of what the site is asked; the zero value is none

	HTTP    http.RoundTripper // default http.DefaultTransport; it must follow no redirects
	Metrics *upstream.Metrics // required

	Tracer    *tracing.Tracer // nil = nothing is recorded
	TellTrace bool            // the site is told which trace a call belongs to
}

// A Client calls one site. Any number of goroutines may call its methods.
type Client struct {
	settings Settings
	hosts    *hosts
	caller   *upstream.Caller
	metrics  *upstream.Site
}

// New returns a client of a site. It starts nothing. It panics on settings that no site can have:
// without a base or metrics, or with a base that is no URL.
func New(s Settings) *Client {
	if s.Timeout == 0 {
		s.Timeout = defaultTimeout
	}
	if s.PassthroughTimeout == 0 {
		s.PassthroughTimeout = defaultPassthroughTimeout
	}
	if s.HTTP == nil {
		s.HTTP = http.DefaultTransport
	}
	if s.Metrics == nil {
		panic(fmt.Sprintf("htcc: site %q has no metrics", s.Site))
	}
	hosts, err := newHosts(s.Bases)
	if err != nil {
		panic(fmt.Sprintf("htcc: site %q: %v", s.Site, err))
	}
	metrics := s.Metrics.Site(s.Site, upstream.Vocabulary{
		Kind:       "htcc",
		Operations: operations,
		Errors:     classes,
		Hosts:      hosts.names(),
	})
	return &Client{
		settings: s,
		hosts:    hosts,
		caller: &upstream.Caller{Site: metrics, Transport: s.HTTP, Timeout: s.Timeout, Guard: upstream.NewGuard(metrics, s.Limits, nil),
			Answers: answers,
			Trace:   s.Tracer.To(s.Site, "htcc", s.TellTrace)},
		metrics: metrics,
	}
}

// Metrics returns the numbers of the client's site, for what is counted elsewhere: calls that were
// avoided, log-ins that were not sent.
func (c *Client) Metrics() *upstream.Site { return c.metrics }

// Breakers returns the state of the breakers of the site's hosts, for operators.
func (c *Client) Breakers() []upstream.BreakerView { return c.caller.Guard.Breakers() }
