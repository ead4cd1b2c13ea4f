package gateway

import (
	"context"

	"portico/proxy/catalogues"
	"portico/proxy/session"
	"portico/translate"
)

// A session's record says which catalogue it has: who reads for the session says so when that changes,
// and who serves it elsewhere learns it with the request, for which the record is read anyway.

// noted returns what the session's record is known to say of its catalogue at a site.
func (a *Agent) noted(site string) session.Catalogue {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.session.Catalogues[site]
}

func (a *Agent) setNoted(site string, note session.Catalogue) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.session.Catalogues = session.With(a.session.Catalogues, site, note)
}

// notes reports whether the part's catalogue is the session's own, and replicas tell each other of it.
func (l *icwsLists) notes() bool {
	f := l.part.agent.gateway.fleet
	return f != nil && f.catalogues != nil && l.part.site.groups == nil
}

// note has the session's record speak of a catalogue. What another replica fetched after a purge that is
// not known here yet counts on, as this one is told all changes.
func (l *icwsLists) note(ctx context.Context, catalogue *translate.Catalogue, stale bool) error {
	a, site := l.part.agent, l.part.site.Name
	err := a.gateway.fleet.catalogues.KeepContent(ctx, site, catalogue)
	if err != nil {
		return err
	}
	note := session.Catalogue{Version: catalogues.Version(catalogue), Epoch: l.asOf.Load(), Stale: stale}
	_, err = a.gateway.store.Update(ctx, a.session.ID, func(s *session.Session) {
		kept := note
		kept.Epoch = max(note.Epoch, s.Catalogues[site].Epoch)
		s.Catalogues = session.With(s.Catalogues, site, kept)
	})
	if err == nil {
		a.setNoted(site, note)
	}
	return err
}

// renote is note where this process reads for the session, and what it was told changes the catalogue.
func (f *fleet) renote(a *Agent) error {
	p := a.icws()
	if p == nil || !p.lists.notes() || !a.leased.Load() {
		return nil
	}
	held, ok := p.lists.catalogue.Snapshot()
	known := a.noted(p.site.Name)
	if !ok || catalogues.Version(held.Value) == known.Version && held.Stale() == known.Stale {
		return nil
	}
	return p.lists.note(a.life, held.Value, held.Stale())
}

// learnCatalogue takes what the session's record says of the catalogue, where another process reads for
// the session. What cannot be had now is looked for with the next request.
func (f *fleet) learnCatalogue(ctx context.Context, a *Agent, s session.Session) {
	p := a.icws()
	if p == nil || !p.lists.notes() || a.leased.Load() {
		return
	}
	site := p.site.Name
	note, known := s.Catalogues[site], a.noted(site)
	held, holds := p.lists.catalogue.Snapshot()
	if note == known && held.Stale() == note.Stale || note.Epoch < f.catalogues.Epoch(site, p.connection().Language) {
		return
	}
	if holds && note.Version != known.Version {
		catalogue, err := f.catalogues.Content(ctx, site, note.Version)
		if err != nil || a.leased.Load() { // who reads is told itself
			return
		}
		p.lists.catalogue.Replace(catalogue)
		p.redirect()
	}
	p.lists.heed(note)
	a.setNoted(site, note)
}

// heldCatalogues returns the catalogues that sessions here have of their own, with the names of their sites.
func (f *fleet) heldCatalogues() map[*translate.Catalogue]string {
	all := map[*translate.Catalogue]string{}
	for _, a := range f.gateway.all() {
		p := a.icws()
		if p == nil || !p.lists.notes() {
			continue
		}
		held, ok := p.lists.catalogue.Snapshot()
		if ok {
			all[held.Value] = p.site.Name
		}
	}
	return all
}

// heed has what is held be as sure as it is where the session is read.
func (l *icwsLists) heed(note session.Catalogue) {
	if !l.notes() || l.part.agent.leased.Load() {
		return
	}
	if note.Stale {
		l.catalogue.Unproven()
	} else {
		l.catalogue.Proven()
	}
}
