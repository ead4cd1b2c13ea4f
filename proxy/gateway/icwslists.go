package gateway

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"portico/cache"
	"portico/proxy/catalogues"
	"portico/proxy/icws"
	"portico/proxy/tracing"
	"portico/proxy/upstream"
	"portico/translate"
	"portico/translate/icwsapi"
)

// icwsLists are the catalogue and the access list of an agent at one ICWS site, and what keeps them current: the
// agent's own subscription, other sessions and other replicas. Nothing of it is guarded by the part's lock.
type icwsLists struct {
	part *icwsPart // whose upstream session fetches them, and whose directory is made of them

	catalogue  *cache.Cell[translate.Catalogue]
	feed       *catalogues.Feed   // keeps it current
	member     *catalogues.Member // of those who share it
	asOf       atomic.Int64       // the epoch of the last look for it among replicas
	access     *cache.Cell[translate.Access]
	accessAsOf atomic.Int64 // the epoch in which it was fetched
}

// begin makes the lists of a part, empty, for its agent's life.
func (l *icwsLists) begin(p *icwsPart) {
	l.part = p
	a, at := p.agent, p.site
	l.catalogue = cache.NewCell(a.life, cache.CellOptions[translate.Catalogue]{
		Cache: cache.Catalogue, Site: at.Name, StaleIfError: at.StaleIfError, Intern: at.interned.Of, Metrics: at.cells,
		Fetch: traced(at.tracer, cache.Catalogue, at.Name, l.fetchCatalogue),
		Share: a.gateway.fleet.sharing(p), Follow: tracing.Follow, Dropped: true,
	})
	l.feed = catalogues.NewFeed(at.maker, l.catalogue, l.catalogueChanged)
	l.member = &catalogues.Member{Cell: l.catalogue, Changed: p.redirect, Renew: l.renew, Reads: a.readsHere}
	l.access = cache.NewCell(a.life, cache.CellOptions[translate.Access]{
		Cache: cache.Access, Site: at.Name, StaleIfError: at.StaleIfError, Intern: at.access.Of, Metrics: at.cells,
		Fetch: traced(at.tracer, cache.Access, at.Name, l.fetchAccess),
		Share: a.gateway.fleet.sharingAccess(p), Follow: tracing.Follow, Dropped: true,
	})
	context.AfterFunc(a.life, l.drop)
	if at.service != nil { // no subscription of its own will prove what it fetches
		l.unproven()
	}
}

// catalogueChanged follows a change of the catalogue that the part's own subscription told.
func (l *icwsLists) catalogueChanged() {
	l.part.site.groups.Prove(l.member)
	l.part.redirect()
}

// renew fetches the catalogue anew.
func (l *icwsLists) renew(ctx context.Context) error {
	l.catalogue.Purge()
	_, err := l.catalogue.Get(ctx)
	if err != nil {
		return l.part.kinded(err)
	}
	return nil
}

func (l *icwsLists) changeAccess(m icwsapi.UserAccessMessage) {
	user := l.part.connection().UserID
	for _, change := range m.StatusMessagesUserAccessChanges {
		if !strings.EqualFold(change.UserID, user) {
			continue
		}
		if m.IsDelta {
			l.access.Update(func(a *translate.Access) *translate.Access { return a.Changed(change, false) })
		} else {
			l.access.Replace(translate.NewAccess(change.StatusMessagesAdded))
		}
	}
	l.part.redirect()
}

// redirect makes the directory follow the catalogue and the access list. Names of states that are
// shown may change with them.
func (p *icwsPart) redirect() {
	defer p.agent.send()
	p.mu.Lock()
	defer p.mu.Unlock()
	catalogue, held := p.lists.catalogue.Snapshot() // no earlier: one that two change at once must not go back
	access, allowed := p.lists.access.Snapshot()
	if !held || !allowed {
		return
	}
	if !p.begun || p.link.closed || p.directory.Catalogue == catalogue.Value && p.directory.Access == access.Value {
		return
	}
	before, old := p.beforeLocked(), p.directory
	p.directory = p.site.directories.Of(p.site.Rules, catalogue.Value, access.Value)
	p.site.directories.Release(old)
	p.changedLocked()
	p.tellLocked(before, translate.Heard{})
}

// drop lets go of what is kept for the agent's life, when that ends.
func (l *icwsLists) drop() {
	l.part.site.groups.Leave(l.member)
	l.catalogue.Drop()
	l.access.Drop()
}

// shareAt has the part share its catalogue with the others where conn is.
func (l *icwsLists) shareAt(conn icws.Conn) {
	if conn.SessionID != "" {
		l.part.site.groups.Join(l.member, placeOf(conn))
	}
	l.leaveIfOver()
}

// shareAgain has the part share its catalogue where it did before an outage that its upstream session has outlived.
func (l *icwsLists) shareAgain() {
	l.part.site.groups.Return(l.member, placeOf(l.part.connection()))
	l.leaveIfOver()
}

// leaveIfOver has a part share nothing that may have ended just before.
func (l *icwsLists) leaveIfOver() {
	if l.part.agent.life.Err() != nil || l.part.ended() {
		l.part.site.groups.Leave(l.member)
	}
}

// getCatalogue returns the session's catalogue: that which another session proves, else its own.
func (l *icwsLists) getCatalogue(ctx context.Context) (*translate.Catalogue, error) {
	catalogue, _, err := l.lookUpCatalogue(ctx)
	return catalogue.Value, err
}

func (l *icwsLists) lookUpCatalogue(ctx context.Context) (cache.Snapshot[translate.Catalogue], cache.Result, error) {
	l.part.site.groups.Await(ctx, l.member)
	catalogue, result, err := l.catalogue.Lookup(ctx)
	if err != nil || l.part.site.service != nil { // what an agent of a service's site has fetched they never prove
		l.part.site.groups.Doubt(l.member)
	}
	return catalogue, result, err
}

// unproven notes that what is kept of catalogue and access list is not known to be up to date.
func (l *icwsLists) unproven() {
	l.catalogue.Unproven()
	l.part.site.groups.Doubt(l.member)
	l.access.Unproven()
}

// avoidedFetch counts a fetch that a caller needed and that was not made.
func (l *icwsLists) avoidedFetch(operation string, result cache.Result) {
	switch result {
	case cache.Hit:
		l.part.site.metrics.Avoided(operation, upstream.CacheHit)
	case cache.StaleHit:
		l.part.site.metrics.Avoided(operation, upstream.StaleHit)
	case cache.Coalesced:
		l.part.site.metrics.Avoided(operation, upstream.Coalesced)
	}
}

// fetchCatalogue asks the site for its catalogue in the language of the upstream session.
func (l *icwsLists) fetchCatalogue(ctx context.Context) (*translate.Catalogue, error) {
	site := l.part.site
	var messages []icwsapi.StatusMessage
	err := l.part.call(ctx, func(conn icws.Conn) error {
		var err error
		messages, err = site.ICWS.StatusMessages(ctx, conn)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("gateway: fetch the catalogue of site %q: %w", site.Name, err)
	}
	return site.maker.Of(messages), nil
}

// fetchAccess asks the site which statuses the agent may be given.
func (l *icwsLists) fetchAccess(ctx context.Context) (*translate.Access, error) {
	site := l.part.site
	var ids []string
	err := l.part.call(ctx, func(conn icws.Conn) error {
		var err error
		ids, err = site.ICWS.UserAccess(ctx, conn, conn.UserID)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("gateway: fetch an access list of site %q: %w", site.Name, err)
	}
	return translate.NewAccess(ids), nil
}
