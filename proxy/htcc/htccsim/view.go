package htccsim

import (
	"cmp"
	"strconv"

	"portico/translate/htccapi"
)

// onOff is how the wire says a flag.
func onOff(on bool) string {
	if on {
		return htccapi.On
	}
	return htccapi.Off
}

// uri returns the full form of a path such as /users/{id}.
func (s *Server) uri(a *agent, path string) string {
	return cmp.Or(s.PublicURL, a.base) + "/api/v2" + path
}

// showDevice is the device as every answer and notification has it.
func (s *Server) showDevice(a *agent, d *device) htccapi.Device {
	shown := htccapi.Device{
		ID: d.id, DeviceState: htccapi.DeviceInactive, PhoneNumber: d.number, TelephonyNetwork: htccapi.TelephonyPrivate,
		DoNotDisturb: onOff(d.isDND), ForwardTo: d.forwardTo,
		VoiceEnvironmentURI: s.uri(a, "/voice-environments/"+voiceEnvironment),
		Capabilities:        d.capabilities(a.isSupervisor()), Channels: []htccapi.MediaChannel{htccapi.Voice},
	}
	if !d.isInactive {
		state := d.state
		shown.DeviceState, shown.UserState = htccapi.DeviceActive, &state
	}
	return shown
}

// capabilities lists what is possible now: of each pair the one that would change something.
func (d *device) capabilities(isSupervisor bool) []htccapi.Operation {
	list := []htccapi.Operation{htccapi.DoNotDisturbOn, htccapi.ForwardCallsOn}
	if d.isDND {
		list[0] = htccapi.DoNotDisturbOff
	}
	if d.forwardTo != "" {
		list[1] = htccapi.ForwardCallsOff
	}
	if isSupervisor {
		list = append(list, "ListenIn", "Coach", "BargeIn", "CancelSupervisorMonitoring", "MuteMonitoredUser", "UnmuteMonitoredUser")
	}
	return list
}

func (s *Server) showDevices(a *agent) []htccapi.Device {
	shown := []htccapi.Device{}
	for _, d := range a.devices() {
		shown = append(shown, s.showDevice(a, d))
	}
	return shown
}

// showChannels lists the channels there are to be seen: media channels while their session is open
// and their server up, and voice, if at all, while the device is active.
func (s *Server) showChannels(a *agent, withVoice bool) []htccapi.Channel {
	shown := []htccapi.Channel{}
	if a.isMediaUp() {
		for _, c := range a.channels {
			if c.isUp {
				shown = append(shown, htccapi.Channel{Channel: c.name, UserState: c.state})
			}
		}
	}
	if phone := a.phone(); withVoice && phone != nil && !phone.isInactive && a.isStarted {
		shown = append(shown, a.showVoice(phone))
	}
	return shown
}

// Source: GWS 8.5.2, ChannelsResource.
func (a *agent) showVoice(phone *device) htccapi.Channel {
	activity := "Idle"
	if len(a.calls) > 0 {
		activity = "HandlingCall" // guess: only Idle is documented
	}
	return htccapi.Channel{
		Channel: htccapi.Voice, UserState: phone.state,
		PhoneNumber: phone.number, SwitchName: switchName, UserActivity: activity,
	}
}

// withDND adds the flag that channels show in notifications and not in answers.
func (a *agent) withDND(channels []htccapi.Channel) []htccapi.Channel {
	for i := range channels {
		if c := a.channel(channels[i].Channel); c != nil {
			channels[i].DNDState = onOff(c.isDND)
		} else {
			channels[i].DNDState = onOff(a.login.isDND)
		}
	}
	return channels
}

// showUser is the user without sub-resources.
func (s *Server) showUser(a *agent) htccapi.User {
	path := "/users/" + a.id
	return htccapi.User{
		ID: a.id, UserName: a.UserName, FirstName: a.FirstName, LastName: a.LastName, Roles: a.Roles, Enabled: true,
		ContactCenterID: contactCenter, URI: s.uri(a, path), Path: path,
	}
}

func (s *Server) showSkills(a *agent) []htccapi.Skill {
	shown := []htccapi.Skill{}
	for _, skill := range a.Skills {
		path := "/skills/" + plainID("skill", skill.Name)
		shown = append(shown, htccapi.Skill{
			ID: plainID("skill", skill.Name), Name: skill.Name, Level: strconv.Itoa(skill.Level), URI: s.uri(a, path), Path: path,
		})
	}
	return shown
}
