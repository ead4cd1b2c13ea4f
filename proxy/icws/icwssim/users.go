package icwssim

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"portico/translate/icwsapi"
)

// User is a person who may log in, as they are at the start.
type User struct {
	ID       string
	Name     string // empty: the ID
	Password string

	// Access lists the ids of the statuses the user may choose. Nil means all selectable ones.
	Access []string

	// StatusID is the status at the start; empty means "Available, No ACD", or the first of the
	// catalogue if it has none of that id.
	StatusID string

	// Activations names the user's workgroups, and whether the user takes work from each.
	Activations map[string]bool

	// Workstation is the defaultWorkstationId of the user's log-ins.
	Workstation string

	// Supervisor may change other users' statuses and activations.
	Supervisor bool

	// FixedActivations takes away the right to change one's own activations.
	FixedActivations bool
}

// StockUsers returns the users of the zero Server, without the agents.
func StockUsers() []User {
	return []User{
		{ID: "anna", Name: "Anna Berg", Password: "anna", Activations: map[string]bool{"Sales": true, "Support": true, "Mail": false}},
		{ID: "cleo", Name: "Cleo Stern", Password: "cleo", Activations: map[string]bool{"Sales": true, "Support": true}},
		{ID: "portico", Name: "Portico", Password: "portico", Supervisor: true},
	}
}

// agentID is the form of the stock agents' ids.
var agentID = regexp.MustCompile(`^agent[0-9]{4}$`)

// oddIDs are those of stock agents whose ids paths have to escape, or may.
//
// Source: ICWS JavaScript library (encodeURIComponent of user ids).
var oddIDs = []string{"Dora Lund", "emil.voss@example.com"}

// stockAgent returns one of the many stock agents; false means that there is none of that id.
func stockAgent(id string) (User, bool) {
	id = strings.ToLower(id)
	agent := User{
		ID: id, Name: "Agent " + strings.TrimPrefix(id, "agent"), Password: id,
		Activations: map[string]bool{"Sales": true, "Support": true, "Mail": false},
	}
	for _, odd := range oddIDs {
		if strings.EqualFold(odd, id) {
			agent.ID, agent.Name, agent.Password = odd, odd, odd
			return agent, true
		}
	}
	return agent, agentID.MatchString(id) && id != "agent0000"
}

// user is a User and what has become of them. Server.mu guards it.
type user struct {
	id, name, password string
	workstation        string
	isSupervisor       bool
	fixedActivations   bool
	access             []string // nil: all selectable
	activations        map[string]bool
	now                icwsapi.UserStatus // complete: no pointer is nil but those for absent texts
	changes            int                // of the status, to tell whether a timer still means it
	before             string             // the status before the present one
	previous           []icwsapi.UserStatusPreviousInfo
	elsewhere          []string // stations of other clients than these sessions
	sessions           map[*session]struct{}
	watchers           map[*session]struct{} // sessions that subscribed to anything about this user
}

func (s *Server) initialUsers() []User {
	if s.Users == nil {
		return StockUsers()
	}
	return s.Users
}

func (s *Server) addUser(from User) *user {
	if from.StatusID == "" {
		from.StatusID = s.initialStatus()
	}
	if from.Name == "" {
		from.Name = from.ID
	}
	changed := icwsapi.NewTime(s.now())
	onPhone, loggedIn, servers := false, false, []string{s.icServer()}
	u := &user{
		id: from.ID, name: from.Name, password: from.Password, workstation: from.Workstation,
		isSupervisor: from.Supervisor, fixedActivations: from.FixedActivations,
		access: slices.Clone(from.Access), activations: maps.Clone(from.Activations),
		now: icwsapi.UserStatus{
			UserID: from.ID, StatusID: from.StatusID, Until: icwsapi.OptUntil{Present: true},
			StatusChanged: &changed, OnPhone: &onPhone, OnPhoneChanged: &changed,
			LoggedIn: &loggedIn, Stations: &[]string{}, ICServers: &servers,
		},
		sessions: make(map[*session]struct{}), watchers: make(map[*session]struct{}),
	}
	if u.activations == nil {
		u.activations = make(map[string]bool)
	}
	s.users[strings.ToLower(from.ID)] = u
	return u
}

// user returns the user of that id, compared without regard to case, or nil. Stock agents come
// into being here.
func (s *Server) user(id string) *user {
	if u := s.users[strings.ToLower(id)]; u != nil {
		return u
	}
	agent, isAgent := stockAgent(id)
	if s.Users == nil && isAgent {
		return s.addUser(agent)
	}
	return nil
}

// canonical returns the server's own spelling of a user id, or the id itself.
func (s *Server) canonical(id string) string {
	if u := s.users[strings.ToLower(id)]; u != nil {
		return u.id
	}
	return id
}

// mayChange says whether the session's user has the right to change u.
func (c *call) mayChange(u *user) bool {
	return c.session.user == u || c.session.user.isSupervisor
}
