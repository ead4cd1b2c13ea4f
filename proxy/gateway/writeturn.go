package gateway

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"portico/proxy/fault"
	"portico/proxy/session"
)

// writeTurnLife is how long a replica may change an agent's state at a site while no other does. It is
// also how long another waits at most: one that died must keep nobody from working.
const writeTurnLife = 5 * time.Second

// writeTurn waits until no other replica changes the agent's state, knows then what they asked for there, and
// returns what lets the next one. In one process the locks of the parts do. Each operation has the turn for
// itself until the sites show it, as the next is planned on what they show. While the store is away operations
// go on without.
func (a *Agent) writeTurn(ctx context.Context) func() {
	f := a.gateway.fleet
	if f == nil {
		return func() {}
	}
	end, err := f.awaitWrite(ctx, a)
	before := a.wishes()
	a.operating.Add(1)
	return func() {
		ctx := context.WithoutCancel(ctx)
		a.unsave(before)
		a.operating.Add(-1)
		if err != nil {
			f.unstored.owe(a)
			return
		}
		err := f.shareWishes(ctx, a)
		if err != nil && !errors.Is(err, session.ErrNotFound) {
			f.unstored.owe(a)
			f.gateway.log.Warn("what an agent asked for could not be told to other replicas", "session", a.short, "cause", err.Error())
		}
		a.ring(ctx)
		end()
	}
}

// awaitWrite waits for the turn, but not for ever, knows then what other replicas asked for, or that the session has ended
// there, and returns what ends the turn. It fails if the store does not answer.
func (f *fleet) awaitWrite(ctx context.Context, a *Agent) (func(), error) {
	waiting, cancel := context.WithTimeout(ctx, writeTurnLife)
	defer cancel()
	name, holder := "write/"+a.Login(), rand.Text()
	end, err := f.await(waiting, name, holder, writeTurnLife)
	if err != nil {
		f.giveUp(ctx, name, holder)
	}
	switch {
	case errors.Is(err, fault.Timeout): // whoever has the turn may have died; the others learn of what is done without it
		end = func() {}
	case err != nil:
		return nil, err
	}
	f.saveWishes(ctx, a)
	s, err := a.gateway.store.ByLogin(ctx, a.Login())
	switch {
	case errors.Is(err, session.ErrNotFound), err == nil && s.ID != a.session.ID:
		f.over(a) // whoever had the turn has ended the session, and nothing is to be done after that
	case err == nil:
		a.learn(s)
	}
	return end, nil
}

// between does what no agent asked for between their operations, whichever replicas those come to: each knows of what
// the other changes.
func (a *Agent) between(ctx context.Context, do func()) {
	f := a.gateway.fleet
	if f == nil {
		do()
		return
	}
	end, err := f.awaitWrite(ctx, a)
	do()
	if err == nil {
		_ = f.shareWishes(context.WithoutCancel(ctx), a) // else the next report does
		end()
	}
}
