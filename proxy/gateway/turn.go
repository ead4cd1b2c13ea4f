package gateway

import (
	"context"
	"fmt"
	"time"

	"portico/proxy/fault"
)

// A log-in under a name is made by one replica at a time, as two would cost two licences and count
// twice towards locking the agent out. The turn is held for as long as a log-in may last.
const (
	turnLife  = loginTimeout + 5*time.Second
	turnEvery = 50 * time.Millisecond // how often one who waits looks
)

// turn waits until it is this process's turn to log in under a name and returns what ends it. The lock
// of the name in this process is held.
func (g *Gateway) turn(ctx context.Context, login string) (func(), error) {
	if g.fleet == nil {
		return func() {}, nil
	}
	name := "login/" + login
	for {
		lease, err := g.fleet.Leases.Take(ctx, name, g.fleet.me, turnLife)
		if err != nil {
			return nil, storeDown(err)
		}
		if lease.Held {
			return func() { g.fleet.endTurn(context.WithoutCancel(ctx), name) }, nil
		}
		err = sleep(ctx, turnEvery)
		if err != nil {
			return nil, fmt.Errorf("gateway: wait for a log-in of the same name elsewhere: %w: %w", fault.Timeout, err)
		}
	}
}

// turn is that of the gateway, for a log-in of an agent who is known here: at its end the other replicas
// can find what it brought.
func (a *Agent) turn(ctx context.Context) (func(), error) {
	endTurn, err := a.gateway.turn(ctx, a.Login())
	if err != nil || a.gateway.fleet == nil {
		return endTurn, err
	}
	return func() {
		a.gateway.fleet.publish(a)
		endTurn()
	}, nil
}

func (f *fleet) endTurn(ctx context.Context, name string) {
	err := f.Leases.Release(ctx, name, f.me)
	if err != nil {
		f.gateway.log.Warn("a turn to log in was not given up and runs out", "cause", err.Error())
	}
}
