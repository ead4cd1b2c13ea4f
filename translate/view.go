package translate

import (
	"github.com/google/uuid"

	"portico/translate/htccapi"
)

// Activities of voice: the wire is known to say Idle; Busy is our word for a call going on.
const (
	activityIdle = "Idle"
	activityBusy = "Busy"
)

// A View is an agent's state at one site as notifications carry it. An agent without voice there has no
// device. Nobody changes what is in the lists, which notifications share.
type View struct {
	Channels []htccapi.Channel
	Devices  []htccapi.Device // at most one
	DND      bool
}

// View returns what is to be seen of the agent's part at the site. While the site cannot be reached
// there are no channels and the device has no state.
func (r Rules) View(s AgentState, d *Directory) View {
	view := View{Channels: make([]htccapi.Channel, 0, len(r.Channels)), DND: s.DND()}
	now := r.stance(s, d)
	for _, channel := range r.Channels {
		if !s.has(channel) {
			continue
		}
		shown := htccapi.Channel{Channel: channel.Name, UserState: r.userState(channel, s, now, d), DNDState: dndState(s)}
		if channel.Name == htccapi.Voice {
			shown.PhoneNumber = s.phone()
			shown.UserActivity = activity(s)
			view.Devices = []htccapi.Device{device(s, shown.UserState, d)}
		}
		if s.Link != Unreachable {
			view.Channels = append(view.Channels, shown)
		}
	}
	return view
}

// userState returns the state of one channel: LoggedOut if it does not count or nobody is logged
// in; with an ACD status Ready only if the channel is activated, else what the agent last chose for
// it; with any other status that of the status.
func (r Rules) userState(channel Channel, s AgentState, now Stance, d *Directory) htccapi.UserState {
	if s.Link == Ended || !s.counts(channel) {
		return htccapi.SettingOffline.UserState()
	}
	if !d.IsACD(now.Choice.StatusID) || now.Ready[channel.Name] {
		return d.SettingOf(now.Choice.StatusID).UserState()
	}
	label := s.Wishes[channel.Name].Label
	if label == "" {
		return htccapi.SettingNotReady.UserState()
	}
	return d.SettingOf(label).UserState()
}

// What devices have in common. Nobody changes these lists.
var (
	mayHide = []htccapi.Operation{htccapi.DoNotDisturbOn}
	mayShow = []htccapi.Operation{htccapi.DoNotDisturbOff}
	byVoice = []htccapi.MediaChannel{htccapi.Voice}
)

func device(s AgentState, state htccapi.UserState, d *Directory) htccapi.Device {
	device := htccapi.Device{
		ID:                  s.Device,
		DeviceState:         htccapi.DeviceInactive,
		PhoneNumber:         s.phone(),
		TelephonyNetwork:    htccapi.TelephonyPrivate,
		DoNotDisturb:        dndState(s),
		VoiceEnvironmentURI: d.telephony,
		Capabilities:        mayHide,
		Channels:            byVoice,
	}
	if s.DND() {
		device.Capabilities = mayShow
	}
	if s.Link == Connected {
		device.DeviceState = htccapi.DeviceActive
		device.UserState = &state
	}
	return device
}

func dndState(s AgentState) string {
	if s.DND() {
		return htccapi.On
	}
	return htccapi.Off
}

// phone returns the number of the agent's phone: the station the site says they work at, else the
// first they are logged on to, else nothing.
func (s AgentState) phone() string {
	if s.Station != "" {
		return s.Station
	}
	if s.Status.Stations != nil && len(*s.Status.Stations) > 0 {
		return (*s.Status.Stations)[0]
	}
	return ""
}

func activity(s AgentState) string {
	if s.Status.OnPhone != nil && *s.Status.OnPhone {
		return activityBusy
	}
	return activityIdle
}

// deviceID returns the id of the agent's one device at a site, the same in every session.
func deviceID(site uuid.UUID, userID string) string {
	return uuid.NewSHA1(site, []byte("device:"+fold(userID))).String()
}

// AgentID returns the id of the agent's user object: 32 hex digits, the same in every session.
func AgentID(site, userID string) string {
	return hexOf(uuid.NewSHA1(Namespace(site), []byte("user:"+fold(userID))))
}
