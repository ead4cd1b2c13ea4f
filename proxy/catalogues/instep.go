package catalogues

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
	*Member
	version string
	seen    time.Time // when the shelf was last known to have it
}

// Run keeps catalogues in step with the other replicas until ctx ends.
func (c *Replicas) Run(ctx context.Context) error {
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
			select {
			case <-ctx.Done():
			case <-time.After(newsAfter):
			}
		case <-time.After(inStepEvery):
		}
	}
}

// tell has the next look come soon.
func (c *Replicas) tell() {
	select {
	case c.news <- struct{}{}:
	default:
	}
}

// keepInStep purges what other replicas have purged, tells them what is proven here, and takes from them
// what is not.
func (c *Replicas) keepInStep(ctx context.Context) {
	c.work.Lock()
	defer c.work.Unlock()
	for _, at := range c.sites {
		epochs, err := c.Shelf.Epochs(ctx, at.Name, c.known(at.Name))
		if err == nil {
			for _, language := range c.begins(at.Name, epochs) {
				purged, err := c.purgeHere(ctx, at, language)
				c.Log.Info("purged as another replica was told to", "site", at.Name, "language", language, "sessions", purged, "failed", err != nil)
			}
		}
		if at.Groups != nil {
			c.shareProofs(ctx, at)
		}
	}
}

// shareProofs does so for each group of a site.
func (c *Replicas) shareProofs(ctx context.Context, at Site) {
	groups := at.Groups.proofs()
	for place, proven := range groups {
		of := Key{Site: at.Name, Place: place}
		if proven != nil {
			c.forget(at, of, c.remotes[of])
			c.prove(ctx, of, proven)
		} else {
			c.follow(ctx, at, of)
		}
	}
	for of, one := range c.remotes {
		_, there := groups[of.Place]
		if of.Site == at.Name && !there { // everybody else has left
			c.forget(at, of, one)
		}
	}
}

// prove tells the other replicas of a catalogue that is proven here, if it is for this one to do so.
func (c *Replicas) prove(ctx context.Context, of Key, catalogue *translate.Catalogue) {
	right, err := c.Leases.Take(ctx, "prover/"+of.name(), c.Me, proverLife)
	if err == nil && right.Held {
		_ = c.keep(ctx, of.name(), catalogue, c.Epoch(of.Site, of.Language), sharedProofFor) // the next try is soon
	}
}

// follow takes what another replica proves for those who share a catalogue here. What is not proven
// anywhere is stale.
func (c *Replicas) follow(ctx context.Context, at Site, of Key) {
	one := c.remotes[of]
	known := ""
	if one != nil {
		known = one.version
	}
	kept, err := c.Shelf.Get(ctx, of.name(), known)
	switch {
	case err == nil && kept.Epoch >= c.Epoch(of.Site, of.Language):
		err = c.take(at, of, one, kept)
		if err == nil {
			return
		}
		c.Log.Warn("a catalogue of other replicas cannot be used", "site", at.Name, "cause", err.Error())
	case err != nil && !errors.Is(err, cache.ErrNoCopy) && one != nil && time.Since(one.seen) < sharedProofFor: // it does not answer
		return
	}
	c.forget(at, of, one)
	at.Groups.doubtUnread(of.Place)
}

// take has a catalogue of another replica prove what those here have.
func (c *Replicas) take(at Site, of Key, one *remote, kept cache.Copy) error {
	if one == nil {
		one = &remote{Member: &Member{Cell: NewGivenCell(context.Background(), at.Name, at.Intern), Changed: func() {},
			Renew: func(context.Context) error { return ErrNoFetch }}}
	}
	if kept.Text != nil {
		catalogue, err := catalogueOf(at.Name, kept.Text)
		if err != nil {
			return err
		}
		one.Cell.Replace(catalogue)
		one.version = kept.Version
	}
	at.Groups.proveElsewhere(of.Place, one.Member)
	one.seen = time.Now()
	c.remotes[of] = one
	return nil
}

// forget has a remote prove nothing any more. Of nil it does nothing.
func (c *Replicas) forget(at Site, of Key, one *remote) {
	if one == nil {
		return
	}
	delete(c.remotes, of)
	at.Groups.forget(one.Member)
	one.Cell.Drop()
}

// keepContents says of each catalogue that sessions here have of their own that it is still used.
func (c *Replicas) keepContents(ctx context.Context) {
	var failed error
	for catalogue, site := range c.Held() {
		failed = errors.Join(failed, c.KeepContent(ctx, site, catalogue))
	}
	if failed != nil && ctx.Err() == nil {
		c.Log.Warn("catalogues could not be kept for other replicas", "cause", failed.Error())
	}
}
