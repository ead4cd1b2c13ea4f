package gateway

import (
	"context"
	"time"
)

// preferenceOf returns the name of the lease that a replica holds which would rather read for an agent.
func preferenceOf(login string) string { return "wish/" + login }

// staysAfter is how long an agent's applications are at a replica before they are taken to stay there: longer
// than a connect is held, after which a load balancer without stickiness sends the next one elsewhere.
const staysAfter = 45 * time.Second

// echoWithin is how long after a lease was left a call that it is free may be what this replica said itself, or that its
// listening stands from now on, which the store says in its own time.
const echoWithin = time.Second

// yield has the lease follow the agent's applications, whose requests cost least where it is read: a replica
// at which some stay wishes for it, and one at which none wait gives it up to that.
func (f *fleet) yield(r *reader) {
	a := r.agent
	listened := f.gateway.settings.Push != nil && f.gateway.settings.Push.Clients(a.session.ID) > 0
	if !listened {
		r.came = time.Time{}
	} else if r.came.IsZero() {
		r.came = time.Now()
	}
	if listened == (r.stop != nil) || a.life.Err() != nil || listened && time.Since(r.came) < staysAfter {
		return
	}
	ctx, cancel := context.WithTimeout(a.life, leaseMargin)
	defer cancel()
	if listened {
		_, _ = f.Leases.Take(ctx, preferenceOf(a.Login()), f.me, leaseLife) // the next try is soon
		return
	}
	if f.preferred(ctx, a) {
		r.attend(true) // before: who begins to listen is called, and would take it back
		f.leave(r)
		r.holder = f.readers.begin(a.Login(), leaseLife).holder
		select {
		case <-r.freed:
		default:
		}
		f.gateway.settings.Metrics.lease(leaseLost)
		r.left = time.Now()
		r.leavesUntil = r.left.Add(leaseLife)
	}
}

// preferred reports whether another replica wishes to read for an agent.
func (f *fleet) preferred(ctx context.Context, a *Agent) bool {
	wish, err := f.Leases.Take(ctx, preferenceOf(a.Login()), f.me, leaseEvery)
	if err == nil && wish.Held {
		_ = f.Leases.Release(ctx, preferenceOf(a.Login()), f.me) // it runs out soon
	}
	return err == nil && !wish.Held
}
