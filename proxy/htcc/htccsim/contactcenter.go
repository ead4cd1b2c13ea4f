package htccsim

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"portico/translate/htccapi"
)

// startSession logs the agent in to the channels asked for. Voice and all others are reported as
// two; where both succeed the answer says no more. With a session open it adds what is missing and
// leaves alone what is there: an agent whose page was loaded anew starts once more.
//
// Source: GWS 8.5.2, StartContactCenterSession; captured traffic of GWS 8.5.202.96.
func (s *Server) startSession(c *call, a *agent, asked operation) reply {
	channels, wrong := readChannels(asked)
	if wrong.code != codeOK {
		return c.refuse(wrong.code, wrong.message)
	}
	media := slices.DeleteFunc(slices.Clone(channels), func(name htccapi.MediaChannel) bool { return name == htccapi.Voice })
	var results []htccapi.ChannelResult
	if len(media) < len(channels) {
		results = append(results, result(htccapi.Voice, s.startVoice(c, a, asked)))
	}
	if len(media) > 0 {
		results = append(results, result(htccapi.ChannelMultimedia, s.startMedia(c, a, media)))
	}
	a.isStarted = a.isStarted || slices.ContainsFunc(results, func(r htccapi.ChannelResult) bool { return r.StatusCode == codeOK })
	return c.outcome(results)
}

func readChannels(asked operation) ([]htccapi.MediaChannel, refusal) {
	raw, isThere := asked.members["channels"]
	if !isThere || string(raw) == "null" {
		return nil, refusal{codeMissing, "Required parameter 'channels' is missing"}
	}
	var channels []htccapi.MediaChannel
	err := json.Unmarshal(raw, &channels)
	if err != nil {
		return nil, refusal{codeInvalid, "Parameter 'channels' must be an array of channel names"}
	}
	if len(channels) == 0 {
		return nil, refusal{codeMissing, "Parameter 'channels' names no channel"}
	}
	return channels, refusal{}
}

// startVoice seats the agent and logs them in at the device found.
func (s *Server) startVoice(c *call, a *agent, asked operation) refusal {
	devices, phone, wrong := s.seat(a, asked)
	if wrong.code != codeOK {
		return wrong
	}
	if s.faults.Take(deviceTaken, a.UserName, c.host) != nil {
		return phone.taken()
	}
	if phone.isInactive {
		s.tellDeviceError(a, phone, c.notifyIn)
		return phone.notRegistered()
	}
	isSame := a.hasVoice && a.login == phone
	if !isSame {
		s.leaveDevices(a, c.notifyIn)
	}
	a.desk, a.login, a.hasVoice = devices, phone, true
	for _, d := range devices {
		d.owner = a
	}
	a.loginCode = cmp.Or(asked.text("loginCode"), phone.number)
	a.queue = asked.text("queue")
	if !isSame || phone.state.State == htccapi.StateLoggedOut {
		s.logIn(a, phone, c.notifyIn)
	}
	return refusal{}
}

// seat finds the devices that the agent is to have, and the one to log in at: as devicePath or
// place says, else the agent's own; with a session open, those of the session.
//
// Source: HTCC 8.5.0 and GWS 8.5.2, StartContactCenterSession. Guess: the codes of the refusals.
func (s *Server) seat(a *agent, asked operation) ([]*device, *device, refusal) {
	devices, phone := a.home, loginDevice(a.home)
	if a.hasVoice {
		devices, phone = a.desk, a.login
	}
	if name := asked.text("place"); name != "" {
		devices = s.at(name)
		if devices == nil {
			return nil, nil, refusal{codeInvalid, "Place '" + name + "' is not found"}
		}
		phone = loginDevice(devices)
	}
	if path := asked.text("devicePath"); path != "" {
		d := s.devices[path[strings.LastIndexByte(path, '/')+1:]]
		if d == nil {
			return nil, nil, refusal{codeInvalid, "Device '" + path + "' is not found"}
		}
		phone = d
		if !slices.Contains(devices, d) {
			devices = []*device{d}
		}
	}
	if phone == nil {
		return nil, nil, refusal{codeInvalid, "No device to log in at: the place has none, or several and not one ACD position"}
	}
	for _, d := range devices {
		if d.owner != nil && d.owner != a {
			return nil, nil, d.taken()
		}
	}
	return devices, phone, refusal{}
}

