// Package gateway is what Portico does for an agent: the use cases behind the door.
// It knows no HTTP of the callers' side.
//
// An Agent is a logged-in agent in this process. It has a part for each site it works on; a part
// holds the upstream session, what the agent's state there is known to be, the catalogue and
// access list, and the reader that keeps them current.
package gateway

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"

	"portico/cache"
	"portico/proxy/aside"
	"portico/proxy/fault"
	"portico/proxy/guesses"
	"portico/proxy/htcc"
	"portico/proxy/icws"
	"portico/proxy/native"
	"portico/proxy/push"
	"portico/proxy/session"
	"portico/proxy/throttle"
	"portico/proxy/tracing"
	"portico/proxy/watch"
	"portico/translate"
	"portico/translate/htccapi"
)

// A Site is one upstream contact centre and how agents are served there. Exactly one of ICWS and
// HTCC is its client.
type Site struct {
	Name string
	ICWS *icws.Client
	HTCC *htcc.Client

	// Upgrades lets requests for another protocol, such as WebSocket, through to an HTCC site.
	Upgrades bool

	// Of an ICWS site.
	Rules          translate.Rules
	Language       string        // when an application names none the site has
	WaitCompleted  bool          // a write answers after its completion, not after it was accepted
	ShareCatalogue bool          // sessions at one host in one language share a catalogue that one of them proves
	Service        watch.User    // watches all agents; of the zero one each agent's own session does
	Heartbeats     bool          // a session that the service reads for is kept alive by calls, not by a stream of its own
	KeepAlive      time.Duration // how often a session without a stream is told to live
	StaleIfError   time.Duration // how long a catalogue is served after its stream broke; 0 = for ever
	Native         bool          // /icws leads here; at most one site
}

// A Route says where an agent works: at one site, or at one of each kind, the first of which gives
// the agent's id and names. Channels says which site owns each channel, of an agent on two.
type Route struct {
	Stops    []Stop
	Channels map[htccapi.MediaChannel]string
}

// A Stop is a site of a route and the name to log in with there.
type Stop struct {
	Site  string
	Login string
}

// Settings are what a Gateway needs. All fields are required but those that say what nil is.
type Settings struct {
	Policy // of the beginning
	Sites  []Site
	Store  session.Store
	Tries  throttle.Store // of passwords; nil: this process alone
	Fleet  *Fleet         // of replicas that share Store; nil: this process is alone

	Push    *push.Server // tells agents' applications of changes; nil tells nobody
	Cache   *cache.Metrics
	Metrics *Metrics
	Tracer  *tracing.Tracer // nil = nothing is recorded
	Logger  *slog.Logger    // nil = nothing is logged
}

// siteAtWork is a Site and what its agents share.
type siteAtWork interface {
	// open opens an upstream session. It fails as Gateway.Login does.
	open(ctx context.Context, login, password, language string) (opening, error)
	// resume returns an upstream session that another replica opened, from its part's record.
	resume(ctx context.Context, record []byte) (opening, error)
	// part makes an agent's part of an upstream session. Of nil it opens one when it can.
	part(a *Agent, login string, opened opening) part
	// run probes the site, and watches it for its agents, until ctx ends.
	run(ctx context.Context, changed func(site string, up bool)) error
	answers() bool  // the last probe did
	view() SiteView // but for what the gateway knows itself
	limited()       // counts a log-in that our own limits kept from the site
}

// opening is an upstream session that is no agent's yet.
type opening interface {
	discard(ctx context.Context)
}

// A Gateway serves all agents. Any number of goroutines may call its methods.
type Gateway struct {
	settings Settings
	current  atomic.Pointer[Policy]
	sites    map[string]siteAtWork
	store    session.Store
	log      *slog.Logger
	key      session.Key
	forms    *cache.Forms
	native   *native.Proxy // nil if no site is for native applications
	fleet    *fleet        // nil if this process is alone
	older    []session.Key // that proofs may have been made with

	opening   singleflight.Group  // log-ins under way, by proof
	interests interests           // who waits for them
	logins    sync.WaitGroup      // the same, for Close
	names     guesses.NamedLocks  // one log-in a login name at a time
	refused   *guesses.Remembered // proofs of refused passwords
	refusals  times               // of sites
	guesses   *guesses.Gate       // who may try a password
	barred    *guesses.Remembered // login names that may not open a session for a while
	reads     singleflight.Group  // of agents' states, by readOf
	aside     aside.Pool          // of those who keep agents current

	mu      sync.RWMutex
	agents  map[string]*Agent // by session id, guarded by mu
	leaving map[*Agent]bool   // who are no more among them, and are still being logged out; guarded by mu
	closed  bool              // guarded by mu
}

// New returns a gateway. It starts nothing: Run does.
func New(s Settings) (*Gateway, error) {
	forms, err := cache.NewForms(cache.FormsOptions{Cache: cache.Catalogue, MaxBytes: s.MaxBytes, Metrics: s.Cache})
	if err != nil {
		return nil, err
	}
	g := &Gateway{settings: s, sites: map[string]siteAtWork{}, store: s.Store, log: s.Logger, key: session.NewKey(), forms: forms,
		agents: map[string]*Agent{}, leaving: map[*Agent]bool{}}
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	if s.Fleet != nil {
		g.fleet = newFleet(g, *s.Fleet)
		g.key, g.older = s.Fleet.ProofKeys[0], s.Fleet.ProofKeys[1:]
	}
	g.guesses = guesses.NewGate(s.Tries, g.key)
	g.SetPolicy(s.Policy)
	shared := s.Tries
	if g.fleet == nil {
		shared = nil
	}
	g.refused, g.barred = guesses.NewRemembered("refused", refusedFor, shared, g.key, g.log), guesses.NewRemembered("barred", barredFor, shared, g.key, g.log)
	for _, one := range s.Sites {
		if one.HTCC != nil {
			g.sites[one.Name] = newHTCCSite(one, g.log)
			continue
		}
		at := newICWSSite(one, forms, s.Cache, s.Metrics.serviceOf, s.Tracer, g.log)
		g.sites[one.Name] = at
		if g.fleet != nil && g.fleet.catalogues != nil {
			g.fleet.catalogues.Add(g.inStep(at))
		}
		if one.Native {
			g.native = native.New(g.nativeSite(at))
		}
	}
	return g, nil
}

