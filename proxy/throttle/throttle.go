// Package throttle counts failures, such as refused passwords, and remembers who has succeeded. It
// knows neither names nor addresses: whose a key is, its caller decides.
package throttle

import (
	"context"
	"time"
)

// A Limit is how many failures are allowed within a window that moves with time: however they are
// spread, no window of that length has more. A token bucket would let through twice as many, and a
// site that locks agents out counts them all.
type Limit struct {
	Failures int
	Within   time.Duration
}

// A Store keeps the counts, in this process or for all replicas. Any number of goroutines may call its
// methods. It is bounded: what was not used for longest is forgotten first.
type Store interface {
	// Wait returns how long it is until key is below its limit, 0 if it is. It may be asked with fewer failures than
	// the limit has, but at least one.
	Wait(ctx context.Context, key string, limit Limit) (time.Duration, error)
	// Fail counts a failure of key. One key has the same limit in all calls.
	Fail(ctx context.Context, key string, limit Limit) error
	// Succeed remembers key for a while.
	Succeed(ctx context.Context, key string, life time.Duration) error
	// Succeeded reports whether key is remembered.
	Succeeded(ctx context.Context, key string) (bool, error)
}
