package gateway

import (
	"context"
	"errors"
	"slices"
	"time"

	"portico/proxy/fault"
	"portico/proxy/upstream"
	"portico/translate"
	"portico/translate/htccapi"
)

// start makes channels the agent's at the site, and the others LoggedOut.
func (p *icwsPart) start(ctx context.Context, channels []htccapi.MediaChannel, _ Ask) ([]result, error) {
	plan, err := p.write(ctx, func(s translate.AgentState, d *translate.Directory) (translate.Plan, error) {
		return p.site.Rules.PlanStart(s, d, channels)
	})
	if err != nil {
		p.owes(channels, Ask{})
		return nil, err
	}
	p.setOwed(nil)
	if plan.Warning != "" {
		p.warn("a session was started without its status", errors.New(plan.Warning))
	}
	results := each(plan.Next.Started, nil)
	for _, refused := range plan.Refused {
		results = append(results, result{refused.Channel, fault.New(fault.NotFound, refused.StatusMessage)})
	}
	return results, nil
}

// owes notes a Start that could not be carried out here. Of an agent's only site nothing is owed: the whole Start has
// failed.
func (p *icwsPart) owes(channels []htccapi.MediaChannel, _ Ask) {
	if len(p.agent.parts) > 1 {
		p.setOwed(append([]htccapi.MediaChannel{}, channels...)) // none is not nil
	}
}

func (p *icwsPart) setOwed(channels []htccapi.MediaChannel) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.owed = channels
	p.starts++
}

// wanted notes that the agent has set a channel themselves: a Start that is owed does not take them from it any more.
func (p *icwsPart) wanted(channel htccapi.MediaChannel) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.owed != nil && !slices.Contains(p.owed, channel) {
		p.owed = append(slices.Clone(p.owed), channel)
	}
}

// makeUp carries out a Start that failed, before an operation on all channels: that must offer no work on one which
// the Start was to take the agent from. What offers none is carried out in any case.
func (p *icwsPart) makeUp(ctx context.Context, op htccapi.Operation) error {
	p.mu.Lock()
	owed := p.owed
	p.mu.Unlock()
	if owed == nil {
		return nil
	}
	_, err := p.start(ctx, owed, Ask{})
	if offersNone(op) {
		return nil
	}
	return err
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
	err = p.takeOut(context.WithoutCancel(ctx))
	if err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// takeOut takes the agent out of work before the session ends. The caller holds writing.
func (p *icwsPart) takeOut(ctx context.Context) error {
	plan, accepted, err := p.accept(ctx, func(s translate.AgentState, d *translate.Directory) (translate.Plan, error) {
		return p.site.Rules.PlanEnd(s, d), nil
	})
	if upstream.IsAway(err) || errors.Is(err, fault.Unauthenticated) { // nobody is there, or lets us in, to be told anything
		return nil
	}
	if err != nil {
		return err
	}
	if plan.Warning != "" {
		p.warn("a session ends in work", errors.New(plan.Warning))
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
	p.restoreActivations(ctx)
	return nil
}

// restoreActivations puts the agent's activations back to what they were at log-in, if the settings
// want it and no work is routed to the agent.
func (p *icwsPart) restoreActivations(ctx context.Context) {
	p.mu.Lock()
	restore := p.site.Rules.PlanRestore(p.state, p.atLogin)
	p.mu.Unlock()
	if len(restore) == 0 {
		return
	}
	conn := p.connection()
	routed, err := p.routed(ctx, conn)
	if err == nil && routed {
		err = errors.New("the status routes work to the agent")
	}
	if err == nil {
		err = p.putBack(ctx, conn, restore)
	}
	if err != nil {
		p.warn("activations stay as they are at the end of a session", err)
	}
}

// has returns the channels that the agent has here.
func (p *icwsPart) has() []htccapi.MediaChannel {
	p.mu.Lock()
	state, begun := p.state, p.begun
	p.mu.Unlock()
	if begun {
		return append([]htccapi.MediaChannel{}, p.site.Rules.ChannelNames(state)...) // none is not nil
	}
	return p.covered("")
}

// covered returns the channels that an operation on channel covers, on all that count if it is "".
// Before the state was read, the settings say which they may be.
func (p *icwsPart) covered(channel htccapi.MediaChannel) []htccapi.MediaChannel {
	if channel != "" {
		return []htccapi.MediaChannel{channel}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	state := p.state
	if p.begun {
		return slices.DeleteFunc(p.site.Rules.ChannelNames(state), func(name htccapi.MediaChannel) bool { return state.Wishes[name].LoggedOut })
	}
	var names []htccapi.MediaChannel
	for _, one := range p.site.Rules.Channels {
		if !slices.Contains(p.elsewhere, one.Name) {
			names = append(names, one.Name)
		}
	}
	return names
}
