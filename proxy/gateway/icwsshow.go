package gateway

import (
	"context"
	"slices"
	"time"

	"portico/proxy/clock"
	"portico/proxy/icws"
	"portico/proxy/states"
	"portico/proxy/upstream"
	"portico/translate"
	"portico/translate/htccapi"
)

// show returns what /me shows: the state kept by the reader while it receives, else what one read
// for all who ask together says.
func (p *icwsPart) show(ctx context.Context) (shown, error) {
	if p.endedUnread() {
		return p.kept(), nil
	}
	err := p.recoveredHere(ctx)
	if err != nil {
		return shown{}, err
	}
	p.mu.Lock()
	view, current := p.pushedLocked(), p.mayShowLocked()
	p.mu.Unlock()
	if current {
		p.avoided()
		return view, nil
	}
	err = p.refresh(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil && p.link.over != "" { // as the read has found
		return p.pushedLocked(), nil
	}
	if err != nil {
		return shown{}, err
	}
	view = p.shownLocked()
	if p.asRead != nil {
		view = *p.asRead
	}
	view.age, view.from = time.Since(p.readAt), fromRead
	return view, nil
}

// endedUnread reports whether the part has ended before its state was read here, and another replica has told what is left
// in view.
func (p *icwsPart) endedUnread() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.begun && p.link.left != nil
}

// pushedLocked returns what is kept, and how old it is.
func (p *icwsPart) pushedLocked() shown {
	view := p.shownLocked()
	view.age, view.from = p.pulse().Since(p.readAt), fromPush
	return view
}

// recoveredHere makes sure that the state was read, and recovered from an outage that no reader is here to
// recover it from.
func (p *icwsPart) recoveredHere(ctx context.Context) error {
	_, err := p.ready(ctx)
	if err != nil || p.agent.readsHere() {
		return err
	}
	p.mu.Lock()
	lost := p.link.lost && p.link.over == ""
	p.mu.Unlock()
	if !lost {
		return nil
	}
	return p.restoreAlone(ctx)
}

// pulse returns that of the reader who keeps the state current.
func (p *icwsPart) pulse() *clock.Instant {
	if p.site.service != nil {
		return p.site.service.Pulse()
	}
	return &p.alive
}

// changedLocked makes what is seen follow the state, or what it is looked up in.
func (p *icwsPart) changedLocked() { p.view, p.shows = nil, nil } // and so nothing that was kept of it

// viewLocked returns what is seen of the state, made once for all who ask: a write changes the state three
// times, and of most agents nobody looks each time. Before the state was read nothing is seen, but what another replica has
// told of a part that ended. Nobody changes it.
func (p *icwsPart) viewLocked() *translate.View {
	switch {
	case p.view != nil:
	case p.begun:
		p.view = new(p.site.Rules.View(p.state, p.directory.Directory))
	case p.link.left != nil:
		return p.link.left
	default:
		return &nothingSeen
	}
	return p.view
}

var nothingSeen translate.View

// shownLocked returns what /me shows, made once for all who read it: more changes than not are pushed to
// applications that read no more.
func (p *icwsPart) shownLocked() shown {
	if p.shows == nil {
		p.shows = new(resources(*p.viewLocked()))
		if len(p.agent.parts) == 1 {
			p.shows.kept = new(Kept)
		}
	}
	return *p.shows
}

// avoided counts the reads that a caller's would have been without the reader.
func (p *icwsPart) avoided() {
	p.site.metrics.Avoided(icws.OpGetUserStatus, upstream.LiveState)
	if p.site.needsActivations() {
		p.site.metrics.Avoided(icws.OpGetActivations, upstream.LiveState)
	}
}

// absent returns what is left in view of a site that cannot be reached: the device, without a state.
func (p *icwsPart) absent() shown {
	p.agent.vanished(p)
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.begun {
		return p.shownLocked()
	}
	state := p.state
	state.Link = translate.Unreachable
	return resources(p.site.Rules.View(state, p.directory.Directory))
}

// resources returns a view as resources. Answers carry no dndState.
func resources(view translate.View) shown {
	var all shown
	for _, channel := range view.Channels {
		channel.DNDState = ""
		all.channels = append(all.channels, Resource{ID: string(channel.Channel), Body: channel})
	}
	for _, device := range view.Devices {
		all.devices = append(all.devices, Resource{ID: device.ID, Body: device})
	}
	return all
}

// user returns the agent object and features. The site has no other sub-resources.
func (p *icwsPart) user(ctx context.Context, _ []string) (person, error) {
	if !p.endedUnread() {
		_, err := p.ready(ctx)
		if err != nil {
			return person{}, err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.who == nil {
		p.who = p.site.Rules.User(p.agent.session.Login, p.link.conn.UserID, p.link.conn.DisplayName)
	}
	names := p.namesLocked()
	features := make([]Resource, 0, len(names))
	for _, channel := range names {
		features = append(features, p.site.features[channel])
	}
	return person{object: p.who, features: features}, nil
}

// namesLocked returns the channels that the agent has, or had when the part ended before its state was read here.
func (p *icwsPart) namesLocked() (names []htccapi.MediaChannel) {
	if p.begun {
		return p.site.Rules.ChannelNames(p.state)
	}
	for _, channel := range p.viewLocked().Channels {
		names = append(names, channel.Channel)
	}
	return names
}

// states returns the states that the agent may choose.
func (p *icwsPart) states(ctx context.Context) ([]states.State, error) {
	held, err := p.readLists(ctx)
	if err != nil {
		return nil, err
	}
	var list []states.State
	for _, setting := range held.directory.AgentStates() {
		list = append(list, states.State{AgentStateSetting: setting, Body: setting})
	}
	return list, nil
}

// barred returns the states of the site that the agent may not choose.
func (p *icwsPart) barred(ctx context.Context) ([]states.State, error) {
	held, err := p.readLists(ctx)
	if err != nil {
		return nil, err
	}
	d := held.directory
	var list []states.State
	for _, message := range d.Catalogue.Messages() {
		if !d.Choosable(message) {
			list = append(list, states.State{AgentStateSetting: d.SettingOf(message.StatusID)})
		}
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
