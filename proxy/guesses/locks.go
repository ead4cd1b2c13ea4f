package guesses

import (
	"context"
	"sync"
)

// NamedLocks lets one at a time hold a name. The zero value is ready.
type NamedLocks struct {
	mu   sync.Mutex
	held map[string]*namedLock // guarded by mu
}

type namedLock struct {
	turn    chan struct{} // holds one token while the name is held
	holders int           // who holds or waits; guarded by NamedLocks.mu
}

// Lock waits for name and returns what gives it back, or ctx's error.
func (n *NamedLocks) Lock(ctx context.Context, name string) (func(), error) {
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

func (n *NamedLocks) join(name string) *namedLock {
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

func (n *NamedLocks) leave(name string, one *namedLock) {
	n.mu.Lock()
	defer n.mu.Unlock()
	one.holders--
	if one.holders == 0 {
		delete(n.held, name)
	}
}
