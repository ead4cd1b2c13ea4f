package gateway

import (
	"context"
	"fmt"
	"slices"
	"time"

	"portico/proxy/icws"
	"portico/translate"
	"portico/translate/icwsapi"
)

// A planner works out how to change the agent's state.
type planner func(translate.AgentState, *translate.Directory) (translate.Plan, error)

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

// letMessagesGo hears what was held back. What comes meanwhile is heard behind it: a status that is heard
// after a later one would be taken for what the agent did last.
func (p *icwsPart) letMessagesGo() {
	for {
		p.mu.Lock()
		held := p.held
		p.held = nil
		p.holding = len(held) > 0
		p.mu.Unlock()
		if len(held) == 0 {
			return
		}
		for _, message := range held {
			p.follow(message)
		}
	}
}

// beneathLocked takes what has been held back about activations, which the plan's own lie over: they
// were set later.
func (p *icwsPart) beneathLocked(s translate.AgentState, plan translate.Plan, d *translate.Directory) translate.AgentState {
	p.held = slices.DeleteFunc(p.held, func(message icwsapi.Message) bool {
		_, about := message.(icwsapi.UserActivationMessage)
		if about {
			p.moments.told++
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
	var before *translate.View // nil if nobody asks for it
	// What is wanted shows at once, and is told when the site has confirmed it.
	p.change(func(s translate.AgentState, d *translate.Directory) (translate.AgentState, translate.Heard) {
		if p.agent.gateway.fleet != nil {
			before = p.viewLocked()
		}
		next, heard := s.Sent(plan, requestID)
		next = p.beneathLocked(next, plan, d)
		p.moments.outdate()
		w = p.writtenLocked(plan, requestID)
		return next, heard
	}, false)
	if w != nil && before != nil {
		p.compare(w, before)
	}
	p.awaited(w)
	return w
}

// compare notes of a write whether it changes what is shown.
func (p *icwsPart) compare(w *write, before *translate.View) {
	p.mu.Lock()
	defer p.mu.Unlock()
	after := p.viewLocked()
	w.same = before.SameDevices(*after) && before.SameChannels(*after)
}
