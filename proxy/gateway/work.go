package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"portico/proxy/fault"
)

// alone holds one of the locks of a part, while work of the agent is counted that ends with the
// release. It fails with fault.Unauthenticated when the session has ended.
func (a *Agent) alone(ctx context.Context, lock chan struct{}) (func(), error) {
	err := take(ctx, lock)
	if err != nil {
		return nil, err
	}
	if !a.enter() {
		<-lock
		return nil, errEnded
	}
	return func() {
		a.work.Done()
		<-lock
	}, nil
}

var errEnded = fmt.Errorf("gateway: the session has ended: %w", fault.Unauthenticated)

// BrokenOff returns why a call of the agent failed: because the session has ended, if that broke off what the caller
// still waits for, else err. What is broken off says of itself that it took too long, or nothing.
func (a *Agent) BrokenOff(caller context.Context, err error) error {
	if caller.Err() != nil || a.life.Err() == nil || !errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%w: %s", errEnded, err)
}

// hold takes a lock, or gives up with ctx, and returns what gives it back.
func hold(ctx context.Context, lock chan struct{}) (func(), error) {
	err := take(ctx, lock)
	if err != nil {
		return nil, err
	}
	return func() { <-lock }, nil
}

// take is hold for who gives the lock back by receiving from it.
func take(ctx context.Context, lock chan struct{}) error {
	select {
	case lock <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("gateway: wait for another call of the agent: %w: %w", fault.Timeout, ctx.Err())
	}
}

// enter counts work of the agent, which ends with a call of work.Done; false if the session has
// ended. Work that is not counted could go on, and open an upstream session, after Close.
func (a *Agent) enter() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended {
		return false
	}
	a.work.Add(1)
	return true
}

// lives reports whether the session has not ended.
func (a *Agent) lives() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.ended
}

// start runs f in a goroutine of the agent, unless the session has ended, and reports whether it does. A
// panic of f is logged: it must not cost the other agents their sessions.
func (a *Agent) start(f func()) bool {
	if !a.enter() {
		return false
	}
	go a.run(f)
	return true
}

// run is the goroutine. It adds next to nothing to the stack of f, which may be one that waits.
func (a *Agent) run(f func()) {
	defer a.work.Done()
	defer a.caught()
	f()
}

// caught logs a panic. It is deferred.
func (a *Agent) caught() {
	panicked := recover()
	if panicked != nil {
		a.gateway.log.Error("a goroutine of an agent ended in a panic", "session", a.short, "cause", fault.OfPanic(panicked).Error())
	}
}

// wait returns when nothing of the agent runs any more, or when ctx ends.
func (a *Agent) wait(ctx context.Context) { waitFor(ctx, &a.work) }

// waitFor returns when the work is over, or when ctx ends.
func waitFor(ctx context.Context, work *sync.WaitGroup) {
	over := make(chan struct{})
	go func() {
		work.Wait()
		close(over)
	}()
	select {
	case <-over:
	case <-ctx.Done():
	}
}
