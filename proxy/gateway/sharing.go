package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"portico/proxy/fault"
	"portico/proxy/session"
)

// report tells the store when the agent was used last and what has become of the upstream sessions, and
// lets an agent go whose session has ended elsewhere.
func (f *fleet) report(a *Agent) {
	f.saveWishes(a.life, a)
	err := f.touch(a)
	if err == nil {
		err = f.share(a)
	}
	if err == nil {
		err = errors.Join(f.renote(a), f.renoteAccess(a))
	}
	if err == nil && a.leased.Load() { // others know less
		a.noteLeft()
		err = f.shareWishes(a.life, a)
	}
	switch {
	case a.life.Err() != nil:
	case errors.Is(err, session.ErrNotFound):
		f.over(a)
	case err != nil:
		f.gateway.log.Warn("a session could not be kept in step with other replicas", "session", a.short, "cause", err.Error())
	}
}

// touch has the life of the session begin when a caller used it here last, looks whether it is still there
// and learns what others made of it.
func (f *fleet) touch(a *Agent) error {
	used := a.lastUsed()
	s, err := f.gateway.store.ByLogin(a.life, a.Login())
	if err == nil && s.ID != a.session.ID {
		err = session.ErrNotFound
	}
	if err != nil {
		return err
	}
	a.learn(s)
	if a.touched.Equal(used) {
		return nil
	}
	left := f.gateway.policy().Idle - time.Since(used)
	if left <= 0 {
		return nil // the sweep will tell
	}
	err = f.gateway.store.Touch(a.life, a.session.ID, left)
	if err == nil {
		a.touched = used
	}
	return err
}

// share puts the agent's upstream sessions in the store that have changed here.
func (f *fleet) share(a *Agent) error {
	changed := a.unshared()
	if len(changed) == 0 {
		return nil
	}
	known := a.known()
	is, err := f.gateway.store.Update(a.life, a.session.ID, func(s *session.Session) {
		for site, record := range changed {
			if !overtaken(record, s.Upstreams[site], known[site]) {
				s.Upstreams = session.With(s.Upstreams, site, record)
			}
		}
	})
	if err == nil {
		maps.DeleteFunc(changed, func(site string, record []byte) bool { return !bytes.Equal(record, is.Upstreams[site]) })
		a.shared(changed)
	}
	return err
}

// shareNow is share as soon as there is something new. What fails is tried again with the next report.
func (f *fleet) shareNow(a *Agent) {
	err := f.share(a)
	if err != nil && a.life.Err() == nil {
		f.gateway.log.Warn("a new upstream session could not be told to other replicas", "session", a.short, "cause", err.Error())
	}
}

// tellFleet is shareNow, if there are other replicas.
func (a *Agent) tellFleet() {
	if a.gateway.fleet != nil {
		a.gateway.fleet.shareNow(a)
	}
}

// upstreams returns what other replicas need of the agent's upstream sessions, by site.
func (a *Agent) upstreams() map[string][]byte {
	all := map[string][]byte{}
	for _, p := range a.parts {
		record := p.record()
		if record != nil {
			all[p.siteName()] = record
		}
	}
	return all
}

// known returns what the store was last known to have of the upstream sessions.
func (a *Agent) known() map[string][]byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.session.Upstreams
}

// unshared returns the upstream sessions that are not what the store was last known to have, nor what it had before.
func (a *Agent) unshared() map[string][]byte {
	changed := a.upstreams()
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(changed, func(site string, record []byte) bool {
		return bytes.Equal(record, a.session.Upstreams[site]) || a.isBeforeLocked(site, record)
	})
	return changed
}

// isShared reports whether the store is known to have a record of a site's upstream session.
func (a *Agent) isShared(site string, record []byte) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return bytes.Equal(a.session.Upstreams[site], record)
}

// shared notes what the store has of the upstream sessions.
func (a *Agent) shared(records map[string][]byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := maps.Clone(a.session.Upstreams)
	if all == nil {
		all = map[string][]byte{}
	}
	for site, record := range records {
		was := all[site]
		if was != nil && !headOf(was).sameSession(headOf(record)) {
			a.before = session.With(a.before, site, headOf(was))
		}
	}
	maps.Copy(all, records)
	a.session.Upstreams = all
}

