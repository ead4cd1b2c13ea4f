package gateway

import (
	"context"
	"sync/atomic"
	"time"

	"portico/proxy/fault"
	"portico/proxy/upstream"
)

// A joining lets one log-in of an agent at a site be made at a time. Any number of goroutines may use it.
// Its zero value is ready.
type joining struct {
	lock    slot
	hurry   slot         // has a token while a caller waits for the log-in that a reader makes, until that has taken it
	waiting atomic.Int32 // callers who do
}

// joinPatience is how long a caller waits for another log-in of the same agent, which may wait for its
// turn.
const joinPatience = 10 * time.Second

// hold takes the lock. A caller who has to wait for a reader's log-in makes it a caller's, and is told to
// come again if it takes too long.
func (j *joining) hold(ctx context.Context) (func(), error) {
	if upstream.CauseOf(ctx) != upstream.Client {
		return hold(ctx, j.lock.channel())
	}
	select { // alone, as of two that are ready select takes any
	case j.lock.channel() <- struct{}{}:
		return j.release, nil
	default:
	}
	j.press()
	defer j.rest()
	patient, cancel := context.WithTimeout(ctx, joinPatience)
	defer cancel()
	release, err := hold(patient, j.lock.channel())
	if err != nil && ctx.Err() == nil {
		return nil, &fault.Error{Kind: fault.Overloaded, RetryAfter: time.Second, Err: err}
	}
	return release, err
}

func (j *joining) release() { <-j.lock.channel() }

// press says that a caller waits.
func (j *joining) press() {
	j.waiting.Add(1)
	j.put()
}

func (j *joining) put() {
	select {
	case j.hurry.channel() <- struct{}{}:
	default: // another caller was here before
	}
}

// rest says that a caller waits no more. The last one takes the token along: it would put the next reader's log-in
// before those of callers. It is put back for one who has come meanwhile, and found it or brought it.
func (j *joining) rest() {
	if j.waiting.Add(-1) > 0 {
		return
	}
	for {
		select {
		case <-j.hurry.channel():
		default:
		}
		if j.waiting.Load() == 0 {
			return
		}
		j.put()
		if j.waiting.Load() > 0 {
			return
		}
	}
}

// unbroken returns the context of a log-in. Who needs it may leave, or see another read fail: then it
// gives up its place in the line, but once sent it is not broken off, which might leave an upstream
// session that nobody knows of.
func (j *joining) unbroken(ctx context.Context) context.Context {
	return upstream.WithWish(context.WithoutCancel(ctx), upstream.Wish{Gone: ctx.Done(), Urgent: j.hurry.channel()})
}
