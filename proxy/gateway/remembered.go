package gateway

import (
	"context"
	"log/slog"
	"time"

	"portico/proxy/session"
	"portico/proxy/throttle"
)

// remembered is a set whose members leave by themselves after a while: that of this process, and in a
// fleet of all replicas. They are told a keyed hash of a member alone. Any number of goroutines may use it.
type remembered struct {
	what  string // tells it from others
	here  *expiring
	fleet throttle.Store // nil: this process is alone
	key   session.Key
	log   *slog.Logger
}

func newRemembered(what string, life time.Duration, s Settings, key session.Key, log *slog.Logger) *remembered {
	r := &remembered{what: what, here: newExpiring(life), key: key, log: log}
	if s.Fleet != nil {
		r.fleet = s.Tries
	}
	return r
}

// add puts a member in, or keeps it for another while. Without the store this process alone remembers it.
func (r *remembered) add(ctx context.Context, member string) {
	r.here.add(member)
	if r.fleet == nil {
		return
	}
	err := r.fleet.Succeed(context.WithoutCancel(ctx), r.keyOf(member), r.here.life)
	if err != nil {
		r.log.Warn("the other replicas were not told what to remember", "what", r.what, "cause", err.Error())
	}
}

// has reports whether a member is remembered. Only of one that is not remembered here, and only in a
// fleet, it fails if the store does not answer.
func (r *remembered) has(ctx context.Context, member string) (bool, error) {
	if r.here.has(member) || r.fleet == nil {
		return r.here.has(member), nil
	}
	return r.fleet.Succeeded(ctx, r.keyOf(member))
}

func (r *remembered) keyOf(member string) string {
	return string(r.key.Seal("remembered", r.what, member))
}
