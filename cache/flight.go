package cache

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	// retryAfter is how long the error of a failed fetch stands before the next need fetches again.
	retryAfter = time.Second

	// lastWords is how long a fetch may still run after its deadline, so that it says itself what
	// went wrong: its error knows the kind, ours only the time. One that takes longer is left behind.
	lastWords = 250 * time.Millisecond

	// maxPending bounds the changes kept while a fetch is under way.
	maxPending = 1024
)

// errOverrun is the end of a flight that more than maxPending changes came in on.
var errOverrun = errors.New("too many changes came in meanwhile")

// A flight is one fetch under way, seen from the cell. The cell's mutex guards it.
type flight[T any] struct {
	life     context.Context // ends with the cell
	end      context.CancelFunc
	cause    cause
	started  time.Time
	pending  []func(*T) *T // changes that came in since, in order
	overrun  bool          // changes were lost: there were more than maxPending
	replaced bool          // a full list came in since; what the cell holds is newer than the fetch
}

// A landing is what a flight gives those who wait for it.
type landing[T any] struct {
	snapshot Snapshot[T]
	fetched  bool // false when the value was there before the flight took off
	borrowed bool // another process had fetched it, or was about to
}

// result returns what the look-up was for one who waited, or for the one who led.
func (l landing[T]) result(led bool) Result {
	switch {
	case !l.fetched:
		return l.snapshot.hit()
	case led && !l.borrowed:
		return Miss
	default:
		return Coalesced
	}
}

// fly is the body of a flight. One runs at a time, for all who wait, in the name of the caller who led.
func (c *Cell[T]) fly(caller context.Context) (landing[T], error) {
	held, flight, err := c.takeOff(caller)
	if err != nil {
		return landing[T]{}, err
	}
	if held != nil {
		return landing[T]{snapshot: *held}, nil
	}
	defer flight.end()
	return c.land(c.attempt(flight.life))
}

// takeOff looks a second time: what was kept since the caller looked is returned, and there is no
// fetch. Else it begins one.
func (c *Cell[T]) takeOff(caller context.Context) (*Snapshot[T], *flight[T], error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	held := c.now.Load()
	if c.serves(held) {
		return held, nil, nil
	}
	err := c.refusalLocked()
	if err != nil {
		return nil, nil, err
	}
	c.flight = &flight[T]{cause: c.causeLocked(), started: time.Now()}
	c.flight.life, c.flight.end = context.WithCancel(c.opts.Follow(c.life, caller))
	return nil, c.flight, nil
}

// causeLocked says why the cell has to fetch now.
func (c *Cell[T]) causeLocked() cause {
	switch {
	case c.now.Load() != nil:
		return unproven
	case c.purged:
		return refresh
	default:
		return firstNeed
	}
}

// board starts a flight or joins the one under way, and returns what tells of its landing. It fails when
// there can be no fetch now.
func (c *Cell[T]) board(fly func() (any, error)) (<-chan singleflight.Result, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.refusalLocked()
	if err != nil {
		return nil, err
	}
	if c.flights == nil {
		c.flights = new(singleflight.Group)
	}
	return c.flights.DoChan("", fly), nil // it does not wait, so the mutex may be held
}

// clear has those who come from now on start another flight. It is called at the end of one.
func (c *Cell[T]) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flights = nil
}

// refusalLocked returns why there can be no fetch now: the session has ended, or a fetch failed less
// than a second ago. It is nil when there can be one.
func (c *Cell[T]) refusalLocked() error {
	if c.endedLocked() {
		return ErrClosed
	}
	if c.failure != nil && time.Since(c.failedAt) < retryAfter {
		return c.failure
	}
	return nil
}

// endedLocked reports whether the session has ended. Its life may end at any moment, while closed
// changes under the mutex only.
func (c *Cell[T]) endedLocked() bool { return c.closed || c.life.Err() != nil }

// An answer is what came of an attempt.
type answer[T any] struct {
	value *T
	err   error
	asked bool // the upstream was
}

// attempt runs the fetch and comes back in time whatever the fetch does: hang, panic or end its
// goroutine. It fails with ErrClosed when life ends.
func (c *Cell[T]) attempt(life context.Context) answer[T] {
	ctx, cancel := context.WithTimeout(life, c.opts.Timeout)
	defer cancel()
	var asked atomic.Bool
	fetch := func(ctx context.Context) (*T, error) {
		asked.Store(true)
		return c.opts.Fetch(ctx)
	}
	answers := make(chan answer[T], 1) // room for the one answer, so a fetch left behind can end
	go func() {
		got := answer[T]{err: errors.New("the fetch ended its goroutine")}
		defer func() { answers <- got }()
		got.value, got.err = recovered(func() (*T, error) { return c.opts.Share(ctx, fetch) })
	}()

	overdue := time.NewTimer(c.opts.Timeout + lastWords)
	defer overdue.Stop()
	select {
	case got := <-answers:
		if got.err == nil && got.value == nil {
			got.err = errors.New("the fetch returned nothing")
		}
		got.asked = asked.Load()
		return got
	case <-life.Done():
		return answer[T]{err: ErrClosed, asked: asked.Load()}
	case <-overdue.C:
		return answer[T]{err: fmt.Errorf("no answer within %v: %w", c.opts.Timeout, context.DeadlineExceeded), asked: asked.Load()}
	}
}

// land ends the flight: what was fetched is kept with the changes that came in meanwhile, or the
// failure is.
func (c *Cell[T]) land(came answer[T]) (landing[T], error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	over, value, err := c.flight, came.value, came.err
	c.flight = nil
	if came.asked || err != nil {
		c.counts.fetched(over.cause, err)
		c.countNeedLocked(over.cause, err)
	}
	if c.endedLocked() {
		return landing[T]{}, ErrClosed
	}
	if over.replaced {
		return landing[T]{snapshot: *c.now.Load(), fetched: true}, nil
	}
	if err == nil {
		value, err = recovered(func() (*T, error) { return c.upToDate(value, over) })
	}
	if err != nil {
		c.failure = fmt.Errorf("cache: fetch %s: %w", c.name(), err)
		c.failedAt = time.Now()
		return landing[T]{}, c.failure
	}
	c.holdLocked(value, c.unprovenSinceLocked(over))
	return landing[T]{snapshot: *c.now.Load(), fetched: true, borrowed: !came.asked}, nil
}

// upToDate applies to value, in order, the changes that came in while it was fetched. The fetch
// may have seen some of them already, so a change must bear being applied twice.
func (c *Cell[T]) upToDate(value *T, over *flight[T]) (*T, error) {
	if over.overrun {
		return nil, errOverrun
	}
	for _, change := range over.pending {
		value = changed(value, change)
	}
	return c.opts.Intern(value), nil
}

// unprovenSinceLocked returns since when a value just fetched is unproven: since it was asked for or
// since its stream broke, whichever is later; zero if a stream feeds the cell.
func (c *Cell[T]) unprovenSinceLocked(over *flight[T]) time.Time {
	if c.broken.IsZero() || c.broken.After(over.started) {
		return c.broken
	}
	return over.started
}

// countNeedLocked counts what the upstream was asked, not what was kept: a value that was fetched
// and thrown away has cost a call too, and the next one breaks the promise.
func (c *Cell[T]) countNeedLocked(why cause, err error) {
	if why != firstNeed || err != nil {
		return
	}
	c.needs++
	if c.needs > 1 {
		c.counts.repeats.Inc()
	}
}
