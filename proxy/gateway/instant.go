package gateway

import (
	"sync/atomic"
	"time"
)

// An instant is when something happened last. It is kept by the clock that nobody sets: when the machine's is put right,
// nothing seems to have happened long ago, or to be still to come. Any number of goroutines may use it; the zero instant
// is that of what never happened.
type instant struct{ after atomic.Int64 } // nanoseconds since loaded; 0 for never

// loaded is when the program began. Only its monotonic reading counts.
var loaded = time.Now()

func (i *instant) note() { i.after.Store(int64(time.Since(loaded))) }

func (i *instant) forget() { i.after.Store(0) }

// time returns the instant with its monotonic reading, and by the machine's clock as that is set now; the zero time if
// there was none.
func (i *instant) time() time.Time {
	after := i.after.Load()
	if after == 0 {
		return time.Time{}
	}
	now := time.Now()
	return now.Add(time.Duration(after) - now.Sub(loaded))
}
