// Package proxy is the callers' door: the HTTP side of the /me API. It routes, decodes, asks the
// gateway, and encodes answers and errors in the caller's dialect. A request runs through it as
// routes.go -> call.go -> login.go -> a handler -> the gateway -> call.go.
package proxy

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"

	"github.com/gin-gonic/gin"

	"portico/proxy/gateway"
	"portico/proxy/push"
	"portico/translate/htccapi"
)

// Settings are what the door needs. Gateway is required.
type Settings struct {
	Gateway *gateway.Gateway

	PublicURL   string          // what uri fields start with, and the origin that is trusted
	Dialect     htccapi.Dialect // of all answers; "" means each prefix its own
	HTCCVersion string          // what /diagnostics/version tells
	MaxBody     int64           // bytes of a request's body; 0 means 64 KiB
	Passthrough []string        // path prefixes that go to the agent's HTCC site, without trailing slash
	Places      *Places         // for requests that are worked on; nil means 2,000

	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
	LogClientIP    bool           // callers' addresses stand in the log

	Push     *push.Server // answers CometD; nil = nobody does
	Draining func() bool  // reports that Portico is about to stop: connections are closed; nil = never
	Metrics  *Metrics     // nil = counted nowhere
	Logger   *slog.Logger
}

const (
	defaultMaxBody = 64 << 10 // bytes
	defaultPlaces  = 2000
)

// A door serves callers. Any number of goroutines may use it.
type door struct {
	settings Settings
	gateway  *gateway.Gateway
	metrics  *Metrics
	log      *slog.Logger
	origins  *http.CrossOriginProtection
	secure   bool // cookies are for https alone

	passed map[string]*endpoint // of what is passed through to HTCC sites, by method
	native nativeEndpoints
}

// New returns the callers' door. It panics on a public URL that is no origin.
func New(s Settings) http.Handler { return plainPaths(build(s).engine()) }

// build returns a door whose settings are complete.
func build(s Settings) *door {
	if s.MaxBody <= 0 {
		s.MaxBody = defaultMaxBody
	}
	if s.Places == nil {
		s.Places = NewPlaces(defaultPlaces, nil)
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
	return &door{settings: s, gateway: s.Gateway, passed: passed, native: newNativeEndpoints(s.Metrics), metrics: s.Metrics, log: s.Logger,
		origins: origins(s.PublicURL), secure: strings.HasPrefix(s.PublicURL, "https://")}
}

// engine returns the router with every route in it.
func (d *door) engine() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.RedirectTrailingSlash = false
	engine.RedirectFixedPath = false
	engine.HandleMethodNotAllowed = true
	trusted := make([]string, 0, len(d.settings.TrustedProxies))
	for _, network := range d.settings.TrustedProxies {
		trusted = append(trusted, network.String())
	}
	err := engine.SetTrustedProxies(trusted)
	if err != nil {
		panic(fmt.Sprintf("proxy: a netip.Prefix cannot fail to parse: %v", err))
	}
	d.route(engine)
	return engine
}
