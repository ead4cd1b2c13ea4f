package gateway

import (
	"context"
	"sync"

	"portico/proxy/push"
)

// An ending is why a session ends.
type ending string

const (
	endByAgent  ending = "logged_out"
	endIdle     ending = "idle"
	endUpstream ending = "upstream_gone" // the site's session is gone and no new one can be had
	endForced   ending = "forced"        // the site logged the agent off and wants no new session
	endOperator ending = "operator"
	endStopped  ending = "stopped"
)

// end ends a session: here at once, at the site in the background. Ending twice is as good as once.
func (g *Gateway) end(a *Agent, why ending) {
	if !a.leave() {
		return
	}
	if why == endOperator || why == endForced {
		g.barred.Add(a.life, a.session.Login) // before the session is gone, or the next request opened another
	}
	if g.fleet != nil { // before it is unknown here, or who comes now took it up again from the store
		g.fleet.unstored.add(a.session.ID)
	}
	g.delist(a)
	g.unstore(a)
	g.settings.Metrics.ended(why)
	g.log.Info("session ended", "session", g.ShortName(a), "reason", string(why))
	if g.settings.Push != nil {
		g.settings.Push.End(a.session.ID, adviceAt(why))
	}
	a.shut(true)
}

// unstore takes the agent's session out of the store.
func (g *Gateway) unstore(a *Agent) {
	err := g.store.Delete(context.WithoutCancel(a.life), a.session.ID)
	switch {
	case g.fleet == nil:
	case err == nil:
		g.fleet.unstored.take(a.session.ID)
	default:
		g.fleet.unstored.add(a.session.ID)
		g.fleet.unstored.away()
	}
	if err != nil {
		g.log.Error("a session could not be deleted from the store", "session", a.short, "cause", err.Error())
	}
}

// delist makes the agent unknown here, who has left and is to be shut.
func (g *Gateway) delist(a *Agent) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.agents, a.session.ID)
	g.leaving[a] = true
}

// gone forgets an agent of whom nothing goes on any more.
func (g *Gateway) gone(a *Agent) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.leaving, a)
}

// leave marks the agent as ended and counts the work of closing it; false if it was ended before.
func (a *Agent) leave() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended {
		return false
	}
	a.ended = true
	a.password = ""
	a.work.Add(1)
	return true
}

// shut ends what goes on for an agent who has left; if logOut their upstream sessions too, in the background.
func (a *Agent) shut(logOut bool) {
	a.end()
	go func() {
		defer a.gateway.gone(a)
		defer a.work.Done() // leave counted it
		var sites sync.WaitGroup
		for _, p := range a.parts {
			left := p.close(logOut)
			if !left.isNothing() {
				sites.Go(func() { a.endLate(left) })
			}
		}
		sites.Wait()
	}()
}

// adviceAt says what the end of a session means for its applications: who ended it on purpose, or was
// logged off, is not to come back by themselves.
func adviceAt(why ending) push.Advice {
	switch why {
	case endByAgent, endOperator, endForced:
		return push.None
	}
	return push.Handshake
}
