package cache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

// ErrClosed is what a cell answers once its session has ended.
var ErrClosed = errors.New("cache: the session has ended")

// defaultTimeout is how long a fetch may take when CellOptions does not say.
const defaultTimeout = 10 * time.Second

// CellOptions says what a cell keeps and where it gets it.
type CellOptions[T any] struct {
	Cache string // what the numbers are counted under: Catalogue, Access or Version
	Site  string // the site's name in the settings

	// Fetch asks the upstream. Its context ends at the deadline and with the session's life, never
	// with a caller. What it returns is never changed afterwards, neither by it nor by the cell.
	Fetch func(context.Context) (*T, error)

	// Share is given the fetch, and returns what others have fetched already, else what the fetch brings:
	// one that is not made is counted as no fetch. Nil: there are no others.
	Share func(ctx context.Context, fetch func(context.Context) (*T, error)) (*T, error)

	// Follow returns a context that ends with life and knows of the caller's what a fetch is to know,
	// such as the trace that it belongs to; nil = nothing.
	Follow func(life, caller context.Context) context.Context

	Timeout      time.Duration // of one fetch; 0 = 10 s
	StaleIfError time.Duration // how long a value is served after it became unproven; 0 = for ever
	Intern       func(*T) *T   // gives equal values of other cells the same address; nil = none
	Metrics      *Metrics      // nil = counted nowhere
	Dropped      bool          // when life ends, Drop is called: the cell need not see to that itself
}

// A Cell holds one session's value of type T. The promise is that it fetches the value at most
// once: success sticks until Drop, and only a value that was unproven for longer than
// StaleIfError, or purged, is fetched again. Values are immutable: a change makes a new one.
//
// Any number of goroutines may call its methods.
type Cell[T any] struct {
	life   context.Context // the session's: ends every fetch
	idle   func() bool     // stops waiting for the end of life; nil if somebody else waits for it
	opts   CellOptions[T]
	counts *cellCounts
	now    atomic.Pointer[Snapshot[T]] // read without the mutex, written with it

	mu       sync.Mutex          // guards what follows, and writing now
	closed   bool                // life has ended and the value is gone
	purged   bool                // the value went because an operator said so
	flights  *singleflight.Group // nil when nobody waits: an empty one keeps 250 bytes for its map
	flight   *flight[T]          // nil when no fetch is under way
	broken   time.Time           // since when nothing feeds the cell; zero while a stream does
	needs    int                 // fetches for a first need that the upstream answered
	failure  error               // of the last fetch, nil if it succeeded
	failedAt time.Time
}

// NewCell returns an empty cell. It starts nothing; when life ends, the cell drops itself, unless that is seen to.
func NewCell[T any](life context.Context, opts CellOptions[T]) *Cell[T] {
	if opts.Timeout <= 0 {
		opts.Timeout = defaultTimeout
	}
	if opts.Intern == nil {
		opts.Intern = func(value *T) *T { return value }
	}
	if opts.Follow == nil {
		opts.Follow = func(life, _ context.Context) context.Context { return life }
	}
	if opts.Share == nil {
		opts.Share = func(ctx context.Context, fetch func(context.Context) (*T, error)) (*T, error) { return fetch(ctx) }
	}
	if opts.Metrics == nil {
		opts.Metrics = NewMetrics(nil)
	}
	c := &Cell[T]{life: life, opts: opts, counts: opts.Metrics.cell(opts.Cache, opts.Site)}
	if !opts.Dropped {
		c.idle = context.AfterFunc(life, c.forget)
	}
	return c
}

// A Snapshot is what a cell holds at one moment.
type Snapshot[T any] struct {
	Value *T        // immutable, and shared with other sessions
	Since time.Time // since when nothing proves that it is up to date; zero while it is proven
}

// Stale reports whether the value is unproven, which callers are told in a Warning header.
func (s Snapshot[T]) Stale() bool { return !s.Since.IsZero() }

// Age returns how long the value has been unproven, for the Age header; 0 while it is proven.
func (s Snapshot[T]) Age() time.Duration {
	if !s.Stale() {
		return 0
	}
	return time.Since(s.Since)
}

// Get returns the session's value, fetching it the first time it is asked for, once however many
// callers ask together. A caller who gives up leaves at once with ctx's error; the fetch goes on
// for the others. A failed fetch is tried again at most once a second: until then its error is
// returned at once. After the session's end the error is ErrClosed.
func (c *Cell[T]) Get(ctx context.Context) (*T, error) {
	got, _, err := c.Lookup(ctx)
	return got.Value, err
}

// Lookup is Get for those who also need to know how old the value is and what the look-up cost.
func (c *Cell[T]) Lookup(ctx context.Context) (Snapshot[T], Result, error) {
	held, ok := c.AtHand()
	if ok {
		return held, c.Served(held), nil
	}
	got, result, err := c.wait(ctx)
	c.counts.lookups[result].Inc()
	return got, result, err
}

// Snapshot returns what the cell holds, without fetching or counting; false if it holds nothing.
func (c *Cell[T]) Snapshot() (Snapshot[T], bool) {
	held := c.now.Load()
	if held == nil {
		return Snapshot[T]{}, false
	}
	return *held, true
}

// AtHand returns what Lookup would at once; false if that would fetch or wait. It counts nothing: who serves
// what it returns says so by Served.
func (c *Cell[T]) AtHand() (Snapshot[T], bool) {
	held := c.now.Load()
	if !c.serves(held) {
		return Snapshot[T]{}, false
	}
	return *held, true
}

// Served counts a look-up that AtHand spared.
func (c *Cell[T]) Served(s Snapshot[T]) Result {
	c.counts.lookups[s.hit()].Inc()
	return s.hit()
}

// wait is a look-up that found nothing to serve: it starts a flight or joins the one under way.
func (c *Cell[T]) wait(ctx context.Context) (Snapshot[T], Result, error) {
	led := false
	landed, err := c.board(func() (any, error) {
		led = true
		defer c.clear()
		return c.fly(ctx)
	})
	if err != nil {
		return Snapshot[T]{}, Failed, err
	}
	select {
	case got := <-landed:
		if got.Err != nil {
			return Snapshot[T]{}, Failed, got.Err
		}
		here := got.Val.(landing[T])
		return here.snapshot, here.result(led), nil
	case <-ctx.Done():
		return Snapshot[T]{}, Failed, ctx.Err()
	}
}

// serves reports whether held may be given to a caller.
func (c *Cell[T]) serves(held *Snapshot[T]) bool {
	if held == nil {
		return false
	}
	return c.opts.StaleIfError <= 0 || held.Age() < c.opts.StaleIfError
}

// hit returns what a look-up is that needs no flight.
func (s Snapshot[T]) hit() Result {
	if s.Stale() {
		return StaleHit
	}
	return Hit
}

// name says what the cell holds, for errors.
func (c *Cell[T]) name() string {
	return fmt.Sprintf("%s of site %q", c.opts.Cache, c.opts.Site)
}
