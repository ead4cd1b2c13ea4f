package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/singleflight"

	"portico/cache"
	"portico/proxy/catalogues"
	"portico/proxy/fault"
	"portico/proxy/session"
)

// A Fleet is what replicas need that share the Store of their Settings.
type Fleet struct {
	Leases session.Leases
	Bell   session.Bell
	Shelf  cache.Shelf // of catalogues; nil: each replica fetches its own

	// ProofKeys are the same at all replicas, apart from their order while they are changed: the first
	// makes proofs, all are known by. At least one.
	ProofKeys []session.Key

	Up     func() bool  // whether the store answers
	Losses func() int64 // how often it was found without what had been written to it; nil: it never is
}

// fleet is this process among others that share its sessions. An agent may be known at any number of
// replicas, each with the upstream sessions that one of them opened; the one that holds the agent's
// lease reads what the sites push, and the others ask the sites. Any number of goroutines may use it.
type fleet struct {
	Fleet
	gateway   *Gateway
	me        string // among holders of leases that are this process's
	adoptions singleflight.Group
	unstored  unstored
	turns     turns // to log in
	readers   turns // the rights to read

	catalogues *catalogues.Replicas // nil: each replica fetches its own
	looking    chan struct{}        // holds a token for each look for an id that may be anybody's
}

func newFleet(g *Gateway, s Fleet) *fleet {
	f := &fleet{Fleet: s, gateway: g, me: session.NewID(), looking: make(chan struct{}, looksAtOnce)}
	if s.Shelf != nil {
		f.catalogues = catalogues.NewReplicas(catalogues.Sharing{Shelf: s.Shelf, Leases: s.Leases, Me: f.me, Log: g.log, Held: f.heldCatalogues})
	}
	return f
}

// storeDown is what callers are told whom only the store knows, while it does not answer.
func storeDown(err error) error {
	return &fault.Error{Kind: fault.Overloaded, RetryAfter: storeRetry, Err: fmt.Errorf("gateway: ask the session store: %w", err)}
}

// storeRetry is when it is worth trying again once the store did not answer.
const storeRetry = 2 * time.Second

// byID returns the agent of a session id who is not at hand, nil if there is none. One who is logged in here
// is served while the store does not answer.
func (f *fleet) byID(ctx context.Context, id string) (*Agent, error) {
	here := f.gateway.agent(id)
	var s session.Session
	var err error
	if here != nil { // by login name it is one call
		s, err = f.gateway.store.ByLogin(ctx, here.Login())
	} else {
		s, err = f.gateway.store.Get(ctx, id)
	}
	switch {
	case errors.Is(err, session.ErrNotFound), err == nil && s.ID != id:
		f.over(here)
		return nil, nil
	case err != nil && here != nil:
		return here, nil
	case err != nil:
		return nil, storeDown(err)
	}
	return f.adopt(ctx, s, nil)
}

// byLogin returns the agent logged in under a name, nil if there is none. One who is taken up is shown to met
// before anything is done for them.
func (f *fleet) byLogin(ctx context.Context, login string, met func(*Agent)) (*Agent, error) {
	s, err := f.gateway.store.ByLogin(ctx, login)
	if errors.Is(err, session.ErrNotFound) {
		return nil, nil // one who is still known here is found to be over in time
	}
	if err != nil {
		here := f.gateway.agentNamed(login)
		if here != nil {
			return here, nil
		}
		return nil, storeDown(err)
	}
	return f.adopt(ctx, s, met)
}

// looksAtOnce bounds the looks for ids that are not known here: whoever fills the door could send any.
const looksAtOnce = 8

// knows reports whether the store has a session of that id, unless too much is looked for already.
func (f *fleet) knows(ctx context.Context, id string) bool {
	select {
	case f.looking <- struct{}{}:
		defer func() { <-f.looking }()
	default:
		return false
	}
	_, err := f.gateway.store.Get(ctx, id)
	return err == nil
}

