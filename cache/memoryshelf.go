package cache

import (
	"bytes"
	"context"
	"maps"
	"sync"
	"time"
)

// MemoryShelf is the Shelf of several gateways in one process, which is for tests.
type MemoryShelf struct {
	mu     sync.Mutex
	copies map[string]lastingCopy      // guarded by mu
	epochs map[string]map[string]int64 // by owner and part, guarded by mu
}

type lastingCopy struct {
	Copy
	until time.Time
}

// NewMemoryShelf returns an empty shelf.
func NewMemoryShelf() *MemoryShelf {
	return &MemoryShelf{copies: map[string]lastingCopy{}, epochs: map[string]map[string]int64{}}
}

// Len returns how many copies are kept.
func (m *MemoryShelf) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for name := range m.copies {
		_, lives := m.keptLocked(name)
		if lives {
			n++
		}
	}
	return n
}

// Get implements Shelf.
func (m *MemoryShelf) Get(_ context.Context, name, known string) (Copy, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept, ok := m.keptLocked(name)
	if !ok {
		return Copy{}, ErrNoCopy
	}
	if kept.Version == known {
		kept.Text = nil
	}
	return kept.Copy, nil
}

func (m *MemoryShelf) keptLocked(name string) (lastingCopy, bool) {
	kept, ok := m.copies[name]
	return kept, ok && time.Now().Before(kept.until)
}

// Put implements Shelf.
func (m *MemoryShelf) Put(_ context.Context, name string, c Copy, life time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept, ok := m.keptLocked(name)
	if !ok || kept.Epoch <= c.Epoch {
		c.Text = bytes.Clone(c.Text)
		m.copies[name] = lastingCopy{c, time.Now().Add(life)}
	}
	return nil
}

// Renew implements Shelf.
func (m *MemoryShelf) Renew(_ context.Context, name, version string, epoch int64, life time.Duration) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept, ok := m.keptLocked(name)
	if !ok || kept.Version != version || kept.Epoch != epoch {
		return false, nil
	}
	kept.until = time.Now().Add(life)
	m.copies[name] = kept
	return true, nil
}

// Purge implements Shelf.
func (m *MemoryShelf) Purge(_ context.Context, owner, part string) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.epochs[owner] == nil {
		m.epochs[owner] = map[string]int64{}
	}
	next := time.Now().UnixMilli()
	for _, before := range m.epochs[owner] {
		next = max(next, before+1)
	}
	m.epochs[owner][part] = next
	return next, nil
}

// Epochs implements Shelf.
func (m *MemoryShelf) Epochs(_ context.Context, owner string, known map[string]int64) (map[string]int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.epochs[owner] == nil {
		m.epochs[owner] = map[string]int64{}
	}
	for part, epoch := range known {
		m.epochs[owner][part] = max(m.epochs[owner][part], epoch)
	}
	return maps.Clone(m.epochs[owner]), nil
}
