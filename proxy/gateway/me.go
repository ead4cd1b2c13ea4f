package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"portico/proxy/fault"
	"portico/proxy/icws"
	"portico/proxy/upstream"
	"portico/translate"
	"portico/translate/htccapi"
)

// Me is an agent with every sub-resource that Portico keeps. Callers share it and must not change
// it.
type Me struct {
	User     htccapi.User
	Devices  []htccapi.Device
	Channels []htccapi.Channel
	Features []htccapi.Feature
}

// Me returns the agent. While the reader receives, that takes no upstream call.
//
// It fails with fault.Unauthenticated when the session is gone, else with the kind of the upstream
// failure. A site that cannot be reached is none: its channels are not in view.
func (g *Gateway) Me(ctx context.Context, a *Agent) (Me, error) {
	return a.part.show(ctx)
}

// AgentStates returns the states that the agent may choose, in the order of the site. The caller
// must not change the list. It fails as StatusMessages does.
func (g *Gateway) AgentStates(ctx context.Context, a *Agent) ([]htccapi.AgentStateSetting, error) {
	d, _, err := a.part.lists(ctx)
	if err != nil {
		return nil, err
	}
	return d.AgentStates(), nil
}

// show returns what /me shows: the state kept by the reader while it receives, else what one read
// for all who ask together says.
func (p *part) show(ctx context.Context) (Me, error) {
	_, err := p.ready(ctx)
	if err != nil {
		return Me{}, err
	}
	p.mu.Lock()
	me, current := p.me, p.lost || p.currentLocked()
	p.mu.Unlock()
	if current {
		p.avoided()
		return me, nil
	}
	err = p.once(ctx, "refresh", p.refresh)
	if err != nil {
		return Me{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.me, nil
}

// showLocked makes what /me shows follow the state, once for all who read it.
func (p *part) showLocked() {
	rules := p.site.Rules
	p.view = rules.View(p.state, p.directory.Directory)
	p.me = Me{
		User:    rules.User(p.agent.session.Login, p.conn.UserID, p.conn.DisplayName),
		Devices: []htccapi.Device{}, Channels: p.view.Channels, Features: rules.Features(p.state),
	}
	if p.view.Device != nil {
		p.me.Devices = append(p.me.Devices, *p.view.Device)
	}
}

// avoided counts the reads that a caller's would have been without the reader.
func (p *part) avoided() {
	p.site.metrics.Avoided(icws.OpGetUserStatus, upstream.LiveState)
	if p.site.needsActivations() {
		p.site.metrics.Avoided(icws.OpGetActivations, upstream.LiveState)
	}
}

// refresh reads the state while nothing is pushed. A site that cannot be reached takes its channels
// out of view, and is back with the next read or message.
func (p *part) refresh(ctx context.Context) error {
	told := p.toldSoFar()
	got, err := p.read(ctx)
	if errors.Is(err, fault.Unreachable) {
		p.outOfReach()
		return nil
	}
	if err != nil {
		return fmt.Errorf("gateway: refresh the agent's state: %w", err)
	}
	p.redirect()
	p.update(func(s translate.AgentState, d *translate.Directory) (translate.AgentState, translate.Heard) {
		if !p.lost {
			s.Link = translate.Connected
		}
		p.readAt = time.Now()
		if p.told == told {
			s.Activations = got.activations
		}
		return p.site.Rules.HeardStatus(s, p.asOfLocked(told, got.status), d)
	})
	return nil
}

// outOfReach takes the site's channels out of view, unless messages show that it is there after all.
func (p *part) outOfReach() {
	p.update(func(s translate.AgentState, _ *translate.Directory) (translate.AgentState, translate.Heard) {
		if !p.currentLocked() {
			s.Link = translate.Unreachable
		}
		return s, translate.Heard{}
	})
}
