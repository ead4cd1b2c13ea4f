package icwssim

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"portico/translate/icwsapi"
)

// State is what the server holds about a user.
type State struct {
	UserID        string          `json:"userId"`
	StatusID      string          `json:"statusId"`
	Notes         string          `json:"notes"`
	ForwardNumber string          `json:"forwardNumber"`
	Until         *icwsapi.Until  `json:"until"`
	Activations   map[string]bool `json:"activations"`
	LoggedIn      bool            `json:"loggedIn"`
	Sessions      int             `json:"sessions"`
	Access        []string        `json:"access"`
	OnPhone       bool            `json:"onPhone"`
	Stations      []string        `json:"stations"`
}

// State returns what the server holds about the user. It fails if there is no such user.
func (s *Server) State(userID string) (State, error) {
	s.start.Do(s.init)
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.user(userID)
	if u == nil {
		return State{}, s.unknownUser(userID)
	}
	return s.stateOf(u), nil
}

func (s *Server) stateOf(u *user) State {
	return State{
		UserID: u.id, StatusID: u.now.StatusID, Notes: textOf(u.now.Notes), ForwardNumber: textOf(u.now.ForwardNumber),
		Until: u.now.Until.Value, Activations: maps.Clone(u.activations), LoggedIn: *u.now.LoggedIn,
		Sessions: len(u.sessions), Access: slices.Clone(s.accessOf(u)), OnPhone: *u.now.OnPhone, Stations: *u.now.Stations,
	}
}

func (s *Server) unknownUser(id string) error {
	names := []string{}
	for _, u := range s.initialUsers() {
		names = append(names, u.ID)
	}
	if s.Users == nil {
		names = append(append(names, "agent0001 to agent9999"), oddIDs...)
	}
	return fmt.Errorf("icwssim: unknown user %q: want one of %s", id, strings.Join(names, ", "))
}

// StateChange is a change made as if by another client or an administrator: whatever rights and
// access lists say. What is nil stays.
type StateChange struct {
	User          string          `json:"user"`
	StatusID      *string         `json:"statusId"` // any of the catalogue; takes notes, number and end away
	Notes         *string         `json:"notes"`
	ForwardNumber *string         `json:"forwardNumber"`
	Until         *icwsapi.Until  `json:"until"`
	Access        *[]string       `json:"access"`      // the whole list
	Activations   map[string]bool `json:"activations"` // those listed; a workgroup not yet the user's makes them a member
	LoggedIn      *bool           `json:"loggedIn"`
	OnPhone       *bool           `json:"onPhone"`
	Stations      *[]string       `json:"stations"` // the whole list; sessions leave others
}

// SetState makes the change and tells who subscribed. It changes nothing if it fails: for an
// unknown user, status or workgroup.
func (s *Server) SetState(change StateChange) error {
	s.start.Do(s.init)
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.user(change.User)
	if u == nil {
		return s.unknownUser(change.User)
	}
	err := s.checkChange(u, &change)
	if err != nil {
		return err
	}
	if change.Access != nil {
		s.setAccess(u, append([]string{}, *change.Access...))
	}
	s.activate(u, change.Activations)
	if change.Stations != nil {
		s.seatUser(u, *change.Stations)
	}
	if change.OnPhone != nil {
		s.setOnPhone(u, *change.OnPhone)
	}
	if change.LoggedIn != nil {
		s.setLoggedIn(u, *change.LoggedIn)
	}
	s.changeStatus(u, change)
	return nil
}

// checkChange finds what does not exist, and puts what does into the server's spelling.
func (s *Server) checkChange(u *user, change *StateChange) error {
	ids := []*string{}
	if change.StatusID != nil {
		id := *change.StatusID
		change.StatusID = &id
		ids = append(ids, &id)
	}
	if change.Access != nil {
		access := slices.Clone(*change.Access)
		change.Access = &access
		for i := range access {
			ids = append(ids, &access[i])
		}
	}
	for _, id := range ids {
		entry := s.status(*id)
		if entry == nil {
			return fmt.Errorf("icwssim: unknown status %q: want one of %s", *id, strings.Join(s.statusIDs(), "; "))
		}
		*id = entry.StatusID
	}
	activations := make(map[string]bool)
	for id, activated := range change.Activations {
		name, known := u.workgroup(id)
		if !known {
			name, known = s.workgroupNamed(id)
		}
		if !known {
			return fmt.Errorf("icwssim: unknown workgroup %q: want one of %s", id, strings.Join(s.workgroupNames(), ", "))
		}
		activations[name] = activated
	}
	change.Activations = activations
	return nil
}

func (s *Server) changeStatus(u *user, change StateChange) {
	next := statusChange{statusID: u.now.StatusID}
	if change.StatusID != nil {
		next.statusID = *change.StatusID
	} else {
		next.notes, next.forwardNumber, next.until = textOf(u.now.Notes), textOf(u.now.ForwardNumber), u.now.Until.Value
	}
	if change.Notes != nil {
		next.notes = *change.Notes
	}
	if change.ForwardNumber != nil {
		next.forwardNumber = *change.ForwardNumber
	}
	if change.Until != nil {
		next.until = change.Until
	}
	if change.StatusID != nil || change.Notes != nil || change.ForwardNumber != nil || change.Until != nil {
		s.setStatus(u, next)
	}
}

func (s *Server) statusIDs() []string {
	ids := make([]string, len(s.catalogue))
	for i := range s.catalogue {
		ids[i] = s.catalogue[i].StatusID
	}
	return ids
}
