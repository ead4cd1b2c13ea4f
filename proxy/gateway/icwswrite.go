package gateway

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"portico/proxy/fault"
	"portico/proxy/icws"
	"portico/translate"
	"portico/translate/icwsapi"
)

// completionWithin is how long a completion may take before a read of the status decides.
const completionWithin = 10 * time.Second

// set carries out a state operation.
func (p *icwsPart) set(ctx context.Context, ask Ask) ([]result, error) {
	covered := p.covered(ask.Channel)
	if len(p.agent.parts) > 1 && len(covered) == 0 {
		return nil, nil // nothing here counts: the other site's channels do
	}
	_, err := p.write(ctx, func(s translate.AgentState, d *translate.Directory) (translate.Plan, error) {
		return p.site.Rules.Plan(s, d, ask.Request)
	})
	if err != nil {
		return nil, err
	}
	return each(covered, nil), nil
}

// A write is a status change that the site accepted.
type write struct {
	requestID string
	statusID  string
	plan      translate.Plan
	number    int                   // of the plan, counted in part.plans
	same      bool                  // what is shown was so before
	done      chan struct{}         // closed when it completed, or was found to have failed
	failed    *translate.Completion // set before done is closed, nil on success
}

// A planner works out how to change the agent's state.
type planner func(translate.AgentState, *translate.Directory) (translate.Plan, error)

// write makes a plan and carries it out, while no other write of the agent does.
func (p *icwsPart) write(ctx context.Context, plan planner) (translate.Plan, error) {
	made, accepted, err := p.writeAlone(ctx, plan)
	if err == nil && accepted != nil && p.agent.gateway.fleet != nil {
		p.settle(ctx, accepted)
	}
	if err != nil || accepted == nil || !p.site.WaitCompleted {
		return made, err
	}
	return made, p.wait(ctx, accepted)
}

// writeAlone is write up to the site's acceptance.
func (p *icwsPart) writeAlone(ctx context.Context, plan planner) (translate.Plan, *write, error) {
	release, err := p.alone(ctx)
	if err != nil {
		return translate.Plan{}, nil, err
	}
	defer release()
	return p.accept(ctx, plan)
}

// accept makes a plan and carries it out up to the site's acceptance. When the upstream session turns
// out to be gone it plans anew on the state that a new one brings. The caller holds writing.
func (p *icwsPart) accept(ctx context.Context, plan planner) (translate.Plan, *write, error) {
	// A caller who leaves must not stop a plan half way.
	ctx = context.WithoutCancel(ctx)
	for again := false; ; again = true {
		d, err := p.upToDate(ctx)
		if err != nil {
			return translate.Plan{}, nil, err
		}
		conn := p.connection()
		made, accepted, err := p.planAndCarryOut(ctx, conn, plan, d.Directory)
		if !errors.Is(err, icws.ErrSessionGone) || again {
			return made, accepted, notAgain(err)
		}
		_, err = p.rejoin(ctx, conn)
		if err != nil {
			return translate.Plan{}, nil, err
		}
	}
}

// upToDate makes sure that the state is one to plan on: recovered from an outage, also from one that
// is found only when it is read. The caller holds writing.
func (p *icwsPart) upToDate(ctx context.Context) (*directory, error) {
	_, err := p.restore(ctx)
	if err != nil {
		return nil, err
	}
	err = p.freshen(ctx)
	if err != nil {
		return nil, err
	}
	return p.restore(ctx)
}

// freshFor is how long after a read a plan may be made on it while nothing tells of changes.
const freshFor = time.Second

// freshen reads the state if nothing tells of changes: other clients may have activated workgroups,
// whose work a plan must not offer to an agent who did not ask for it.
func (p *icwsPart) freshen(ctx context.Context) error {
	p.mu.Lock()
	fresh := p.knownLocked() || time.Since(p.readAt) < freshFor && p.agent.readsHere()
	p.mu.Unlock()
	if fresh {
		return nil
	}
	return p.refresh(ctx)
}

