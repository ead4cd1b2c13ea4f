package htccsim

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"portico/translate/htccapi"
)

// agent is a User and what has become of them. Server.mu guards it.
type agent struct {
	User
	id       string
	base     string // scheme and host that the agent dialled last
	home     []*device
	desk     []*device // where they sit: home, or those of the place of the session
	login    *device   // the one of desk where voice logs in, or nil
	channels []*channel
	calls    []htccapi.Call
	sessions map[*session]struct{}

	// The contact-centre session, which outlives HTTP sessions.
	isStarted bool
	hasVoice  bool // Start asked for voice, and got it
	hasMedia  bool // for channels besides voice
	loginCode string
	queue     string

	mediaDown bool // the interaction server is lost to this agent
}

// presence is the state of a device or channel. Do-not-disturb stands beside it: the state keeps
// its value meanwhile.
//
// Source: GWS 8.5.2, DoNotDisturbOn.
type presence struct {
	state htccapi.UserState
	isDND bool
}

// device is a telephone, whoever it is assigned to.
type device struct {
	presence
	id         string
	number     string
	isACD      bool
	owner      *agent // in whose session it is, or nil
	forwardTo  string // empty: not forwarded
	isInactive bool   // not registered at the switch
	isLogging  bool   // LoggedIn, and about to get its state
	loginTurn  int    // of how many log-ins this is
}

// channel is a media channel besides voice.
type channel struct {
	presence
	name htccapi.MediaChannel
	isUp bool // Start asked for it
}

// loggedOut is where everything begins and ends.
func loggedOut() presence { return presence{state: htccapi.SettingOffline.UserState()} }

func (s *Server) addAgent(u User) {
	if u.Roles == nil {
		u.Roles = []string{htccapi.RoleAgent}
	}
	a := &agent{User: u, id: plainID("user", strings.ToLower(u.UserName)), sessions: make(map[*session]struct{})}
	if u.Phone != "" {
		a.home = s.furnish(Place{Devices: []PlaceDevice{{Phone: u.Phone}}})
		a.desk, a.login = a.home, a.home[0]
	}
	for _, name := range u.Channels {
		a.channels = append(a.channels, &channel{name: name, presence: loggedOut()})
	}
	s.agents[strings.ToLower(u.UserName)] = a
}

// agent returns the agent of that name, compared without regard to case, or nil.
func (s *Server) agent(userName string) *agent { return s.agents[strings.ToLower(userName)] }

// everybody returns all agents by name, so that what happens to all comes in the same order each time.
func (s *Server) everybody() []*agent {
	return slices.SortedFunc(maps.Values(s.agents), func(a, b *agent) int { return cmp.Compare(a.UserName, b.UserName) })
}

// agentByID returns the agent whose user has the id, or nil.
func (s *Server) agentByID(id string) *agent {
	for _, a := range s.agents {
		if a.id == id {
			return a
		}
	}
	return nil
}

func (a *agent) channel(name htccapi.MediaChannel) *channel {
	i := slices.IndexFunc(a.channels, func(c *channel) bool { return c.name == name })
	if i < 0 {
		return nil
	}
	return a.channels[i]
}

// has says whether the device is the agent's now. One that another agent's session has taken is that
// agent's alone, wherever it stands.
//
// Source: HTCC 8.5.0, StartContactCenterSession.
func (a *agent) has(d *device) bool { return d.owner == nil || d.owner == a }

// devices returns those of the desk that are the agent's now.
func (a *agent) devices() []*device {
	var assigned []*device
	for _, d := range a.desk {
		if a.has(d) {
			assigned = append(assigned, d)
		}
	}
	return assigned
}

// phone returns the device where voice logs in, nil if there is none now.
func (a *agent) phone() *device {
	if a.login == nil || !a.has(a.login) {
		return nil
	}
	return a.login
}

// device returns the agent's device of that id, or nil.
func (a *agent) device(id string) *device {
	devices := a.devices()
	i := slices.IndexFunc(devices, func(d *device) bool { return strings.EqualFold(d.id, id) })
	if i < 0 {
		return nil
	}
	return devices[i]
}

// isMediaUp says whether the agent's media channels are there to be seen.
func (a *agent) isMediaUp() bool { return a.hasMedia && !a.mediaDown }

func (a *agent) isSupervisor() bool { return slices.Contains(a.Roles, RoleSupervisor) }

// isQuiet says whether do-not-disturb is on for all devices and channels of the agent.
func (a *agent) isQuiet() bool {
	devices := a.devices()
	for _, d := range devices {
		if !d.isDND {
			return false
		}
	}
	for _, c := range a.channels {
		if !c.isDND {
			return false
		}
	}
	return len(devices)+len(a.channels) > 0
}
