package session

import (
	"context"
	"sync"
	"time"
)

// A Lease is the right to do alone, for a while, what only one replica may do, such as to read the
// upstream sessions of an agent.
type Lease struct {
	Held bool // by who asked

	// Fence grows whenever the lease gets another holder, or the same after it ran out: of two who both
	// believe they hold it, the one with the greater number does.
	Fence uint64

	Left time.Duration // of the life of another's
}

// Leases are held by one holder each. Any number of goroutines may call their methods.
type Leases interface {
	// Take gives the lease of that name to holder for life, if nobody else holds it. A holder who takes it
	// in time keeps it, with its number. What it returns not held is the lease of another.
	//
	// Life counts from some moment during the call: who counts from before it is on the safe side.
	Take(ctx context.Context, name, holder string, life time.Duration) (Lease, error)
	// Release gives the lease up, if holder has it.
	Release(ctx context.Context, name, holder string) error
}

// MemoryLeases are the Leases of several gateways in one process, which is for tests.
type MemoryLeases struct {
	mu    sync.Mutex
	held  map[string]memoryLease // guarded by mu
	fence uint64                 // of the last lease given, guarded by mu
}

type memoryLease struct {
	holder string
	fence  uint64
	until  time.Time
}

// NewMemoryLeases returns leases that nobody holds.
func NewMemoryLeases() *MemoryLeases { return &MemoryLeases{held: map[string]memoryLease{}} }

// Take implements Leases.
func (m *MemoryLeases) Take(_ context.Context, name, holder string, life time.Duration) (Lease, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	l := m.held[name]
	runs := now.Before(l.until)
	if runs && l.holder != holder {
		return Lease{Fence: l.fence, Left: l.until.Sub(now)}, nil
	}
	if !runs {
		m.fence++
		l = memoryLease{holder: holder, fence: m.fence}
	}
	l.until = now.Add(life)
	m.held[name] = l
	return Lease{Held: true, Fence: l.fence}, nil
}

// Release implements Leases.
func (m *MemoryLeases) Release(_ context.Context, name, holder string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.held[name].holder == holder {
		delete(m.held, name)
	}
	return nil
}
