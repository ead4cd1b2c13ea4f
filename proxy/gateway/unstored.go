package gateway

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"portico/proxy/clock"
	"portico/proxy/fault"
	"portico/proxy/push"
	"portico/proxy/session"
	"portico/proxy/upstream"
)

// A session may end while the store does not answer. Its record stays there then, and a replica that takes it for
// live would log the agent in again. So the end is kept here until the store was told, and the others open nothing in
// place of what is gone until whoever ended a session has had the time to say so.

// unstored are sessions that have ended here and that the store still has, and agents of whose wishes it is to be told.
// Any number of goroutines may use it; its zero value is ready.
type unstored struct {
	mu  sync.Mutex
	ids map[string]func() // with what waits until the store was told, nil if nothing does; guarded by mu

	told map[string]time.Time // sessions that have ended here, and when the store was told: who asked it before may come with one; guarded by mu

	wishing map[*Agent]bool // guarded by mu

	failed clock.Instant // when the store did not answer last
}

const (
	// unstoredEvery is how often the store is told of what it could not be told of.
	unstoredEvery = 250 * time.Millisecond

	// storeSettled is how long after the store did not answer the replicas have told it of all ends: a probe a second
	// finds out that it answers again.
	storeSettled = 3 * time.Second
)

func (u *unstored) add(id string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ids == nil {
		u.ids = map[string]func(){}
	}
	if _, again := u.ids[id]; !again {
		u.ids[id] = nil
	}
}

// then does something once the store was told of an end, after what waits for that already: at once if it is not to be
// told of it any more.
func (u *unstored) then(id string, do func()) {
	u.mu.Lock()
	waits, untold := u.ids[id]
	if untold {
		u.ids[id] = func() {
			if waits != nil {
				waits()
			}
			do()
		}
	}
	u.mu.Unlock()
	if !untold {
		do()
	}
}

// has reports whether a session has ended here and the store still has it, or had it a moment ago.
func (u *unstored) has(id string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	_, untold := u.ids[id]
	_, told := u.told[id]
	return untold || told
}

// take takes out a session of whose end the store was told, and does what waited for that.
func (u *unstored) take(id string) {
	u.mu.Lock()
	waits := u.ids[id]
	delete(u.ids, id)
	if u.told == nil {
		u.told = map[string]time.Time{}
	}
	u.told[id] = time.Now()
	u.mu.Unlock()
	if waits != nil {
		waits()
	}
}

// forget forgets the sessions of which nobody comes any more who asked the store before it was told.
func (u *unstored) forget() {
	u.mu.Lock()
	defer u.mu.Unlock()
	maps.DeleteFunc(u.told, func(_ string, at time.Time) bool { return time.Since(at) > readTimeout })
}

func (u *unstored) all() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	ids := make([]string, 0, len(u.ids))
	for id := range u.ids {
		ids = append(ids, id)
	}
	return ids
}

// owe has the store be told of an agent's wishes soon.
func (u *unstored) owe(a *Agent) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.wishing == nil {
		u.wishing = map[*Agent]bool{}
	}
	u.wishing[a] = true
}

// owed takes out an agent of whose wishes the store is to be told, nil if there is none.
func (u *unstored) owed() *Agent {
	u.mu.Lock()
	defer u.mu.Unlock()
	for a := range u.wishing {
		delete(u.wishing, a)
		return a
	}
	return nil
}

// away notes that the store did not answer.
func (u *unstored) away() { u.failed.Note() }

// settled reports whether the store has answered for long enough that it knows which sessions have ended.
func (u *unstored) settled() bool { return time.Since(u.failed.Time()) >= storeSettled }

// hasEnded reports whether a session that the store has was ended here, and tries to tell the store.
func (f *fleet) hasEnded(ctx context.Context, id string) bool {
	if !f.unstored.has(id) {
		return false
	}
	f.delete(ctx, id)
	return true
}

// delete tells the store of an end, or fails to.
func (f *fleet) delete(ctx context.Context, id string) {
	err := f.gateway.store.Delete(ctx, id)
	if err == nil || errors.Is(err, session.ErrNotFound) {
		f.unstored.take(id)
	}
}

// mindStore tells the store of ends and wishes that it could not be told of, and makes good what it has lost, until ctx
// ends.
func (f *fleet) mindStore(ctx context.Context) error {
	losses := f.losses()
	for upstream.Sleep(ctx, unstoredEvery) == nil {
		if !f.Up() {
			f.unstored.away()
			continue
		}
		for _, id := range f.unstored.all() {
			f.delete(ctx, id)
		}
		f.unstored.forget()
		if now := f.losses(); now != losses {
			losses = now
			f.makeAllGood()
		}
		f.releaseAll(ctx)
		f.saveAll()
	}
	return ctx.Err()
}

// saveAll tells the store of wishes that it is still to be told, until it does not answer.
func (f *fleet) saveAll() {
	for began := time.Now(); time.Since(began) < unstoredEvery; {
		a := f.unstored.owed()
		if a == nil {
			return
		}
		f.saveWishes(a.life, a)
		if a.hasUntoldWishes() && a.lives() {
			f.unstored.owe(a)
			return
		}
	}
}

func (f *fleet) losses() int64 {
	if f.Losses == nil {
		return 0
	}
	return f.Losses()
}

// makeAllGood makes good for all agents what the store has lost.
func (f *fleet) makeAllGood() {
	for _, a := range f.gateway.all() {
		if a.leased.Load() { // the others look with their next report
			a.doubt()
		}
		f.makeGood(a)
	}
}

// remadeFor is for how long an agent counts as made good: the store's probes may have found what is found again by what
// it says of the agent.
const remadeFor = 10 * time.Second

// makeGood starts from nothing what is kept in step by way of the store, which has lost some of it: applications shake
// hands again, since their events are not numbered as before, and whoever reads for an agent says once more what the
// upstream sessions are. Sessions that it has no more are found to have ended.
func (f *fleet) makeGood(a *Agent) {
	a.remade.Note()
	if f.gateway.settings.Push != nil {
		f.gateway.settings.Push.End(a.session.ID, push.Handshake)
	}
	if a.leased.Load() {
		a.mu.Lock()
		a.session.Upstreams = nil
		a.mu.Unlock()
	}
}

// errUnsettled is told while a session may have ended that the store still has.
var errUnsettled = &fault.Error{Kind: fault.Unreachable, RetryAfter: storeRetry, Err: errors.New("gateway: the session store did not answer a moment ago, and may not know yet which sessions have ended")}
