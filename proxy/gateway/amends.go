package gateway

import (
	"context"
	"sync"
	"time"

	"portico/proxy/fault"
	"portico/proxy/upstream"
)

// A Start that a site could not carry out leaves the agent at work there on channels that they did not ask for, on which the
// site offers work as soon as it is back. So it is made up for in the background, by the replica that reads for the agent,
// and before whatever else the agent changes there. What they have set meanwhile is theirs.

// An amends makes up for what the last Start left undone at a site, for as long as it takes. Any number of goroutines may
// use it; its zero value is ready.
type amends struct {
	back slot // has a token once the site may be reached again

	mu         sync.Mutex
	underWay   bool      // guarded by mu
	resting    bool      // between two tries; guarded by mu
	isAnswered bool      // the site has answered the try before the pause, which failed; guarded by mu
	hastened   time.Time // when a call that was answered cut a pause short last; guarded by mu
}

// An indebted is a part at whose site a Start may be left undone.
type indebted interface {
	isIndebted() bool                // whether one is
	payUp(ctx context.Context) error // tries to make up for it; as long as nobody has found the site it does nothing
	warn(text string, err error)
}

// makeAmends has a part make up for the last Start, if that left anything undone: at once if the site is back, else after a
// pause. The caller holds no lock of the part but those that are held while a site is asked.
func (a *Agent) makeAmends(m *amends, p indebted, isBack bool) {
	if !a.readsHere() || !p.isIndebted() {
		return
	}
	if isBack {
		m.comesBack()
	}
	if m.begin() {
		a.start(func() { a.amend(m, p) })
	}
}

// amend tries until nothing is left undone, this replica reads for the agent no more, or the session ends.
func (a *Agent) amend(m *amends, p indebted) {
	ctx := upstream.WithCause(a.life, upstream.Session)
	isAnswered := false // the last try, which failed
	for tries := 0; m.goesOn(func() bool { return a.readsHere() && p.isIndebted() }); tries++ {
		isBack, err := m.rest(ctx, upstream.Pause(tries), isAnswered)
		if err != nil {
			return
		}
		if isBack && !isAnswered {
			tries = 0
		}
		_, err = fault.Guarded(func() (struct{}, error) { return struct{}{}, p.payUp(ctx) })
		if err != nil && tries == 0 && a.lives() {
			p.warn("an agent is not taken yet from what a Start did not ask for", err)
		}
		isAnswered = err != nil && !upstream.IsAway(err)
	}
}

// begin reports whether whoever calls it is to make up for the Start: nobody does yet.
func (m *amends) begin() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	begins := !m.underWay
	m.underWay = true
	return begins
}

// goesOn reports whether there is still something left undone. Where another Start is noted at that moment, either it is
// seen here or whoever noted it begins.
func (m *amends) goesOn(still func() bool) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.underWay = still()
	return m.underWay
}

// rest waits, but no longer than until the site may be reached again, which says little where it has answered the last try.
func (m *amends) rest(ctx context.Context, d time.Duration, isAnswered bool) (isBack bool, err error) {
	m.setResting(true, isAnswered)
	defer m.setResting(false, isAnswered)
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return false, nil
	case <-m.back.channel():
		return true, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

func (m *amends) setResting(is, isAnswered bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.resting, m.isAnswered = is, isAnswered
}

func (m *amends) wake() {
	select {
	case m.back.channel() <- struct{}{}:
	default: // it will look anyway
	}
}

// comesBack takes that the site may be reached again. A try that is under way may have opened a session itself, and one that a
// site has answered may have made it give up each session that was opened for it: it would be made again and again.
func (m *amends) comesBack() {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.resting && m.isAnswered:
		m.hastenLocked()
	case m.resting, !m.underWay:
		m.wake()
	}
}

// answered takes that the site has answered a call.
func (m *amends) answered() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.resting {
		m.hastenLocked()
	}
}

// hastenLocked cuts a pause short. A site that answers some calls and fails others is spared: it does so once in
// upstream.LongestPause.
func (m *amends) hastenLocked() {
	if time.Since(m.hastened) >= upstream.LongestPause {
		m.hastened = time.Now()
		m.wake()
	}
}
