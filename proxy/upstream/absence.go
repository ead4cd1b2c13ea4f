package upstream

import (
	"context"
	"errors"
	"sync"
	"time"

	"portico/proxy/fault"
)

// LongAbsence is how long a host may give no answer before another host of the site is asked for a session. Shorter
// breaks a session outlives, and a new one would be an outage.
const LongAbsence = 5 * time.Second

// mostUnanswered is how many calls in a row a host may leave without an answer while it is heard of otherwise.
const mostUnanswered = 2

// An Absence is since when a host gives no answer. Any number of goroutines may use it; the zero value is that of a host
// that does.
type Absence struct {
	mu    sync.Mutex
	since time.Time // zero: it does; guarded by mu

	unanswered int       // calls in a row; guarded by mu
	first      time.Time // when the first of them ended; guarded by mu

	pausing   chan struct{} // closed to cut the pause of a reader short; nil while there is none; guarded by mu
	shortened time.Time     // when one was cut short last; guarded by mu
}

// Note takes how a call of the host ended, or why its messages broke off; nil of one that answers. A call that was given up
// here, since nobody waited any more or too much was under way, says nothing of the host.
func (a *Absence) Note(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.noteLocked(err)
}

// Called is Note for a call that waits for what a host works out, which may fail while it sends messages.
func (a *Absence) Called(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.noteLocked(err)
	if !IsAway(err) {
		return
	}
	if a.unanswered == 0 {
		a.first = time.Now()
	}
	a.unanswered++
}

func (a *Absence) noteLocked(err error) {
	switch {
	case IsAway(err):
		if a.since.IsZero() {
			a.since = time.Now()
		}
	case errors.Is(err, context.Canceled), errors.Is(err, fault.Overloaded):
	default:
		if !a.since.IsZero() {
			a.hastenLocked()
		}
		a.since, a.unanswered = time.Time{}, 0
	}
}

// Sleep is Sleep for a reader's pause, but no longer than until the host answers after an absence: who called it is at
// work, and waits to see what comes of that. One reader at a time may pause.
func (a *Absence) Sleep(ctx context.Context, d time.Duration) error {
	a.mu.Lock()
	pausing := make(chan struct{})
	a.pausing = pausing
	a.mu.Unlock()
	defer a.woke()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-pausing:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *Absence) woke() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pausing = nil
}

// Hasten cuts the pause of a reader short. A host that answers calls and breaks streams is spared: one pause in
// LongestPause is.
func (a *Absence) Hasten() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.hastenLocked()
}

func (a *Absence) hastenLocked() {
	if a.pausing == nil || !a.shortened.IsZero() && time.Since(a.shortened) < LongestPause {
		return
	}
	close(a.pausing)
	a.pausing, a.shortened = nil, time.Now()
}

// Heard notes that something has come of the host, which need not mean that it answers calls.
func (a *Absence) Heard() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.since = time.Time{}
}

// IsLong reports whether the host has given no answer for LongAbsence.
func (a *Absence) IsLong() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.since.IsZero() && time.Since(a.since) >= LongAbsence
}

// Hangs reports whether the host answers no calls, whatever else is heard of it, and has not for LongAbsence.
func (a *Absence) Hangs() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.unanswered > mostUnanswered && time.Since(a.first) >= LongAbsence
}

// IsAway reports that a site cannot be reached, as far as the error of a call tells.
func IsAway(err error) bool {
	return errors.Is(err, fault.Unreachable) || errors.Is(err, fault.Timeout)
}
