package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"portico/proxy/fault"
	"portico/proxy/session"
	"portico/proxy/upstream"
)

// logInWithOthers is logIn, once for all who ask for the same together. It goes on when its callers leave,
// unless it still waits for its turn when the last one does.
func (g *Gateway) logInWithOthers(ctx context.Context, c Caller, proof []byte) (*Agent, error) {
	gone, leave := g.interests.enter(string(proof))
	defer leave()
	flight := g.logInFlights.DoChan(string(proof), func() (any, error) {
		return fault.Guarded(func() (*Agent, error) { return g.fly(upstream.WithWish(ctx, upstream.Wish{Gone: gone}), c, proof) })
	})
	select {
	case landed := <-flight:
		agent, _ := landed.Val.(*Agent)
		return agent, landed.Err
	case <-ctx.Done():
		return nil, fmt.Errorf("gateway: log in: %w: %w", fault.Timeout, ctx.Err())
	}
}

var errStopping = fmt.Errorf("gateway: log in: stopping: %w", fault.Overloaded)

// fly is logIn as work that outlives its callers, and that Close waits for.
func (g *Gateway) fly(ctx context.Context, c Caller, proof []byte) (*Agent, error) {
	if !g.enter() {
		return nil, errStopping
	}
	defer g.logins.Done()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loginTimeout)
	defer cancel()
	return g.logIn(ctx, c, proof)
}

// enter counts a log-in under way, which ends with a call of logins.Done; false once the gateway
// is closed.
func (g *Gateway) enter() bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.closed {
		return false
	}
	g.logins.Add(1)
	return true
}

// logIn logs an agent in whose password is not known, or checks another password of one who is
// logged in: if the site takes it, it replaces the old one, and the upstream session that checked
// it is closed. One log-in a name runs at a time, so that two passwords at once cannot make two
// sessions.
func (g *Gateway) logIn(ctx context.Context, c Caller, proof []byte) (*Agent, error) {
	unlock, err := g.names.Lock(ctx, c.Login)
	if err != nil {
		return nil, fmt.Errorf("gateway: wait for another log-in of the same name: %w: %w", fault.Timeout, err)
	}
	defer unlock()
	endTurn, err := g.turn(ctx, c.Login)
	if err != nil {
		return nil, err
	}
	defer endTurn()
	accounts := g.accountsOf(c.Login)
	g.lateEnds.hold(accounts)
	defer g.lateEnds.release(accounts)
	agent, err := g.ofLogin(ctx, c, proof)
	if err != nil {
		return nil, err
	}
	if agent != nil && g.proven(agent, c, proof) {
		agent.use()
		return agent, nil
	}
	route, opened, err := g.askInTurn(ctx, agent, c, proof)
	if err != nil {
		return nil, err
	}
	if agent != nil && g.changePassword(ctx, agent, c, proof) {
		discard(ctx, opened)
		return agent, nil
	}
	// The agent may have been logged off while the site was asked.
	err = g.mayTry(ctx, nil, c.Login, proof)
	if err != nil {
		discard(ctx, opened)
		return nil, err
	}
	agent, err = g.begin(ctx, route, opened, c, proof)
	if err == nil {
		g.lateEnds.stop(accounts)
	}
	return agent, err
}

// changePassword makes another password the agent's, which the site has taken; false if the session
// has ended meanwhile. If the store cannot keep it, the password is asked of the site again next
// time.
func (g *Gateway) changePassword(ctx context.Context, a *Agent, c Caller, proof []byte) bool {
	s, lives := a.change(proof, g.toKeep(c.Password))
	if !lives {
		return false
	}
	a.use()
	_, err := g.store.Update(ctx, s.ID, func(kept *session.Session) { kept.Proof = proof })
	if err != nil && !errors.Is(err, session.ErrNotFound) {
		g.log.Error("a changed password could not be stored", "session", a.short, "cause", err.Error())
	}
	return err == nil || g.agent(s.ID) != nil
}

