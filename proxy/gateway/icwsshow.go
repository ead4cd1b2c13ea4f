package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"portico/proxy/clock"
	"portico/proxy/fault"
	"portico/proxy/icws"
	"portico/proxy/states"
	"portico/proxy/upstream"
	"portico/translate"
)

// show returns what /me shows: the state kept by the reader while it receives, else what one read
// for all who ask together says.
func (p *icwsPart) show(ctx context.Context) (shown, error) {
	err := p.recoveredHere(ctx)
	if err != nil {
		return shown{}, err
	}
	p.mu.Lock()
	view, current := p.pushedLocked(), p.atHandLocked()
	p.mu.Unlock()
	if current {
		p.avoided()
		return view, nil
	}
	err = p.refresh(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil && p.over != "" { // as the read has found
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

// atHandLocked reports whether what is kept may be shown, without asking the site.
func (p *icwsPart) atHandLocked() bool {
	return p.lost || p.over != "" || p.knownLocked() || p.justBegunLocked()
}

// knownLocked reports whether what is held is what the site has, with what other replicas did there.
func (p *icwsPart) knownLocked() bool { return p.currentLocked() && time.Now().After(p.behindUntil) }

// freshLocked reports whether the whole state was read a moment ago, and nothing may have been changed since that only
// a read would show.
func (p *icwsPart) freshLocked() bool {
	return time.Since(p.readAt) < freshFor && p.agent.readsHere() && !p.moments.misses(p.readFrom)
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
	lost := p.lost && p.over == ""
	p.mu.Unlock()
	if !lost {
		return nil
	}
	return p.restoreAlone(ctx)
}

// justBegunLocked reports whether the state was read a moment ago and the part is still to be watched:
// what an application asks for at its log-in, one after the other, needs no read each. Where another
// replica watches it, the next request may follow a write there.
func (p *icwsPart) justBegunLocked() bool {
	return !p.watched && p.freshLocked()
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
// times, and of most agents nobody looks each time. Before the state was read nothing is seen. Nobody changes it.
func (p *icwsPart) viewLocked() *translate.View {
	if p.view == nil && p.begun {
		p.view = new(p.site.Rules.View(p.state, p.directory.Directory))
	}
	if p.view == nil {
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

// refresh reads the state while nothing is pushed. A site that cannot be reached takes its channels
// out of view, and is back with the next read or message.
func (p *icwsPart) refresh(ctx context.Context) error {
	err := p.afresh.do(ctx, p.agent.life, p.readAgain)
	if errors.Is(err, fault.Unreachable) {
		p.outOfReach()
		return nil
	}
	if err != nil {
		return fmt.Errorf("gateway: refresh the agent's state: %w", err)
	}
	return nil
}

func (p *icwsPart) readAgain(ctx context.Context) error {
	began := p.moment()
	got, err := p.read(ctx)
	if err != nil {
		return err
	}
	p.redirect()
	counts := false
	p.update(func(s translate.AgentState, d *translate.Directory) (translate.AgentState, translate.Heard) {
		p.asRead = nil
		if p.holding && !p.lost { // what was read may be half of a plan that is being carried out
			return s, translate.Heard{}
		}
		if !p.lost {
			s.Link = translate.Connected
		}
		p.readAt, p.readFrom = time.Now(), began
		if p.readAt.Before(p.behindUntil) {
			p.asRead = new(p.ofRead(got, s, d))
		}
		counts = !p.moments.isOld(began)
		if counts {
			s.Activations = got.activations
		}
		s, heard := p.site.Rules.HeardStatus(s, p.asOfLocked(began, got.status), d)
		return p.sureLocked(s, got, began), heard
	})
	if counts {
		p.decideLeft(began)
	}
	return nil
}

// sureLocked has do-not-disturb hide nothing where a read has shown that it is not on, and began when all was known that was
// asked for elsewhere.
func (p *icwsPart) sureLocked(s translate.AgentState, got reading, began moment) translate.AgentState {
	if p.moments.knows(began) && !p.directory.IsDND(got.status.StatusID) {
		return s.Sure()
	}
	return s
}

// ofRead returns what a read shows whatever messages say. Who reads after a write at another replica is to see it,
// and a message that comes meanwhile may have been on its way since before the write.
func (p *icwsPart) ofRead(got reading, s translate.AgentState, d *translate.Directory) shown {
	s.Activations = got.activations
	s, _ = p.site.Rules.HeardStatus(s, got.status, d)
	return resources(p.site.Rules.View(s, d))
}

// outOfReach takes the site's channels out of view, unless messages show that it is there after all.
func (p *icwsPart) outOfReach() {
	p.update(func(s translate.AgentState, _ *translate.Directory) (translate.AgentState, translate.Heard) {
		p.asRead = nil
		if !p.currentLocked() {
			s.Link = translate.Unreachable
		}
		return s, translate.Heard{}
	})
}

// absent returns what is left in view of a site that cannot be reached: the device, without a state.
func (p *icwsPart) absent() shown {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.begun {
		return shown{}
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
	_, err := p.ready(ctx)
	if err != nil {
		return person{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.who == nil {
		p.who = p.site.Rules.User(p.agent.session.Login, p.conn.UserID, p.conn.DisplayName)
	}
	names := p.site.Rules.ChannelNames(p.state)
	features := make([]Resource, 0, len(names))
	for _, channel := range names {
		features = append(features, p.site.features[channel])
	}
	return person{object: p.who, features: features}, nil
}

// states returns the states that the agent may choose.
func (p *icwsPart) states(ctx context.Context) ([]states.State, error) {
	held, err := p.lists(ctx)
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
	held, err := p.lists(ctx)
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
