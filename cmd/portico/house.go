package main

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"portico/cache"
	"portico/config"
	"portico/proxy"
	"portico/proxy/admin"
	"portico/proxy/gateway"
	"portico/proxy/guesses"
	"portico/proxy/htcc"
	"portico/proxy/icws"
	"portico/proxy/push"
	"portico/proxy/quick"
	"portico/proxy/states"
	"portico/proxy/store"
	"portico/proxy/tracing"
	"portico/proxy/upstream"
	"portico/proxy/watch"
	"portico/translate"
	"portico/translate/htccapi"
)

// A house is Portico with every room built and nothing running yet.
type house struct {
	gateway  *gateway.Gateway
	push     *push.Server
	places   *proxy.Places
	delays   *proxy.Delays
	lasting  proxy.Settings // of the door, as far as they need a restart
	door     atomic.Pointer[proxy.Door]
	admin    http.Handler
	tracer   *tracing.Tracer // nil if nothing is recorded
	store    *store.Valkey   // nil: sessions are kept in memory
	reloads  reloads
	draining atomic.Bool
	logins   atomic.Bool // operators see login names
}

// ServeHTTP serves callers at the door of now. A request ends at the one it came in by.
func (h *house) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.door.Load().ServeHTTP(w, r) }

// quick is what answers requests before the server reads them, at the door of now.
func (h *house) quick() quick.Settings {
	return quick.Settings{
		Answer:  func(w io.Writer, r *quick.Request) bool { return h.door.Load().Quick(w, r) },
		Handler: h,
		Handles: func(r *quick.Request) bool { return h.door.Load().Handles(r) },
		Write:   func() time.Duration { return h.door.Load().WriteTimeout() },
		Idle:    idleTimeout,
	}
}

// poll answers requests of CometD before the server reads them, at the door of now.
func (h *house) poll(line *push.Line, came []byte) bool { return h.door.Load().Poll(line, came) }

// build makes every room from the settings.
func build(cfg *config.Config, books books, returns *push.Returns) (*house, error) {
	log, reg := books.log, books.reg
	tracer, err := tracerOf(cfg.Traces, log)
	if err != nil {
		return nil, err
	}
	shared, err := sharedStore(cfg, reg, log)
	if err != nil {
		return nil, err
	}
	names := siteNames(cfg)
	calls := upstream.NewMetrics(reg, names)
	sites := make([]gateway.Site, 0, len(names))
	for _, name := range names {
		site, err := siteOf(cfg, cfg.Sites[name], calls, tracer, turnOf(shared, name))
		if err != nil {
			return nil, err
		}
		sites = append(sites, site)
	}
	house := &house{tracer: tracer, store: shared, places: proxy.NewPlaces(int(cfg.Limits.Requests), reg), delays: proxy.NewDelays(), reloads: newReloads(reg)}
	house.push = house.pushServer(cfg, books, returns)
	serving := gateway.Settings{
		Policy: policy(cfg), Sites: sites, Push: house.push, Cache: cache.NewMetrics(reg, names...), Metrics: gateway.NewMetrics(reg, names...), Tracer: tracer, Logger: log,
	}
	house.share(reg, &serving)
	house.gateway, err = gateway.New(serving)
	if err != nil {
		return nil, err
	}
	house.lasting = proxy.Settings{
		Gateway: house.gateway, PublicURL: cfg.PublicURL, Places: house.places, Delays: house.delays, Draining: house.draining.Load, Push: house.push,
		Origins: cfg.CORS.Origins, LoggedIn: know, Metrics: proxy.NewMetrics(reg), Tracer: tracer, Logger: log,
	}
	house.adopt(cfg)
	house.admin = admin.New(admin.Settings{Gatherer: books.shown, Registerer: reg, Gateway: house.gateway, Draining: house.draining.Load,
		Token: cfg.AdminToken.Reveal(), Open: config.OnLoopback(cfg.Admin),
		Logins: house.logins.Load, Level: books.level, Log: log})
	return house, nil
}