// sweepEvery is how often idle sessions and outdated entries are looked for.
const sweepEvery = 5 * time.Second

// Run ends idle sessions and probes the sites until ctx ends. It does not end the sessions that
// are left: Close does.
func (g *Gateway) Run(ctx context.Context) error {
	work, ctx := errgroup.WithContext(ctx)
	for _, one := range g.sites {
		work.Go(func() error { return one.run(ctx, g.tellServices) })
	}
	work.Go(func() error { return g.sweep(ctx) })
	if g.fleet != nil {
		work.Go(func() error { return g.fleet.mindStore(ctx) })
	}
	if g.fleet != nil && g.fleet.catalogues != nil {
		work.Go(func() error { return g.fleet.catalogues.Run(ctx) })
	}
	err := work.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (g *Gateway) sweep(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		for _, agent := range g.all() {
			held := g.settings.Push != nil && g.settings.Push.Clients(agent.session.ID) > 0
			if held || agent.passing.Load() > 0 {
				agent.use() // a held connect, or a socket, is activity, and so is what is passed through until it is over
			}
			g.endIfIdle(agent)
		}
		g.refused.Sweep()
		g.barred.Sweep()
		if g.native != nil {
			g.native.Sweep()
		}
	}
}

// idleMargin is how much longer a session is left alone that others may have used: the store knows of
// the last use a little late.
const idleMargin = time.Second

func (g *Gateway) endIfIdle(a *Agent) {
	idle := time.Since(a.lastUsed()) - g.policy().Idle
	switch {
	case g.fleet != nil && idle >= idleMargin:
		g.fleet.over(a)
	case g.fleet == nil && idle >= 0:
		g.end(a, endIdle)
	}
}

func (g *Gateway) all() []*Agent {
	g.mu.RLock()
	defer g.mu.RUnlock()
	agents := make([]*Agent, 0, len(g.agents))
	for _, agent := range g.agents {
		agents = append(agents, agent)
	}
	return agents
}

// endsAtOnce bounds how many sessions are ended side by side at a site, so that it is not stormed.
const endsAtOnce = 32

// Close ends all sessions, here and at the sites, as far as ctx gives time, and frees the caches. In a
// fleet sessions go on at the other replicas, or at this one when it comes back.
// No session can be opened any more; log-ins and writes under way are waited for, since what they
// open would be left at the site.
func (g *Gateway) Close(ctx context.Context) {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.endAll(ctx)
	waitFor(ctx, &g.logins)
	if g.native != nil {
		g.native.Close()
	}
	g.forms.Close()
}

// endAll ends all sessions, those of each site side by side: one that hangs keeps nobody else's from
// being ended in time. An agent on two sites is counted to the first.
func (g *Gateway) endAll(ctx context.Context) {
	var ends sync.WaitGroup
	places := map[string]chan struct{}{}
	for name := range g.sites {
		places[name] = make(chan struct{}, endsAtOnce)
	}
	agents := g.all()
	g.mu.RLock()                   // after all: who is no more among them is here
	for agent := range g.leaving { // whose sessions ended a moment ago
		ends.Go(func() { agent.wait(ctx) })
	}
	g.mu.RUnlock()
	for _, agent := range agents {
		place := places[agent.parts[0].siteName()]
		ends.Go(func() {
			place <- struct{}{}
			read := agent.reads.Load()
			g.stopped(agent)
			agent.wait(ctx)
			<-place
			if read { // by this replica of a fleet, which has given up the lease by now
				agent.vacant(ctx)
			}
		})
	}
	ends.Wait()
}

// stopped ends an agent's session because the process does, or leaves it to the other replicas.
func (g *Gateway) stopped(a *Agent) {
	if g.fleet != nil {
		g.letGo(a)
		return
	}
	g.end(a, endStopped)
}

// ShortName returns the name under which the log speaks of a session.
func (g *Gateway) ShortName(a *Agent) string { return a.short }

// Ready reports whether sessions can be opened, and which sites answer.
func (g *Gateway) Ready() (bool, map[string]bool) {
	up := map[string]bool{}
	some := false
	for name, one := range g.sites {
		up[name] = one.answers()
		some = some || up[name]
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	return some && !g.closed, up
}

// StoreUp reports whether replicas share sessions, and if so whether their store answers. While it does
// not, agents who are logged in here are served, and nobody else.
func (g *Gateway) StoreUp() (shared, up bool) {
	if g.fleet == nil {
		return false, true
	}
	return true, g.fleet.Up()
}

// refusal turns why an operation cannot be planned into an error for the caller.
func refusal(err error) error {
	refused, ok := errors.AsType[*translate.Refusal](err)
	if !ok {
		return err
	}
	kinds := map[translate.Reason]fault.Kind{translate.Missing: fault.Missing, translate.Invalid: fault.Invalid,
		translate.Forbidden: fault.Forbidden, translate.NotFound: fault.NotFound}
	return fault.New(kinds[refused.Reason], refused.Text)
}
