package htccsim

import (
	"slices"

	"portico/translate/htccapi"
)

// setAll brings every channel of the agent that is logged in to the state to. Guess: channels that
// are logged out are passed by, and where some refuse the answer is that of a session's start.
func (s *Server) setAll(c *call, a *agent, to htccapi.AgentStateSetting) reply {
	var results []htccapi.ChannelResult
	s.together(a, c.notifyIn, func() { results = s.setEach(c, a, to) })
	if len(results) == 0 && to.State != htccapi.SettingLogout {
		return c.refuse(codeInvalid, "The agent is not logged in to any channel")
	}
	return c.outcome(results)
}

func (s *Server) setEach(c *call, a *agent, to htccapi.AgentStateSetting) (results []htccapi.ChannelResult) {
	if a.hasVoice && (a.login.isInactive || a.login.state.State != htccapi.StateLoggedOut) {
		results = append(results, result(htccapi.Voice, s.setVoice(c, a, operation{}, to)))
	}
	media := slices.DeleteFunc(slices.Clone(a.channels), func(c *channel) bool {
		return !c.isUp || c.state.State == htccapi.StateLoggedOut
	})
	if a.hasMedia && len(media) > 0 {
		results = append(results, result(htccapi.ChannelMultimedia, s.setMedia(c, a, media, to)))
	}
	return results
}

func result(channel htccapi.MediaChannel, wrong refusal) htccapi.ChannelResult {
	return htccapi.ChannelResult{StatusCode: wrong.code, StatusMessage: wrong.message, Channel: channel}
}

// outcome answers an operation on several channels: all well, partial success with two lists, or
// the first failure alone.
//
// Source: GWS 8.5.2, StartContactCenterSession; captured traffic of GWS 8.5.202.96.
func (c *call) outcome(results []htccapi.ChannelResult) reply {
	var succeeded, failed []htccapi.ChannelResult
	for _, r := range results {
		if r.StatusCode == codeOK {
			succeeded = append(succeeded, r)
		} else {
			failed = append(failed, r)
		}
	}
	switch {
	case len(failed) == 0:
		return c.done()
	case len(succeeded) == 0:
		return c.refuse(failed[0].StatusCode, failed[0].StatusMessage)
	case c.dialect == htccapi.DialectStatus: // guess: it has no word for it
		return c.answer(statusOf(codePartial), codePartial,
			object{{"status", htccapi.StatusOK}, {"errorDescription", failed[0].StatusMessage}})
	}
	return c.answer(statusOf(codePartial), codePartial,
		object{{"statusCode", codePartial}, {"succeeded", succeeded}, {"failed", failed}})
}

// setVoice brings the agent's telephone to the state to, and tells of it also if it was there.
func (s *Server) setVoice(c *call, a *agent, asked operation, to htccapi.AgentStateSetting) refusal {
	d := a.phone()
	if d.isInactive {
		s.tellDeviceError(a, d, c.notifyIn)
		return d.notRegistered()
	}
	wrong := admits(d.state, a.hasVoice, to)
	if wrong.code != codeOK {
		return wrong
	}
	state, wrong := workMode(asked, to.UserState())
	if wrong.code != codeOK {
		return wrong
	}
	if s.faults.Take(refuseAsync, a.UserName, c.host) != nil {
		s.tellDeviceError(a, d, c.notifyIn)
		return refusal{}
	}
	s.takeEffect(func() {
		s.finishLogin(a, d)
		d.state = state
		s.tellVoice(a, d, c.notifyIn)
	})
	return refusal{}
}

// setMedia brings these channels of the agent to the state to, and tells of all. It changes all of
// them or none.
func (s *Server) setMedia(c *call, a *agent, channels []*channel, to htccapi.AgentStateSetting) refusal {
	if a.mediaDown && a.hasMedia {
		s.tellChannelError(a, mediaLost.message, c.notifyIn)
		return mediaLost
	}
	for _, one := range channels {
		wrong := admits(one.state, a.hasMedia && one.isUp, to)
		if wrong.code != codeOK {
			return wrong
		}
	}
	if s.faults.Take(refuseAsync, a.UserName, c.host) != nil {
		s.tellChannelError(a, "The interaction server refused the agent state.", c.notifyIn)
		return refusal{}
	}
	s.takeEffect(func() {
		for _, one := range channels {
			one.state = to.UserState()
		}
		s.tellChannels(a, c.notifyIn)
	})
	return refusal{}
}

// takeEffect makes a change of state now, or after StateDelay.
func (s *Server) takeEffect(change func()) {
	if s.StateDelay > 0 {
		s.later(s.StateDelay, change)
		return
	}
	change()
}
