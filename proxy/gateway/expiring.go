package gateway

import (
	"context"
	"sync"
	"time"
)

// maxExpiring bounds a set of names that strangers can add to.
const maxExpiring = 100_000

// expiring is a set whose members leave by themselves after a while. Any number of goroutines may
// use it.
type expiring struct {
	life time.Duration

	mu    sync.Mutex
	until map[string]time.Time // guarded by mu
}

func newExpiring(life time.Duration) *expiring {
	return &expiring{life: life, until: map[string]time.Time{}}
}

// add puts name in, or keeps it for another while. A full set takes no new names.
func (e *expiring) add(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, known := e.until[name]
	if known || len(e.until) < maxExpiring {
		e.until[name] = time.Now().Add(e.life)
	}
}

func (e *expiring) has(name string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return time.Now().Before(e.until[name])
}

func (e *expiring) sweep() {
	now := time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, until := range e.until {
		if !now.Before(until) {
			delete(e.until, name)
		}
	}
}

// namedLocks lets one at a time hold a name. The zero value is ready.
type namedLocks struct {
	mu   sync.Mutex
	held map[string]*namedLock // guarded by mu
}

type namedLock struct {
	turn    chan struct{} // holds one token while the name is held
	holders int           // who holds or waits; guarded by namedLocks.mu
}

// lock waits for name and returns what gives it back, or ctx's error.
func (n *namedLocks) lock(ctx context.Context, name string) (func(), error) {
	one := n.join(name)
	select {
	case one.turn <- struct{}{}:
		return func() {
			<-one.turn
			n.leave(name, one)
		}, nil
	case <-ctx.Done():
		n.leave(name, one)
		return nil, ctx.Err()
	}
}

func (n *namedLocks) join(name string) *namedLock {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.held == nil {
		n.held = map[string]*namedLock{}
	}
	one := n.held[name]
	if one == nil {
		one = &namedLock{turn: make(chan struct{}, 1)}
		n.held[name] = one
	}
	one.holders++
	return one
}

func (n *namedLocks) leave(name string, one *namedLock) {
	n.mu.Lock()
	defer n.mu.Unlock()
	one.holders--
	if one.holders == 0 {
		delete(n.held, name)
	}
}
