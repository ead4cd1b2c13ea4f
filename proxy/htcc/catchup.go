package htcc

import (
	"context"
	"errors"
	"fmt"

	"portico/proxy/fault"
	"portico/proxy/upstream"
)

// A catchUp reads the state, if notifications may have been lost, until that succeeds. It does so beside the connects:
// a server gives up a client that does not connect for ten seconds, which a read may take, and what happens meanwhile
// is not to wait for it.
//
// Source: CometD reference, server options (maxInterval).
type catchUp struct {
	ended chan error    // how each read ended
	done  chan struct{} // closed when there will be no more
}

// catchUp begins to read the state, if it must be read before r is live, in a goroutine of its own, which ends with ctx.
func (r *reader) catchUp(ctx context.Context) *catchUp {
	c := &catchUp{ended: make(chan error), done: make(chan struct{})}
	if !r.lost || r.to.Resync == nil {
		close(c.done)
		r.caughtUp()
		return c
	}
	go func() {
		defer close(c.done)
		for failed := 0; ; failed++ {
			_, err := fault.Guarded(func() (struct{}, error) { return struct{}{}, r.to.Resync(ctx) })
			select {
			case c.ended <- err:
			case <-ctx.Done():
				return
			}
			if err == nil || r.to.Pause(ctx, upstream.Pause(failed)) != nil {
				return
			}
		}
	}()
	return c
}

// wait waits until nothing of c is left. Its context has ended.
func (c *catchUp) wait() { <-c.done }

// attend waits for a connect, and takes meanwhile how reads of the state end. It fails when one finds the session gone.
func (r *reader) attend(next *connecting, state *catchUp) error {
	for {
		select {
		case <-next.done:
			return nil
		case err := <-state.ended:
			if err == nil {
				r.caughtUp()
			}
			if errors.Is(err, ErrSessionGone) {
				return fmt.Errorf("resync: %w", err)
			}
		}
	}
}

// caughtUp notes that what is known is true, and is live.
func (r *reader) caughtUp() {
	r.lost = false
	r.client.metrics.Event(upstream.Opened)
	if r.broken {
		r.client.metrics.Event(upstream.Resynced)
	}
	r.broken = false
	r.setLive(true)
}
