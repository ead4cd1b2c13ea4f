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
	readers int             // guarded by mu
	idle    []chan<- errand // of those that wait, guarded by mu; none without readers
}

// mostIdle is how many wait for the next event, at most.
const mostIdle = 16

// An errand is a function that is called aside.
type errand struct {
	call func()
	done chan<- error // gets the panic, or nil; has room for it
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
	for _, errands := range a.idle {
		close(errands)
	}
	a.idle = nil
}

// call calls f in another goroutine and waits for it. A panic of f becomes one of the caller's, who has
// somebody to catch it.
func (a *aside) call(f func()) {
	done := make(chan error, 1)
	a.take() <- errand{f, done}
	panicked := <-done
	if panicked != nil {
		panic(panicked)
	}
}

// take returns how to reach a goroutine that has nothing to do, a new one if all have.
func (a *aside) take() chan<- errand {
	a.mu.Lock()
	defer a.mu.Unlock()
	last := len(a.idle) - 1
	if last >= 0 {
		errands := a.idle[last]
		a.idle = a.idle[:last]
		return errands
	}
	errands := make(chan errand)
	go a.run(errands)
	return errands
}

// run runs errands until there are others enough who wait for them.
func (a *aside) run(errands chan errand) {
	for e := range errands {
		e.run()
		if !a.rest(errands) {
			return
		}
	}
}

// rest has the goroutine that errands leads to wait for the next one, and reports whether it is to.
func (a *aside) rest(errands chan<- errand) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.readers == 0 || len(a.idle) == mostIdle {
		return false
	}
	a.idle = append(a.idle, errands)
	return true
}

func (e errand) run() {
	var panicked error
	defer func() {
		p := recover()
		if p != nil {
			panicked = fmt.Errorf("%v\n%s", p, debug.Stack())
		}
		e.done <- panicked
	}()
	e.call()
}