// readsHere reports whether what the sites push to the agent, and to nobody else, is for this process to
// receive.
func (a *Agent) readsHere() bool { return a.gateway.fleet == nil || a.leased.Load() }

// agentNamed returns the agent of a login name, nil if there is none. It looks at all agents: it is for
// when the store cannot tell.
func (g *Gateway) agentNamed(login string) *Agent {
	all := g.all()
	at := slices.IndexFunc(all, func(a *Agent) bool { return a.Login() == login })
	if at < 0 {
		return nil
	}
	return all[at]
}

// adopt returns the agent of a session that some replica began, with its upstream sessions; nil if it has ended. Many
// who ask together make one.
func (f *fleet) adopt(ctx context.Context, s session.Session, met func(*Agent)) (*Agent, error) {
	if f.hasEnded(ctx, s.ID) {
		return nil, nil
	}
	here := f.gateway.agent(s.ID)
	if here != nil {
		here.learn(s)
		f.learnCatalogue(ctx, here, s)
		f.learnAccess(here, s)
		return here, nil
	}
	flight := f.adoptions.DoChan(s.ID, func() (any, error) {
		return fault.Guarded(func() (*Agent, error) { return f.join(context.WithoutCancel(ctx), s, met) })
	})
	select {
	case landed := <-flight:
		agent, _ := landed.Val.(*Agent)
		return agent, landed.Err
	case <-ctx.Done():
		return nil, fmt.Errorf("gateway: take up a session: %w: %w", fault.Timeout, ctx.Err())
	}
}

// join makes the agent of a session. A site of which the session brings nothing joins later, if a
// password is known then.
func (f *fleet) join(ctx context.Context, s session.Session, met func(*Agent)) (*Agent, error) {
	here := f.gateway.agent(s.ID)
	if here != nil {
		return here, nil
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	route, found := f.gateway.policy().Route(s.Login)
	if !found {
		return nil, fmt.Errorf("gateway: take up a session: no route for the name: %w", fault.Unauthenticated)
	}
	opened := make([]opening, len(route.Stops))
	sideBySide(len(route.Stops), func(i int) {
		opened[i] = f.gateway.resumed(ctx, route.Stops[i].Site, s.Upstreams)
	})
	known := session.Session{Wishes: s.Wishes, Wished: s.Wished, Asked: s.Asked}
	s.Wishes, s.Wished, s.Asked = nil, 0, nil // they are the ledger's
	agent := newAgent(f.gateway, s, route, opened)
	agent.recall(known)
	if met != nil {
		met(agent)
	}
	if !f.gateway.enlist(agent) {
		agent.end()
		return nil, errStopping
	}
	f.gateway.settings.Metrics.adopted()
	f.gateway.log.InfoContext(ctx, "session taken up", "session", agent.short, "site", agent.Sites())
	for _, p := range agent.parts {
		p.learnRecord(s.Upstreams[p.siteName()])
	}
	agent.start(func() { f.tend(agent, false) })
	return agent, nil
}

// letGo forgets an agent here, whose session goes on elsewhere, or has ended there. Nothing is closed at
// the sites. Of nil it does nothing.
func (g *Gateway) letGo(a *Agent) {
	if a == nil || !a.leave() {
		return
	}
	g.delist(a)
	g.settings.Metrics.left()
	if g.settings.Push != nil {
		g.settings.Push.Leave(a.session.ID, adviceAt(endStopped))
	}
	a.shut(false)
}

// over ends an agent here whose session is not found any more. Of the replicas that know one that nobody
// used for long one closes it at the sites; one that ended elsewhere was closed there, and one that is
// used elsewhere goes on. Of nil it does nothing.
func (f *fleet) over(a *Agent) {
	if a == nil {
		return
	}
	ours, err := f.gateway.store.Expire(a.life, a.session.ID)
	switch {
	case err != nil: // the next look will tell
	case ours:
		f.gateway.end(a, endIdle)
	default:
		f.gateway.log.Info("session is not in the store any more: it ended at another replica, or was lost", "session", a.short)
		f.gateway.letGo(a)
	}
}
