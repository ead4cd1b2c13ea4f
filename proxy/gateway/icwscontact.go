package gateway

import (
	"context"
	"errors"
	"time"

	"portico/proxy/fault"
	"portico/proxy/upstream"
	"portico/translate"
	"portico/translate/htccapi"
)

// start makes channels the agent's at the site, and the others LoggedOut. Until it has worked it is owed.
func (p *icwsPart) start(ctx context.Context, channels []htccapi.MediaChannel, _ Ask) ([]result, error) {
	p.owe(channels) // for what the agent does while this waits
	number := 0
	plan, err := p.write(ctx, func(s translate.AgentState, d *translate.Directory) (translate.Plan, error) {
		number = p.owe(channels) // once more, where no other Start is under way
		return p.site.Rules.PlanStart(s, d, channels)
	})
	if err != nil && number == 0 {
		p.owe(channels)
	}
	if err != nil {
		p.amend(false)
		return nil, err
	}
	p.paid(number)
	if plan.Warning != "" {
		p.warn("a session was started without its status", errors.New(plan.Warning))
	}
	results := each(plan.Next.Started, nil)
	for _, refused := range plan.Refused {
		results = append(results, result{refused.Channel, fault.New(fault.NotFound, refused.StatusMessage)})
	}
	return results, nil
}

// oweStart notes a Start that could not be tried here.
func (p *icwsPart) oweStart(channels []htccapi.MediaChannel, _ Ask) {
	p.owe(channels)
	p.amend(false)
}

// endWithin is how long the end of a session waits for the completion of the status it set: a
// session that is gone hears nothing any more.
const endWithin = 3 * time.Second

// finish takes the agent out of work at the site. No other change of their state is made until the
// caller releases it: a write in between would put an agent back to work who then is gone.
func (p *icwsPart) finish(ctx context.Context) (func(), error) {
	release, err := p.alone(ctx)
	if err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx)
	err = patiently(ctx, func() error { return p.takeOut(ctx) })
	if err != nil && !upstream.IsAway(err) {
		release()
		return nil, err
	}
	p.setAtWork(err)
	return func() {
		if p.agent.lives() { // the End has failed at another site
			p.setAtWork(nil)
		}
		release()
	}, nil
}

// takeOut takes the agent out of work before the session ends. It may be done again. The caller holds writing.
func (p *icwsPart) takeOut(ctx context.Context) error {
	plan, accepted, err := p.accept(ctx, func(s translate.AgentState, d *translate.Directory) (translate.Plan, error) {
		return p.site.Rules.PlanEnd(s, d), nil
	})
	if errors.Is(err, fault.Unauthenticated) { // nobody lets us in to be told anything
		return nil
	}
	if err != nil {
		return err
	}
	if plan.Warning != "" {
		p.warn(textInWork, errors.New(plan.Warning))
	}
	if accepted != nil {
		ctx, cancel := context.WithTimeout(ctx, endWithin)
		defer cancel()
		if !p.agent.readsHere() { // it would not hear of the completion
			p.settle(ctx, accepted)
		} else {
			err = p.wait(ctx, accepted)
		}
	}
	if fault.KindOf(err) == fault.BadUpstream {
		return err
	}
	return p.restoreActivations(ctx)
}

// restoreActivations puts the agent's activations back to what they were at log-in, if the settings
// want it and no work is routed to the agent. It fails if the site is away alone.
func (p *icwsPart) restoreActivations(ctx context.Context) error {
	p.mu.Lock()
	restore := p.site.Rules.PlanRestore(p.state, p.atLogin)
	p.mu.Unlock()
	if len(restore) == 0 {
		return nil
	}
	conn := p.connection()
	routed, err := p.routed(ctx, conn)
	if err == nil && routed {
		err = errRouted
	}
	if err == nil {
		err = p.putBack(ctx, conn, restore)
	}
	if upstream.IsAway(err) {
		return err
	}
	if err != nil {
		p.warn(textStayActive, err)
	}
	return nil
}

const (
	textInWork     = "a session ends in work"
	textStayActive = "activations stay as they are at the end of a session"
)
