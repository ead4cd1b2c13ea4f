package gateway

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"portico/proxy/fault"
	"portico/proxy/upstream"
)

// A log-in under a name is made by one replica at a time, as two would cost two licences and count
// twice towards locking the agent out. The turn is held for as long as a log-in may last, by a lease that is
// renewed: a replica that dies keeps nobody out for longer than that.
const (
	turnLife  = loginTimeout + 5*time.Second
	turnLease = 10 * time.Second
	turnEvery = 50 * time.Millisecond // how often one who waits looks
)

// turn waits until it is this process's turn to log in under a name and returns what ends it. The lock
// of the name in this process is held. Whoever has the turn here at the same moment has the same one, which ends with
// the last.
func (g *Gateway) turn(ctx context.Context, login string) (func(), error) {
	return g.turnBy(ctx, login, turnLease)
}

// turnBy is turn, by a lease for so long.
func (g *Gateway) turnBy(ctx context.Context, login string, lease time.Duration) (func(), error) {
	f := g.fleet
	if f == nil {
		return func() {}, nil
	}
	name := loginTurn(login)
	turn := f.turns.begin(login, lease) // whose answer may be on its way when another one here ends theirs
	endTurn, err := f.await(ctx, name, turn.holder, turn.lease)
	if err != nil {
		if f.turns.end(login) {
			f.giveUp(ctx, name, turn.holder)
		}
		return nil, err
	}
	stop := f.renew(ctx, login, turn)
	return func() {
		stop()
		if f.turns.end(login) {
			endTurn()
		}
	}, nil
}

// renew takes a lease again and again, for as long as a turn may last, until what it returns is called. That waits for
// the call under way, which would take the lease once more after it was given up.
func (f *fleet) renew(ctx context.Context, login string, turn sharedTurn) func() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), turnLife-turn.lease)
	over := make(chan struct{})
	go func() {
		defer close(over)
		for upstream.Sleep(ctx, turn.lease/3) == nil {
			_, _ = f.Leases.Take(context.WithoutCancel(ctx), loginTurn(login), turn.holder, f.turns.lease(login)) // else the next one does
		}
	}()
	return func() {
		cancel()
		<-over
	}
}

func loginTurn(login string) string { return "login/" + login }

// turns are those that this process has, or waits for, by login name: to log in, or to read. Any number of goroutines may
// use them; the zero value is ready.
type turns struct {
	mu   sync.Mutex
	here map[string]*sharedTurn // by login name; guarded by mu
	held []heldTurn             // guarded by mu
}

// A sharedTurn is one for all who have it or wait for it at the same moment. The next one is another holder's: that this
// one is given up may reach the store only then.
type sharedTurn struct {
	holder string
	lease  time.Duration // the longest of them
	count  int
}

// begin counts one more who waits for the turn.
func (t *turns) begin(login string, lease time.Duration) sharedTurn {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.here == nil {
		t.here = map[string]*sharedTurn{}
	}
	turn := t.here[login]
	if turn == nil {
		turn = &sharedTurn{holder: rand.Text()}
		t.here[login] = turn
	}
	turn.lease = max(turn.lease, lease)
	turn.count++
	return *turn
}

// lease returns for how long the turn is to be taken, which somebody here has.
func (t *turns) lease(login string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.here[login].lease
}

// end reports whether nobody here has the turn any more, or waits for it.
func (t *turns) end(login string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	turn := t.here[login]
	turn.count--
	last := turn.count == 0
	if last {
		delete(t.here, login)
	}
	return last
}

// await waits until a lease is the holder's and returns what gives it up. It fails with fault.Overloaded when
// the store does not answer, and with fault.Timeout when ctx ends: then it is to be given up, as it may be the holder's
// all the same.
func (f *fleet) await(ctx context.Context, name, holder string, life time.Duration) (func(), error) {
	for {
		lease, err := f.Leases.Take(ctx, name, holder, life)
		switch {
		case err == nil:
		case ctx.Err() != nil: // the caller's time has ended: that says nothing of the store
			return nil, fmt.Errorf("gateway: wait for another replica: %w: %w", fault.Timeout, ctx.Err())
		default:
			f.unstored.away()
			return nil, storeDown(err)
		}
		if lease.Held {
			return func() { f.endTurn(context.WithoutCancel(ctx), name, holder) }, nil
		}
		err = upstream.Sleep(ctx, turnEvery)
		if err != nil {
			return nil, fmt.Errorf("gateway: wait for another replica: %w: %w", fault.Timeout, err)
		}
	}
}

