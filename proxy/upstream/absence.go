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

// An Absence is since when a host gives no answer. Any number of goroutines may use it; the zero value is that of a host
// that does.
type Absence struct {
	mu    sync.Mutex
	since time.Time // zero: it does; guarded by mu
}

// Note takes how a call of the host ended, nil also for whatever else is heard of it. A call that was given up here, since
// nobody waited any more or too much was under way, says nothing of the host.
func (a *Absence) Note(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case IsAway(err):
		if a.since.IsZero() {
			a.since = time.Now()
		}
	case errors.Is(err, context.Canceled), errors.Is(err, fault.Overloaded):
	default:
		a.since = time.Time{}
	}
}

// IsLong reports whether the host has given no answer for LongAbsence.
func (a *Absence) IsLong() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.since.IsZero() && time.Since(a.since) >= LongAbsence
}

// IsAway reports that a site cannot be reached, as far as the error of a call tells.
func IsAway(err error) bool {
	return errors.Is(err, fault.Unreachable) || errors.Is(err, fault.Timeout)
}
