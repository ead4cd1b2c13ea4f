package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"portico/proxy/fault"
	"portico/proxy/session"
)

const (
	// refusedFor is how long a refused name and password are refused again without asking the site:
	// each try there counts towards locking the agent out.
	refusedFor = 5 * time.Minute

	// barredFor is how long an agent whom an operator or the site logged off stays so: their
	// application would log in again at once.
	barredFor = time.Minute

	// loginTimeout bounds a log-in, which goes on when its caller leaves.
	loginTimeout = 30 * time.Second
)

// A Caller is what a request says about who sent it.
type Caller struct {
	SessionID string // value of the session cookie, "" if none
	Basic     bool   // it carries a login name and a password
	Login     string
	Password  string
	Language  string // value of Accept-Language
}

// Login returns the agent a caller is, logging them in if their name and password are not known
// yet. A name and password beat a cookie. Many callers with the same ones cause one log-in.
//
// It fails with fault.Unauthenticated when there is neither, when the session is gone, or when the
// site refuses the password; fault.Unreachable, fault.Timeout or fault.BadUpstream when the site
// cannot say.
func (g *Gateway) Login(ctx context.Context, c Caller) (*Agent, error) {
	if !c.Basic {
		return g.byCookie(ctx, c.SessionID)
	}
	c.Login = strings.ToLower(c.Login)
	if c.Login == "" || c.Password == "" {
		return nil, fmt.Errorf("gateway: log in without a name or password: %w", fault.Unauthenticated)
	}
	proof := g.key.Proof(c.Login, c.Password)
	agent := g.known(c.Login, proof)
	if agent != nil {
		agent.reused()
		return agent, nil
	}
	flight := g.opening.DoChan(string(proof), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loginTimeout)
		defer cancel()
		return recovered(func() (*Agent, error) { return g.open(ctx, c, proof) })
	})
	select {
	case landed := <-flight:
		agent, _ := landed.Val.(*Agent)
		return agent, landed.Err
	case <-ctx.Done():
		return nil, fmt.Errorf("gateway: log in: %w: %w", fault.Timeout, ctx.Err())
	}
}

func (g *Gateway) byCookie(ctx context.Context, id string) (*Agent, error) {
	if id == "" {
		return nil, fmt.Errorf("gateway: no credentials: %w", fault.Unauthenticated)
	}
	agent := g.agent(id)
	if agent == nil {
		return nil, fmt.Errorf("gateway: no such session: %w", fault.Unauthenticated)
	}
	agent.use()
	return agent, nil
}

// agent returns the agent of a session id, nil if there is none.
func (g *Gateway) agent(id string) *Agent {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.agents[id]
}

// ofLogin returns the agent logged in under a name, nil if there is none.
func (g *Gateway) ofLogin(ctx context.Context, login string) *Agent {
	s, err := g.store.ByLogin(ctx, login)
	if err != nil {
		return nil
	}
	return g.agent(s.ID)
}

// known returns the agent whose name and password these are, nil if they are not known.
func (g *Gateway) known(login string, proof []byte) *Agent {
	agent := g.ofLogin(context.Background(), login)
	if agent == nil || !agent.proves(proof) {
		return nil
	}
	agent.use()
	return agent
}

// open logs an agent in whose password is not known. One log-in a name runs at a time, so that two
// passwords at once cannot make two sessions.
func (g *Gateway) open(ctx context.Context, c Caller, proof []byte) (*Agent, error) {
	unlock, err := g.names.lock(ctx, c.Login)
	if err != nil {
		return nil, fmt.Errorf("gateway: wait for another log-in of the same name: %w: %w", fault.Timeout, err)
	}
	defer unlock()
	agent := g.known(c.Login, proof)
	if agent != nil {
		return agent, nil
	}
	if g.refused.has(string(proof)) {
		return nil, fmt.Errorf("gateway: log in: refused a moment ago: %w", fault.Unauthenticated)
	}
	route, found := g.settings.Route(c.Login)
	if !found {
		return nil, fmt.Errorf("gateway: log in: no route for the name: %w", fault.Unauthenticated)
	}
	agent = g.ofLogin(ctx, c.Login)
	if agent != nil {
		return g.changePassword(ctx, agent, route, c, proof)
	}
	if g.barred.has(c.Login) {
		return nil, fmt.Errorf("gateway: log in: logged off by the site or an operator a moment ago: %w", fault.Unauthenticated)
	}
	opened, err := g.join(ctx, route, c, proof)
	if err != nil {
		return nil, err
	}
	return g.begin(ctx, route, opened, c, proof)
}

// join opens an upstream session at each site of the route, side by side. A site that refuses the
// credentials refuses the log-in: what was opened elsewhere is closed, and the refusal remembered.
// A site that cannot say joins later, as long as another one lets the agent in.
func (g *Gateway) join(ctx context.Context, route Route, c Caller, proof []byte) ([]opening, error) {
	opened := make([]opening, len(route.Stops))
	errs := make([]error, len(route.Stops))
	var work sync.WaitGroup
	for i, stop := range route.Stops {
		work.Go(func() { opened[i], errs[i] = g.sites[stop.Site].open(ctx, stop.Login, c.Password, c.Language) })
	}
	work.Wait()
	err := joinedNowhere(errs)
	if err == nil {
		return opened, nil
	}
	discard(ctx, opened)
	if errors.Is(err, fault.Unauthenticated) {
		g.refused.add(string(proof))
	}
	return nil, fmt.Errorf("gateway: log in: %w", err)
}

// joinedNowhere returns why a log-in failed: the first refusal, or if every site failed the first
// failure; nil if it did not.
func joinedNowhere(errs []error) error {
	joined := false
	for _, err := range errs {
		if errors.Is(err, fault.Unauthenticated) {
			return err
		}
		joined = joined || err == nil
	}
	if joined {
		return nil
	}
	return errs[0]
}

func discard(ctx context.Context, opened []opening) {
	for _, one := range opened {
		if one != nil {
			one.discard(ctx)
		}
	}
}

// begin makes the agent of a new upstream session.
func (g *Gateway) begin(ctx context.Context, route Route, opened []opening, c Caller, proof []byte) (*Agent, error) {
	s := session.Session{ID: session.NewID(), Login: c.Login, Language: c.Language, Proof: proof, Created: time.Now()}
	agent := newAgent(g, s, route, opened)
	if !g.settings.Forget || slices.Contains(opened, nil) {
		agent.keepPassword(c.Password) // a site that joins later needs it in any case
	}
	err := g.store.Put(ctx, s)
	if err == nil {
		err = g.register(agent)
	}
	if err != nil {
		discard(ctx, opened)
		return nil, err
	}
	g.settings.Metrics.began()
	agent.start()
	return agent, nil
}

// register makes the agent found by its session id.
func (g *Gateway) register(a *Agent) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return fmt.Errorf("gateway: log in: stopping: %w", fault.Overloaded)
	}
	g.agents[a.session.ID] = a
	return nil
}

// changePassword checks another password for an agent who is logged in. If the site takes it, it
// replaces the old one; the session that checked it is closed.
func (g *Gateway) changePassword(ctx context.Context, a *Agent, route Route, c Caller, proof []byte) (*Agent, error) {
	trial, err := g.join(ctx, route, c, proof)
	if err != nil {
		return nil, err
	}
	discard(ctx, trial)
	s := a.replaceProof(proof)
	if !g.settings.Forget {
		a.keepPassword(c.Password)
	}
	err = g.store.Put(ctx, s)
	if err != nil {
		return nil, err
	}
	a.use()
	return a, nil
}
