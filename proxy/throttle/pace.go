package throttle

import (
	"context"
	"sync"
	"time"
)

// A Pace has what all replicas begin begin one after the other. Any number of goroutines may call its
// methods.
type Pace interface {
	// Next lets one begin now and returns 0, or returns when it is worth asking again. No two of a key
	// begin within every of each other. Urgent is how many wait where it is asked who yield to nobody,
	// with the one it is asked for; of 0 it is asked for one who yields, and is let begin only while no
	// urgent one is expected back.
	Next(ctx context.Context, key string, every time.Duration, urgent int) (time.Duration, error)
}

// PaceSlack is how late somebody may come back, besides the time between two, for whom others yield.
const PaceSlack = 50 * time.Millisecond

// MemoryPace is the Pace of several gateways in one process, which is for tests.
type MemoryPace struct {
	mu   sync.Mutex
	keys map[string]*paced // guarded by mu, with what is in it
}

type paced struct {
	free    time.Time // when the next may begin
	awaited time.Time // until when an urgent one is expected back
}

// NewMemoryPace returns a pace at which nothing has begun.
func NewMemoryPace() *MemoryPace { return &MemoryPace{keys: map[string]*paced{}} }

// Next implements Pace.
func (m *MemoryPace) Next(_ context.Context, key string, every time.Duration, urgent int) (time.Duration, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	one := m.keys[key]
	if one == nil {
		one = &paced{}
		m.keys[key] = one
	}
	now := time.Now()
	free := one.free
	if urgent == 0 && one.awaited.After(free) {
		free = one.awaited
	}
	if now.Before(free) {
		if urgent > 0 {
			one.awaited = free.Add(every + PaceSlack)
		}
		return free.Sub(now), nil
	}
	one.free = now.Add(every)
	if urgent > 1 {
		one.awaited = one.free.Add(PaceSlack)
	}
	return 0, nil
}