// turn is that of the gateway, for a log-in of an agent who is known here: at its end the other replicas
// can find what it brought.
func (a *Agent) turn(ctx context.Context) (func(), error) { return a.turnBy(ctx, turnLease) }

// turnBy is turn, by a lease for so long.
func (a *Agent) turnBy(ctx context.Context, lease time.Duration) (func(), error) {
	endTurn, err := a.gateway.turnBy(ctx, a.Login(), lease)
	if err != nil || a.gateway.fleet == nil {
		return endTurn, err
	}
	return func() {
		a.gateway.fleet.shareNow(a)
		endTurn()
	}, nil
}

// lastTurn keeps the other replicas from opening upstream sessions while the agent's session ends, and knows those then
// that they have opened: a reader there which finds one gone would take it for lost, and bring back what the agent
// worked on. It is the turn of log-ins, which all replicas wait for, and which runs out with a replica that dies. It ends
// when the store was told of the end, by which the others know: the lease is as long as a turn, in case this replica
// alone cannot tell it. While the store is away the end goes on without.
func (a *Agent) lastTurn(ctx context.Context) func() {
	f := a.gateway.fleet
	if f == nil {
		return func() {}
	}
	waiting, cancel := context.WithTimeout(ctx, joinPatience)
	defer cancel()
	endTurn, err := a.insist(waiting)
	if err != nil {
		return func() {}
	}
	s, err := a.gateway.store.ByLogin(ctx, a.Login())
	if err == nil && s.ID == a.session.ID {
		a.learn(s)
	}
	return func() { f.unstored.then(a.session.ID, endTurn) }
}

// insist is turn for who does not take it that the store did not answer one call, while it answers others.
func (a *Agent) insist(ctx context.Context) (func(), error) {
	f, login := a.gateway.fleet, a.Login()
	turn := f.turns.begin(login, turnLife) // the next call's too, or it would have to wait for what one has taken that failed
	endTurn, err := a.turnBy(ctx, turnLife)
	for errors.Is(err, fault.Overloaded) && f.Up() && upstream.Sleep(ctx, unstoredEvery) == nil {
		endTurn, err = a.turnBy(ctx, turnLife)
	}
	if f.turns.end(login) {
		f.giveUp(ctx, loginTurn(login), turn.holder)
	}
	return endTurn, err
}

func (f *fleet) endTurn(ctx context.Context, name, holder string) {
	err := f.release(ctx, name, holder)
	if err != nil {
		f.gateway.log.Warn("a turn among replicas was not given up yet", "cause", err.Error())
	}
}

// giveUp is endTurn for a lease that may be the holder's, and that nobody waits for.
func (f *fleet) giveUp(ctx context.Context, name, holder string) {
	go func() { _ = f.release(context.WithoutCancel(ctx), name, holder) }()
}

// release gives up a turn, or has mindStore try again until it would have run out: the next one here is another holder.
func (f *fleet) release(ctx context.Context, name, holder string) error {
	err := f.Leases.Release(ctx, name, holder)
	if err != nil {
		f.turns.leave(heldTurn{name, holder, time.Now()})
	}
	return err
}

// A heldTurn is one of which the store could not be told that it is given up.
type heldTurn struct {
	name, holder string
	since        time.Time
}

// leave keeps a turn for releaseAll, in place of those that have run out: the store may be away for hours.
func (t *turns) leave(turn heldTurn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.held) > 0 && time.Since(t.held[0].since) >= turnLife {
		t.held = t.held[1:]
	}
	t.held = append(t.held, turn)
}

func (t *turns) takeHeld() []heldTurn {
	t.mu.Lock()
	defer t.mu.Unlock()
	held := t.held
	t.held = nil
	return held
}

// releaseAll gives up the turns that could not be given up, until the store does not answer.
func (f *fleet) releaseAll(ctx context.Context) {
	held := f.turns.takeHeld()
	for i, turn := range held {
		if time.Since(turn.since) >= turnLife || f.Leases.Release(ctx, turn.name, turn.holder) == nil {
			continue
		}
		for _, rest := range held[i:] {
			f.turns.leave(rest)
		}
		return
	}
}
