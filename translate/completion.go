package translate

import (
	"slices"

	"portico/translate/icwsapi"
)

// completed ends the request a completion names. An error brings back what was before, unless a
// later operation has replaced it; what others did meanwhile counts on top of that.
func (r Rules) completed(s AgentState, c Completion, d *Directory) (AgentState, Heard) {
	at := s.pending(c.RequestID)
	switch {
	case at < 0:
		s.Early = append(slices.Clone(s.Early), c)
		s.Early = s.Early[max(0, len(s.Early)-maxEarly):]
		return s, Heard{}
	case c.Error == nil:
		return s.succeeded(at)
	}
	last, then, now := at == len(s.Pending)-1 && !s.Pending[at].Replaced, s.Pending[at].Before.Status, s.Status
	s, heard := s.failed(at, c)
	if !last || s.unseen() {
		return s, heard
	}
	s.Status = then
	before := r.stance(s, d)
	s.Status = now
	return s.settle(before, d), heard
}

// pending returns the index of the change with that request, -1 if there is none.
func (s AgentState) pending(requestID string) int {
	return slices.IndexFunc(s.Pending, func(p Pending) bool { return p.RequestID == requestID })
}

// succeeded ends a change that took place. It lays the wanted status beneath, unless the site has
// shown it already: then a later change may have been shown too, and counts.
func (s AgentState) succeeded(at int) (AgentState, Heard) {
	done := s.Pending[at]
	s.Pending = slices.Clone(s.Pending)
	for i := range at { // asked for earlier, so carried out earlier
		s.Pending[i].Seen, s.Pending[i].Replaced = true, true
	}
	s, doubted := s.without(at)
	if !done.Seen {
		s.Status = done.Choice.over(s.Status)
	}
	return s, Heard{Confirmed: !done.Told, Doubted: doubted}
}

// without returns the state without one of the changes, and whether a read is to say what is beneath it. As long as
// another lies over it that can wait.
func (s AgentState) without(at int) (AgentState, bool) {
	doubted := s.Pending[at].Doubted && !s.Pending[at].Seen
	s.Pending = slices.Delete(slices.Clone(s.Pending), at, at+1)
	if doubted && s.unseen() {
		return s.doubted(), false
	}
	return s, doubted
}

// failed ends a change that did not take place. If a later one has replaced it, that one will go
// back to what was before both, unless it has taken place.
func (s AgentState) failed(at int, c Completion) (AgentState, Heard) {
	before, replaced := s.Pending[at].Before, s.Pending[at].Replaced
	s, doubted := s.without(at)
	heard := Heard{Failed: &c, Doubted: doubted}
	switch {
	case replaced:
	case at < len(s.Pending):
		s.Pending[at].Before = before
	default:
		s = s.with(before)
	}
	return s, heard
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

// IsOpen reports whether a request is under way of which the site has not shown that it took place.
func (s AgentState) IsOpen(requestID string) bool {
	at := s.pending(requestID)
	return at >= 0 && !s.Pending[at].Seen
}

// Decided ends a request whose completion did not come: status is what a fresh read said, and that
// is what counts.
func (r Rules) Decided(s AgentState, requestID string, status icwsapi.UserStatus, d *Directory) (AgentState, Heard) {
	s, heard := r.HeardStatus(s, status, d)
	at := s.pending(requestID)
	if at < 0 {
		return s, heard
	}
	if !s.Pending[at].Seen && !slices.ContainsFunc(s.Pending[at:], s.asksForStatus) {
		return r.completed(s, Completion{RequestID: requestID, Error: &icwsapi.Error{Message: "the change did not take place"}}, d)
	}
	s.Pending = slices.Clone(s.Pending)
	s.Pending[at].Seen = true // or a later one is
	s, ended := s.succeeded(at)
	if heard.Confirmed {
		return s, heard
	}
	return s, ended
}
