package icws

import (
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"portico/proxy/tracing"
	"portico/proxy/upstream"
	"portico/translate/icwsapi"
)

// What is assumed of a Settings field that is zero.
const (
	defaultTimeout  = 10 * time.Second // that of the vendor's own JavaScript library
	defaultPing     = time.Minute      // longest that a stream is assumed to go without a keep-alive
	defaultSilent   = time.Minute      // of what is passed through: some queries of native applications take long
	defaultLanguage = "en-us"
)

// Settings say where a site is and how to call it.
type Settings struct {
	Site  string   // its name, for metrics
	Bases []string // the URL before /icws, one per host, in the order to try; at least one

	// Template is a base with {host} in place of a host's name, for sites behind a proxy that
	// takes the name from the path. Empty, the hosts' names are those in Bases.
	Template string

	// Alternates are patterns of further hosts that the site may send us to, such as
	// "ic*.example". A * stands for letters, digits, - and _, never for a dot.
	Alternates []string

	Application string // applicationName, shown to the site's supervisors
	Marketplace Marketplace
	Language    string // of a log-in that names none; default en-us

	Limits upstream.Limits // of what the site is asked; the zero value is none

	Timeout time.Duration // of each call, and of a stream until it opens; default 10 s
	Ping    time.Duration // a stream that is silent for three of these is broken; default 60 s

	// Of what is passed through for native applications.
	PublicURL          string        // how callers reach us: its host stands for those of the site
	PassthroughTimeout time.Duration // how long the site may be silent; default 1 min

	HTTP    http.RoundTripper // default http.DefaultTransport; it must follow no redirects
	Calls   *upstream.Calls   // for calls that change something; default HTTP
	Streams http.RoundTripper // for event streams; default HTTP
	Metrics *upstream.Metrics // required

	Tracer    *tracing.Tracer // nil = nothing is recorded
	TellTrace bool            // the site is told which trace a call belongs to
}

// Marketplace is the licence of an application that does not use the site's own ICWS licence.
type Marketplace struct {
	LicenseName string
	Code        string
}

// A Client calls one site. Any number of goroutines may call its methods.
type Client struct {
	settings  Settings
	hosts     *hosts
	caller    *upstream.Caller
	metrics   *upstream.Site
	release   atomic.Pointer[release] // of the last log-in
	public    public
	releases  releases
	lists     lists
	languages languages
}

// New returns a client of a site. It starts nothing. It panics on settings that no site can have:
// without a base or metrics, or with a base that is no URL.
func New(s Settings) *Client {
	if s.Timeout == 0 {
		s.Timeout = defaultTimeout
	}
	if s.Ping == 0 {
		s.Ping = defaultPing
	}
	if s.PassthroughTimeout == 0 {
		s.PassthroughTimeout = defaultSilent
	}
	if s.Language == "" {
		s.Language = defaultLanguage
	}
	if s.HTTP == nil {
		s.HTTP = http.DefaultTransport
	}
	if s.Metrics == nil {
		panic(fmt.Sprintf("icws: site %q has no metrics", s.Site))
	}
	hosts, err := newHosts(s.Bases, s.Template, s.Alternates)
	if err != nil {
		panic(fmt.Sprintf("icws: site %q: %v", s.Site, err))
	}
	metrics := s.Metrics.Site(s.Site, upstream.Vocabulary{
		Kind:       "icws",
		Operations: operations,
		Errors:     classes,
		Hosts:      hosts.names(),
	})
	guard := upstream.NewGuard(metrics, s.Limits, hosts.in)
	return &Client{
		settings: s,
		hosts:    hosts,
		caller: &upstream.Caller{Site: metrics, Transport: s.HTTP, Calls: s.Calls, Streams: s.Streams, Timeout: s.Timeout, Guard: guard,
			Elsewhere: sentElsewhere, Answers: answers,
			Trace: s.Tracer.To(s.Site, "icws", s.TellTrace)},
		metrics: metrics,
		public:  publicOf(s.PublicURL),
	}
}

// Metrics returns the numbers of the client's site, for what is counted elsewhere: calls that were
// avoided, log-ins that were not sent.
func (c *Client) Metrics() *upstream.Site { return c.metrics }

// Breakers returns the state of the breakers of the site's hosts, for operators.
func (c *Client) Breakers() []upstream.BreakerView { return c.caller.Guard.Breakers() }

// A release is what all sessions of one release of the server are told alike.
type release struct {
	features []icwsapi.Feature
	version  *icwsapi.Version
}

func (r release) equal(other release) bool {
	alike := r.version == other.version || r.version != nil && other.version != nil && *r.version == *other.version
	return alike && slices.Equal(r.features, other.features)
}

// shared returns features and version, or equal ones of an earlier log-in: sessions of one release need no more
// than one of each between them.
func (c *Client) shared(features []icwsapi.Feature, version *icwsapi.Version) ([]icwsapi.Feature, *icwsapi.Version) {
	of := release{features, version}
	last := c.release.Load()
	if last == nil || !last.equal(of) {
		last = &of
		c.release.Store(last)
	}
	return last.features, last.version
}
