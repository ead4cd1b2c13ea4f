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
	// Doubted: what was asked for has taken place, but something else may have since. A read is to say.
	Doubted bool
	// Failed: the request completed with an error, and the old state is back.
	Failed *Completion
}

// Begin returns the state of an agent at log-in.
func Begin(userID string, status icwsapi.UserStatus, activations map[string]bool, d *Directory) AgentState {
	s := AgentState{UserID: userID, Device: deviceID(d.namespace, userID), Status: status, Said: changeTo(status), Activations: activations}
	return s.settle(Stance{}, d)
}

// Heard returns the state after a message from the agent's queue. Messages about other agents and
// those that carry no agent state change nothing; changes of the catalogue and of access lists are
// Catalogue.Changed and Access.Changed.
func (r Rules) Heard(s AgentState, message icwsapi.Message, d *Directory) (AgentState, Heard) {
	switch m := message.(type) {
	case icwsapi.AsyncOperationCompletedMessage:
		return r.completed(s, Completion{RequestID: m.RequestID, Error: m.Error}, d)
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
		if !same(status.UserID, s.UserID) {
			continue
		}
		told := s.told(status, m.IsDelta)
		if m.IsDelta {
			status = merged(s.Status, status)
		}
		if told.repeats(s.Said) {
			s.Status = s.still(status)
			continue
		}
		s.Said = told
		again := same(status.StatusID, s.Status.StatusID) && told.At.IsZero()
		next, heard := r.heardStatus(s, status, again, d)
		s = next
		all.Confirmed = all.Confirmed || heard.Confirmed
	}
	return s, all
}

// told returns which change of the status a message tells of. A delta without its time tells of the one before.
//
// Source: ICWS, Getting started: Messaging: deltas carry what changed.
func (s AgentState) told(status icwsapi.UserStatus, isDelta bool) Change {
	if status.StatusChanged == nil && isDelta && same(status.StatusID, s.Said.StatusID) {
		return s.Said
	}
	return changeTo(status)
}

// still returns a status that tells of no change: what is known of a later one lies over it.
func (s AgentState) still(status icwsapi.UserStatus) icwsapi.UserStatus {
	if same(status.StatusID, s.Status.StatusID) {
		return status
	}
	return heard(s.Status).over(status)
}

// HeardStatus returns the state after the site said what the agent's whole status is. While a
// status that the agent asked for has not been shown, what is heard lies beneath it.
func (r Rules) HeardStatus(s AgentState, status icwsapi.UserStatus, d *Directory) (AgentState, Heard) {
	return r.heardStatus(s, status, same(status.StatusID, s.Status.StatusID), d)
}

// heardStatus is HeardStatus; again says that what is heard may be what was heard before.
func (r Rules) heardStatus(s AgentState, status icwsapi.UserStatus, again bool, d *Directory) (AgentState, Heard) {
	if s.unseen() || same(status.StatusID, s.Status.StatusID) {
		s.Status = status
		s, heard := s.recognised(again)
		if s.unseen() && !again {
			s = s.doubted()
		}
		return s, heard
	}
	before := r.stance(s, d)
	s.Status = status
	s, heard := s.recognised(false)
	if s.unseen() { // it was an earlier change of the agent's
		return s, heard
	}
	return s.settle(before, d), heard
}

// doubted returns the state in which nobody knows whether what was heard comes before or after the change that lies
// over it.
func (s AgentState) doubted() AgentState {
	s.Pending = slices.Clone(s.Pending)
	s.Pending[len(s.Pending)-1].Doubted = true
	return s
}

// recognised returns the state after looking whether the status last heard is one that was asked
// for. The site makes changes in the order asked, so those before it have taken place too, and so
// have those behind it that ask for the same, since the site need not say the same twice. Others
// behind it have not: what was taken for them was an earlier change to the same status.
func (s AgentState) recognised(again bool) (AgentState, Heard) {
	at := s.shown(again)
	if at < 0 {
		return s, Heard{}
	}
	s.Pending = slices.Clone(s.Pending)
	heard := Heard{Confirmed: !s.Pending[at].Told}
	s.Pending[at].Told = true
	took, shown := true, !s.unseen()
	for i := range s.Pending {
		took = took && (i <= at || s.asksForStatus(s.Pending[i]))
		s.Pending[i].Seen = took || s.Pending[i].Replaced
	}
	if shown && s.unseen() { // what was taken to come after it seems to have come before
		s = s.with(s.Pending[len(s.Pending)-1].After).doubted()
	}
	return s, heard
}

// shown returns the index of the pending change that the status last heard shows, -1 if it shows none: the
// first that was not seen yet, else one behind which too much was. A status that is heard again shows
// nothing while a change away from it is next: it may have been on its way since before that.
func (s AgentState) shown(again bool) int {
	untold := func(p Pending) bool { return !p.Told }
	next := slices.IndexFunc(s.Pending, untold)
	if again && next >= 0 && !s.asksForStatus(s.Pending[next]) {
		return -1
	}
	at := slices.IndexFunc(s.Pending, func(p Pending) bool { return !p.Seen && s.asksForStatus(p) })
	if at >= 0 {
		return at
	}
	return slices.IndexFunc(s.Pending, func(p Pending) bool { return untold(p) && s.asksForStatus(p) })
}

// asksForStatus reports whether a change asks for the status last heard.
func (s AgentState) asksForStatus(p Pending) bool { return same(p.Choice.StatusID, s.Status.StatusID) }

// merged lays a delta over a status: a property that is absent is unchanged, except that what
// belongs to the status before goes with it.
//
// Source: ICWS, Getting started: Messaging.
func merged(old, delta icwsapi.UserStatus) icwsapi.UserStatus {
	changed := !same(old.StatusID, delta.StatusID)
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
	if !same(m.UserID, s.UserID) {
		return s
	}
	if !m.IsDelta && maps.Equal(s.Activations, m.ActivationsChanged) && s.Activations != nil {
		return s // one map less for each agent at rest
	}
	if !m.IsDelta {
		s.Activations = maps.Clone(m.ActivationsChanged)
		return s
	}
	return s.WithActivations(m.ActivationsChanged)
}
