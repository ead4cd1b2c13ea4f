package gateway

import (
	"context"
	"strings"

	"portico/proxy/session"
	"portico/translate"
)

// A session's record says which statuses the agent may be given, as it says which catalogue the session
// has.

func (a *Agent) notedAccess(site string) session.Access {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.session.Access[site]
}

func (a *Agent) setNotedAccess(site string, note session.Access) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.session.Access = session.With(a.session.Access, site, note)
}

// sharingAccess returns how a part shares its access list with the other replicas, nil if it does not.
func (f *fleet) sharingAccess(p *icwsPart) func(context.Context, func(context.Context) (*translate.Access, error)) (*translate.Access, error) {
	if f == nil || f.catalogues == nil {
		return nil
	}
	return p.lists.shareAccess
}

// shareAccess returns the access list that the session's record has, else fetches it.
func (l *icwsLists) shareAccess(ctx context.Context, fetch func(context.Context) (*translate.Access, error)) (*translate.Access, error) {
	a, site := l.part.agent, l.part.site.Name
	epoch := a.gateway.fleet.catalogues.Epoch(site, l.part.connection().Language)
	note := a.notedAccess(site)
	if note.Known && note.Epoch >= epoch && !a.leased.Load() {
		l.heedAccess(note)
		return accessOf(note), nil
	}
	access, err := fetch(ctx)
	if err != nil {
		return nil, err
	}
	l.accessAsOf.Store(epoch)
	err = l.noteAccess(ctx, access, false)
	if err != nil && a.life.Err() == nil {
		l.part.warn("other replicas were not told of an access list", err)
	}
	return access, nil
}

// noteAccess has the session's record hold an access list, unless it does.
func (l *icwsLists) noteAccess(ctx context.Context, access *translate.Access, stale bool) error {
	a, site := l.part.agent, l.part.site.Name
	note := session.Access{Known: true, IDs: strings.Join(access.IDs(), "\n"), Epoch: l.accessAsOf.Load(), Stale: stale}
	if note == a.notedAccess(site) {
		return nil
	}
	_, err := a.gateway.store.Update(ctx, a.session.ID, func(s *session.Session) {
		kept := note
		kept.Epoch = max(note.Epoch, s.Access[site].Epoch)
		s.Access = session.With(s.Access, site, kept)
	})
	if err == nil {
		a.setNotedAccess(site, note)
	}
	return err
}

// renoteAccess is noteAccess where this process reads for the session, and what it was told changes it.
func (f *fleet) renoteAccess(a *Agent) error {
	p := a.icws()
	if p == nil || f.catalogues == nil || !a.leased.Load() {
		return nil
	}
	held, ok := p.lists.access.Snapshot()
	if !ok {
		return nil
	}
	return p.lists.noteAccess(a.life, held.Value, held.Stale())
}

// learnAccess takes what the session's record says of the access list, where another process reads for
// the session.
func (f *fleet) learnAccess(a *Agent, s session.Session) {
	p := a.icws()
	if p == nil || f.catalogues == nil || a.leased.Load() {
		return
	}
	site := p.site.Name
	note := s.Access[site]
	if !note.Known || note.Epoch < f.catalogues.Epoch(site, p.connection().Language) {
		return
	}
	known := a.notedAccess(site)
	held, holds := p.lists.access.Snapshot()
	if note == known && held.Stale() == note.Stale { // it may not be where this process has read itself since
		return
	}
	a.setNotedAccess(site, note)
	if holds && note != known {
		p.lists.access.Replace(accessOf(note))
		p.redirect()
	}
	p.lists.heedAccess(note)
}

// heedAccess has the access list be as sure as it is where the session is read.
func (l *icwsLists) heedAccess(note session.Access) {
	if note.Stale {
		l.access.Unproven()
	} else {
		l.access.Proven()
	}
}

func accessOf(note session.Access) *translate.Access {
	if note.IDs == "" {
		return translate.NewAccess(nil)
	}
	return translate.NewAccess(strings.Split(note.IDs, "\n"))
}