// adopt puts into effect what of the settings does so at a reload: those that config lists, and no
// others may be read here. Sessions and requests under way go on.
func (h *house) adopt(cfg *config.Config) {
	h.gateway.SetPolicy(policy(cfg))
	h.places.SetLimit(int(cfg.Limits.Requests))
	h.delays.Set(cfg.Logins.Delay, cfg.Logins.Window)
	s := h.lasting
	s.Dialect, s.HTCCVersion, s.Passthrough, s.NoQuickRequests = htccapi.Dialect(cfg.Dialect), cfg.HTCCVersion, cfg.Passthrough, !cfg.QuickRequests
	s.MaxBody, s.MaxURL, s.MaxHeaders = int64(cfg.Limits.Body), int(cfg.Limits.URL), int(cfg.Limits.Headers)
	s.BodyTimeout, s.WriteTimeout, s.TrustedProxies = cfg.Limits.BodyTimeout, cfg.Limits.WriteTimeout, cfg.TrustedProxies
	h.logins.Store(cfg.Log.LoginNames)
	s.LogClientIP, s.LogLogins = cfg.Log.ClientIP, cfg.Log.LoginNames
	s.CSRFToken = cfg.CSRF == config.CSRFByToken
	h.door.Store(proxy.New(s))
}

func policy(cfg *config.Config) gateway.Policy {
	return gateway.Policy{Route: routes(cfg), States: sharedStates(cfg), Idle: cfg.IdleTimeout,
		Forget: cfg.Credentials == config.ForgetCredentials, MaxBytes: int64(cfg.Cache.MaxBytes),
		Guesses: guesses.Limits{PerName: int(cfg.Logins.FailuresPerName), PerAddress: int(cfg.Logins.FailuresPerAddress), Within: cfg.Logins.Window}}
}

// pushServer makes the CometD server. A client is found by its id, so that callers without a cookie jar
// are served too: whose it is, the log-in tells.
func (h *house) pushServer(cfg *config.Config, books books, returns *push.Returns) *push.Server {
	options := push.Options{TrustClientSession: true, AckExtension: true, WebSocket: true, Metrics: push.NewMetrics(books.reg), Returns: returns, Next: h.poll, Watch: watchTaken, Draining: h.draining.Load, Delivered: h.tracer.Delivered,
		Panicked: func(err error) { books.log.Error("a notification connection ended in a panic", "cause", err.Error()) }}
	if h.store != nil {
		options.Journal = h.store.Journal()
	}
	public, err := url.Parse(cfg.PublicURL)
	if err == nil {
		options.Secure = public.Scheme == "https"
		options.Origins = append([]string{public.Host}, cfg.CORS.Origins...)
	}
	return push.New(options)
}

