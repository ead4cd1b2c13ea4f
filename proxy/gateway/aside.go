package gateway

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// An aside has goroutines that do the work of those who wait for most of their lives. What work needs of stack
// is then not that of who waits, whose stack would stay grown: 8 KB instead of 2. A few
// of them stay for the next errand, or their stacks would grow anew for each, with a copy each time: that was an
// eighth of what an event cost (`make bench-push`).
//
// Any number of goroutines may use it. Its zero value is ready.
type aside struct {
	mu    sync.Mutex
	users int              // guarded by mu
	idle  []chan<- *errand // of those that wait, guarded by mu; none without users
}

// mostIdle is how many wait for the next errand, at most.
const mostIdle = 16

// An errand is a function that is called aside, again and again. One goroutine uses it.
type errand struct {
	aside    *aside
	do       func()
	start    func()         // begins a goroutine of the aside: made once, since what a call allocates may take stack
	under    sync.WaitGroup // way, one or none
	panicked error          // of the last call
}

// errand returns an errand of f's.
func (a *aside) errand(f func()) *errand {
	e := &errand{aside: a, do: f}
	e.start = func() { a.work(e) }
	return e
}

// enter notes one more who has errands.
func (a *aside) enter() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.users++
}

// leave ends what enter began. Nobody waits for errands once the last user has left.
func (a *aside) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.users--
	if a.users > 0 {
		return
	}
	for _, errands := range a.idle {
		close(errands)
	}
	a.idle = nil
}

// call calls the function in another goroutine and waits for it. A panic of it becomes one of the caller's, who
// has somebody to catch it.
func (e *errand) call() {
	e.under.Add(1)
	errands := e.aside.take()
	if errands == nil {
		go e.start()
	} else {
		errands <- e
	}
	e.under.Wait()
	if e.panicked != nil {
		panic(e.panicked)
	}
}

// take returns how to reach a goroutine that has nothing to do, nil if all have.
func (a *aside) take() chan<- *errand {
	a.mu.Lock()
	defer a.mu.Unlock()
	last := len(a.idle) - 1
	if last < 0 {
		return nil
	}
	errands := a.idle[last]
	a.idle = a.idle[:last]
	return errands
}

// work runs an errand, and others until there are enough goroutines who wait for them.
func (a *aside) work(e *errand) {
	errands := make(chan *errand, 1) // who takes it from the idle ones is to wait for nothing but the errand
	for e != nil {
		e.run()
		if !a.rest(errands) {
			return
		}
		e = <-errands // nil once the last user has left
	}
}

// rest has the goroutine that errands leads to wait for the next one, and reports whether it is to.
func (a *aside) rest(errands chan<- *errand) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.users == 0 || len(a.idle) == mostIdle {
		return false
	}
	a.idle = append(a.idle, errands)
	return true
}

func (e *errand) run() {
	e.panicked = nil
	defer e.under.Done()
	defer func() {
		p := recover()
		if p != nil {
			e.panicked = fmt.Errorf("%v\n%s", p, debug.Stack())
		}
	}()
	e.do()
}
