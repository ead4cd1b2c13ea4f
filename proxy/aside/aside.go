// Package aside has goroutines that call functions for others, who wait meanwhile. What a function needs of stack is
// then not that of a reader of a connection, which waits most of its life, and would stay grown: 16 KB instead of 4.
package aside

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// A Pool is of goroutines with large stacks. A few of them stay for the next errand, or their stacks would grow
// anew for each, with a copy each time: that was an eighth of what an event cost (`make bench-push`).
//
// Any number of goroutines may use it. Its zero value is ready.
type Pool struct {
	mu      sync.Mutex
	readers int             // guarded by mu
	idle    []chan<- errand // of those that wait, guarded by mu; none without readers
}

// mostIdle is how many wait for the next errand, at most.
const mostIdle = 16

// An errand is a function that is called aside.
type errand struct {
	call func()
	done chan<- error // gets the panic, or nil; has room for it
}

// Enter notes one more reader.
func (p *Pool) Enter() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.readers++
}

// Leave ends what Enter began. Nobody waits for errands once the last reader has left.
func (p *Pool) Leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.readers--
	if p.readers > 0 {
		return
	}
	for _, errands := range p.idle {
		close(errands)
	}
	p.idle = nil
}

// Call calls f in another goroutine and waits for it. A panic of f becomes one of the caller's, who has
// somebody to catch it.
func (p *Pool) Call(f func()) {
	done := make(chan error, 1)
	p.take() <- errand{f, done}
	panicked := <-done
	if panicked != nil {
		panic(panicked)
	}
}

// take returns how to reach a goroutine that has nothing to do, a new one if all have.
func (p *Pool) take() chan<- errand {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last >= 0 {
		errands := p.idle[last]
		p.idle = p.idle[:last]
		return errands
	}
	errands := make(chan errand)
	go p.run(errands)
	return errands
}

// run runs errands until there are others enough who wait for them.
func (p *Pool) run(errands chan errand) {
	for e := range errands {
		e.run()
		if !p.rest(errands) {
			return
		}
	}
}

// rest has the goroutine that errands leads to wait for the next one, and reports whether it is to.
func (p *Pool) rest(errands chan<- errand) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.readers == 0 || len(p.idle) == mostIdle {
		return false
	}
	p.idle = append(p.idle, errands)
	return true
}

func (e errand) run() {
	var panicked error
	defer func() {
		cause := recover()
		if cause != nil {
			panicked = fmt.Errorf("%v\n%s", cause, debug.Stack())
		}
		e.done <- panicked
	}()
	e.call()
}