func (d *device) taken() refusal {
	return refusal{codeInternal, "Device '" + d.number + "' is assigned to another user"}
}

// logIn shows the device LoggedIn, and after LoginDelay in the state that the switch gives it.
//
// Source: captured traffic of GWS 8.5.202.96 (observed: Ready).
func (s *Server) logIn(a *agent, d *device, in time.Duration) {
	d.state = htccapi.UserState{State: htccapi.StateLoggedIn}
	d.isLogging = true
	d.loginTurn++
	turn := d.loginTurn
	s.tellVoice(a, d, in)
	delay := cmp.Or(s.LoginDelay, 20*time.Millisecond)
	if delay < 0 {
		s.finishLogin(a, d)
		return
	}
	s.life.After(max(in, 0)+delay, func() {
		if d.loginTurn == turn {
			s.finishLogin(a, d)
		}
	})
}

// finishLogin gives a device that is logging in its state. Whatever changes the device does this
// first: some clients start a session and set a state without waiting.
func (s *Server) finishLogin(a *agent, d *device) {
	if !d.isLogging {
		return
	}
	d.isLogging = false
	at := htccapi.SettingReady
	if setting := s.setting(s.VoiceAtLogin); setting != nil {
		at = *setting
	}
	d.state = at.UserState()
	s.tellVoice(a, d, 0)
}

// startMedia opens the agent's channels besides voice. They come up NotReady.
func (s *Server) startMedia(c *call, a *agent, names []htccapi.MediaChannel) refusal {
	for _, name := range names {
		if a.channel(name) == nil {
			return refusal{codeInvalid, "Channel '" + string(name) + "' is not valid for the user"}
		}
	}
	if a.mediaDown {
		return mediaLost
	}
	a.hasMedia = true
	isChanged := false
	for _, name := range names {
		one := a.channel(name)
		if one.isUp && one.state.State != htccapi.StateLoggedOut {
			continue
		}
		one.isUp, isChanged = true, true
		one.state = htccapi.SettingNotReady.UserState()
	}
	if isChanged {
		s.tellChannels(a, c.notifyIn)
	}
	return refusal{}
}

// endSession logs the agent out everywhere, gives them their own device back and ends the HTTP
// session, whose last request this is.
//
// Source: GWS 8.5.2, EndContactCenterSession.
func (s *Server) endSession(c *call, a *agent) reply {
	s.logOut(a)
	s.end(c.session)
	return c.done()
}

// logOut ends the contact-centre session of the agent. What there is to tell is told at once, since
// nobody may be there to hear it later.
func (s *Server) logOut(a *agent) {
	s.catchUp()
	hadMedia := a.isMediaUp()
	for _, one := range a.channels {
		one.state = loggedOut().state
	}
	if hadMedia {
		s.tellChannels(a, 0)
	}
	for _, one := range a.channels {
		one.isUp = false
	}
	s.leaveDevices(a, 0)
	a.desk, a.login = a.home, loginDevice(a.home)
	a.isStarted, a.hasVoice, a.hasMedia, a.loginCode, a.queue = false, false, false, "", ""
}

// leaveDevices logs the agent out of all devices of the session and gives them up.
func (s *Server) leaveDevices(a *agent, in time.Duration) {
	if !a.hasVoice {
		return
	}
	for _, d := range a.devices() {
		d.isLogging = false
		d.loginTurn++
		d.owner = nil
		if d.state.State != htccapi.StateLoggedOut {
			d.state = loggedOut().state
			s.tellVoice(a, d, in)
		}
	}
}
