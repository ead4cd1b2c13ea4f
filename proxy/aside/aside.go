// Package aside has goroutines that call functions for others, who wait meanwhile. What a function needs of stack is
// then not that of a reader of a connection, which waits most of its life, and would stay grown: 16 KB instead of 4.
package aside

import (
	"fmt"
	"iter"
	"runtime/debug"
	"sync"
)

// A Pool is of goroutines with large stacks. A few of them stay for the next errand, or their stacks would grow
// anew for each, with a copy each time: that was an eighth of what an event cost (`make bench-push`).
//
// Any number of goroutines may use it. Its zero value is ready.
type Pool struct {
	mu      sync.Mutex
	readers int       // guarded by mu
	idle    []*worker // that wait for an errand, guarded by mu; none without readers
}

// A worker is one of the goroutines. One caller has it at a time.
//
// It is a coroutine of that caller's: with channels each hand-over and each answer would go by way of the scheduler,
// which wakes another thread in case there is more to do.
type worker struct {
	errand func()
	call   func() (panicked error, ok bool) // has the goroutine run the errand
	end    func()                           // ends it
}

func newWorker() *worker {
	w := &worker{}
	w.call, w.end = iter.Pull(w.run)
	return w
}

// mostIdle is how many wait for the next errand, at most.
const mostIdle = 16

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
	for _, w := range p.idle {
		w.end()
	}
	p.idle = nil
}

// Call calls f in another goroutine and waits for it. A panic of f becomes one of the caller's, who has
// somebody to catch it.
func (p *Pool) Call(f func()) {
	w := p.take()
	w.errand = f
	panicked, _ := w.call()
	w.errand = nil
	p.giveBack(w)
	if panicked != nil {
		panic(panicked)
	}
}

// take returns a worker that has nothing to do, a new one if all have.
func (p *Pool) take() *worker {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last >= 0 {
		w := p.idle[last]
		p.idle = p.idle[:last]
		return w
	}
	return newWorker()
}

// giveBack has a worker wait for the next errand, unless others enough do.
func (p *Pool) giveBack(w *worker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.readers == 0 || len(p.idle) == mostIdle {
		w.end()
		return
	}
	p.idle = append(p.idle, w)
}

// run is the goroutine: it runs one errand after the other, and yields what each panicked with, or nil.
func (w *worker) run(yield func(error) bool) {
	for yield(run(w.errand)) {
	}
}

// run calls f, and returns its panic.
func run(f func()) (panicked error) {
	defer func() {
		cause := recover()
		if cause != nil {
			panicked = fmt.Errorf("%v\n%s", cause, debug.Stack())
		}
	}()
	f()
	return nil
}
