package gateway

import (
	"context"
	"errors"
	"time"

	"portico/cache"
	"portico/translate"
)

const (
	// inStepEvery is how often a replica looks what others prove and have purged, and newsAfter how soon it
	// tells what has changed here: many sessions are told of one change.
	inStepEvery = 2 * time.Second
	newsAfter   = 50 * time.Millisecond

	// sharedProofFor is how long a shared catalogue is taken to be proven that no replica says so of any more,
	// and proverLife how long the right to say so is given for: one who is slower must not take back a
	// change.
	sharedProofFor = 15 * time.Second
	proverLife     = 3 * inStepEvery
)

// A remote stands, among those who share a catalogue here, for the replica that proves it.
type remote struct {
	*member
	version string
	seen    time.Time // when the shelf was last known to have it
}

// run keeps catalogues in step with the other replicas until ctx ends.
func (c *fleetCatalogues) run(ctx context.Context) error {
	kept := time.Now()
	for {
		c.keepInStep(ctx)
		if time.Since(kept) >= contentEvery {
			kept = time.Now()
			c.keepContents(ctx)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.news:
			_ = sleep(ctx, newsAfter)
		case <-time.After(inStepEvery):
		}
	}
}

// tell has the next look come soon.
func (c *fleetCatalogues) tell() {
	select {
	case c.news <- struct{}{}:
	default:
	}
}

func (c *fleetCatalogues) sites() []*icwsSite {
	var sites []*icwsSite
	for _, one := range c.fleet.gateway.sites {
		at, ok := one.(*icwsSite)
		if ok {
			sites = append(sites, at)
		}
	}
	return sites
}

// keepInStep purges what other replicas have purged, tells them what is proven here, and takes from them
// what is not.
func (c *fleetCatalogues) keepInStep(ctx context.Context) {
	c.work.Lock()
	defer c.work.Unlock()
	for _, at := range c.sites() {
		epochs, err := c.Epochs(ctx, at.Name)
		if err == nil {
			for _, language := range c.begins(at.Name, epochs) {
				purged, err := c.purgeHere(ctx, at, language)
				c.fleet.gateway.log.Info("purged as another replica was told to", "site", at.Name, "language", language, "sessions", purged, "failed", err != nil)
			}
		}
		if at.ShareCatalogue {
			c.shareProofs(ctx, at)
		}
	}
}

// shareProofs does so for each circle of a site.
func (c *fleetCatalogues) shareProofs(ctx context.Context, at *icwsSite) {
	circles := at.commons.proofs()
	for key, proven := range circles {
		of := stand{site: at.Name, base: key.base, language: key.language}
		if proven != nil {
			c.forget(at, of, c.remotes[of])
			c.prove(ctx, of, proven)
		} else {
			c.follow(ctx, at, of)
		}
	}
	for of, one := range c.remotes {
		_, there := circles[circleKey{of.base, of.language}]
		if of.site == at.Name && !there { // everybody else has left
			c.forget(at, of, one)
		}
	}
}

// prove tells the other replicas of a catalogue that is proven here, if it is for this one to do so.
func (c *fleetCatalogues) prove(ctx context.Context, of stand, catalogue *translate.Catalogue) {
	right, err := c.fleet.Leases.Take(ctx, "prover/"+of.name(), c.fleet.me, proverLife)
	if err == nil && right.Held {
		_ = c.keep(ctx, of.name(), catalogue, c.epoch(of.site, of.language), sharedProofFor) // the next try is soon
	}
}

// follow takes what another replica proves for those who share a catalogue here. What is not proven
// anywhere is stale.
func (c *fleetCatalogues) follow(ctx context.Context, at *icwsSite, of stand) {
	one := c.remotes[of]
	known := ""
	if one != nil {
		known = one.version
	}
	kept, err := c.Get(ctx, of.name(), known)
	switch {
	case err == nil && kept.Epoch >= c.epoch(of.site, of.language):
		err = c.take(at, of, one, kept)
		if err == nil {
			return
		}
		c.fleet.gateway.log.Warn("a catalogue of other replicas cannot be used", "site", at.Name, "cause", err.Error())
	case err != nil && !gone(err) && one != nil && time.Since(one.seen) < sharedProofFor: // it does not answer
		return
	}
	c.forget(at, of, one)
	at.commons.doubtUnread(circleKey{of.base, of.language})
}

// take has a catalogue of another replica prove what those here have.
func (c *fleetCatalogues) take(at *icwsSite, of stand, one *remote, kept cache.Copy) error {
	if one == nil {
		cell := cache.NewCell(context.Background(), cache.CellOptions[translate.Catalogue]{Cache: cache.Catalogue, Site: at.Name,
			Intern: at.catalogues.Of, Fetch: func(context.Context) (*translate.Catalogue, error) { return nil, errNoFetch }})
		one = &remote{member: &member{cell: cell, changed: func() {}, renew: func(context.Context) error { return errNoFetch }}}
	}
	if kept.Text != nil {
		catalogue, err := catalogueOf(at.Name, kept.Text)
		if err != nil {
			return err
		}
		one.cell.Replace(catalogue)
		one.version = kept.Version
	}
	at.commons.proveElsewhere(circleKey{of.base, of.language}, one.member)
	one.seen = time.Now()
	c.remotes[of] = one
	return nil
}

// forget has a remote prove nothing any more. Of nil it does nothing.
func (c *fleetCatalogues) forget(at *icwsSite, of stand, one *remote) {
	if one == nil {
		return
	}
	delete(c.remotes, of)
	at.commons.forget(one.member)
	one.cell.Drop()
}

// keepContents says of each catalogue that sessions here have of their own that it is still used.
func (c *fleetCatalogues) keepContents(ctx context.Context) {
	used := map[*translate.Catalogue]string{} // the site
	for _, a := range c.fleet.gateway.all() {
		p := a.icws()
		if p == nil || !p.notes() {
			continue
		}
		held, ok := p.catalogue.Snapshot()
		if ok {
			used[held.Value] = p.site.Name
		}
	}
	var failed error
	for catalogue, site := range used {
		failed = errors.Join(failed, c.keepContent(ctx, site, catalogue))
	}
	if failed != nil && ctx.Err() == nil {
		c.fleet.gateway.log.Warn("catalogues could not be kept for other replicas", "cause", failed.Error())
	}
}
