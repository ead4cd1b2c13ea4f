package translate

import (
	"slices"

	"portico/translate/htccapi"
)

// A Notification is what HTCC would push: a message on a topic.
type Notification struct {
	Topic string
	Data  any // one of the message types of htccapi
}

// Notifications returns what is pushed when what /me shows goes from before to after. A confirmed
// operation pushes device and channels, also if it leads to the state one is in, as HTCC does. What
// AgentState.Sent alone changes is not pushed; the message that confirms it is.
//
// Source: GWS 8.5.2, CometD messages; that all channels are listed is Portico's choice, since some
// clients replace their whole set.
func Notifications(before, after View, heard Heard) []Notification {
	pushed := make([]Notification, 0, 2)
	if len(after.Devices) > 0 && (heard.Confirmed || !before.SameDevices(after)) {
		pushed = append(pushed, Notification{Topic: htccapi.TopicDevices, Data: htccapi.DeviceStateChangeMessage{
			MessageType: htccapi.TypeDeviceStateChange, Devices: after.Devices}})
	}
	if heard.Confirmed || before.DND != after.DND || !before.SameChannels(after) {
		pushed = append(pushed, Notification{Topic: htccapi.TopicChannels, Data: htccapi.ChannelStateChangeMessage{
			MessageType: htccapi.TypeChannelStateChange, Channels: after.Channels}})
	}
	return pushed
}

// SameDevices reports whether the devices of both are alike.
func (v View) SameDevices(other View) bool {
	return slices.EqualFunc(v.Devices, other.Devices, sameDevice)
}

// SameChannels reports whether the channels of both are alike.
func (v View) SameChannels(other View) bool { return slices.Equal(v.Channels, other.Channels) }

// sameDevice compares member by member: reflect.DeepEqual over two views was a fiftieth of what an event costs.
func sameDevice(a, b htccapi.Device) bool {
	sameState := a.UserState == b.UserState || a.UserState != nil && b.UserState != nil && *a.UserState == *b.UserState
	return sameState && a.ID == b.ID && a.DeviceState == b.DeviceState && a.PhoneNumber == b.PhoneNumber &&
		a.Description == b.Description && a.E164Number == b.E164Number && a.TelephonyNetwork == b.TelephonyNetwork &&
		a.DoNotDisturb == b.DoNotDisturb && a.ForwardTo == b.ForwardTo && a.VoiceEnvironmentURI == b.VoiceEnvironmentURI &&
		slices.Equal(a.Capabilities, b.Capabilities) && slices.Equal(a.Channels, b.Channels) &&
		a.DynamicPhoneNumber == b.DynamicPhoneNumber
}

// Failure returns what is pushed when an operation that was answered with success failed at the
// site: an ErrorMessage on the topic of the device, else of the channels.
func Failure(view View, text string) Notification {
	message := htccapi.ErrorMessage{MessageType: htccapi.TypeError, ErrorMessage: text}
	if len(view.Devices) == 0 {
		return Notification{Topic: htccapi.TopicChannels, Data: message}
	}
	message.DevicePath = "/devices/" + view.Devices[0].ID
	return Notification{Topic: htccapi.TopicDevices, Data: message}
}
