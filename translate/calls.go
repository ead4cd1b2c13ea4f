package translate

import (
	"slices"

	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

// plan turns the draft into calls, or under do-not-disturb into a changed memory. Channels that go Offline are
// deactivated then too: whoever else ends it, with a status that routes work, knows nothing of what is remembered.
func (p *draft) plan() Plan {
	next := p.state
	next.Wishes = p.wishes
	if !p.state.DND() && p.hide == nil {
		return p.carryOut(next)
	}
	to := p.to
	next.Memory = &to
	var calls []Call
	off := p.left()
	if len(off) > 0 {
		calls = append(calls, Call{Activations: off})
		next = next.WithActivations(off)
	}
	if !p.state.DND() {
		calls = append(calls, Call{Status: p.hide.update()})
	}
	return Plan{Calls: calls, Next: next}
}

// left returns the workgroups to deactivate of channels that go Offline.
func (p *draft) left() map[string]bool {
	var off map[string]bool
	for _, channel := range p.shown {
		if p.off[channel.Name] && p.wishes[channel.Name].LoggedOut {
			p.pick(&off, channel, false)
		}
	}
	return off
}

// carryOut makes the calls that lead from the state before to the draft's stance: first the
// deactivations, then the activations, then the status. So no work is offered on a channel that
// was not asked for, neither between the calls nor when one of them fails.
func (p *draft) carryOut(next AgentState) Plan {
	off, on := p.activations()
	var calls []Call
	for _, set := range []map[string]bool{off, on} {
		if len(set) > 0 {
			calls = append(calls, Call{Activations: set})
			next = next.WithActivations(set)
		}
	}
	if p.moved {
		calls = append(calls, Call{Status: p.to.Choice.update()})
	}
	return Plan{Calls: calls, Next: next}
}

// activations returns the workgroups to deactivate and those to activate.
func (p *draft) activations() (map[string]bool, map[string]bool) {
	var off, on map[string]bool
	acd := p.in.IsACD(p.to.Choice.StatusID)
	for _, channel := range p.rules.Channels {
		wanted := acd && p.to.Ready[channel.Name] && p.counts(channel)
		switch {
		case wanted && (p.to.Asked[channel.Name] || !p.state.active(channel)):
			p.pick(&on, channel, true)
		case !wanted && (acd || p.off[channel.Name]):
			p.pick(&off, channel, false)
		}
	}
	return off, on
}

// counts is AgentState.counts with the wishes of the draft. Channels of the site that another site
// owns for this agent never count.
func (p *draft) counts(channel Channel) bool {
	after := p.state
	after.Wishes = p.wishes
	return after.counts(channel)
}

// pick adds the channel's workgroups that are not yet as wanted, as the site spells them.
func (p *draft) pick(into *map[string]bool, channel Channel, wanted bool) {
	for workgroup, active := range p.state.Activations {
		if active != wanted && channel.takes(workgroup) {
			put(into, workgroup, wanted)
		}
	}
}

// update returns the choice as the body of a PUT.
func (c Choice) update() *icwsapi.UserStatusUpdate {
	return &icwsapi.UserStatusUpdate{StatusID: c.StatusID, Notes: c.Notes, ForwardNumber: c.ForwardNumber, Until: c.Until}
}

func chosenBy(update icwsapi.UserStatusUpdate) Choice {
	return Choice{StatusID: update.StatusID, Notes: update.Notes, ForwardNumber: update.ForwardNumber, Until: update.Until}
}

// An Undo puts activations back after a later call of the same plan failed. Deactivate is safe at
// once. Reactivate is safe only while the status routes no work, which a fresh read must show.
type Undo struct {
	Deactivate map[string]bool
	Reactivate map[string]bool
}

// Undo returns how to take back the first done calls of the plan.
func (p Plan) Undo(done int) Undo {
	undo := Undo{Deactivate: map[string]bool{}, Reactivate: map[string]bool{}}
	for _, call := range p.Calls[:min(done, len(p.Calls))] {
		for workgroup, activated := range call.Activations {
			if activated {
				undo.Deactivate[workgroup] = false
			} else {
				undo.Reactivate[workgroup] = true
			}
		}
	}
	return undo
}

// Sent returns the state once the plan's calls were accepted: next, in which the wanted status lies
// over the one last heard until its request completes. requestID is empty for a plan that set no
// status. s is the state at this moment: what messages changed since the plan was made is kept.
// What is shown changes with Sent, but is to be notified only when Heard.Confirmed comes, here or
// with a later message. What a message before Sent told of the change is then notified again: so
// messages are best held back from the plan until Sent.
func (s AgentState) Sent(plan Plan, requestID string) (AgentState, Heard) {
	before := s.kept()
	next := s
	next.Wishes, next.Memory, next.Started, next.Hides = plan.Next.Wishes, plan.Next.Memory, plan.Next.Started, nil
	for _, call := range plan.Calls {
		if call.Activations != nil {
			next = next.WithActivations(call.Activations)
		}
	}
	update := plan.Status()
	if update == nil {
		return next.noted(), Heard{Confirmed: true}
	}
	choice := chosenBy(*update)
	there := !s.unseen() && same(s.Status.StatusID, choice.StatusID)
	next.Pending = append(slices.Clip(next.Pending), Pending{RequestID: requestID, Choice: choice, Seen: there, Before: before, After: next.kept()})
	at := slices.IndexFunc(next.Early, func(c Completion) bool { return c.RequestID == requestID })
	if at < 0 {
		return next, Heard{}
	}
	early := next.Early[at]
	next.Early = slices.Delete(slices.Clone(next.Early), at, at+1)
	if early.Error != nil {
		return next.failed(len(next.Pending)-1, early)
	}
	return next.succeeded(len(next.Pending) - 1)
}

// noted returns the state in which what is asked for by now goes with the last change, unless that has been undone.
func (s AgentState) noted() AgentState {
	last := len(s.Pending) - 1
	if last < 0 || s.DND() != (s.Pending[last].After.Memory != nil) {
		return s
	}
	s.Pending = slices.Clone(s.Pending)
	s.Pending[last].After = s.kept()
	return s
}

// Status returns the status the plan sets, nil if none.
func (p Plan) Status() *icwsapi.UserStatusUpdate {
	for _, call := range p.Calls {
		if call.Status != nil {
			return call.Status
		}
	}
	return nil
}

// ChannelNames returns the names of the channels the agent has at the site.
func (r Rules) ChannelNames(s AgentState) []htccapi.MediaChannel {
	names := make([]htccapi.MediaChannel, 0, len(r.Channels))
	for _, channel := range r.Channels {
		if s.has(channel) {
			names = append(names, channel.Name)
		}
	}
	return names
}
