package translate

import (
	"reflect"

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
	if len(after.Devices) > 0 && (heard.Confirmed || !reflect.DeepEqual(before.Devices, after.Devices)) {
		pushed = append(pushed, Notification{Topic: htccapi.TopicDevices, Data: htccapi.DeviceStateChangeMessage{
			MessageType: htccapi.TypeDeviceStateChange, Devices: after.Devices}})
	}
	if heard.Confirmed || before.DND != after.DND || !reflect.DeepEqual(before.Channels, after.Channels) {
		pushed = append(pushed, Notification{Topic: htccapi.TopicChannels, Data: htccapi.ChannelStateChangeMessage{
			MessageType: htccapi.TypeChannelStateChange, Channels: after.Channels}})
	}
	return pushed
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
