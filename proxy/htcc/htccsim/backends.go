package htccsim

import (
	"portico/translate/htccapi"
)

// backends names servers behind this one.
type backends struct {
	voice bool // the switch
	media bool // the interaction server
}

// setBackends takes servers away from everybody, or gives them back, and says so to all.
func (s *Server) setBackends(which backends, isDown bool) {
	var changed []string
	if which.voice && s.voiceDown != isDown {
		s.voiceDown = isDown
		changed = append(changed, htccapi.ServiceVoice)
	}
	if which.media && s.mediaDown != isDown {
		s.mediaDown = isDown
		changed = append(changed, htccapi.ServiceMultimediaState)
	}
	if len(changed) > 0 {
		s.tellServices(changed...)
	}
	for _, a := range s.everybody() {
		s.setBackendsOf(a, which, isDown)
	}
	for _, d := range s.devices { // those on places where nobody sits
		if which.voice && d.owner == nil {
			d.isInactive = isDown
		}
	}
}

// setBackendsOf does so to one agent. What comes back is NotReady, never Ready.
//
// Source: vendor reference, Channels API: reverting from Offline to Online.
func (s *Server) setBackendsOf(a *agent, which backends, isDown bool) {
	if which.voice {
		for _, d := range a.devices() {
			s.setRegistered(a, d, !isDown)
		}
	}
	if which.media && a.mediaDown != isDown {
		s.setMediaDown(a, isDown)
	}
}

// setMediaDown: the agent's channels are not to be seen meanwhile. Guess: a notification without
// them says so.
func (s *Server) setMediaDown(a *agent, isDown bool) {
	a.mediaDown = isDown
	for _, one := range a.channels {
		if !isDown && one.isUp {
			one.state = s.afterOutage(one.state)
		}
	}
	s.tellChannels(a, 0)
}

// setRegistered takes one device away from its agent, or gives it back, and tells of it if that is
// a change.
func (s *Server) setRegistered(a *agent, d *device, isRegistered bool) {
	if d.isInactive != isRegistered {
		return
	}
	s.finishLogin(a, d)
	d.isInactive = !isRegistered
	if isRegistered {
		d.state = s.afterOutage(d.state)
	}
	s.tellVoice(a, d, 0)
}

// afterOutage is the state in which something comes back that was in state before.
func (s *Server) afterOutage(before htccapi.UserState) htccapi.UserState {
	if before.State == htccapi.StateLoggedOut || s.LoggedOutAfterOutage {
		return loggedOut().state
	}
	return htccapi.SettingNotReady.UserState()
}
