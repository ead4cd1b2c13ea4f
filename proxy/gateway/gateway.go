// Package gateway is what Portico does for an agent: the use cases behind the door.
// It knows no HTTP of the callers' side.
//
// An Agent is a logged-in agent in this process. It has a part for each site it works on; a part
// holds the upstream session, what the agent's state there is known to be, at an ICWS site catalogue
// and access list too, and the reader that keeps all that current.
package gateway

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

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

	logInFlights singleflight.Group  // log-ins under way, by proof
	interests    interests           // who waits for them
	logins       sync.WaitGroup      // the same, for Close
	names        guesses.NamedLocks  // one log-in a login name at a time
	refused      *guesses.Remembered // passwords, by proof and what they were tried on
	refusals     times               // of sites
	guesses      *guesses.Gate       // who may try a password
	barred       *guesses.Remembered // login names that may not open a session for a while
	reads        singleflight.Group  // of agents' states, by readOf
	aside        aside.Pool          // of those who keep agents current
	lateEnds     *lateEnds           // who are still to be taken out of work somewhere
	life         context.Context     // ends when Close begins
	stop         context.CancelFunc

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
		agents: map[string]*Agent{}, leaving: map[*Agent]bool{}, lateEnds: newLateEnds()}
	g.life, g.stop = context.WithCancel(context.Background())
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
