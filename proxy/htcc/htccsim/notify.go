package htccsim

import (
	"cmp"
	"time"

	"portico/proxy/push"
	"portico/translate/htccapi"
)

// spread is what was measured between answers and their notifications; negative means that the
// notification comes first.
//
// Source: captured traffic of GWS 8.5.202.96.
var spread = [...]time.Duration{-13 * time.Millisecond, 2 * time.Millisecond, 20 * time.Millisecond, 85 * time.Millisecond}

// pace decides when an operation is answered and when its notifications go out.
func (s *Server) pace(c *call) {
	delay := s.NotifyDelay
	if delay == 0 {
		delay = spread[s.operated%len(spread)]
	}
	s.operated++
	if s.StateDelay > 0 {
		return // the notification comes with the change, long after the answer
	}
	c.hold, c.notifyIn = max(-delay, 0), max(delay, 0)
}

// tell sends a notification to all CometD sessions of the agent, after in. It holds what was true
// when it was called, and overtakes none that was sent before. The caller holds s.mu.
func (s *Server) tell(a *agent, topic string, message any, in time.Duration) {
	if s.faults.Take(loseNotification, a.UserName, "") != nil {
		return
	}
	one := push.Publication{Channel: topic, Data: withMetrics(message, s.now())}
	if s.gathers {
		s.gathered = append(s.gathered, one)
		return
	}
	s.notify(a, in, one)
}

// together has all that do tells of the agent go out at one moment: a connect that is held is answered with all
// of it. The caller holds s.mu.
func (s *Server) together(a *agent, in time.Duration, do func()) {
	s.gathers = true
	do()
	all := s.gathered
	s.gathers, s.gathered = false, nil
	if len(all) > 0 {
		s.notify(a, in, all...)
	}
}

func (s *Server) notify(a *agent, in time.Duration, all ...push.Publication) {
	if in > 0 {
		s.later(in, func() { s.publish(a, all...) })
		return
	}
	s.catchUp()
	s.publish(a, all...)
}

// withMetrics adds to a message what a real server does.
func withMetrics(message any, now time.Time) object {
	return append(objectOf(message), member{"metrics", htccapi.Metrics{EventProcessing: htccapi.EventProcessing{
		NodeProcessingTimeNanos: 310_000, ServerGenerationTimestamp: now.UnixMilli(),
	}}})
}

// tellVoice tells of a device, whole, and of the channel voice where it is listed. It tells the agent
// whose the device is now: a change that comes late may find another than a.
func (s *Server) tellVoice(a *agent, d *device, in time.Duration) {
	a = cmp.Or(d.owner, a)
	s.tell(a, htccapi.TopicDevices, htccapi.DeviceStateChangeMessage{
		MessageType: htccapi.TypeDeviceStateChange, Devices: []htccapi.Device{s.showDevice(a, d)},
	}, in)
	if s.VoiceInChannels && d == a.phone() {
		s.tellChannels(a, in)
	}
}

// tellChannels tells of all channels of the agent. Guess: all, since some clients replace their
// whole set, and nothing while there has been no channel to see.
func (s *Server) tellChannels(a *agent, in time.Duration) {
	if !a.hasMedia && !s.VoiceInChannels {
		return
	}
	s.tell(a, htccapi.TopicChannels, htccapi.ChannelStateChangeMessage{
		MessageType: htccapi.TypeChannelStateChange, Channels: a.withDND(s.showChannels(a, s.VoiceInChannels)),
	}, in)
}

// tellDeviceError tells that an operation on the device failed, besides the answer that says so.
//
// Source: captured traffic of GWS 8.5.202.96.
func (s *Server) tellDeviceError(a *agent, d *device, in time.Duration) {
	path := "/devices/" + d.id
	s.tell(a, htccapi.TopicDevices, htccapi.DeviceErrorMessage{
		MessageType: htccapi.TypeError, DevicePath: path, DeviceURI: s.uri(a, path),
	}, in)
}

// tellChannelError tells that the server behind the media channels refused an operation on them.
// Guess: captured is that of devices alone; a client looks for the text.
func (s *Server) tellChannelError(a *agent, text string, in time.Duration) {
	s.tell(a, htccapi.TopicChannels, htccapi.ErrorMessage{MessageType: htccapi.TypeError, ErrorMessage: text}, in)
}

// tellServices tells all agents of services that changed.
func (s *Server) tellServices(types ...string) {
	for _, a := range s.everybody() {
		s.tell(a, htccapi.TopicServices, htccapi.ServiceStateChangeMessage{
			MessageType: htccapi.TypeServiceStateChange, Services: s.showServices(a, types...),
		}, 0)
	}
}
