package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"portico/proxy/catalogues"
	"portico/proxy/icws"
	"portico/translate"
	"portico/translate/htccapi"
)

// set carries out a state operation.
func (p *icwsPart) set(ctx context.Context, ask Ask) ([]result, error) {
	if p.owesFor(ask.Channel) { // what offers work must offer none where the Start was to take the agent from
		err := p.makeUp(ctx, ask.Channel)
		if err != nil && !offersNone(ask.Operation) && ask.Operation != htccapi.Offline {
			return nil, err
		}
	}
	channels := coveredBy(p, ask)
	if len(p.agent.parts) > 1 && len(channels) == 0 && !isDND(ask.Operation) {
		return nil, nil // nothing here counts: the other site's channels do
	}
	refused := func() {}
	_, err := p.write(ctx, func(s translate.AgentState, d *translate.Directory) (translate.Plan, error) {
		plan, err := p.site.Rules.Plan(s, d, ask.Request)
		if err == nil && (ask.Channel != "" || ask.Operation == htccapi.Offline) {
			refused = p.wanted(channels, ask.Operation) // here, where no Start is made up for that would undo it
		}
		return plan, err
	})
	if err != nil && !mayHaveArrived(err) {
		refused()
	}
	if err != nil {
		return nil, err
	}
	return each(channels, nil), nil
}

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

// alone lets one change of the agent's state be made at a time, and has the end of the gateway wait
// for it. It fails with fault.Unauthenticated when the session has ended.
func (p *icwsPart) alone(ctx context.Context) (func(), error) { return p.agent.alone(ctx, p.writing) }

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
func (p *icwsPart) upToDate(ctx context.Context) (*catalogues.Directory, error) {
	_, err := p.restore(ctx)
	if err != nil {
		return nil, err
	}
	err = p.refreshForPlan(ctx)
	if err != nil {
		return nil, err
	}
	return p.restore(ctx)
}

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
