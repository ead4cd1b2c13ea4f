package gateway

import (
	"time"
)

// What is held of the state serves without a call if it is
//
//	current     pushed: messages flow, there is no outage, and both full lists have come
//	known       current, and no other replica changed anything a moment ago
//	fresh       read whole, here, a moment ago, and nothing was changed since that only a read would show
//	just begun  fresh, and never current yet
//
// A plan is made on what is known or fresh. Shown is what is known or just begun, and what is left of a part that is lost or
// over.

// freshFor is how long after a read a plan may be made on it while nothing tells of changes.
const freshFor = time.Second

// currentLocked reports whether what is held is what the site has.
func (p *icwsPart) currentLocked() bool {
	untold := p.state.Activations == nil // the site has none to tell of, or none are needed
	return p.live && !p.link.lost && p.full.status && (p.full.activations || untold)
}

// knownLocked reports whether what is held is what the site has, with what other replicas did there.
func (p *icwsPart) knownLocked() bool { return p.currentLocked() && time.Now().After(p.behindUntil) }

// freshLocked reports whether the whole state was read a moment ago, and nothing may have been changed since that only
// a read would show.
func (p *icwsPart) freshLocked() bool {
	return time.Since(p.readAt) < freshFor && p.agent.readsHere() && !p.moments.misses(p.readFrom)
}

// justBegunLocked reports whether the state was read a moment ago and the part is still to be watched:
// what an application asks for at its log-in, one after the other, needs no read each. Where another
// replica watches it, the next request may follow a write there.
func (p *icwsPart) justBegunLocked() bool {
	return !p.everCurrent && p.freshLocked()
}

// mayShowLocked reports whether what is kept may be shown, without asking the site.
func (p *icwsPart) mayShowLocked() bool {
	return p.link.lost || p.link.over != "" || p.knownLocked() || p.justBegunLocked()
}
