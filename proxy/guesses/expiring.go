package guesses

import (
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
