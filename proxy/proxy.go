// Package proxy is the callers' door: the HTTP side of the /me API. It routes, decodes, asks the
// gateway, and encodes answers and errors in the caller's dialect. A request runs through it as
// routes.go -> call.go -> login.go -> a handler -> the gateway -> call.go. Of reads that take nothing but
// memory most are answered in quick.go instead, before net/http reads them.
package proxy

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/rs/cors"

	"portico/proxy/gateway"
	"portico/proxy/push"
	"portico/proxy/tracing"
	"portico/translate/htccapi"
)

// Settings are what the door needs. Gateway is required.
type Settings struct {
	Gateway *gateway.Gateway

	PublicURL       string          // what uri fields start with, and the origin that is trusted
	Dialect         htccapi.Dialect // of all answers; "" means each prefix its own
	HTCCVersion     string          // what /diagnostics/version tells
	MaxBody         int64           // bytes of a request's body; 0 means 64 KiB
	MaxURL          int             // bytes of a request's URL; 0 means 8 KiB
	MaxHeaders      int             // how many headers a request may have; 0 means 100
	BodyTimeout     time.Duration   // how long bodies are waited for; 0 means 30 s
	WriteTimeout    time.Duration   // how long callers may take nothing of an answer; 0 means 30 s
	Passthrough     []string        // path prefixes that go to the agent's HTCC site, without trailing slash
	NoQuickRequests bool            // nothing is answered before net/http reads it
	Places          *Places         // for requests that are worked on; nil means 2,000
	Delays          *Delays         // of answers to wrong log-ins; nil means none

	Origins   []string // whose pages may call, beside PublicURL
	CSRFToken bool     // a token, not the origin, proves that a request with a cookie is the agent's

	// LoggedIn is told the context of each request that turned out to be an agent's, and the session; nil = nobody is.
	LoggedIn func(ctx context.Context, session string)

	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
	LogClientIP    bool           // callers' addresses stand in the log
	LogLogins      bool           // agents' login names stand in audit records and in those of requests

	Push     *push.Server    // answers CometD; nil = nobody does
	Draining func() bool     // reports that Portico is about to stop: connections are closed; nil = never
	Metrics  *Metrics        // nil = counted nowhere
	Tracer   *tracing.Tracer // nil = nothing is recorded
	Logger   *slog.Logger
}

const (
	defaultMaxBody    = 64 << 10 // bytes
	defaultMaxURL     = 8 << 10  // bytes
	defaultMaxHeaders = 100
	defaultPlaces     = 2000
)

// A door serves callers. Any number of goroutines may use it.
type door struct {
	settings Settings
	gateway  *gateway.Gateway
	metrics  *Metrics
	log      *slog.Logger
	origins  *http.CrossOriginProtection
	cors     *cors.Cors // nil: no other origin may call
	secure   bool       // cookies are for https alone

	passed map[string]*endpoint // of what is passed through to HTCC sites, by method
	native nativeEndpoints

	quick   map[string]*quickRoute // by path
	changes map[string]bool        // paths of changes of state; that of one with a name ends before it
	heads   quickHeads
	polls   polls
}

// A Door is the callers' door.
type Door struct {
	http.Handler
	door *door
	pace pace
}

// New returns the callers' door. It panics on a public URL that is no origin.
func New(s Settings) *Door {
	door := build(s)
	pace := pace{body: cmp.Or(s.BodyTimeout, defaultPace), write: cmp.Or(s.WriteTimeout, defaultPace)}
	return &Door{Handler: pace.kept(plainPaths(door.engine())), door: door, pace: pace}
}

// WriteTimeout returns how long callers may take nothing of an answer.
func (d *Door) WriteTimeout() time.Duration { return d.pace.write }

// build returns a door whose settings are complete.
func build(s Settings) *door {
	s.MaxBody = cmp.Or(s.MaxBody, defaultMaxBody)
	s.MaxURL = cmp.Or(s.MaxURL, defaultMaxURL)
	s.MaxHeaders = cmp.Or(s.MaxHeaders, defaultMaxHeaders)
	if s.LoggedIn == nil {
		s.LoggedIn = func(context.Context, string) {}
	}
	if s.Places == nil {
		s.Places = NewPlaces(defaultPlaces, nil)
	}
	if s.Delays == nil {
		s.Delays = NewDelays()
	}
	if s.Metrics == nil {
		s.Metrics = NewMetrics(nil)
	}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	if s.Draining == nil {
		s.Draining = func() bool { return false }
	}
	s.PublicURL = strings.TrimRight(s.PublicURL, "/")
	passed := map[string]*endpoint{}
	for _, method := range methods {
		passed[method] = s.Metrics.endpoint(apiHTCC, routePassthrough, method)
	}
	d := &door{settings: s, gateway: s.Gateway, passed: passed, native: newNativeEndpoints(s.Metrics), metrics: s.Metrics, log: s.Logger,
		origins: origins(s.PublicURL, s.Origins), cors: newCORS(s.Origins), secure: strings.HasPrefix(s.PublicURL, "https://"),
		quick: map[string]*quickRoute{}, changes: map[string]bool{}}
	d.heads = d.newQuickHeads()
	return d
}

// engine returns the router with every route in it.
func (d *door) engine() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.RedirectTrailingSlash = false
	engine.RedirectFixedPath = false
	engine.HandleMethodNotAllowed = true
	_ = engine.SetTrustedProxies(nil) // whose address a request has, addressOf tells
	d.route(engine)
	return engine
}
