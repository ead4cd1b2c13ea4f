package translate

import (
	"reflect"
	"testing"

	"portico/translate/htccapi"
)

func TestNotifications(t *testing.T) {
	ready := htccapi.Channel{Channel: htccapi.Voice, UserState: htccapi.SettingReady.UserState(), PhoneNumber: "5101", UserActivity: "Idle"}
	notReady := htccapi.Channel{Channel: htccapi.Voice, UserState: htccapi.SettingNotReady.UserState(), PhoneNumber: "5101", UserActivity: "Idle"}
	mail := htccapi.Channel{Channel: email, UserState: htccapi.SettingNotReady.UserState()}
	view := func(dnd bool, devices []htccapi.Device, channels ...htccapi.Channel) View {
		return View{Channels: channels, Devices: devices, DND: dnd}
	}
	phone := func(state string) []htccapi.Device { return []htccapi.Device{{ID: "d1", DeviceState: state}} }
	devices := func(devices []htccapi.Device) Notification {
		return Notification{"/v2/me/devices", htccapi.DeviceStateChangeMessage{MessageType: "DeviceStateChangeMessage", Devices: devices}}
	}
	channels := func(channels ...htccapi.Channel) Notification {
		return Notification{"/v2/me/channels", htccapi.ChannelStateChangeMessage{MessageType: "ChannelStateChangeMessageV2", Channels: channels}}
	}
	asked := Heard{Confirmed: true}
	active, inactive := phone(htccapi.DeviceActive), phone(htccapi.DeviceInactive)
	tests := []struct {
		name          string
		before, after View
		heard         Heard
		want          []Notification
	}{
		{"nothing changed", view(false, active, ready, mail), view(false, phone(htccapi.DeviceActive), ready, mail), Heard{}, nil},
		{"nothing changed, but it was asked for", view(false, active, ready, mail), view(false, active, ready, mail), asked,
			[]Notification{devices(active), channels(ready, mail)}},
		{"one channel changed: all are listed", view(false, active, ready, mail), view(false, active, notReady, mail), Heard{},
			[]Notification{channels(notReady, mail)}},
		{"the device changed", view(false, active, ready), view(false, inactive, ready), Heard{}, []Notification{devices(inactive)}},
		{"do-not-disturb changed", view(false, active, ready, mail), view(true, active, ready, mail), Heard{}, []Notification{channels(ready, mail)}},
		{"a channel came", view(false, nil, mail), view(false, active, ready, mail), Heard{}, []Notification{devices(active), channels(ready, mail)}},
		{"voice went", view(false, active, ready, mail), view(false, nil, mail), Heard{}, []Notification{channels(mail)}},
		{"all channels went", view(false, nil, mail), view(false, nil), Heard{}, []Notification{channels()}},
		{"an agent without voice has no device to tell of", view(false, nil, mail), view(false, nil, mail), asked, []Notification{channels(mail)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			differ(t, tt.want, Notifications(tt.before, tt.after, tt.heard), equateEmpty)
		})
	}
}

// TestDevicesAreComparedWhole holds also members that a device will get.
func TestDevicesAreComparedWhole(t *testing.T) {
	same := func(a, b htccapi.Device) bool {
		return View{Devices: []htccapi.Device{a}}.SameDevices(View{Devices: []htccapi.Device{b}})
	}
	of := reflect.TypeFor[htccapi.Device]()
	for i := range of.NumField() {
		var one, alike htccapi.Device
		set(reflect.ValueOf(&one).Elem().Field(i))
		set(reflect.ValueOf(&alike).Elem().Field(i))
		if same(one, htccapi.Device{}) || same(htccapi.Device{}, one) {
			t.Errorf("a device is the same with another %s", of.Field(i).Name)
		}
		if !same(one, alike) {
			t.Errorf("a device with a %s is not the same as itself", of.Field(i).Name)
		}
	}
	ready, away := htccapi.UserState{State: "Ready"}, htccapi.UserState{State: "NotReady"}
	if same(htccapi.Device{UserState: &ready}, htccapi.Device{UserState: &away}) {
		t.Error("a device is the same in another state")
	}
}

// set gives a member a value.
func set(field reflect.Value) {
	switch field.Kind() {
	case reflect.String:
		field.SetString("x")
	case reflect.Slice:
		field.Set(reflect.MakeSlice(field.Type(), 1, 1))
	case reflect.Pointer:
		field.Set(reflect.New(field.Type().Elem()))
	}
}

func TestFailureGoesWhereTheOperationWent(t *testing.T) {
	differ(t, Notification{"/v2/me/devices", htccapi.ErrorMessage{MessageType: "ErrorMessage", ErrorMessage: "no", DevicePath: "/devices/d1"}},
		Failure(View{Devices: []htccapi.Device{{ID: "d1"}}}, "no"))
	differ(t, Notification{"/v2/me/channels", htccapi.ErrorMessage{MessageType: "ErrorMessage", ErrorMessage: "no"}}, Failure(View{}, "no"))
}
