package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"portico/proxy/catalogues"
	"portico/proxy/fault"
	"portico/proxy/icws"
	"portico/translate"
	"portico/translate/icwsapi"
)

// lose notes that the upstream session is gone: the agent is offline at the site.
func (p *icwsPart) lose() {
	p.site.groups.Leave(p.lists.member)
	p.loseUnread()
	p.update(func(s translate.AgentState, _ *translate.Directory) (translate.AgentState, translate.Heard) {
		p.link.lose()
		p.full = fullLists{}
		s.Link = translate.Unreachable
		return s, translate.Heard{}
	})
	p.listenAnew()
}

// loseUnread has a state that nobody has asked for here yet be recovered once it is read: other replicas take it that
// the agent was, by the one that opened the new session.
func (p *icwsPart) loseUnread() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.begun && p.link.conn.SessionID != "" {
		p.link.lose()
	}
}

// restoreAlone is restore for who does not hold writing. An agent is recovered between their operations, so that those
// at other replicas come after it, or before and the agent is recovered there.
func (p *icwsPart) restoreAlone(ctx context.Context) error {
	restore := func() error {
		release, err := p.alone(ctx)
		if err != nil {
			return err
		}
		defer release()
		_, err = p.restore(ctx)
		return err
	}
	if !p.isLost() {
		return restore()
	}
	var err error
	p.agent.between(ctx, func() { err = restore() })
	return err
}

func (p *icwsPart) isLost() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.link.lost
}

// restore makes sure that the part has a state to work on: read for the first time, or recovered
// after an outage. The caller holds writing.
func (p *icwsPart) restore(ctx context.Context) (*catalogues.Directory, error) {
	d, err := p.ready(ctx)
	if err != nil {
		return nil, err
	}
	if !p.isLost() {
		return d, nil
	}
	err = p.recover(ctx)
	if err != nil {
		return nil, fmt.Errorf("gateway: recover from an outage: %w", err)
	}
	p.agent.tellFleet()
	p.amend(true)
	return d, nil
}

// recover takes up work on a new upstream session. The status is read before anything is set; if
// it would route work to the agent, the plain not-ready status is set before the agent is shown
// again.
func (p *icwsPart) recover(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	p.holdMessages() // what comes after the read comes on top of it
	defer p.letMessagesGo()
	began := p.moment()
	got, err := p.read(ctx)
	if err != nil {
		return err
	}
	p.redirect()
	p.mu.Lock()
	state, d, losses := p.state, p.directory, p.link.losses
	p.mu.Unlock()
	plan, err := p.site.Rules.PlanRecovery(state, got.status, got.activations, d.Directory)
	if err != nil {
		p.warn("the agent stays in an ACD status after an outage", err)
	}
	requestID, err := p.leaveWork(ctx, &plan)
	if err != nil {
		return err
	}
	if !p.recovered(plan, requestID, began, losses) {
		return fmt.Errorf("%w: the upstream session was lost again", fault.BadUpstream)
	}
	p.lists.shareAgain()
	return nil
}

// leaveWork makes the call of a recovery, if there is one. An agent whom the site refuses it stays
// as found, like one who has no not-ready status: they could not be taken out of the outage else. A call that is broken off
// as this process stops is no refusal: another replica is to make it.
func (p *icwsPart) leaveWork(ctx context.Context, plan *translate.Plan) (string, error) {
	if len(plan.Calls) == 0 {
		return "", nil
	}
	requestID, err := p.send(ctx, p.connection(), plan.Calls[0])
	if err == nil || uncertain(err) || errors.Is(err, icws.ErrSessionGone) || ctx.Err() != nil {
		return requestID, notAgain(err)
	}
	p.warn("the agent stays in an ACD status after an outage", err)
	plan.Calls = nil
	return "", nil
}

// recovered replaces the state by the one after an outage, and what its plan wants lies over it, so
// that nobody sees the agent in work again; false if there was another outage since. Writes that were
// under way are over; what became of them was read.
func (p *icwsPart) recovered(plan translate.Plan, requestID string, began moment, losses int) bool {
	defer p.agent.send()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.link.losses != losses {
		return false
	}
	for id, w := range p.writes.byID {
		took := len(plan.Calls) == 0 && strings.EqualFold(w.statusID, plan.Next.Status.StatusID)
		if !took {
			w.failed = &translate.Completion{RequestID: id, Error: &icwsapi.Error{Message: "the upstream session was lost"}}
		}
		w.calls = nil
		p.endLocked(w)
	}
	before := p.beforeLocked()
	next, heard := plan.Next.Sent(plan, requestID)
	w := p.writtenLocked(plan, requestID)
	p.state = next
	p.moments.outdate()
	p.link.recovered()
	p.readAt, p.readFrom = time.Now(), began
	p.changedLocked()
	p.finishLocked(heard)
	heard.Confirmed = heard.Confirmed && w != nil // without a write nobody asked for anything
	if w == nil || heard.Confirmed || heard.Failed != nil {
		p.tellLocked(before, heard)
	}
	p.awaited(w)
	return true
}