// planAndCarryOut makes a plan on the state as it is, and its calls on conn, which brought that state. It
// returns the write whose completion is to come, nil if the plan set no status. The caller holds writing.
func (p *icwsPart) planAndCarryOut(ctx context.Context, conn icws.Conn, plan planner, d *translate.Directory) (translate.Plan, *write, error) {
	p.holdMessages()
	defer p.letMessagesGo()
	state, err := p.planOn(ctx)
	if err != nil {
		return translate.Plan{}, nil, err
	}
	made, err := plan(state, d)
	if err != nil {
		return translate.Plan{}, nil, refusal(err)
	}
	accepted, err := p.carryOut(ctx, conn, made)
	return made, accepted, err
}

// carryOut makes a plan's calls. If one fails, those before it are undone. The caller holds writing, and
// messages back.
func (p *icwsPart) carryOut(ctx context.Context, conn icws.Conn, plan translate.Plan) (*write, error) {
	requestID := ""
	for i, call := range plan.Calls {
		id, err := p.send(ctx, conn, call)
		if err != nil {
			p.letMessagesGo() // what comes next reads the state
			return nil, p.failed(ctx, conn, plan, i, err)
		}
		requestID = id
	}
	return p.sent(plan, requestID), nil
}

// holdMessages keeps messages about the agent's state back while a plan is made and carried out. Each of
// them tells a half of what the plan leads to, which the agent would be told of as if it were something
// else.
func (p *icwsPart) holdMessages() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holding = true
}

func (p *icwsPart) letMessagesGo() {
	p.mu.Lock()
	held := p.held
	p.holding, p.held = false, nil
	p.mu.Unlock()
	for _, message := range held {
		p.hear(message)
	}
}

// beneathLocked takes what has been held back about activations, which the plan's own lie over: they
// were set later.
func (p *icwsPart) beneathLocked(s translate.AgentState, plan translate.Plan, d *translate.Directory) translate.AgentState {
	p.held = slices.DeleteFunc(p.held, func(message icwsapi.Message) bool {
		_, about := message.(icwsapi.UserActivationMessage)
		if about {
			p.told++
			s, _ = p.site.Rules.Heard(s, message, d)
			p.full.add(message, s.UserID)
		}
		return about
	})
	for _, call := range plan.Calls {
		if call.Activations != nil {
			s = s.WithActivations(call.Activations)
		}
	}
	return s
}

// isHeld keeps a message back while a plan is carried out, and reports whether it did.
func (p *icwsPart) isHeld(message icwsapi.Message) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.holding {
		return false
	}
	p.held = append(p.held, message)
	return true
}

// send makes one call; for a status it returns the id of the request.
func (p *icwsPart) send(ctx context.Context, conn icws.Conn, call translate.Call) (string, error) {
	if call.Activations != nil {
		return "", p.setActivations(ctx, conn, call.Activations)
	}
	return p.site.ICWS.SetUserStatus(ctx, conn, conn.UserID, *call.Status)
}

// setActivations sets activations, and notes when: also if it fails, since it may have arrived.
func (p *icwsPart) setActivations(ctx context.Context, conn icws.Conn, activations map[string]bool) error {
	err := p.site.ICWS.SetActivations(ctx, conn, conn.UserID, activations)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.activated = time.Now()
	return err
}

// echoFor is how long messages about activations that we set may still be on their way.
const echoFor = 5 * time.Second

// planOn returns the state to plan on. When activations were set a moment ago, as an operation and
// then its undo do, messages may have told what held in between. A plan made on that could leave a
// workgroup activated that it takes for inactive, so the site is asked.
func (p *icwsPart) planOn(ctx context.Context) (translate.AgentState, error) {
	p.mu.Lock()
	state, echoes := p.state, time.Since(p.activated) < echoFor
	p.mu.Unlock()
	if !echoes {
		return state, nil
	}
	activations, err := p.readActivations(ctx)
	if err != nil {
		return state, fmt.Errorf("gateway: read activations before a plan: %w", err)
	}
	state.Activations = activations
	return state, nil
}

// sent notes that all calls of a plan were accepted. It returns the write to wait for.
func (p *icwsPart) sent(plan translate.Plan, requestID string) *write {
	var w *write
	var before translate.View
	// What is wanted shows at once, and is told when the site has confirmed it.
	p.change(func(s translate.AgentState, d *translate.Directory) (translate.AgentState, translate.Heard) {
		before = p.view
		next, heard := s.Sent(plan, requestID)
		next = p.beneathLocked(next, plan, d)
		w = p.writtenLocked(plan, requestID)
		return next, heard
	}, false)
	p.compare(w, before)
	p.see(w)
	return w
}

