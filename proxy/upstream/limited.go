package upstream

import (
	"context"
	"sync"
	"time"
)

// A limited context ends with another, or at a time, as that of context.WithDeadline does, but has a timer only
// once somebody waits for its end. What sets the deadline of a connection needs none. Any number of goroutines
// may use it.
type limited struct {
	context.Context // that it ends with
	until           time.Time

	mu     sync.Mutex
	timed  context.Context    // nil before somebody waits; guarded by mu
	cancel context.CancelFunc // of timed; guarded by mu
}

// limit returns a context that ends with ctx, or after some time. The caller calls end.
func limit(ctx context.Context, within time.Duration) *limited {
	return &limited{Context: ctx, until: time.Now().Add(within)}
}

// halves returns of a limited context the one that it ends with, and the time; of any other itself, and its
// deadline, the zero time if it has none.
func halves(ctx context.Context) (context.Context, time.Time) {
	l, ok := ctx.Value(limitedKey{}).(*limited)
	if ok {
		return l.Context, l.until
	}
	until, _ := ctx.Deadline()
	return ctx, until
}

type limitedKey struct{}

// Deadline implements context.Context.
func (l *limited) Deadline() (time.Time, bool) {
	sooner, ok := l.Context.Deadline()
	if ok && sooner.Before(l.until) {
		return sooner, true
	}
	return l.until, true
}

// Done implements context.Context.
func (l *limited) Done() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timed == nil {
		l.timed, l.cancel = context.WithDeadline(l.Context, l.until)
	}
	return l.timed.Done()
}

// Err implements context.Context.
func (l *limited) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.timed != nil:
		return l.timed.Err()
	case l.Context.Err() != nil:
		return l.Context.Err()
	case !time.Now().Before(l.until):
		return context.DeadlineExceeded
	}
	return nil
}

// Value implements context.Context.
func (l *limited) Value(key any) any {
	_, itself := key.(limitedKey)
	if itself {
		return l
	}
	return l.Context.Value(key)
}

// end ends the wait of all who wait.
func (l *limited) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cancel != nil {
		l.cancel()
	}
}
