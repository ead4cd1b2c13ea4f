package guesses

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"portico/proxy/fault"
	"portico/proxy/throttle"
)

// Enter waits until a native application's log-in may be tried, however those end that are under way, and
// returns what is to be called once it was counted. The log-ins of a name come one after the other; but
// where name and address logged in together before, as many at once as there are tries left: most are
// right, and none is to wait for one that the site does not answer. It fails as MayTry does, and with
// fault.Timeout when ctx ends.
func (g *Gate) Enter(ctx context.Context, one Account, from netip.Addr) (func(), error) {
	pair := g.keyOf("pair", one, from)
	known, err := g.knows(ctx, pair)
	if err != nil {
		return nil, err
	}
	if known {
		return g.enterKnown(ctx, pair)
	}
	unlock, err := g.names.Lock(ctx, one.Name)
	if err != nil {
		return nil, waitedFor(err)
	}
	known, err = g.knows(ctx, pair) // by now
	if err == nil && !known {
		err = g.MayTry(ctx, []Account{one}, from)
	}
	if err == nil && !known {
		return unlock, nil
	}
	unlock()
	if err != nil {
		return nil, err
	}
	return g.enterKnown(ctx, pair)
}

func waitedFor(err error) error {
	return fmt.Errorf("guesses: wait for another log-in of the same name: %w: %w", fault.Timeout, err)
}

// enterKnown is Enter where name and address logged in together before. Each one under way counts as if it
// had been refused.
func (g *Gate) enterKnown(ctx context.Context, pair string) (func(), error) {
	one := tally{knownKey(pair), g.limits.Load().together}
	next, err := g.names.Lock(ctx, one.key) // who came first is next
	if err != nil {
		return nil, waitedFor(err)
	}
	defer next()
	for {
		ahead, landed := g.underWay.of(one.key) // before the refused are counted: one that ends in between counts twice
		wait, err := g.waitWith(ctx, one, ahead)
		if err != nil {
			return nil, err
		}
		if wait == 0 {
			return g.underWay.begin(one.key), nil
		}
		if ahead > 0 {
			wait, err = g.waitWith(ctx, one, 0)
		}
		if err != nil {
			return nil, err
		}
		if wait > 0 {
			return nil, &fault.Error{Kind: fault.Throttled, RetryAfter: wait}
		}
		select {
		case <-landed:
		case <-ctx.Done():
			return nil, waitedFor(ctx.Err())
		}
	}
}

// waitWith returns how long it is until a tally is below its limit, if so many more were refused now.
func (g *Gate) waitWith(ctx context.Context, one tally, more int) (time.Duration, error) {
	if more >= one.limit.Failures {
		return one.limit.Within, nil
	}
	wait, err := g.store.Wait(ctx, one.key, throttle.Limit{Failures: one.limit.Failures - more, Within: one.limit.Within})
	if err != nil {
		return 0, storeDown("count refused log-ins", err)
	}
	return wait, nil
}

// flights counts what is under way, by name. The zero value is ready.
type flights struct {
	mu    sync.Mutex
	named map[string]*flight // guarded by mu, with all that is in them
}

type flight struct {
	count  int
	landed chan struct{} // closed when one of them ends
}

// of returns how many there are of a name, and what is closed when one of them ends.
func (f *flights) of(name string) (int, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	one := f.named[name]
	if one == nil {
		return 0, nil
	}
	return one.count, one.landed
}

// begin counts one more, until what it returns is called.
func (f *flights) begin(name string) func() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.named == nil {
		f.named = map[string]*flight{}
	}
	one := f.named[name]
	if one == nil {
		one = &flight{landed: make(chan struct{})}
		f.named[name] = one
	}
	one.count++
	return func() { f.end(name, one) }
}

func (f *flights) end(name string, one *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(one.landed)
	one.landed = make(chan struct{})
	one.count--
	if one.count == 0 {
		delete(f.named, name)
	}
}
