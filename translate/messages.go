package translate

import (
	"maps"
	"slices"

	"portico/translate/icwsapi"
)

// maxEarly bounds the completions kept for requests whose answer has not been read yet. An agent's
// writes are made one after the other, so more than a few are somebody else's.
const maxEarly = 16

// Heard is what a message or an answer meant for an operation under way.
type Heard struct {
	// Confirmed: what was asked for has taken place. It is notified even if what is shown did not
	// change, as HTCC notifies an operation that leads to the state one is in.
	Confirmed bool
	// Failed: the request completed with an error, and the old state is back.
	Failed *Completion
}

// Begin returns the state of an agent at log-in.
func Begin(userID string, status icwsapi.UserStatus, activations map[string]bool, d *Directory) AgentState {
	s := AgentState{UserID: userID, Status: status, Activations: activations}
	return s.settle(Stance{}, d)
}

// Heard returns the state after a message from the agent's queue. Messages about other agents and
// those that carry no agent state change nothing; changes of the catalogue and of access lists are
// Catalogue.Changed and Access.Changed.
func (r Rules) Heard(s AgentState, message icwsapi.Message, d *Directory) (AgentState, Heard) {
	switch m := message.(type) {
	case icwsapi.AsyncOperationCompletedMessage:
		return s.completed(Completion{RequestID: m.RequestID, Error: m.Error})
	case icwsapi.UserStatusMessage:
		return r.heardStatuses(s, m, d)
	case icwsapi.UserActivationMessage:
		return s.heardActivations(m), Heard{}
	case icwsapi.EffectiveStationChangeMessage:
		s.Station = StationName(m.EffectiveStation)
	}
	return s, Heard{}
}

// StationName returns what the agent's phone is called, "" without a station.
func StationName(station *icwsapi.EffectiveStation) string {
	if station == nil {
		return ""
	}
	if station.StationID.DisplayName != "" {
		return station.StationID.DisplayName
	}
	return station.StationID.ID
}

func (r Rules) heardStatuses(s AgentState, m icwsapi.UserStatusMessage, d *Directory) (AgentState, Heard) {
	var all Heard
	for _, status := range m.UserStatusList {
		if fold(status.UserID) != fold(s.UserID) {
			continue
		}
		if m.IsDelta {
			status = merged(s.Status, status)
		}
		next, heard := r.HeardStatus(s, status, d)
		s = next
		all.Confirmed = all.Confirmed || heard.Confirmed
	}
	return s, all
}

// HeardStatus returns the state after the site said what the agent's whole status is.
func (r Rules) HeardStatus(s AgentState, status icwsapi.UserStatus, d *Directory) (AgentState, Heard) {
	before, changed := r.stance(s, d), fold(status.StatusID) != fold(s.Status.StatusID)
	s.Status = status
	if !s.unseen() {
		if changed {
			s = s.settle(before, d)
		}
		return s, Heard{}
	}
	last := len(s.Pending) - 1
	if fold(s.Pending[last].Choice.StatusID) != fold(status.StatusID) {
		return s, Heard{} // it was so before ours took place, and lies beneath
	}
	s.Pending = slices.Clone(s.Pending)
	s.Pending[last].Seen = true
	return s, Heard{Confirmed: true}
}

// merged lays a delta over a status: a property that is absent is unchanged, except that what
// belongs to the status before goes with it.
//
// Source: ICWS, Getting started: Messaging.
func merged(old, delta icwsapi.UserStatus) icwsapi.UserStatus {
	changed := fold(old.StatusID) != fold(delta.StatusID)
	if delta.Notes == nil && !changed {
		delta.Notes = old.Notes
	}
	if delta.ForwardNumber == nil && !changed {
		delta.ForwardNumber = old.ForwardNumber
	}
	if !delta.Until.Present && !changed {
		delta.Until = old.Until
	}
	keep(&delta.StatusChanged, old.StatusChanged)
	keep(&delta.OnPhone, old.OnPhone)
	keep(&delta.OnPhoneChanged, old.OnPhoneChanged)
	keep(&delta.LoggedIn, old.LoggedIn)
	keep(&delta.Stations, old.Stations)
	keep(&delta.ICServers, old.ICServers)
	keep(&delta.PresenceServer, old.PresenceServer)
	return delta
}

func keep[T any](value **T, old *T) {
	if *value == nil {
		*value = old
	}
}

func (s AgentState) heardActivations(m icwsapi.UserActivationMessage) AgentState {
	if fold(m.UserID) != fold(s.UserID) {
		return s
	}
	if !m.IsDelta {
		s.Activations = maps.Clone(m.ActivationsChanged)
		return s
	}
	return s.withActivations(m.ActivationsChanged)
}

// completed ends the request a completion names. Success lays the wanted status beneath, unless the
// site has shown it already: then a later change may have been shown too, and counts. An error
// brings back what was before, unless a later operation has replaced it.
func (s AgentState) completed(c Completion) (AgentState, Heard) {
	at := slices.IndexFunc(s.Pending, func(p Pending) bool { return p.RequestID == c.RequestID })
	if at < 0 {
		s.Early = append(slices.Clone(s.Early), c)
		s.Early = s.Early[max(0, len(s.Early)-maxEarly):]
		return s, Heard{}
	}
	pending, last := s.Pending[at], at == len(s.Pending)-1
	s.Pending = slices.Delete(slices.Clone(s.Pending), at, at+1)
	if c.Error == nil {
		if !pending.Seen {
			s.Status = pending.Choice.over(s.Status)
		}
		return s, Heard{Confirmed: !pending.Seen}
	}
	if last {
		s.Wishes, s.Memory, s.Started = pending.Before.Wishes, pending.Before.Memory, pending.Before.Started
	}
	return s, Heard{Failed: &c}
}

// over returns a status in which the choice has taken place.
func (c Choice) over(status icwsapi.UserStatus) icwsapi.UserStatus {
	status.StatusID = c.StatusID
	status.Notes, status.ForwardNumber = nil, nil
	if c.Notes != "" {
		status.Notes = &c.Notes
	}
	if c.ForwardNumber != "" {
		status.ForwardNumber = &c.ForwardNumber
	}
	status.Until = icwsapi.OptUntil{Present: c.Until != nil, Value: c.Until}
	return status
}

// Decided ends a request whose completion did not come: status is what a fresh read said, and that
// is what counts.
func (r Rules) Decided(s AgentState, requestID string, status icwsapi.UserStatus, d *Directory) (AgentState, Heard) {
	at := slices.IndexFunc(s.Pending, func(p Pending) bool { return p.RequestID == requestID })
	if at < 0 {
		return r.HeardStatus(s, status, d)
	}
	pending := s.Pending[at]
	if fold(status.StatusID) == fold(pending.Choice.StatusID) {
		s.Status = status
		return s.completed(Completion{RequestID: requestID})
	}
	before := r.stance(s, d)
	s, _ = s.completed(Completion{RequestID: requestID, Error: &icwsapi.Error{Message: "the change did not take place"}})
	s.Status = status
	if pending.Seen {
		return s.settle(before, d), Heard{} // it did take place, and something else came after it
	}
	return s.settle(r.stance(s, d), d), Heard{Failed: &Completion{RequestID: requestID, Error: &icwsapi.Error{Message: "the change did not take place"}}}
}
