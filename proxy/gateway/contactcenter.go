package gateway

import (
	"context"
	"errors"
	"time"

	"portico/proxy/fault"
	"portico/translate"
	"portico/translate/htccapi"
)

// An Outcome is what became of an operation on several channels. Without Failed all succeeded.
type Outcome struct {
	Succeeded []htccapi.ChannelResult
	Failed    []htccapi.ChannelResult
}

// StartContactCenterSession makes the channels asked for the agent's, and the others LoggedOut.
// It fails as SetAgentState does; with fault.NotFound when the agent has none of the channels.
func (g *Gateway) StartContactCenterSession(ctx context.Context, a *Agent, channels []htccapi.MediaChannel) (Outcome, error) {
	plan, err := a.part.write(ctx, func(s translate.AgentState, d *translate.Directory) (translate.Plan, error) {
		return a.part.site.Rules.PlanStart(s, d, channels)
	})
	if err != nil {
		return Outcome{}, err
	}
	if plan.Warning != "" {
		a.part.warn("a session was started without its status", errors.New(plan.Warning))
	}
	outcome := Outcome{Failed: plan.Refused}
	for _, channel := range plan.Next.Started {
		outcome.Succeeded = append(outcome.Succeeded, htccapi.ChannelResult{Channel: channel})
	}
	return outcome, nil
}

// endWithin is how long the end of a session waits for the completion of the status it set: a
// session that is gone hears nothing any more.
const endWithin = 3 * time.Second

// EndContactCenterSession takes the agent out of work at the site and ends the session, for all
// who share it. If the site refuses that, the session goes on and the error says why; a site that
// cannot be reached keeps nobody logged in.
func (g *Gateway) EndContactCenterSession(ctx context.Context, a *Agent) error {
	release, err := a.part.alone(ctx)
	if err != nil {
		return err
	}
	// Held to the end: a write between the two would put an agent back to work who then is gone.
	defer release()
	err = a.part.takeOut(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	g.end(a, endByAgent)
	return nil
}

// takeOut takes the agent out of work before the session ends. The caller holds writing.
func (p *part) takeOut(ctx context.Context) error {
	plan, accepted, err := p.accept(ctx, func(s translate.AgentState, d *translate.Directory) (translate.Plan, error) {
		return p.site.Rules.PlanEnd(s, d), nil
	})
	kind := fault.KindOf(err)
	if err != nil && (kind == fault.Unreachable || kind == fault.Timeout) {
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
		err = p.wait(ctx, accepted)
	}
	if fault.KindOf(err) == fault.BadUpstream {
		return err
	}
	p.restoreActivations(ctx)
	return nil
}

// restoreActivations puts the agent's activations back to what they were at log-in, if the settings
// want it and no work is routed to the agent.
func (p *part) restoreActivations(ctx context.Context) {
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
