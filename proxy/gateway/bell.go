package gateway

import (
	"context"
	"time"
)

// A read right after a write shows it, wherever both come to. Where neither site nor store is asked for a read,
// since this process reads what the sites push, another replica that changed something at a site says so before
// it answers: from then on the sites are asked, until they have told of it.

// listen has the agent's parts know of operations of other replicas until it is called what it returns. What
// happened there before was not heard.
func (a *Agent) listen() (deaf func()) {
	atHTCC := a.atHTCC()
	for _, p := range atHTCC {
		p.readsFromNow()
	}
	a.behind()
	for _, p := range atHTCC {
		p.quietenOn()
	}
	return a.gateway.fleet.Bell.Hear(a.bell(), a.behind)
}

func (a *Agent) behind() {
	for _, p := range a.parts {
		p.behind()
	}
}

// ring tells who reads for the agent that their state was changed here, or may have been. Without the store,
// reads there show it once the sites have told of it.
func (a *Agent) ring(ctx context.Context) {
	if !a.readsHere() {
		_ = a.gateway.fleet.Bell.Ring(ctx, a.bell())
	}
}

func (a *Agent) bell() string { return "operations/" + a.session.ID }

func (p *htccPart) behind() {
	p.operated(p.cameSoFar(), tally{})
	if p.agent.isKnownWish(p.siteName(), p.wishes()) {
		return // whoever rang knew what was brought back
	}
	p.mu.Lock()
	p.wish.Back = nil // the agent may have made them Ready
	p.mu.Unlock()
}

func (p *icwsPart) behind() {
	p.mu.Lock()
	p.moments.elsewhere++
	p.behindUntil = time.Now().Add(settledAfter)
	p.mu.Unlock()
	p.hurry()
}