// askInTurn has the sites asked, if they may be, and counts what they say. One password at a time is tried on
// an account, by whatever login names.
func (g *Gateway) askInTurn(ctx context.Context, agent *Agent, c Caller, proof []byte) (Route, []opening, error) {
	accounts := g.accountsOf(c.Login)
	unlock, err := g.guesses.Lock(ctx, accounts)
	if err != nil {
		return Route{}, nil, fmt.Errorf("gateway: wait for another log-in of the same account: %w: %w", fault.Timeout, err)
	}
	defer unlock()
	err = g.mayLogIn(ctx, agent, c, proof)
	if err != nil {
		return Route{}, nil, err
	}
	route, opened, err := g.ask(ctx, c, proof)
	g.tried(ctx, accounts, c.Address, err)
	return route, opened, err
}

// ask has the sites of the agent's route say whether the name and password are right, and remembers it
// if they are not.
func (g *Gateway) ask(ctx context.Context, c Caller, proof []byte) (Route, []opening, error) {
	began := time.Now()
	route, found := g.policy().Route(c.Login)
	if !found {
		g.rememberRefused(ctx, c.Login, proof)
		return route, nil, g.turnAway(ctx)
	}
	// Others may be refused while this one waits for its turn.
	ctx = upstream.WithStill(ctx, func() error { return g.mayGuess(ctx, c) })
	opened, err := g.openSites(ctx, route, c)
	if errors.Is(err, fault.Unauthenticated) {
		g.rememberRefused(ctx, c.Login, proof)
		g.refusals.add(time.Since(began))
	}
	return route, opened, err
}

// openSites opens an upstream session at each site of the route, side by side. A site that refuses the
// credentials refuses the log-in: what was opened elsewhere is closed.
// A site that cannot say joins later, as long as another one lets the agent in.
func (g *Gateway) openSites(ctx context.Context, route Route, c Caller) ([]opening, error) {
	opened := make([]opening, len(route.Stops))
	errs := make([]error, len(route.Stops))
	sideBySide(len(route.Stops), func(i int) {
		stop := route.Stops[i]
		opened[i], errs[i] = g.sites[stop.Site].open(ctx, stop.Login, c.Password, c.Language)
	})
	err := joinedNowhere(errs)
	if err == nil {
		return opened, nil
	}
	discard(ctx, opened)
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
	agent.password, agent.provedBy = g.toKeep(c.Password), proof
	if slices.Contains(opened, nil) { // a site that joins later needs it in any case
		agent.password = c.Password
	}
	err := g.register(ctx, agent)
	if err != nil {
		agent.end()
		g.unstore(agent)
		discard(ctx, opened)
		return nil, err
	}
	g.settings.Metrics.began()
	g.log.InfoContext(ctx, "session began", "session", agent.short, "site", agent.Sites())
	if g.fleet != nil {
		agent.start(func() { g.fleet.tend(agent, true) })
		return agent, nil
	}
	for _, p := range agent.parts {
		agent.start(func() { p.watch(agent.life) })
	}
	return agent, nil
}

// toKeep returns what is kept of a password for when the site loses the upstream session.
func (g *Gateway) toKeep(password string) string {
	if g.policy().Forget {
		return ""
	}
	return password
}

// register makes the agent found by session id and login name.
func (g *Gateway) register(ctx context.Context, a *Agent) error {
	err := g.keep(ctx, a)
	if err != nil {
		return err
	}
	if !g.enlist(a) {
		return errStopping
	}
	return nil
}

// keep puts a new session in the store: of this process until it ends, of a fleet for as long as it is
// used, with the upstream sessions.
func (g *Gateway) keep(ctx context.Context, a *Agent) error {
	if g.fleet != nil {
		return g.fleet.keep(ctx, a)
	}
	err := g.store.Put(ctx, a.session, 0)
	if err != nil {
		return fmt.Errorf("gateway: keep a session: %w: %w", fault.Overloaded, err)
	}
	return nil
}

// enlist makes the agent known here; false once the gateway is closed.
func (g *Gateway) enlist(a *Agent) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.agents[a.session.ID] = a
	return true
}
