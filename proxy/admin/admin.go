// Package admin is the operator's door, on a port of its own: metrics, health, readiness, views of
// sites, sessions and caches, the level of the log, and pprof.
// It is not for agents' applications and is not counted in the door's metrics. Metrics and health are
// for everybody who reaches it; the rest asks for a token, unless only this machine does.
package admin

import (
	"log/slog"
	"net/http"
	"net/http/pprof"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"portico/proxy/gateway"
)

// Settings are what the operator's door needs. The first four are required.
type Settings struct {
	Gatherer   prometheus.Gatherer
	Registerer prometheus.Registerer
	Gateway    *gateway.Gateway
	Draining   func() bool // Portico was told to stop

	Token string // asked for as a bearer token where it is given
	Open  bool   // without one there is nobody to ask: only this machine reaches the door

	Logins func() bool    // the view of sessions shows login names; nil = no
	Level  *slog.LevelVar // of the log; nil = one that nobody uses
	Log    *slog.Logger   // nil = none
}

// maxScrapes bounds scrapes side by side, as each gathers everything. One that waits for its caller to take it is
// none any more.
const maxScrapes = 2

// New returns the operator's door.
func New(s Settings) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	if s.Logins == nil {
		s.Logins = func() bool { return false }
	}
	if s.Level == nil {
		s.Level = new(slog.LevelVar)
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	engine := gin.New()
	engine.HandleMethodNotAllowed = true
	engine.Use(gin.Recovery())
	read := func(path string, h gin.HandlerFunc) { engine.Match([]string{http.MethodGet, http.MethodHead}, path, h) }
	read("/healthz", func(c *gin.Context) { c.String(http.StatusOK, "ok\n") })
	read("/readyz", func(c *gin.Context) { c.JSON(readiness(s)) })
	read("/readyz/:site", func(c *gin.Context) { c.String(siteReadiness(s, c.Param("site"))) })
	read("/metrics", gin.WrapH(whole(promhttp.HandlerFor(s.Gatherer, promhttp.HandlerOpts{
		Registry: s.Registerer, EnableOpenMetrics: true, CoalesceGather: true, MaxRequestsInFlight: maxScrapes}))))
	guarded := engine.Group("/", s.authorized)
	s.show(guarded)
	profiles(guarded)
	return inTime(http.NewCrossOriginProtection().Handler(engine))
}

// A Readiness is the body of /readyz.
type Readiness struct {
	Ready    bool            `json:"ready"`
	Draining bool            `json:"draining"`
	Sites    map[string]bool `json:"sites"`           // whether each answered its last probe
	Store    *bool           `json:"store,omitempty"` // whether that of the sessions did, where replicas share one
}

// readiness is 200 while there is something to serve: Portico is not stopping, and a site answers.
// With one site of several down the others' agents still work, so only the body tells; nor does the
// shared store count, as its replicas are without it all together, and those who are logged in work.
func readiness(s Settings) (int, Readiness) {
	some, sites := s.Gateway.Ready()
	r := Readiness{Draining: s.Draining(), Sites: sites}
	r.Ready = some && !r.Draining
	shared, up := s.Gateway.StoreUp()
	if shared {
		r.Store = &up
	}
	if r.Ready {
		return http.StatusOK, r
	}
	return http.StatusServiceUnavailable, r
}

// siteReadiness is 200 while the agents of one site can be served, for who sends each site's agents to
// where they can be.
func siteReadiness(s Settings, site string) (int, string) {
	_, sites := s.Gateway.Ready()
	up, known := sites[site]
	switch {
	case !known:
		return http.StatusNotFound, "there is no such site\n"
	case s.Draining():
		return http.StatusServiceUnavailable, "draining\n"
	case !up:
		return http.StatusServiceUnavailable, "the site does not answer\n"
	}
	return http.StatusOK, "ok\n"
}

// profiles mounts net/http/pprof, which registers itself only with the default mux.
func profiles(views gin.IRoutes) {
	views.GET(pprofPath+"*profile", func(c *gin.Context) {
		handler := pprof.Index
		switch c.Param("profile") {
		case "/cmdline":
			handler = pprof.Cmdline
		case "/profile":
			handler = pprof.Profile
		case "/symbol":
			handler = pprof.Symbol
		case "/trace":
			handler = pprof.Trace
		}
		handler(c.Writer, c.Request)
	})
}
