package upstream

import (
	"errors"
	"sync/atomic"
	"time"
)

var errSilent = errors.New("the stream fell silent")

// A quiet bounds how long a stream may bring nothing while somebody waits for it. Its timer is not set for each
// wait, which would cost more than most of what comes: when it runs out it looks how long the wait under way has
// lasted, and is set for the rest.
type quiet struct {
	limit  time.Duration
	expire func() // ends the wait
	made   time.Time
	since  atomic.Int64 // when the wait under way began, in nanoseconds since made; or one of the below
	broken atomic.Bool  // expire was called
	timer  *time.Timer
}

const (
	nobodyWaits = 0
	stopped     = -1
)

// newQuiet returns a quiet that calls expire when a wait has lasted as long as limit.
func newQuiet(limit time.Duration, expire func()) *quiet {
	q := &quiet{limit: limit, expire: expire, made: time.Now()}
	q.timer = time.AfterFunc(time.Hour, q.look)
	q.timer.Reset(limit) // not above, or it might look before there is a timer to set
	return q
}

// begin begins a wait.
func (q *quiet) begin() { q.since.CompareAndSwap(nobodyWaits, int64(time.Since(q.made))+1) }

// over ends it.
func (q *quiet) over() {
	since := q.since.Load()
	if since != stopped {
		q.since.CompareAndSwap(since, nobodyWaits)
	}
}

func (q *quiet) look() {
	left := q.limit
	switch since := q.since.Load(); since {
	case stopped:
		return
	case nobodyWaits:
	default:
		left -= time.Since(q.made) - time.Duration(since-1)
	}
	if left <= 0 {
		q.broken.Store(true)
		q.expire()
		return
	}
	q.timer.Reset(left)
	if q.since.Load() == stopped { // since it was looked at
		q.timer.Stop()
	}
}

// stop ends it for good. It may be called more than once.
func (q *quiet) stop() {
	q.since.Store(stopped)
	q.timer.Stop()
}
