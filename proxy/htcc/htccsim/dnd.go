package htccsim

import (
	"cmp"

	"portico/translate/htccapi"
)

// setAllDND sets do-not-disturb of all devices and channels, with or without a session. States keep
// their values. A device that is not registered, and channels whose server is lost, cannot be set.
//
// Source: vendor reference, DndOn; GWS 8.5.2, DoNotDisturbOn.
func (s *Server) setAllDND(c *call, a *agent, on bool) reply {
	var results []htccapi.ChannelResult
	s.together(a, c.notifyIn, func() {
		for _, d := range a.devices() {
			results = append(results, result(htccapi.Voice, s.setDeviceDND(c, a, d, on)))
		}
		if len(a.channels) > 0 {
			results = append(results, result(htccapi.ChannelMultimedia, s.setMediaDND(c, a, on)))
		}
	})
	return c.outcome(results)
}

func (s *Server) setMediaDND(c *call, a *agent, on bool) refusal {
	if a.mediaDown && a.hasMedia {
		s.tellChannelError(a, mediaLost.message, c.notifyIn)
		return mediaLost
	}
	s.takeEffect(func() {
		for _, one := range a.channels {
			one.isDND = on
		}
		s.tellChannels(a, c.notifyIn)
	})
	return refusal{}
}

// setDeviceDND sets do-not-disturb of one device.
func (s *Server) setDeviceDND(c *call, a *agent, d *device, on bool) refusal {
	if d.isInactive {
		s.tellDeviceError(a, d, c.notifyIn)
		return d.notRegistered()
	}
	s.takeEffect(func() {
		d.isDND = on
		s.tellVoice(a, d, c.notifyIn)
	})
	return refusal{}
}

// forward turns the forwarding of calls on or off. Guess: how the number is called, so that any of
// the likely names will do.
func (s *Server) forward(c *call, a *agent, d *device, asked operation) refusal {
	if d.isInactive {
		s.tellDeviceError(a, d, c.notifyIn)
		return d.notRegistered()
	}
	number := ""
	if asked.name == htccapi.ForwardCallsOn {
		for _, name := range []string{"forwardTo", "phoneNumber", "forwardNumber", "number", "destination"} {
			number = cmp.Or(number, asked.text(name))
		}
		if number == "" {
			return refusal{codeMissing, "Required parameter 'forwardTo' is missing"}
		}
	}
	s.takeEffect(func() {
		d.forwardTo = number
		s.tellVoice(a, d, c.notifyIn)
	})
	return refusal{}
}
