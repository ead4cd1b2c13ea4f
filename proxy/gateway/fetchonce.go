package gateway

import (
	"context"
	"errors"
	"sync"
	"time"

	"portico/proxy/session"
	"portico/translate"
)

// The right to fetch a catalogue for all replicas is held for a short time and renewed while the fetch
// lasts, so that another replica fetches soon when one dies.
const (
	fetchLife  = 3 * time.Second
	fetchRenew = time.Second
	fetchLook  = 50 * time.Millisecond // how often one who waits for another's fetch looks
)

// A stand is where replicas look for a catalogue: that of all who are at one host of a site in one
// language, or, with an agent's login name instead of the host, that of one session.
type stand struct{ site, login, base, language string }

// name is that of the right to fetch the catalogue, and of a shared one on the shelf.
func (s stand) name() string {
	return "catalogue/" + s.site + "/" + s.login + "/" + s.base + "/" + s.language
}

// standOf returns where the part's catalogue is looked for.
func (p *icwsPart) standOf() stand {
	conn := p.connection()
	if p.site.ShareCatalogue {
		return stand{site: p.site.Name, base: conn.Base, language: conn.Language}
	}
	return stand{site: p.site.Name, login: p.agent.Login()}
}

// sharing returns how a part shares what it fetches with the other replicas, nil if it does not.
func (f *fleet) sharing(p *icwsPart) func(context.Context, func(context.Context) (*translate.Catalogue, error)) (*translate.Catalogue, error) {
	if f == nil || f.catalogues == nil {
		return nil
	}
	return p.shareCatalogue
}

// shareCatalogue returns the catalogue that another replica has fetched, else fetches it for all. While
// one fetches the others wait: for a session's own catalogue as long as they can, since it is fetched
// once; for a shared one no longer than for another session's proof. Without the store each replica
// fetches for itself.
func (p *icwsPart) shareCatalogue(ctx context.Context, fetch func(context.Context) (*translate.Catalogue, error)) (*translate.Catalogue, error) {
	c, at := p.agent.gateway.fleet.catalogues, p.standOf()
	holder := c.fleet.me + "/" + p.agent.short
	began := time.Now()
	for {
		p.asOf.Store(c.epoch(at.site, p.connection().Language))
		right, err := c.fleet.Leases.Take(ctx, at.name(), holder, fetchLife)
		if err != nil {
			return fetch(ctx)
		}
		found := p.found(ctx, at)
		if found == nil && right.Held {
			found, err = holding(ctx, c.fleet, at.name(), holder, fetch)
			if err == nil {
				p.leaveForOthers(ctx, at, found)
			}
		}
		if right.Held {
			c.fleet.giveUp(context.WithoutCancel(ctx), at.name(), holder)
		}
		if found != nil || err != nil {
			return found, err
		}
		if at.login == "" && time.Since(began) >= proofWithin {
			return fetch(ctx)
		}
		err = sleep(ctx, fetchLook)
		if err != nil {
			return nil, err
		}
	}
}

// holding is fetch, while the right to do so is kept.
func holding[T any](ctx context.Context, f *fleet, name, holder string, fetch func(context.Context) (T, error)) (T, error) {
	done := make(chan struct{})
	var renewing sync.WaitGroup
	defer renewing.Wait() // or the right could be taken again that is given up next
	defer close(done)
	renewing.Go(func() {
		tick := time.NewTicker(fetchRenew)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				_, _ = f.Leases.Take(ctx, name, holder, fetchLife)
			}
		}
	})
	return fetch(ctx)
}

// giveUp ends a right before it runs out.
func (f *fleet) giveUp(ctx context.Context, name, holder string) {
	err := f.Leases.Release(ctx, name, holder)
	if err != nil {
		f.gateway.log.Warn("the right to fetch a catalogue was not given up and runs out", "cause", err.Error())
	}
}

// found returns what another replica has left, nil if there is nothing, or nothing that may be used.
func (p *icwsPart) found(ctx context.Context, at stand) *translate.Catalogue {
	if at.login != "" {
		return p.foundNoted(ctx)
	}
	c := p.agent.gateway.fleet.catalogues
	kept, err := c.Get(ctx, at.name(), "")
	if err == nil && kept.Epoch >= p.asOf.Load() {
		var catalogue *translate.Catalogue
		catalogue, err = catalogueOf(at.site, kept.Text)
		if err == nil {
			return catalogue
		}
	}
	if err != nil && !gone(err) {
		p.warn("a catalogue of other replicas cannot be used", err)
	}
	return nil
}

// foundNoted returns the catalogue that the session's record speaks of. Who has one that was unproven for
// too long has no use for another such.
func (p *icwsPart) foundNoted(ctx context.Context) *translate.Catalogue {
	a := p.agent
	s, err := a.gateway.store.ByLogin(ctx, a.Login())
	if err == nil && s.ID != a.session.ID {
		err = session.ErrNotFound
	}
	note := s.Catalogues[p.site.Name]
	_, held := p.catalogue.Snapshot()
	if err == nil && note.Version != "" && note.Epoch >= p.asOf.Load() && (!held || !note.Stale) {
		var catalogue *translate.Catalogue
		catalogue, err = a.gateway.fleet.catalogues.content(ctx, p.site.Name, note.Version)
		if err == nil {
			p.heed(note)
			return catalogue
		}
	}
	if err != nil && !gone(err) && !errors.Is(err, session.ErrNotFound) {
		p.warn("a catalogue of other replicas cannot be used", err)
	}
	return nil
}

// leaveForOthers has the other replicas find what was fetched. A shared catalogue that is not proven soon
// is nobody else's.
func (p *icwsPart) leaveForOthers(ctx context.Context, at stand, catalogue *translate.Catalogue) {
	c := p.agent.gateway.fleet.catalogues
	var err error
	if at.login == "" {
		err = c.keep(ctx, at.name(), catalogue, p.asOf.Load(), proofWithin)
	} else {
		err = p.note(ctx, catalogue, false)
	}
	if err != nil && p.agent.life.Err() == nil {
		p.warn("other replicas were not told of a catalogue", err)
	}
}
