package throttle

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// maxKeys bounds each of the two lists of a Memory: about 100 bytes each for a key of 32, and 24 for a
// failure.
const maxKeys = 100_000

// Memory is a Store in this process.
type Memory struct {
	mu        sync.Mutex
	failures  *simplelru.LRU[string, []time.Time] // the newest last; guarded by mu
	succeeded *simplelru.LRU[string, time.Time]   // until when; guarded by mu
}

// NewMemory returns an empty store.
func NewMemory() *Memory { return newMemory(maxKeys) }

func newMemory(most int) *Memory {
	failures, err1 := simplelru.NewLRU[string, []time.Time](most, nil)
	succeeded, err2 := simplelru.NewLRU[string, time.Time](most, nil)
	if err1 != nil || err2 != nil {
		panic("throttle: a list has room for nothing")
	}
	return &Memory{failures: failures, succeeded: succeeded}
}

// Wait implements Store.
func (m *Memory) Wait(_ context.Context, key string, limit Limit) (time.Duration, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	failures, _ := m.failures.Peek(key)
	if len(failures) < limit.Failures {
		return 0, nil
	}
	oldest := failures[len(failures)-limit.Failures] // that counts
	return max(0, limit.Within-time.Since(oldest)), nil
}

// Fail implements Store. No more failures are kept than the limit needs.
func (m *Memory) Fail(_ context.Context, key string, limit Limit) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	failures, _ := m.failures.Peek(key)
	failures = slices.DeleteFunc(failures, func(at time.Time) bool { return time.Since(at) >= limit.Within })
	if len(failures) >= limit.Failures {
		failures = slices.Delete(failures, 0, len(failures)-limit.Failures+1)
	}
	m.failures.Add(key, append(failures, time.Now()))
	return nil
}

// Succeed implements Store.
func (m *Memory) Succeed(_ context.Context, key string, life time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.succeeded.Add(key, time.Now().Add(life))
	return nil
}

// Succeeded implements Store.
func (m *Memory) Succeeded(_ context.Context, key string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	until, _ := m.succeeded.Get(key)
	return time.Now().Before(until), nil
}
