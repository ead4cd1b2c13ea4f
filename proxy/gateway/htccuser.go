package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"portico/proxy/htcc"
	"portico/proxy/states"
	"portico/translate/htccapi"
)

// embedded are the members of an agent object that are sub-resources.
var embedded = []string{htccapi.SubDevices, htccapi.SubChannels, "channelStates", htccapi.SubFeatures, htccapi.SubSkills,
	htccapi.SubCalls, htccapi.SubInteractions, htccapi.SubChats, htccapi.SubSettings}

// user returns the agent object of the log-in. Sub-resources other than features are not kept: they
// are read when they are asked for; if that fails the rest comes with the error.
func (p *htccPart) user(ctx context.Context, subresources []string) (person, error) {
	p.mu.Lock()
	object, begun, over := p.object, p.begun, p.over
	p.mu.Unlock()
	if !begun {
		err := p.refresh(ctx)
		if err != nil {
			return person{unread: !over && len(subresources) > 0}, err
		}
		p.mu.Lock()
		object = p.object
		p.mu.Unlock()
	}
	who := person{object: object.Without(embedded...), features: featuresOf(object), more: map[string]any{}}
	read := slices.DeleteFunc(slices.Clone(subresources), func(name string) bool {
		return !slices.Contains([]string{htccapi.SubSkills, htccapi.SubCalls, htccapi.SubInteractions, htccapi.SubChats, htccapi.SubSettings}, name)
	})
	if len(read) == 0 {
		return who, nil
	}
	err := p.call(ctx, func(s *htcc.Session) error {
		user, err := p.site.HTCC.Me(ctx, s, read...)
		for _, name := range read {
			if value := user.Get(name); value != nil {
				who.more[name] = value
			}
		}
		return err
	})
	if err != nil {
		who.unread = !over // where the part has ended nothing goes on
		return who, fmt.Errorf("gateway: read sub-resources: %w", err)
	}
	return who, nil
}

// UnlistedChannel reads a channel that the agent's devices and channels do not show, as they may not voice, at the HTCC
// site that has it; false if no such site is in view. It fails with fault.NotFound if the site does not have it either,
// else as Me does.
func (g *Gateway) UnlistedChannel(ctx context.Context, a *Agent, name htccapi.MediaChannel) (Resource, bool, error) {
	p, isHTCC := a.owner(name).(*htccPart)
	if !isHTCC || !p.inView() {
		return Resource{}, false, nil
	}
	var channel htcc.Channel
	err := p.call(ctx, func(s *htcc.Session) error {
		var err error
		channel, err = p.site.HTCC.Channel(ctx, s, name)
		return err
	})
	return Resource{ID: string(name), Body: channel.Object.Without(memberDND)}, true, err
}

func (p *htccPart) inView() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.away && !p.over
}

// featuresOf returns the features of an agent object.
func featuresOf(object htcc.Object) []Resource {
	var list []htcc.Object
	err := json.Unmarshal(object.Get(htccapi.SubFeatures), &list)
	if err != nil {
		return nil // none, or none that could be told apart
	}
	var features []Resource
	for _, one := range list {
		features = append(features, Resource{ID: one.Text("id"), Body: one})
	}
	return features
}

// states returns the site's agent states, read once a session: only administrators change them.
func (p *htccPart) states(ctx context.Context) ([]states.State, error) {
	p.mu.Lock()
	known := p.known
	p.mu.Unlock()
	if known != nil {
		return known, nil
	}
	known, err := once(ctx, &p.agent.gateway.reads, p.agent.life, readOf(p, "states"), func(ctx context.Context) ([]states.State, error) {
		known := []states.State{}
		err := p.call(ctx, func(s *htcc.Session) error {
			list, err := p.site.HTCC.AgentStates(ctx, s)
			for _, one := range list {
				known = append(known, states.State{AgentStateSetting: one.Setting(), Body: one.Object})
			}
			return err
		})
		return known, err
	})
	if err != nil {
		return nil, fmt.Errorf("gateway: read agent states: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known = known
	return known, nil
}