// compare notes of a write whether it changes what is shown.
func (p *icwsPart) compare(w *write, before translate.View) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w != nil {
		w.same = reflect.DeepEqual(before.Devices, p.view.Devices) && reflect.DeepEqual(before.Channels, p.view.Channels)
	}
}

// writtenLocked notes a plan that was carried out, and returns the write to wait for, nil if it set no
// status.
func (p *icwsPart) writtenLocked(plan translate.Plan, requestID string) *write {
	p.plans++
	if requestID == "" {
		return nil
	}
	w := &write{requestID: requestID, statusID: statusOf(plan), plan: plan, number: p.plans, done: make(chan struct{})}
	p.writes[requestID] = w
	return w
}

// see has a write seen to its end, if there is one.
func (p *icwsPart) see(w *write) {
	if w == nil {
		return
	}
	p.hurry()
	p.agent.start(func() { p.follow(w) })
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
	for _, call := range plan.Calls {
		if call.Status != nil {
			return call.Status.StatusID
		}
	}
	return ""
}

// finishLocked tells the writes that are no longer pending that they are done.
func (p *icwsPart) finishLocked(heard translate.Heard) {
	if len(p.writes) == 0 {
		return
	}
	pending := map[string]bool{}
	for _, one := range p.state.Pending {
		pending[one.RequestID] = true
	}
	for id, w := range p.writes {
		if pending[id] {
			continue
		}
		if heard.Failed != nil && heard.Failed.RequestID == id {
			w.failed = heard.Failed
		}
		delete(p.writes, id)
		close(w.done)
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
	if w.failed == nil {
		return nil
	}
	return &fault.Error{Kind: fault.BadUpstream, Public: "the contact centre refused the change after accepting it",
		Err: refusedLater(w.failed)}
}

func refusedLater(c *translate.Completion) error {
	return fmt.Errorf("gateway: request %q completed with error %q: %s", c.RequestID, c.Error.ErrorID, c.Error.Message)
}

// follow sees a write to its end: if no completion comes, a read decides; if it failed, the
// activations that went before it are put back.
func (p *icwsPart) follow(w *write) {
	if !p.completes(w) {
		return
	}
	if w.failed == nil {
		return
	}
	p.warn("a state change failed after it was accepted", refusedLater(w.failed))
	release, err := p.alone(p.agent.life)
	if err != nil {
		return
	}
	defer release()
	if !p.isLatest(w) {
		return // a later plan built on the activations of this one
	}
	err = p.undo(p.agent.life, p.connection(), w.plan.Undo(len(w.plan.Calls)))
	if err != nil {
		p.warn("activations were not put back", err)
	}
}

// completes waits for the completion, and decides without one when it is overdue; false if the session
// has ended.
func (p *icwsPart) completes(w *write) bool {
	overdue, ask := time.After(completionWithin), (<-chan time.Time)(nil)
	if p.isUnread() {
		ask = time.After(askAfter)
	}
	for {
		select {
		case <-w.done:
			return true
		case <-p.agent.life.Done():
			return false
		case <-ask:
			_ = p.drain(p.agent.life) // what cannot be had now is decided when it is overdue
		case <-overdue:
			p.decide(w)
			return true
		}
	}
}

func (p *icwsPart) isLatest(w *write) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.plans == w.number
}

// decide reads the status once, in place of a completion that did not come. If it cannot be read,
// what was heard last counts.
func (p *icwsPart) decide(w *write) {
	ctx, cancel := context.WithTimeout(p.agent.life, readTimeout)
	defer cancel()
	told := p.toldSoFar()
	read, err := p.readStatus(ctx)
	p.update(func(s translate.AgentState, d *translate.Directory) (translate.AgentState, translate.Heard) {
		status := s.Status
		if err == nil {
			status = p.asOfLocked(told, read)
		}
		return p.site.Rules.Decided(s, w.requestID, status, d)
	})
}
