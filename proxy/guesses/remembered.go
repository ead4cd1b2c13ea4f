package guesses

import (
	"context"
	"log/slog"
	"time"

	"portico/proxy/session"
	"portico/proxy/throttle"
)

// Remembered is a set whose members leave by themselves after a while: that of this process, and in a
// fleet of all replicas. They are told a keyed hash of a member alone. Any number of goroutines may use it.
type Remembered struct {
	what  string // tells it from others
	here  *expiring
	fleet throttle.Store // nil: this process is alone
	key   session.Key
	log   *slog.Logger
}

// NewRemembered returns a set that no other is called, of members that stay for life. Replicas share it by a store; of
// nil the process is alone.
func NewRemembered(what string, life time.Duration, shared throttle.Store, key session.Key, log *slog.Logger) *Remembered {
	return &Remembered{what: what, here: newExpiring(life), fleet: shared, key: key, log: log}
}

// Add puts a member in, or keeps it for another while. Without the store this process alone remembers it.
func (r *Remembered) Add(ctx context.Context, member string) {
	r.here.add(member)
	if r.fleet == nil {
		return
	}
	err := r.fleet.Succeed(context.WithoutCancel(ctx), r.keyOf(member), r.here.life)
	if err != nil {
		r.log.Warn("the other replicas were not told what to remember", "what", r.what, "cause", err.Error())
	}
}

// Has reports whether a member is remembered. Only of one that is not remembered here, and only in a
// fleet, it fails if the store does not answer.
func (r *Remembered) Has(ctx context.Context, member string) (bool, error) {
	if r.here.has(member) || r.fleet == nil {
		return r.here.has(member), nil
	}
	return r.fleet.Succeeded(ctx, r.keyOf(member))
}

// Sweep lets go of members whose time is over.
func (r *Remembered) Sweep() { r.here.sweep() }

func (r *Remembered) keyOf(member string) string {
	return string(r.key.Seal("remembered", r.what, member))
}
