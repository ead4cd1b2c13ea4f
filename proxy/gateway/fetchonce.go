package gateway

import (
	"context"
	"errors"
	"time"

	"portico/cache"
	"portico/proxy/catalogues"
	"portico/proxy/session"
	"portico/proxy/upstream"
	"portico/translate"
)

// fetchLook is how often one who waits for another replica's fetch of a catalogue looks.
const fetchLook = 50 * time.Millisecond

// catalogueKey returns what replicas find the part's catalogue by.
func (p *icwsPart) catalogueKey() catalogues.Key {
	if p.site.ShareCatalogue {
		return catalogues.Key{Site: p.site.Name, Place: placeOf(p.connection())}
	}
	return catalogues.Key{Site: p.site.Name, Login: p.agent.Login()}
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
	c, of, holder := p.agent.gateway.fleet.catalogues, p.catalogueKey(), p.agent.short
	began := time.Now()
	for {
		p.asOf.Store(c.Epoch(of.Site, p.connection().Language))
		held, err := c.Claim(ctx, of, holder)
		if err != nil {
			return fetch(ctx)
		}
		found := p.found(ctx, of)
		if found == nil && held {
			found, err = c.Holding(ctx, of, holder, fetch)
			if err == nil {
				p.leaveForOthers(ctx, of, found)
			}
		}
		if held {
			c.GiveUp(context.WithoutCancel(ctx), of, holder)
		}
		if found != nil || err != nil {
			return found, err
		}
		if of.Login == "" && time.Since(began) >= catalogues.ProofWithin {
			return fetch(ctx)
		}
		err = upstream.Sleep(ctx, fetchLook)
		if err != nil {
			return nil, err
		}
	}
}

// found returns what another replica has left, nil if there is nothing, or nothing that may be used.
func (p *icwsPart) found(ctx context.Context, of catalogues.Key) *translate.Catalogue {
	if of.Login != "" {
		return p.foundNoted(ctx)
	}
	found, err := p.agent.gateway.fleet.catalogues.Found(ctx, of, p.asOf.Load())
	if err != nil {
		p.warn("a catalogue of other replicas cannot be used", err)
	}
	return found
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
		catalogue, err = a.gateway.fleet.catalogues.Content(ctx, p.site.Name, note.Version)
		if err == nil {
			p.heed(note)
			return catalogue
		}
	}
	if err != nil && !errors.Is(err, cache.ErrNoCopy) && !errors.Is(err, session.ErrNotFound) {
		p.warn("a catalogue of other replicas cannot be used", err)
	}
	return nil
}

// leaveForOthers has the other replicas find what was fetched. A shared catalogue that is not proven soon
// is nobody else's.
func (p *icwsPart) leaveForOthers(ctx context.Context, of catalogues.Key, catalogue *translate.Catalogue) {
	c := p.agent.gateway.fleet.catalogues
	var err error
	if of.Login == "" {
		err = c.Leave(ctx, of, catalogue, p.asOf.Load())
	} else {
		err = p.note(ctx, catalogue, false)
	}
	if err != nil && p.agent.life.Err() == nil {
		p.warn("other replicas were not told of a catalogue", err)
	}
}
