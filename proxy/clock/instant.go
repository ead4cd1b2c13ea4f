// Package clock tells how long ago something happened by the clock that nobody sets: when the machine's is put right,
// nothing seems to have happened long ago, or to be still to come.
package clock

import (
	"sync/atomic"
	"time"
)

// An Instant is when something happened last. Any number of goroutines may use it; the zero value is that of what never
// happened.
type Instant struct{ after atomic.Int64 } // nanoseconds since loaded; 0 for never

// loaded is when the program began. Only its monotonic reading counts.
var loaded = time.Now()

// Note notes that it happens now.
func (i *Instant) Note() { i.after.Store(int64(time.Since(loaded))) }

// Forget makes it what never happened.
func (i *Instant) Forget() { i.after.Store(0) }

// Time returns the instant with its monotonic reading, and by the machine's clock as that is set now; the zero time if
// there was none.
func (i *Instant) Time() time.Time {
	after := i.after.Load()
	if after == 0 {
		return time.Time{}
	}
	now := time.Now()
	return now.Add(time.Duration(after) - now.Sub(loaded))
}

// Since returns how long ago the later of the instant and another moment was.
func (i *Instant) Since(other time.Time) time.Duration {
	last := i.Time()
	if other.After(last) {
		last = other
	}
	return max(time.Since(last), 0)
}
