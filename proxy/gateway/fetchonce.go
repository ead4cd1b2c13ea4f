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
func (l *icwsLists) catalogueKey() catalogues.Key {
	if l.part.site.ShareCatalogue {
		return catalogues.Key{Site: l.part.site.Name, Place: placeOf(l.part.connection())}
	}
	return catalogues.Key{Site: l.part.site.Name, Login: l.part.agent.Login()}
}

// sharing returns how a part shares what it fetches with the other replicas, nil if it does not.
func (f *fleet) sharing(p *icwsPart) func(context.Context, func(context.Context) (*translate.Catalogue, error)) (*translate.Catalogue, error) {
	if f == nil || f.catalogues == nil {
		return nil
	}
	return p.lists.shareCatalogue
}

// shareCatalogue returns the catalogue that another replica has fetched, else fetches it for all. While
// one fetches the others wait: for a session's own catalogue as long as they can, since it is fetched
// once; for a shared one no longer than for another session's proof. Without the store each replica
// fetches for itself.
func (l *icwsLists) shareCatalogue(ctx context.Context, fetch func(context.Context) (*translate.Catalogue, error)) (*translate.Catalogue, error) {
	c, of, holder := l.part.agent.gateway.fleet.catalogues, l.catalogueKey(), l.part.agent.short
	began := time.Now()
	for {
		l.asOf.Store(c.Epoch(of.Site, l.part.connection().Language))
		held, err := c.Claim(ctx, of, holder)
		if err != nil {
			return fetch(ctx)
		}
		found := l.found(ctx, of)
		if found == nil && held {
			found, err = c.Holding(ctx, of, holder, fetch)
			if err == nil {
				l.leaveForOthers(ctx, of, found)
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
func (l *icwsLists) found(ctx context.Context, of catalogues.Key) *translate.Catalogue {
	if of.Login != "" {
		return l.foundNoted(ctx)
	}
	found, err := l.part.agent.gateway.fleet.catalogues.Found(ctx, of, l.asOf.Load())
	if err != nil {
		l.part.warn("a catalogue of other replicas cannot be used", err)
	}
	return found
}

// foundNoted returns the catalogue that the session's record speaks of. Who has one that was unproven for
// too long has no use for another such.
func (l *icwsLists) foundNoted(ctx context.Context) *translate.Catalogue {
	a := l.part.agent
	s, err := a.gateway.store.ByLogin(ctx, a.Login())
	if err == nil && s.ID != a.session.ID {
		err = session.ErrNotFound
	}
	note := s.Catalogues[l.part.site.Name]
	_, held := l.catalogue.Snapshot()
	if err == nil && note.Version != "" && note.Epoch >= l.asOf.Load() && (!held || !note.Stale) {
		var catalogue *translate.Catalogue
		catalogue, err = a.gateway.fleet.catalogues.Content(ctx, l.part.site.Name, note.Version)
		if err == nil {
			l.heed(note)
			return catalogue
		}
	}
	if err != nil && !errors.Is(err, cache.ErrNoCopy) && !errors.Is(err, session.ErrNotFound) {
		l.part.warn("a catalogue of other replicas cannot be used", err)
	}
	return nil
}

// leaveForOthers has the other replicas find what was fetched. A shared catalogue that is not proven soon
// is nobody else's.
func (l *icwsLists) leaveForOthers(ctx context.Context, of catalogues.Key, catalogue *translate.Catalogue) {
	c := l.part.agent.gateway.fleet.catalogues
	var err error
	if of.Login == "" {
		err = c.Leave(ctx, of, catalogue, l.asOf.Load())
	} else {
		err = l.note(ctx, catalogue, false)
	}
	if err != nil && l.part.agent.life.Err() == nil {
		l.part.warn("other replicas were not told of a catalogue", err)
	}
}
