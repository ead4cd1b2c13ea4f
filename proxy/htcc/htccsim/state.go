package htccsim

import (
	"fmt"
	"slices"
	"strings"

	"portico/translate/htccapi"
)

// State is what the server holds about a user. Channels lists voice too, whatever answers show, and
// channels that are logged out; those whose server is lost are missing.
type State struct {
	UserName             string            `json:"userName"`
	Devices              []htccapi.Device  `json:"devices"`
	Channels             []htccapi.Channel `json:"channels"`
	DND                  string            `json:"dnd"` // On: for all devices and channels
	ContactCenterSession bool              `json:"contactCenterSession"`
	LoginCode            string            `json:"loginCode"`
	Queue                string            `json:"queue"`
	Sessions             int               `json:"sessions"`      // HTTP sessions
	Notifications        int               `json:"notifications"` // CometD sessions
}

// State returns what the server holds about the user. It fails if there is no such user.
func (s *Server) State(userName string) (State, error) {
	s.start.Do(s.init)
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.agent(userName)
	if a == nil {
		return State{}, s.unknownUser(userName)
	}
	return State{
		UserName: a.UserName, Devices: s.showDevices(a), Channels: s.channelsOf(a), DND: onOff(a.isQuiet()),
		ContactCenterSession: a.isStarted, LoginCode: a.loginCode, Queue: a.queue,
		Sessions: len(a.sessions), Notifications: s.cometd.Clients(a.owner()),
	}, nil
}

// channelsOf lists all channels of the agent, voice first.
func (s *Server) channelsOf(a *agent) []htccapi.Channel {
	shown := []htccapi.Channel{}
	if phone := a.phone(); phone != nil && !phone.isInactive {
		shown = append(shown, a.showVoice(phone))
	}
	for _, one := range a.channels {
		if !a.mediaDown {
			shown = append(shown, htccapi.Channel{Channel: one.name, UserState: one.state})
		}
	}
	return a.withDND(shown)
}

func (s *Server) unknownUser(name string) error {
	names := []string{}
	for _, a := range s.agents {
		names = append(names, a.UserName)
	}
	slices.Sort(names)
	return fmt.Errorf("htccsim: unknown user %q: want one of %s", name, strings.Join(names, ", "))
}
