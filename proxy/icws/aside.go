package icws

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// An aside has goroutines that call functions for readers, who wait meanwhile. What a function needs of stack
// is then not that of a reader, which waits most of its life, and would stay grown: 16 KB instead of 4. A few
// of them stay for the next event, or their stacks would grow anew for each, with a copy each time: that was an
// eighth of what an event cost (`make bench-push`).
//
// Any number of goroutines may use it. Its zero value is ready.
type aside struct {
	mu      sync.Mutex
	readers int       // guarded by mu
	idle    []*helper // guarded by mu; none without readers
}

// mostIdle is how many wait for the next event, at most.
const mostIdle = 16

// A helper is one of the goroutines. It serves one reader at a time.
type helper struct {
	errands chan func() // has room for one
	done    chan error  // gets the panic of each, or nil; has room for one
}

// enter notes one more reader.
func (a *aside) enter() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.readers++
}

// leave ends what enter began. Nobody waits for events once the last reader has left.
func (a *aside) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.readers--
	if a.readers > 0 {
		return
	}
	for _, h := range a.idle {
		close(h.errands)
	}
	a.idle = nil
}

// call calls f in another goroutine and waits for it. A panic of f becomes one of the caller's, who has
// somebody to catch it.
func (a *aside) call(f func()) {
	h := a.take()
	h.errands <- f
	panicked := <-h.done
	a.giveBack(h)
	if panicked != nil {
		panic(panicked)
	}
}

// take returns a goroutine that has nothing to do, a new one if all have.
func (a *aside) take() *helper {
	a.mu.Lock()
	defer a.mu.Unlock()
	last := len(a.idle) - 1
	if last >= 0 {
		h := a.idle[last]
		a.idle = a.idle[:last]
		return h
	}
	h := &helper{make(chan func(), 1), make(chan error, 1)}
	go h.run()
	return h
}

// giveBack has a goroutine wait for the next errand, or end if there are others enough who do.
func (a *aside) giveBack(h *helper) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.readers == 0 || len(a.idle) == mostIdle {
		close(h.errands)
		return
	}
	a.idle = append(a.idle, h)
}

func (h *helper) run() {
	for f := range h.errands {
		h.done <- panicOf(f)
	}
}

// panicOf calls f and returns what it panicked with, nil if it did not.
func panicOf(f func()) (panicked error) {
	defer func() {
		p := recover()
		if p != nil {
			panicked = fmt.Errorf("%v\n%s", p, debug.Stack())
		}
	}()
	f()
	return nil
}
