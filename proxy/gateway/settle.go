package gateway

import (
	"context"
	"strings"
	"time"

	"portico/proxy/upstream"
	"portico/translate"
)

// In a fleet a write is answered once the site shows it, since the next request of the agent may come to
// a replica that asks the site. It does not wait for longer than the first, which is long for a site that
// works; the second is how often it looks where another replica receives the completion.
const (
	settleWithin = 2 * time.Second
	settleEvery  = 50 * time.Millisecond
)

// settle waits until the site shows a write, or some time has passed: then it is answered as one that
// the site accepted.
func (p *icwsPart) settle(ctx context.Context, w *write) {
	ctx, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	for !p.agent.readsHere() {
		if p.showsWrite(ctx, w) {
			if w.same && p.agent.gateway.settings.Push != nil {
				p.tellAgain()
			}
			return
		}
		if upstream.Sleep(ctx, settleEvery) != nil {
			return
		}
	}
	select {
	case <-w.done:
	case <-ctx.Done():
	}
}

// showsWrite asks the site whether it shows a write, which then is done.
func (p *icwsPart) showsWrite(ctx context.Context, w *write) bool {
	began := p.moment()
	read, err := p.readStatus(ctx)
	if err != nil || !strings.EqualFold(read.StatusID, w.statusID) {
		return false
	}
	p.update(func(s translate.AgentState, d *translate.Directory) (translate.AgentState, translate.Heard) {
		return p.site.Rules.Decided(s, w.requestID, p.asOfLocked(began, read), d)
	})
	return true
}
