package gateway

import (
	"context"
	"strings"

	"portico/cache"
	"portico/proxy/icws"
	"portico/translate/htccapi"
)

// AtHand returns the agent whom Login would return at once: without asking a site or the store, and without
// anything to be noted there. Nil: that takes Login. Who answers the caller from memory then says so by Use;
// who cannot, calls Login.
func (g *Gateway) AtHand(c Caller) *Agent {
	if !c.Basic {
		return g.agentAtHand(c.SessionID)
	}
	login := strings.ToLower(c.Login)
	if g.fleet != nil || login == "" || c.Password == "" { // the store knows whose password it is
		return nil
	}
	agent, err := g.ofLogin(context.Background(), Caller{Login: login}, nil)
	if err != nil || agent == nil || !agent.proves(g.key.Proof(login, c.Password)) {
		return nil
	}
	from := agent.from.Load()
	if from == nil || *from != c.Address {
		return nil
	}
	return agent
}

// agentAtHand returns the agent of a session id if this process need ask nobody about them. Of replicas the
// one that reads what the sites push need not: an end elsewhere ends the upstream session too, and is looked
// for every now and then besides.
func (g *Gateway) agentAtHand(id string) *Agent {
	here := g.agent(id)
	if here == nil || !here.readsHere() || g.fleet != nil && here.hasEndedPart() {
		return nil
	}
	return here
}

// Use notes that a caller used the session.
func (a *Agent) Use(c Caller) {
	a.use()
	if c.Basic {
		a.reused()
	}
}

// StatusMessagesAtHand is StatusMessages if that takes no call and nothing is stale, else false. Then
// nothing was counted.
func (g *Gateway) StatusMessagesAtHand(a *Agent, dialect htccapi.Dialect, zip bool, known func(etag string) bool) (Document, bool) {
	p := a.icws()
	if p == nil {
		return Document{}, false
	}
	catalogue, held := p.lists.catalogue.AtHand()
	access, allowed := p.lists.access.AtHand()
	if !held || !allowed || catalogue.Stale() || access.Stale() {
		return Document{}, false
	}
	p.mu.Lock()
	d := p.directory
	current := p.begun && d.Catalogue == catalogue.Value && d.Access == access.Value
	p.mu.Unlock()
	if !current {
		return Document{}, false
	}
	doc, err := p.document(d, dialect, zip, known)
	if err != nil {
		return Document{}, false
	}
	p.lists.avoidedFetch(icws.OpGetStatusMessages, p.lists.catalogue.Served(catalogue))
	p.lists.avoidedFetch(icws.OpGetUserAccess, p.lists.access.Served(access))
	doc.Looked = cache.Hit
	return doc, true
}

// MeAtHand returns what was kept of the answers that show what Me would show now, and counts it as shown; false
// if there is none of that form, or if Me would have to ask a site. Then nothing was counted.
func (g *Gateway) MeAtHand(a *Agent, form []byte) (Me, []byte, bool) {
	p, sole := a.parts[0].(*icwsPart)
	if !sole || len(a.parts) > 1 || !a.readsHere() {
		return Me{}, nil, false
	}
	p.mu.Lock()
	kept := p.begun && p.link.over == "" && p.knownLocked() && p.shows != nil
	var view shown
	if kept {
		view = p.pushedLocked()
	}
	p.mu.Unlock()
	if !kept {
		return Me{}, nil, false
	}
	body := view.kept.get(form)
	if body == nil {
		return Me{}, nil, false
	}
	p.avoided()
	g.settings.Metrics.served(p.siteName(), view)
	return Me{Age: view.age}, body, true
}
