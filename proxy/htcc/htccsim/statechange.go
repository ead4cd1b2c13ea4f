package htccsim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"portico/translate/htccapi"
)

// StateChange is a change made as if by another client or by the switch: whatever transitions are
// valid. What is left out stays.
//
// A state is named by its operationName, such as OutToLunch, its displayName or its id; Ready,
// NotReady and LoggedOut will do too.
type StateChange struct {
	User string `json:"user"`

	Channel     htccapi.MediaChannel `json:"channel"`     // whose state it is; with neither this nor device, all there are
	Device      string               `json:"device"`      // id or number
	State       string               `json:"state"`       // of the channel or device
	DND         string               `json:"dnd"`         // On or Off, of the same
	DeviceState string               `json:"deviceState"` // Active or Inactive; of the device, by default the one of voice

	// Channels sets the states of several channels at once: {"chat":"Ready"}, or an array as State
	// has it.
	Channels ChannelStates `json:"channels"`
}

// ChannelStates names states by channel.
type ChannelStates map[htccapi.MediaChannel]string

// UnmarshalJSON reads an object of names, or an array of channels.
func (states *ChannelStates) UnmarshalJSON(text []byte) error {
	var shown []htccapi.Channel
	err := json.Unmarshal(text, (*map[htccapi.MediaChannel]string)(states))
	if err == nil {
		return nil
	}
	err = json.Unmarshal(text, &shown)
	if err != nil {
		return fmt.Errorf(`channels: want {"chat":"Ready"} or [{"channel":"chat","userState":{"state":"Ready"}}]`)
	}
	*states = make(ChannelStates)
	for _, one := range shown {
		(*states)[one.Channel] = cmp.Or(one.UserState.ID, cmp.Or(one.UserState.DisplayName, one.UserState.State))
	}
	return nil
}

// SetState makes the change and tells who subscribed, of all of it at one moment. Channels that were not
// started are started by it. It changes nothing if it fails: for a user, channel, device or state that does
// not exist.
func (s *Server) SetState(change StateChange) error {
	s.start.Do(s.init)
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.agent(change.User)
	if a == nil {
		return s.unknownUser(change.User)
	}
	states, d, err := s.checkChange(a, change)
	if err != nil {
		return err
	}
	s.together(a, 0, func() {
		if d != nil && change.DeviceState != "" {
			s.setRegistered(a, d, change.DeviceState == htccapi.DeviceActive)
		}
		s.setDND(a, d, change)
		s.impose(a, d, states)
	})
	return nil
}

// checkChange finds what does not exist. It returns the states to set, and the device meant if it
// is a matter of one.
func (s *Server) checkChange(a *agent, change StateChange) (map[htccapi.MediaChannel]htccapi.UserState, *device, error) {
	var d *device
	wanted := make(ChannelStates)
	maps.Copy(wanted, change.Channels)
	switch {
	case change.Device != "":
		devices := a.devices()
		i := slices.IndexFunc(devices, func(d *device) bool {
			return strings.EqualFold(d.id, change.Device) || d.number == change.Device
		})
		if i < 0 {
			return nil, nil, fmt.Errorf("htccsim: user %q has no device %q", a.UserName, change.Device)
		}
		d = devices[i]
		wanted[htccapi.Voice] = change.State
	case change.Channel != "":
		wanted[change.Channel] = change.State
	case change.State != "":
		for _, shown := range s.channelsOf(a) {
			wanted[shown.Channel] = change.State
		}
	}
	if d == nil && (change.DeviceState != "" || change.DND != "" && change.Channel == "") {
		d = a.phone()
	}
	err := checkFlags(change)
	if err != nil {
		return nil, nil, err
	}
	states, err := s.readStates(a, wanted)
	return states, d, err
}

func checkFlags(change StateChange) error {
	if change.DND != "" && change.DND != htccapi.On && change.DND != htccapi.Off {
		return fmt.Errorf("htccsim: dnd %q: want On or Off", change.DND)
	}
	if change.DeviceState != "" && change.DeviceState != htccapi.DeviceActive && change.DeviceState != htccapi.DeviceInactive {
		return fmt.Errorf("htccsim: deviceState %q: want Active or Inactive", change.DeviceState)
	}
	return nil
}

// readStates finds the states that are named for these channels.
func (s *Server) readStates(a *agent, wanted ChannelStates) (map[htccapi.MediaChannel]htccapi.UserState, error) {
	states := make(map[htccapi.MediaChannel]htccapi.UserState)
	for name, wantedState := range wanted {
		if name == htccapi.Voice && a.phone() == nil || name != htccapi.Voice && a.channel(name) == nil {
			return nil, fmt.Errorf("htccsim: user %q has no channel %q", a.UserName, name)
		}
		if wantedState == "" {
			continue
		}
		i := slices.IndexFunc(s.AgentStates, func(setting htccapi.AgentStateSetting) bool { return isNamed(setting, wantedState) })
		if i < 0 {
			unknown := s.unknownOperation(htccapi.Operation(wantedState), htccapi.StateLoggedOut)
			return nil, fmt.Errorf("htccsim: %s", unknown.message)
		}
		states[name] = s.AgentStates[i].UserState()
	}
	return states, nil
}

func isNamed(setting htccapi.AgentStateSetting, name string) bool {
	return strings.EqualFold(string(setting.OperationName), name) || strings.EqualFold(setting.ID, name) ||
		strings.EqualFold(setting.DisplayName, name) || setting.WorkMode == "" && setting.UserState().State == name
}

// setDND sets the flag of one channel or device, or of all.
func (s *Server) setDND(a *agent, d *device, change StateChange) {
	if change.DND == "" {
		return
	}
	on := change.DND == htccapi.On
	if change.Channel == htccapi.Voice {
		d = a.phone()
	}
	if d != nil {
		d.isDND = on
		s.tellVoice(a, d, 0)
	}
	if change.Device != "" {
		return
	}
	for _, one := range a.channels {
		if change.Channel == "" || change.Channel == one.name {
			one.isDND = on
		}
	}
	if change.Channel != htccapi.Voice {
		s.tellChannels(a, 0)
	}
}

// impose puts channels into states.
func (s *Server) impose(a *agent, d *device, states map[htccapi.MediaChannel]htccapi.UserState) {
	media := false
	for name, state := range states {
		a.isStarted = true
		if name == htccapi.Voice {
			s.imposeVoice(a, cmp.Or(d, a.phone()), state)
			continue
		}
		one := a.channel(name)
		one.state, one.isUp = state, true
		a.hasMedia, media = true, true
	}
	if media {
		s.tellChannels(a, 0)
	}
}

func (s *Server) imposeVoice(a *agent, d *device, state htccapi.UserState) {
	s.finishLogin(a, d)
	d.state, d.owner = state, a
	if d == a.login {
		a.hasVoice = true
	}
	s.tellVoice(a, d, 0)
}