// learn takes what the store has of the agent that is new here: another password's proof, which parts have ended
// or begun again, or go on with another upstream session, what was asked for elsewhere, and what is to be told again.
func (a *Agent) learn(s session.Session) {
	a.learnProof(s.Proof)
	a.learnRecords(s)
	a.learnVanished(s)
	a.recall(s)
}

// learnProof takes the proof of the agent's password. Whoever asked the store before another one was put there may come
// with that of before: a password that is kept is not forgotten, but not the agent's for as long.
func (a *Agent) learnProof(proof []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.session.Proof = proof
}

// know keeps a password that proved to be the agent's by a proof.
func (a *Agent) know(password string, proof []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.ended {
		a.password, a.provedBy = password, proof
	}
}

// errReadElsewhere is told while it is for another replica to find out what has become of an upstream
// session.
var errReadElsewhere = errors.New("the upstream session is gone, and another replica is to log in again")

// successor returns the upstream session that another replica opened at a site in place of one that is
// gone; nil if none did and this one is to. It fails with fault.Unauthenticated when the session has
// ended elsewhere, and with fault.Unreachable when that cannot be told, or another replica is to log in
// again because no password is kept here.
func (a *Agent) successor(ctx context.Context, site string, gone []byte) ([]byte, error) {
	g := a.gateway
	if g.fleet == nil {
		return nil, nil
	}
	s, err := g.store.ByLogin(ctx, a.Login())
	switch {
	case errors.Is(err, session.ErrNotFound), err == nil && s.ID != a.session.ID:
		g.letGo(a)
		return nil, errEnded
	case err != nil:
		g.fleet.unstored.away()
		return nil, &fault.Error{Kind: fault.Unreachable, RetryAfter: storeRetry, Err: fmt.Errorf("gateway: look for a newer upstream session: %w", err)}
	}
	a.learnProof(s.Proof) // the password of before is not to be tried
	a.recall(s)           // what comes back on a new one must not be what was left elsewhere
	next := s.Upstreams[site]
	if next != nil {
		a.shared(map[string][]byte{site: next}) // also the one that is gone: what follows it takes its place
	}
	if next != nil && headOf(next).follows(headOf(gone)) {
		a.recallBack(site, s)
		return next, nil
	}
	return nil, a.isToOpen()
}

// isToOpen fails with fault.Unreachable unless this replica is to open an upstream session, in place of one that is gone
// or that cannot be gone on with here: without a password only the one that reads finds out that none can be had.
func (a *Agent) isToOpen() error {
	if !a.gateway.fleet.unstored.settled() {
		return errUnsettled
	}
	if !a.leased.Load() && a.keptPassword() == "" {
		return &fault.Error{Kind: fault.Unreachable, RetryAfter: storeRetry, Err: errReadElsewhere}
	}
	return nil
}

// endedElsewhere reports whether the agent's session has ended at another replica, while a log-in took its time here, and
// lets it go then: an idle end and an operator's word wait for no turn, and the agent's own end not for ever.
func (a *Agent) endedElsewhere(ctx context.Context) bool {
	g := a.gateway
	if g.fleet == nil {
		return false
	}
	s, err := g.store.ByLogin(context.WithoutCancel(ctx), a.Login())
	ended := errors.Is(err, session.ErrNotFound) || err == nil && s.ID != a.session.ID
	if ended {
		g.letGo(a)
	}
	return ended
}

// keep puts a new session in the store. It fails with fault.Overloaded when the store does not answer,
// or another replica has begun one in this one's turn, which must have run out.
func (f *fleet) keep(ctx context.Context, a *Agent) error {
	a.shared(a.upstreams())
	kept, err := f.gateway.store.Create(ctx, a.session, f.gateway.policy().Idle)
	if err == nil && kept.ID != a.session.ID {
		err = errors.New("another replica was quicker")
	}
	if err != nil {
		return storeDown(err)
	}
	return nil
}
