package gateway

import (
	"context"

	"portico/proxy/upstream"
	"portico/translate"
)

// decide reads the status in place of a completion that did not come. If it cannot be read, or something newer was heard
// meanwhile, there is no verdict, unless the site has shown that the change took place: its silence is no refusal.
func (p *icwsPart) decide(w *write) {
	ctx, cancel := context.WithTimeout(upstream.WithCause(p.agent.life, upstream.Session), readTimeout)
	defer cancel()
	began := p.moment()
	read, err := p.readStatus(ctx)
	p.update(func(s translate.AgentState, d *translate.Directory) (translate.AgentState, translate.Heard) {
		switch {
		case err == nil && !p.moments.isOld(began):
			return p.site.Rules.Decided(s, w.requestID, p.asOfLocked(began, read), d)
		case !s.IsOpen(w.requestID), p.link.over != "": // a part that has ended is asked no more
			return p.site.Rules.Decided(s, w.requestID, s.Status, d)
		}
		p.leaveLocked(w, err)
		return s, translate.Heard{}
	})
}

// leaveLocked leaves a write undecided, after a read that failed with err or came too late. What it asked for is shown on, nobody
// waits for it any more, and the next read or full list decides: at the latest one that is tried after a pause.
func (p *icwsPart) leaveLocked(w *write, err error) {
	if p.link.closed || !p.writes.has(w) {
		return
	}
	if w.tries == 0 {
		w.left = p.moments.begin()
		close(w.done)
	}
	if w.tries == 0 && err != nil {
		p.warn("nobody knows yet whether a state change took place", err)
	}
	w.overdue.Reset(upstream.Pause(w.tries))
	w.tries++
}

func (p *icwsPart) isLeft(w *write) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return w.tries > 0
}

// decideLeft decides the writes that were left undecided before a moment, from which on the state was read, or listed in full.
func (p *icwsPart) decideLeft(began moment) {
	p.mu.Lock()
	left := p.writes.leftBefore(began)
	p.mu.Unlock()
	for _, w := range left {
		p.update(func(s translate.AgentState, d *translate.Directory) (translate.AgentState, translate.Heard) {
			if p.link.lost { // the recovery ends them
				return s, translate.Heard{}
			}
			return p.site.Rules.Decided(s, w.requestID, s.Status, d)
		})
	}
}
