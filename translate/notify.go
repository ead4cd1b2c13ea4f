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

// Told says which notifications of a change have been pushed.
type Told struct{ Device, Channels bool }

var toldAll = Told{Device: true, Channels: true}

// told returns what is pushed of a change that nobody asked for here: the device if it changed, and
// all channels if one of them did.
func told(before, after View) Told {
	return Told{
		Device:   !reflect.DeepEqual(before.Device, after.Device),
		Channels: before.DND != after.DND || !reflect.DeepEqual(before.Channels, after.Channels),
	}
}

// Notifications returns what is pushed when what /me shows goes from before to after. A confirmed
// operation pushes device and channels, but what has been pushed of it, also if it leads to the state
// one is in, as HTCC does. What AgentState.Sent alone changes is not pushed; the message that confirms
// it is.
//
// Source: GWS 8.5.2, CometD messages; that all channels are listed is Portico's choice, since some
// clients replace their whole set.
func Notifications(before, after View, heard Heard) []Notification {
	var pushed []Notification
	changed := told(before, after)
	if after.Device != nil && (changed.Device || heard.Confirmed && !heard.Told.Device) {
		pushed = append(pushed, Notification{Topic: htccapi.TopicDevices, Data: htccapi.DeviceStateChangeMessage{
			MessageType: htccapi.TypeDeviceStateChange, Devices: []htccapi.Device{*after.Device}}})
	}
	if changed.Channels || heard.Confirmed && !heard.Told.Channels {
		pushed = append(pushed, Notification{Topic: htccapi.TopicChannels, Data: htccapi.ChannelStateChangeMessage{
			MessageType: htccapi.TypeChannelStateChange, Channels: WithDND(after)}})
	}
	return pushed
}

// WithDND returns the channels as notifications carry them.
func WithDND(view View) []htccapi.Channel {
	state := htccapi.Off
	if view.DND {
		state = htccapi.On
	}
	channels := make([]htccapi.Channel, len(view.Channels))
	for i, channel := range view.Channels {
		channel.DNDState = state
		channels[i] = channel
	}
	return channels
}

// Failure returns what is pushed when an operation that was answered with success failed at the
// site: an ErrorMessage on the topic of the device, else of the channels.
func Failure(view View, text string) Notification {
	message := htccapi.ErrorMessage{MessageType: htccapi.TypeError, ErrorMessage: text}
	if view.Device == nil {
		return Notification{Topic: htccapi.TopicChannels, Data: message}
	}
	message.DevicePath = "/devices/" + view.Device.ID
	return Notification{Topic: htccapi.TopicDevices, Data: message}
}
