package htccapi_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"portico/translate/htccapi"
)

type appender interface{ AppendJSON(out []byte) []byte }

// holdsToJSON compares what is appended with what encoding/json encodes.
func holdsToJSON(t *testing.T, message appender) {
	t.Helper()
	var want bytes.Buffer
	encoder := json.NewEncoder(&want)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(message)
	if err != nil {
		t.Fatal(err)
	}
	got := message.AppendJSON([]byte("before"))
	if string(got) != "before"+string(bytes.TrimSpace(want.Bytes())) {
		t.Errorf("appended is %s; want %s", got, want.Bytes())
	}
}

// TestEveryMemberIsAppended sets one member after the other, those of later versions of the types too.
func TestEveryMemberIsAppended(t *testing.T) {
	for _, value := range []string{"x", `Zoë's "<&>" \ in` + "\t\u2028", "\xff"} {
		everyMember(reflect.TypeFor[htccapi.UserState](), value, func(v reflect.Value) {
			state := v.Interface().(htccapi.UserState)
			holdsToJSON(t, channels(htccapi.Channel{UserState: state}))
			holdsToJSON(t, devices(htccapi.Device{UserState: &state}))
		})
		everyMember(reflect.TypeFor[htccapi.Channel](), value, func(v reflect.Value) {
			holdsToJSON(t, channels(v.Interface().(htccapi.Channel), htccapi.Channel{}))
		})
		everyMember(reflect.TypeFor[htccapi.Device](), value, func(v reflect.Value) {
			holdsToJSON(t, devices(v.Interface().(htccapi.Device), htccapi.Device{}))
		})
		holdsToJSON(t, htccapi.ChannelStateChangeMessage{MessageType: value})
		holdsToJSON(t, htccapi.DeviceStateChangeMessage{MessageType: value})
	}
	holdsToJSON(t, htccapi.ChannelStateChangeMessage{Channels: []htccapi.Channel{}})
	holdsToJSON(t, htccapi.DeviceStateChangeMessage{Devices: []htccapi.Device{}})
}

func channels(all ...htccapi.Channel) htccapi.ChannelStateChangeMessage {
	return htccapi.ChannelStateChangeMessage{MessageType: htccapi.TypeChannelStateChange, Channels: all}
}

func devices(all ...htccapi.Device) htccapi.DeviceStateChangeMessage {
	return htccapi.DeviceStateChangeMessage{MessageType: htccapi.TypeDeviceStateChange, Devices: all}
}

// everyMember calls f with values of a struct of which one member is set in each.
func everyMember(of reflect.Type, text string, f func(reflect.Value)) {
	for i := range of.NumField() {
		v := reflect.New(of).Elem()
		field := v.Field(i)
		switch field.Kind() {
		case reflect.String:
			field.SetString(text)
		case reflect.Slice:
			list := reflect.MakeSlice(field.Type(), 2, 2)
			list.Index(1).SetString(text)
			field.Set(list)
		}
		f(v)
	}
}

func FuzzAppendText(f *testing.F) {
	for _, text := range []string{"", "At Lunch", `"`, "\\", "\x00", "\x7f", "\u2029", "\xc3", "é<>&", "\U0001f37d"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		holdsToJSON(t, channels(htccapi.Channel{UserState: htccapi.UserState{Reason: text}}))
	})
}
