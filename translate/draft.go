package translate

import (
	"maps"

	"portico/translate/htccapi"
)

// A draft is an agent's state while an operation is planned: the stance to reach and the wishes
// that go with it. It knows nothing of calls, so that an operation under do-not-disturb, which mostly
// only changes what is remembered, and one that is carried out are planned by the same rules.
type draft struct {
	rules  Rules
	in     *Directory
	state  AgentState // before
	shown  []Channel
	to     Stance
	wishes map[htccapi.MediaChannel]Wish
	off    map[htccapi.MediaChannel]bool // to be deactivated whatever the status
	moved  bool                          // the status is to be set
	hide   *Choice                       // the do-not-disturb status that is to hide all this; nil if none
}

func (r Rules) draft(s AgentState, d *Directory) *draft { return r.draftFrom(r.stance(s, d), s, d) }

// draftFrom is draft for who knows the stance, or leaves nothing of it.
func (r Rules) draftFrom(to Stance, s AgentState, d *Directory) *draft {
	if s.Memory != nil { // whose sets these are
		to.Ready, to.Asked = maps.Clone(to.Ready), maps.Clone(to.Asked)
	}
	wishes := maps.Clone(s.Wishes)
	if wishes == nil {
		wishes = map[htccapi.MediaChannel]Wish{}
	}
	return &draft{rules: r, in: d, state: s, shown: r.Shown(s), to: to, wishes: wishes}
}

// counted returns the channels that operations on all channels cover.
func (p *draft) counted() []htccapi.MediaChannel {
	var counted []htccapi.MediaChannel
	for _, channel := range p.shown {
		if !p.wishes[channel.Name].LoggedOut {
			counted = append(counted, channel.Name)
		}
	}
	return counted
}

// isReady reports whether some channel other than except is Ready in the stance.
func (p *draft) isReady(except htccapi.MediaChannel) bool {
	if !p.in.IsACD(p.to.Choice.StatusID) {
		return false
	}
	for _, name := range p.counted() {
		if name != except && p.to.Ready[name] {
			return true
		}
	}
	return false
}

// setAll brings all counted channels into a status.
func (p *draft) setAll(choice Choice) {
	ready := p.in.IsACD(choice.StatusID)
	p.to = Stance{Choice: choice}
	p.moved = true
	for _, name := range p.counted() {
		p.wishes[name] = Wish{Ready: ready || p.wishes[name].Ready && p.isAfterCallWork(choice)}
		if ready {
			p.makeReady(name)
		}
	}
}

// makeReady has a channel become Ready as it was asked for.
func (p *draft) makeReady(name htccapi.MediaChannel) {
	put(&p.to.Ready, name, true)
	put(&p.to.Asked, name, true)
}

// isAfterCallWork reports whether the status is after-call work, which does not end a wish to be
// Ready.
func (p *draft) isAfterCallWork(choice Choice) bool {
	message, known := p.in.Catalogue.ByID(choice.StatusID)
	return known && message.IsAfterCallWorkStatus
}

// setReady makes one channel Ready. Coming from a status that routes nothing, only channels that
// are wanted Ready come along.
func (p *draft) setReady(name htccapi.MediaChannel, choice Choice) {
	if !p.in.IsACD(p.to.Choice.StatusID) {
		p.to.Ready, p.to.Asked = nil, nil
		for _, channel := range p.shown {
			if p.wishes[channel.Name].Ready && !p.wishes[channel.Name].LoggedOut && p.state.active(channel) {
				put(&p.to.Ready, channel.Name, true)
			}
		}
	}
	p.to.Choice = choice
	p.makeReady(name)
	p.wishes[name] = Wish{Ready: true}
	p.moved = true
}

// setNotReady brings one channel into a state that is not Ready. While another channel is Ready
// the status must stay, so the state is kept as the channel's label.
func (p *draft) setNotReady(name htccapi.MediaChannel, choice Choice) {
	if !p.isReady(name) {
		wish := p.wishes[name]
		wish.LoggedOut = false
		p.wishes[name] = wish
		p.setAll(choice)
		return
	}
	label := choice.StatusID
	if p.in.SettingOf(label) == htccapi.SettingNotReady {
		label = ""
	}
	delete(p.to.Ready, name)
	p.wishes[name] = Wish{Label: label, Ready: p.wishes[name].Ready && p.isAfterCallWork(choice)}
	put(&p.off, name, true)
}

// setOffline logs channels out. If none is left Ready, an ACD status gives way to notReady.
func (p *draft) setOffline(names []htccapi.MediaChannel, notReady func() (Choice, error)) error {
	for _, name := range names {
		delete(p.to.Ready, name)
		p.wishes[name] = Wish{LoggedOut: true}
		put(&p.off, name, true)
	}
	if p.isReady("") || !p.in.IsACD(p.to.Choice.StatusID) {
		return nil
	}
	choice, err := notReady()
	if err != nil {
		return err
	}
	p.setAll(choice)
	return nil
}

// bringBack takes channels out of LoggedOut as NotReady: with an ACD status they are deactivated.
// One without workgroups cannot be, so there the status gives way to notReady.
func (p *draft) bringBack(names []htccapi.MediaChannel, notReady func() (Choice, error)) error {
	for _, name := range names {
		p.wishes[name] = Wish{}
		delete(p.to.Ready, name)
		if !p.in.IsACD(p.to.Choice.StatusID) {
			continue
		}
		put(&p.off, name, true)
		if len(p.channel(name).Workgroups) > 0 {
			continue
		}
		choice, err := notReady()
		if err != nil {
			return err
		}
		p.setAll(choice)
	}
	return nil
}

func (p *draft) channel(name htccapi.MediaChannel) Channel {
	for _, channel := range p.shown {
		if channel.Name == name {
			return channel
		}
	}
	return Channel{Name: name}
}
