package session

import (
	"context"
	"sync"
)

// A Bell is rung at one replica and heard at others. Any number of goroutines may call its methods.
type Bell interface {
	// Ring has it be heard under a name wherever somebody listens, and returns once they have heard it or
	// seem not to be there any more.
	Ring(ctx context.Context, name string) error
	// Hear calls heard each time the bell is rung under a name, and whenever it may have been, until stop
	// is called. Heard must not take long. A name is listened for once at a time.
	Hear(name string, heard func()) (stop func())
}

// Listeners are those who hear a bell at one replica, by the name. The zero value has none. Any number of
// goroutines may call its methods.
type Listeners struct {
	mu  sync.Mutex
	all map[string]func() // guarded by mu
}

// Set has a name be heard by one listener; nil takes it away.
func (l *Listeners) Set(name string, heard func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = map[string]func(){}
	}
	l.all[name] = heard
	if heard == nil {
		delete(l.all, name)
	}
}

// Call has the listener of a name hear, if there is one.
func (l *Listeners) Call(name string) {
	l.mu.Lock()
	heard := l.all[name]
	l.mu.Unlock()
	if heard != nil {
		heard()
	}
}

// MemoryBells are the Bells of several gateways in one process, which is for tests.
type MemoryBells struct {
	mu  sync.Mutex
	all []*memoryBell // guarded by mu
}

// One returns the bell of one more gateway.
func (m *MemoryBells) One() Bell {
	m.mu.Lock()
	defer m.mu.Unlock()
	one := &memoryBell{bells: m}
	m.all = append(m.all, one)
	return one
}

type memoryBell struct {
	bells     *MemoryBells
	listeners Listeners
}

// Ring implements Bell.
func (b *memoryBell) Ring(_ context.Context, name string) error {
	b.bells.mu.Lock()
	all := b.bells.all
	b.bells.mu.Unlock()
	for _, one := range all {
		one.listeners.Call(name)
	}
	return nil
}

// Hear implements Bell.
func (b *memoryBell) Hear(name string, heard func()) (stop func()) {
	b.listeners.Set(name, heard)
	b.listeners.Call(name) // what was rung before was not heard
	return func() { b.listeners.Set(name, nil) }
}
