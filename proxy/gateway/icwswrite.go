package gateway

import (
	"context"
	"errors"
	"time"

	"portico/proxy/catalogues"
	"portico/proxy/icws"
	"portico/translate"
)

// set carries out a state operation.
func (p *icwsPart) set(ctx context.Context, ask Ask) ([]result, error) {
	if ask.Channel == "" {
		err := p.makeUp(ctx, ask.Operation)
		if err != nil {
			return nil, err
		}
	}
	channels := covered(p, ask)
	if len(p.agent.parts) > 1 && len(channels) == 0 && !isDND(ask.Operation) {
		return nil, nil // nothing here counts: the other site's channels do
	}
	_, err := p.write(ctx, func(s translate.AgentState, d *translate.Directory) (translate.Plan, error) {
		return p.site.Rules.Plan(s, d, ask.Request)
	})
	if err != nil {
		return nil, err
	}
	if ask.Channel != "" {
		p.wanted(ask.Channel)
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
	fresh := p.knownLocked() || p.freshLocked()
	p.mu.Unlock()
	if fresh {
		return nil
	}
	return p.refresh(ctx)
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
