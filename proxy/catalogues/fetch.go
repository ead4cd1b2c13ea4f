package catalogues

import (
	"context"
	"errors"
	"sync"
	"time"

	"portico/cache"
	"portico/translate"
)

// The right to fetch a catalogue for all replicas is held for a short time and renewed while the fetch
// lasts, so that another replica fetches soon when one dies.
const (
	fetchLife  = 3 * time.Second
	fetchRenew = time.Second
)

// Claim asks for the right to fetch a catalogue for all replicas, and reports whether holder has it. The holder looks
// first whether another replica has left the catalogue, and gives the right up afterwards. It fails only where the store
// does not answer.
func (c *Replicas) Claim(ctx context.Context, of Key, holder string) (held bool, err error) {
	right, err := c.Leases.Take(ctx, of.name(), c.Me+"/"+holder, fetchLife)
	return right.Held, err
}

// Holding is fetch, while the holder's right to do so is kept. It fails as fetch does: a right that could not be kept
// is no failure.
func (c *Replicas) Holding(ctx context.Context, of Key, holder string, fetch func(context.Context) (*translate.Catalogue, error)) (*translate.Catalogue, error) {
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
				_, _ = c.Claim(ctx, of, holder)
			}
		}
	})
	return fetch(ctx)
}

// GiveUp ends a right before it runs out.
func (c *Replicas) GiveUp(ctx context.Context, of Key, holder string) {
	err := c.Leases.Release(ctx, of.name(), c.Me+"/"+holder)
	if err != nil {
		c.Log.Warn("the right to fetch a catalogue was not given up and runs out", "cause", err.Error())
	}
}

// Found returns the shared catalogue that another replica has left since an epoch, or proves; nil if there is none, or
// only one that was left before. It fails where the store does not answer, or what it keeps cannot be read.
func (c *Replicas) Found(ctx context.Context, of Key, epoch int64) (*translate.Catalogue, error) {
	kept, err := c.Shelf.Get(ctx, of.name(), "")
	if errors.Is(err, cache.ErrNoCopy) {
		return nil, nil
	}
	if err != nil || kept.Epoch < epoch {
		return nil, err
	}
	return catalogueOf(of.Site, kept.Text)
}

// Leave has the other replicas find a shared catalogue that was fetched in an epoch. One that is not proven soon is
// nobody else's.
func (c *Replicas) Leave(ctx context.Context, of Key, catalogue *translate.Catalogue, epoch int64) error {
	return c.keep(ctx, of.name(), catalogue, epoch, ProofWithin)
}
