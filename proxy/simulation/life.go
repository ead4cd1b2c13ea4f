package simulation

import (
	"net/http"
	"sync"
	"time"
)

// Life is the time in which a simulator runs. What waits and what is still to come ends with it.
type Life struct {
	over chan struct{} // closed by End

	lock   sync.Locker // the simulator's; guards what follows
	timers map[*time.Timer]struct{}
}

// NewLife begins the life of the simulator that lock belongs to.
func NewLife(lock sync.Locker) *Life {
	return &Life{over: make(chan struct{}), lock: lock, timers: make(map[*time.Timer]struct{})}
}

// End ends it, and returns false if that had been done before. The caller holds the lock.
func (l *Life) End() bool {
	if l.IsOver() {
		return false
	}
	close(l.over)
	for t := range l.timers {
		t.Stop()
	}
	return true
}

// Over returns a channel that is closed at the end.
func (l *Life) Over() <-chan struct{} { return l.over }

// IsOver says whether the end has come.
func (l *Life) IsOver() bool {
	select {
	case <-l.over:
		return true
	default:
		return false
	}
}

// After calls f with the lock held once d has passed, unless the end comes before. The caller holds
// the lock.
func (l *Life) After(d time.Duration, f func()) {
	var timer *time.Timer
	timer = time.AfterFunc(d, func() {
		l.lock.Lock()
		defer l.lock.Unlock()
		delete(l.timers, timer)
		if !l.IsOver() {
			f()
		}
	})
	l.timers[timer] = struct{}{}
}

// Hold waits for d, or without end if d is zero, unless the caller of r leaves or the end comes.
func (l *Life) Hold(r *http.Request, d time.Duration) {
	if d > 0 {
		l.Wait(r, d)
		return
	}
	select {
	case <-r.Context().Done():
	case <-l.over:
	}
}

// Wait returns false if the caller of r left, or the end came, before d was over.
func (l *Life) Wait(r *http.Request, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	case <-l.over:
		return false
	}
}
