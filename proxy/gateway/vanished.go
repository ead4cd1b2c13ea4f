package gateway

import (
	"context"
	"time"

	"portico/proxy/session"
	"portico/proxy/upstream"
	"portico/translate"
)

// A replica that does not read for an agent finds by reads of its own whether a site is there, and shows what they say. The
// one that reads, and tells the agent's applications of changes, need not notice a short absence: what it shows is the same
// before and after. So it is asked to tell what is once the site is in view again at the other.

// How long the other one waits before it reads again what it has shown without a site: twice as long each time.
const (
	vanishedFirst = time.Second
	vanishedMost  = 30 * time.Second
)

// vanished notes that a part was shown here as of a site that cannot be reached. Where the reader is, what is told follows
// what is shown.
func (a *Agent) vanished(p part) {
	if a.readsHere() {
		return
	}
	a.mu.Lock()
	first := a.absences[p] == 0
	if a.absences == nil {
		a.absences = map[part]int{}
	}
	a.absences[p]++
	a.mu.Unlock()
	if first {
		a.start(func() { a.awaitView(p) })
	}
}

// awaitView reads a part until it is in view again, and has that told.
func (a *Agent) awaitView(p part) {
	ctx := upstream.WithCause(a.life, upstream.Refresh)
	for wait := vanishedFirst; upstream.Sleep(ctx, wait) == nil; wait = min(2*wait, vanishedMost) {
		a.mu.Lock()
		noted := a.absences[p]
		a.mu.Unlock()
		if p.reached(ctx) && a.askToTell(ctx, p.siteName()) == nil && a.cameBack(p, noted) {
			return
		}
	}
}

// cameBack reports whether a part has not vanished anew since so many absences were noted, which are over then.
func (a *Agent) cameBack(p part, noted int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.absences[p] != noted {
		return false
	}
	delete(a.absences, p)
	return true
}

// askToTell has whoever reads for the agent tell what a site shows, with their next report.
func (a *Agent) askToTell(ctx context.Context, site string) error {
	s, err := a.gateway.store.Update(ctx, a.session.ID, func(s *session.Session) {
		s.Vanished = session.With(s.Vanished, site, s.Vanished[site]+1)
	})
	if err == nil {
		a.learnVanished(s)
	}
	return err
}

// learnVanished tells what a site shows, if this replica is asked to.
func (a *Agent) learnVanished(s session.Session) {
	a.mu.Lock()
	before := a.session.Vanished
	a.session.Vanished = s.Vanished
	a.mu.Unlock()
	for _, p := range a.parts {
		site := p.siteName()
		if s.Vanished[site] > before[site] && a.readsHere() {
			p.tellAll()
		}
	}
}

func (p *icwsPart) reached(ctx context.Context) bool {
	_, err := p.show(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	return err == nil && p.state.Link != translate.Unreachable
}

func (p *htccPart) reached(ctx context.Context) bool {
	_, err := p.show(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	return err == nil && (!p.away || p.over)
}

func (p *icwsPart) tellAll() {
	p.mu.Lock()
	if p.agent.isHeard() {
		p.tellLocked(&nothingSeen, translate.Heard{})
	}
	p.mu.Unlock()
	p.agent.send()
}

func (p *htccPart) tellAll() {
	p.mu.Lock()
	p.tellLocked(shown{}, p.quietLocked())
	p.mu.Unlock()
	p.agent.send()
}