func siteNames(cfg *config.Config) []string {
	names := make([]string, 0, len(cfg.Sites))
	for name := range cfg.Sites {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// siteOf makes a site from its settings. Turn asks the other replicas for a log-in's turn there.
func siteOf(cfg *config.Config, s config.Site, calls *upstream.Metrics, tracer *tracing.Tracer, turn upstream.LoginTurn) (gateway.Site, error) {
	calling, err := transport(s.TLS)
	if err != nil {
		return gateway.Site{}, fmt.Errorf("site %q: %w", s.Name, err)
	}
	if s.Kind == config.HTCC {
		return gateway.Site{Name: s.Name, Upgrades: s.Upgrades, HTCC: htcc.New(htcc.Settings{
			Site: s.Name, Bases: s.Bases(), Timeout: s.Timeout, PassthroughTimeout: s.PassthroughTimeout,
			Limits: limits(s, turn), HTTP: calling, Metrics: calls,
			Tracer: tracer, TellTrace: s.TraceContext == config.SendTraceContext})}, nil
	}
	var service watch.User
	if s.Watch == config.WatchService {
		service = watch.User{UserID: s.Service.User, Password: s.Service.Password.Reveal()}
	}
	return gateway.Site{
		Name: s.Name, Service: service, Heartbeats: s.Service.Hold == config.HoldByHeartbeat, KeepAlive: s.Service.KeepAlive,
		ICWS: icws.New(icws.Settings{
			Site: s.Name, Bases: s.Bases(), Template: s.URL, Alternates: s.Alternates, Application: s.Application,
			Marketplace: icws.Marketplace{LicenseName: s.Marketplace.LicenseName, Code: s.Marketplace.Code.Reveal()},
			Language:    s.Language, Timeout: s.Timeout, Limits: limits(s, turn), HTTP: calling, Calls: &upstream.Calls{Transport: calling}, Streams: &upstream.Streams{Transport: calling}, Metrics: calls,
			PublicURL: cfg.PublicURL, Tracer: tracer, TellTrace: s.TraceContext == config.SendTraceContext,
		}),
		Rules: translate.Rules{
			Site: s.Name, PublicURL: cfg.PublicURL, Channels: channels(s.Channels),
			Statuses:             translate.Statuses(s.Statuses), // which have the same fields
			LoggedOutAfterOutage: s.AfterOutage == config.AfterOutageLoggedOut,
			RestoreActivations:   s.Activations.AtEnd == config.AtEndRestore,
		},
		Language: s.Language, WaitCompleted: s.Confirm == config.ConfirmCompleted, StaleIfError: cfg.Cache.StaleIfError,
		ShareCatalogue: cfg.Cache.Scope == config.ScopeShared,
		Native:         s.Native,
	}, nil
}

// limits returns what a site is asked at most.
func limits(s config.Site, turn upstream.LoginTurn) upstream.Limits {
	return upstream.Limits{
		Calls: int(s.Calls.AtOnce), CallWait: s.Calls.Wait, Retries: float64(s.Calls.Retries) / 100,
		BreakerCalls: int(s.Breaker.Calls), BreakerWithin: s.Breaker.Within, BreakerPause: s.Breaker.Pause,
		Logins: int(s.Logins.PerSecond), LoginQueue: int(s.Logins.Queue), LoginWait: s.Logins.Wait, LoginTurn: turn,
	}
}

// channels returns the channels of a site in a fixed order: voice, then the others by name.
func channels(settings map[string]config.Channel) []translate.Channel {
	var list []translate.Channel
	for name, channel := range settings {
		list = append(list, translate.Channel{Name: htccapi.MediaChannel(name), Workgroups: channel.Workgroups})
	}
	slices.SortFunc(list, func(a, b translate.Channel) int {
		if (a.Name == htccapi.Voice) != (b.Name == htccapi.Voice) {
			if a.Name == htccapi.Voice {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Name, b.Name)
	})
	return list
}

// routes returns where an agent works. A login template that gives no name is no route.
func routes(cfg *config.Config) func(login string) (gateway.Route, bool) {
	return func(login string) (gateway.Route, bool) {
		found, ok := cfg.RouteFor(login)
		stops := stopsOf(found, login)
		if !ok || slices.ContainsFunc(stops, func(stop gateway.Stop) bool { return stop.Login == "" }) {
			return unrouted(cfg, login), false
		}
		route := gateway.Route{Stops: stops, Channels: map[htccapi.MediaChannel]string{}}
		for channel, site := range found.Channels {
			route.Channels[htccapi.MediaChannel(channel)] = site
		}
		return route, true
	}
}

func stopsOf(route config.Route, login string) []gateway.Stop {
	var stops []gateway.Stop
	for _, site := range route.Sites {
		stops = append(stops, gateway.Stop{Site: site, Login: route.LoginAt(site, login)})
	}
	return stops
}

// unrouted returns where a name without a route would lead by each of the routes there are, as far as it
// would be an account of that name's own.
func unrouted(cfg *config.Config, login string) gateway.Route {
	var all gateway.Route
	for _, route := range cfg.Routes {
		for _, stop := range stopsOf(route, login) {
			own := stop.Login != "" && stop.Login != route.LoginAt(stop.Site, "another "+login)
			if own && !slices.Contains(all.Stops, stop) {
				all.Stops = append(all.Stops, stop)
			}
		}
	}
	return all
}

// sharedStates returns the settings' names for states of several sites.
func sharedStates(cfg *config.Config) states.Table {
	shared := states.Table{}
	for name, sites := range cfg.States {
		shared[htccapi.Operation(name)] = sites
	}
	return shared
}

// Connections to a site that wait for the next call, and how long: agents' calls come in bursts.
const (
	idlePerHost     = 256
	idleConnTimeout = 90 * time.Second
)

// maxReplyHeader bounds the headers of a site's answer, in bytes.
const maxReplyHeader = 256 << 10

// transport returns a transport for one site. Each site has its own, so that one that hangs takes
// nothing from another. A host that cannot prove who it is is not spoken to.
func transport(settings config.SiteTLS) (*http.Transport, error) {
	authorities, err := settings.CAs()
	if err != nil {
		return nil, err
	}
	ours, err := settings.Certificates()
	if err != nil {
		return nil, err
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = &tls.Config{RootCAs: authorities, Certificates: ours, MinVersion: tls.VersionTLS12}
	t.MaxIdleConns = 0 // no bound beyond the one per host
	t.MaxIdleConnsPerHost = idlePerHost
	t.IdleConnTimeout = idleConnTimeout
	t.MaxResponseHeaderBytes = maxReplyHeader
	return t, nil
}
