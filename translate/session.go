package translate

import (
	"fmt"
	"slices"

	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

// codeNotFound is the statusCode of a channel that the agent does not have.
const codeNotFound = 6

// PlanStart works out StartContactCenterSession for the channels asked for. Nothing is opened at
// the site, since the log-in did that: channels not asked for go Offline, asked ones that are
// LoggedOut come back as NotReady, and the first Start of a session sets the status the settings
// name. Repeating it with the same channels changes nothing. Channels the agent does not have are
// in Plan.Refused; a *Refusal means that none was left. Of an agent who works on another site too,
// the channels asked for may all be there: then those here go Offline, and nothing is refused as a whole.
//
// Source: GWS 8.5.2, StartContactCenterSession.
func (r Rules) PlanStart(s AgentState, d *Directory, channels []htccapi.MediaChannel) (Plan, error) {
	if len(channels) == 0 && !s.Shared {
		return Plan{}, refuse(Missing, "%q needs channels", htccapi.StartContactCenterSession)
	}
	asked, refused := r.askedFor(s, channels)
	if len(asked) == 0 && len(refused) > 0 && !s.Shared {
		return Plan{}, refuse(NotFound, "%s", refused[0].StatusMessage)
	}
	p := r.draft(s, d)
	var leave, back []htccapi.MediaChannel
	for _, channel := range p.shown {
		out := p.wishes[channel.Name].LoggedOut
		switch {
		case slices.Contains(asked, channel.Name) && out:
			back = append(back, channel.Name)
		case !slices.Contains(asked, channel.Name) && !out:
			leave = append(leave, channel.Name)
		}
	}
	err := p.bringBack(back, d.plainNotReady)
	if err != nil {
		return Plan{}, err
	}
	if len(leave) > 0 {
		err = p.setOffline(leave, d.offWorkBy(htccapi.StartContactCenterSession))
		if err != nil {
			return Plan{}, err
		}
	}
	warning := ""
	if s.Started == nil && len(asked) > 0 {
		warning = p.setAtStart(r.Statuses.AtStart)
	}
	plan := p.plan()
	plan.Next.Started = asked
	plan.Refused = refused
	plan.Warning = warning
	return plan, nil
}

// askedFor splits channels into those the agent has and results for the others.
func (r Rules) askedFor(s AgentState, channels []htccapi.MediaChannel) ([]htccapi.MediaChannel, []htccapi.ChannelResult) {
	names := r.ChannelNames(s)
	asked := []htccapi.MediaChannel{}
	var refused []htccapi.ChannelResult
	for _, name := range channels {
		switch {
		case slices.Contains(names, name) && !slices.Contains(asked, name):
			asked = append(asked, name)
		case !slices.Contains(names, name):
			refused = append(refused, htccapi.ChannelResult{StatusCode: codeNotFound, Channel: name,
				StatusMessage: fmt.Sprintf("there is no channel %q", name)})
		}
	}
	return asked, refused
}

// setAtStart sets the status for a session's start; it returns what to log if the agent cannot
// choose it.
func (p *draft) setAtStart(statusID string) string {
	if statusID == "" {
		return ""
	}
	status, found := p.in.settable(statusID)
	if !found {
		return fmt.Sprintf("sites.%s.statuses.at_start: the agent cannot choose %q", p.rules.Site, statusID)
	}
	choice := Choice{StatusID: status.StatusID}
	if p.in.IsDND(statusID) {
		p.hide = &choice
		return ""
	}
	p.setAll(choice)
	return ""
}

// settable returns the status if it can be set without the agent saying more.
func (d *Directory) settable(statusID string) (icwsapi.StatusMessage, bool) {
	status, known := d.Catalogue.ByID(statusID)
	return status, known && d.Choosable(status) && !status.IsForwardStatus
}

// PlanEnd works out what EndContactCenterSession sets at the site before the session ends: an agent
// whom work is routed to is taken out of it, unless the settings leave the status as it is.
func (r Rules) PlanEnd(s AgentState, d *Directory) Plan {
	atEnd := r.Statuses.AtEnd
	if !d.IsACD(s.choice().StatusID) || atEnd == Keep {
		return Plan{Next: s}
	}
	status, found := d.settable(atEnd)
	if found {
		return Plan{Next: s, Calls: []Call{{Status: &icwsapi.UserStatusUpdate{StatusID: status.StatusID}}}}
	}
	plan := Plan{Next: s}
	if atEnd != "" {
		plan.Warning = fmt.Sprintf("sites.%s.statuses.at_end: the agent cannot choose %q", r.Site, atEnd)
	}
	choice, err := d.plainNotReady()
	if err != nil {
		plan.Warning = "the agent stays in an ACD status: " + err.Error()
		return plan
	}
	plan.Calls = []Call{{Status: choice.update()}}
	return plan
}

// PlanRestore returns the activations to put back at the end of a session, if the settings want
// it: those that differ from atLogin. It is safe only once a fresh read shows that the status
// routes no work.
func (r Rules) PlanRestore(s AgentState, atLogin map[string]bool) map[string]bool {
	restore := map[string]bool{}
	if !r.RestoreActivations {
		return restore
	}
	for workgroup, active := range atLogin {
		now, member := s.Activations[workgroup]
		if member && now != active {
			restore[workgroup] = active
		}
	}
	return restore
}

// PlanRecovery returns the state after a new upstream session replaced one that was lost, and the
// call to make first: an agent whom work would be routed to is set to plain not-ready. Any other
// status stays with its notes, since all of them show NotReady. Nobody is wanted Ready any more,
// and what do-not-disturb hides becomes NotReady. With a *Refusal, if the agent has access to no not-ready status, comes
// a plan that leaves the status as it is.
//
// Source: vendor reference, Channels API: reverting from Offline to Online.
func (r Rules) PlanRecovery(s AgentState, status icwsapi.UserStatus, activations map[string]bool, d *Directory) (Plan, error) {
	s = s.withoutWishes()
	s.Link, s.Status, s.Said, s.Activations = Connected, status, changeTo(status), activations
	s.Pending, s.Early, s.Memory, s.Hides = nil, nil, nil, nil
	if d.IsDND(status.StatusID) {
		s.Memory = memoryOf(Stance{}, d)
	}
	if !d.IsACD(status.StatusID) {
		return Plan{Next: s}, nil
	}
	choice, err := d.plainNotReady()
	if err != nil {
		return Plan{Next: s}, err
	}
	if r.LoggedOutAfterOutage {
		for _, name := range r.ChannelNames(s) {
			s.Wishes[name] = Wish{LoggedOut: true}
		}
	}
	return Plan{Next: s, Calls: []Call{{Status: choice.update()}}}, nil
}
