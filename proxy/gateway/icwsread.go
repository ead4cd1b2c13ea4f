package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"portico/proxy/fault"
	"portico/proxy/icws"
	"portico/proxy/upstream"
	"portico/translate"
	"portico/translate/htccapi"
)

// show returns what /me shows: the state kept by the reader while it receives, else what one read
// for all who ask together says.
func (p *icwsPart) show(ctx context.Context) (shown, error) {
	_, err := p.ready(ctx)
	if err != nil {
		return shown{}, err
	}
	p.mu.Lock()
	view, current := p.view, p.synced || p.lost || p.over
	p.mu.Unlock()
	if current {
		p.avoided()
		return view, nil
	}
	err = once(ctx, &p.reads, p.agent.life, "refresh", p.refresh)
	if err != nil {
		return shown{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.view, nil
}

// resources returns a view as resources.
func resources(view translate.View) shown {
	var all shown
	for _, channel := range view.Channels {
		all.channels = append(all.channels, Resource{ID: string(channel.Channel), Body: channel})
	}
	if view.Device != nil {
		all.devices = []Resource{{ID: view.Device.ID, Body: *view.Device}}
	}
	return all
}

// user returns the agent object and features. The site has no other sub-resources.
func (p *icwsPart) user(ctx context.Context, _ []string) (any, []Resource, map[string]any, error) {
	_, err := p.ready(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	p.mu.Lock()
	conn, state := p.conn, p.state
	p.mu.Unlock()
	var features []Resource
	for _, feature := range p.site.Rules.Features(state) {
		features = append(features, Resource{ID: feature.ID, Body: feature})
	}
	return p.site.Rules.User(p.agent.Login(), conn.UserID, conn.DisplayName), features, nil, nil
}

// states returns the states that the agent may choose.
func (p *icwsPart) states(ctx context.Context) ([]state, error) {
	d, err := p.ready(ctx)
	if err != nil {
		return nil, err
	}
	var list []state
	for _, setting := range d.AgentStates() {
		list = append(list, state{AgentStateSetting: setting, body: setting})
	}
	return list, nil
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

// avoided counts the reads that a caller's would have been without the reader.
func (p *icwsPart) avoided() {
	p.site.metrics.Avoided(icws.OpGetUserStatus, upstream.LiveState)
	if p.site.needsActivations() {
		p.site.metrics.Avoided(icws.OpGetActivations, upstream.LiveState)
	}
}

// refresh reads the state while nothing is pushed. A site that cannot be reached takes its channels
// out of view, and is back with the next read or message.
func (p *icwsPart) refresh(ctx context.Context) error {
	got, err := p.read(ctx)
	if errors.Is(err, fault.Unreachable) {
		p.setLink(translate.Unreachable)
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
		s.Activations = got.activations
		return p.site.Rules.HeardStatus(s, got.status, d)
	})
	return nil
}
