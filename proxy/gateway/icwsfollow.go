package gateway

import (
	"context"
	"fmt"
	"slices"
	"time"

	"portico/proxy/fault"
	"portico/translate"
	"portico/translate/icwsapi"
)

// completionWithin is how long a completion may take before a read of the status decides.
const completionWithin = 10 * time.Second

// A write is a status change that the site accepted.
type write struct {
	requestID string
	statusID  string
	calls     []translate.Call
	number    int                   // of the plan
	same      bool                  // what is shown was so before
	done      chan struct{}         // closed when it completed, or was found to have failed, or nobody is to wait for that any more
	failed    *translate.Completion // nil on success, and before it is done
	unread    bool                  // nobody reads the completion
	overdue   *time.Timer           // sees to a completion that does not come
	tries     int                   // to read the status in its place, that have failed
	left      moment                // of the first of them
}

// openWrites are the status changes that the site has accepted and not completed. Those who use it hold the part's lock.
type openWrites struct {
	byID  map[string]*write // by request id
	plans int               // carried out so far, also those that set no status
}

func (o *openWrites) add(w *write) {
	if o.byID == nil {
		o.byID = map[string]*write{}
	}
	o.byID[w.requestID] = w
}

func (o *openWrites) has(w *write) bool { return o.byID[w.requestID] == w }

// leftBefore returns those that were left undecided before a moment, in the order asked.
func (o *openWrites) leftBefore(began moment) []*write {
	var left []*write
	for _, w := range o.byID {
		if w.tries > 0 && w.left.read < began.read {
			left = append(left, w)
		}
	}
	slices.SortFunc(left, func(a, b *write) int { return a.number - b.number })
	return left
}

// writtenLocked notes a plan that was carried out, and returns the write to wait for, nil if it set no
// status.
func (p *icwsPart) writtenLocked(plan translate.Plan, requestID string) *write {
	p.writes.plans++
	if requestID == "" {
		return nil
	}
	w := &write{requestID: requestID, statusID: statusOf(plan), calls: plan.Calls, number: p.writes.plans, done: make(chan struct{}), unread: p.isUnreadLocked()}
	p.writes.add(w)
	within := completionWithin
	if w.unread {
		within = askAfter
	}
	// Not a goroutine that waits for the end: nearly all writes complete at once, and it cost each 20 µs.
	w.overdue = time.AfterFunc(within, func() { p.agent.start(func() { p.seek(w) }) })
	return w
}

// awaited tells the reader that the completion of a write will come, if there is one.
func (p *icwsPart) awaited(w *write) {
	if w != nil {
		p.hurry()
	}
}

// hurry has the reader ask soon, where it has to ask.
func (p *icwsPart) hurry() {
	select {
	case p.nudge <- struct{}{}:
	default: // the reader has one to take
	}
}

// statusOf returns the id of the status that a plan sets, "" if it sets none.
func statusOf(plan translate.Plan) string {
	status := plan.Status()
	if status == nil {
		return ""
	}
	return status.StatusID
}

// finishLocked tells the writes that are no longer pending that they are done.
func (p *icwsPart) finishLocked(heard translate.Heard) {
	if len(p.writes.byID) == 0 {
		return
	}
	for id, w := range p.writes.byID {
		if slices.ContainsFunc(p.state.Pending, func(one translate.Pending) bool { return one.RequestID == id }) {
			continue
		}
		if heard.Failed != nil && heard.Failed.RequestID == id {
			w.failed = heard.Failed
		}
		p.endLocked(w)
	}
}

// seen ends the status changes that the site has shown, where nobody reads the completions.
func (p *icwsPart) seen(s translate.AgentState, heard translate.Heard, d *translate.Directory) (translate.AgentState, translate.Heard) {
	if p.site.service == nil {
		return s, heard
	}
	for _, pending := range s.Pending {
		if !pending.Seen {
			continue
		}
		var also translate.Heard
		s, also = p.site.Rules.Heard(s, icwsapi.AsyncOperationCompletedMessage{RequestID: pending.RequestID}, d)
		heard.Confirmed = heard.Confirmed || also.Confirmed
	}
	return s, heard
}

// endLocked ends a write. If it failed, what went before it is taken back.
func (p *icwsPart) endLocked(w *write) {
	delete(p.writes.byID, w.requestID)
	if w.tries == 0 {
		close(w.done)
	}
	w.overdue.Stop()
	if w.failed != nil {
		p.agent.start(func() { p.takeBack(w) })
	}
}

// wait returns when the write has completed.
func (p *icwsPart) wait(ctx context.Context, w *write) error {
	select {
	case <-w.done:
	case <-p.agent.life.Done():
		return errEnded
	case <-ctx.Done():
		return fmt.Errorf("gateway: wait for the completion: %w: %w", fault.Timeout, ctx.Err())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.writes.has(w):
		return fmt.Errorf("gateway: request %q has not completed, nor could the status be read: %w", w.requestID, fault.Timeout)
	case w.failed == nil:
		return nil
	}
	return &fault.Error{Kind: fault.BadUpstream, Public: "the contact centre refused the change after accepting it",
		Err: refusedLater(w.failed)}
}

func refusedLater(c *translate.Completion) error {
	return fmt.Errorf("gateway: request %q completed with error %q: %s", c.RequestID, c.Error.ErrorID, c.Error.Message)
}

// takeBack puts back the activations that went before a status change which failed.
func (p *icwsPart) takeBack(w *write) {
	p.warn("a state change failed after it was accepted", refusedLater(w.failed))
	release, err := p.alone(p.agent.life)
	if err != nil {
		return
	}
	defer release()
	if !p.isLatest(w) {
		return // a later plan built on the activations of this one
	}
	err = p.undo(p.agent.life, p.connection(), translate.Plan{Calls: w.calls}.Undo(len(w.calls)))
	if err != nil {
		p.warn("activations were not put back", err)
	}
}

// seek looks for a completion that nobody reads, and decides without one when it is overdue.
func (p *icwsPart) seek(w *write) {
	if w.unread && !p.isLeft(w) {
		_ = p.drain(p.agent.life) // what cannot be had now is decided when it is overdue
		select {
		case <-w.done:
			return
		case <-p.agent.life.Done():
			return
		case <-time.After(completionWithin - askAfter):
		}
	}
	p.decide(w)
}

// lookAgain reads the state where messages leave two answers. If it cannot be read, what was asked for counts.
func (p *icwsPart) lookAgain() {
	err := p.refresh(p.agent.life)
	if err != nil {
		p.warn("the state could not be read after a change of somebody else's", err)
	}
}

func (p *icwsPart) isLatest(w *write) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.writes.plans == w.number
}
