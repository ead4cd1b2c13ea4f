package htcc

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/translate/htccapi"
)

func object(t testing.TB, text string) Object {
	t.Helper()
	var o Object
	err := json.Unmarshal([]byte(text), &o)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestObjectLosesNothing(t *testing.T) {
	for _, text := range []string{
		`{}`,
		`{"b":1,"a":{"z":1,"y":[1,2]},"c":null,"":""}`,
		`{"big":12345678901234567890,"small":1e-400,"text":"\u00e4\ud83d"}`,
	} {
		if got := mustJSON(t, object(t, text)); got != text {
			t.Errorf("%s is written as %s", text, got)
		}
	}
	if got := mustJSON(t, object(t, `{"a":1,"b":2,"a":3}`)); got != `{"a":3,"b":2}` {
		t.Errorf("of two members with one name %s is left; want the later, in the place of the first", got)
	}
}

func TestObjectRefusesOtherValues(t *testing.T) {
	for _, text := range []string{`null`, `[]`, `1`, `"{}"`, `true`, `{`, ``, `{"a":}`} {
		var o Object
		err := json.Unmarshal([]byte(text), &o)
		if err == nil {
			t.Errorf("%s was read as %s", text, mustJSON(t, o))
		}
	}
	var list []Object
	err := json.Unmarshal([]byte(`[{},null]`), &list)
	if err == nil {
		t.Error("null was read as an object of a list")
	}
}

func TestObjectIsNotChanged(t *testing.T) {
	o := object(t, `{"a":1,"b":"x","c":3}`)
	changed := map[string]Object{
		`{"a":1,"b":2,"c":3}`:           o.With("b", json.RawMessage(`2`)),
		`{"a":1,"b":"x","c":3,"d":"/"}`: o.With("d", json.RawMessage(`"/"`)),
		`{"b":"x"}`:                     o.Without("a", "c", "x"),
	}
	for want, got := range changed {
		if mustJSON(t, got) != want {
			t.Errorf("got %s; want %s", mustJSON(t, got), want)
		}
	}
	if got := mustJSON(t, o); got != `{"a":1,"b":"x","c":3}` {
		t.Errorf("the object became %s", got)
	}
	if !o.Equal(object(t, `{"a":1,"b":"x","c":3}`)) || o.Equal(o.Without("c")) || o.Equal(o.With("b", json.RawMessage("1"))) {
		t.Error("Equal does not tell objects apart")
	}
	if o.Text("b") != "x" || o.Text("a") != "" || o.Text("d") != "" || o.Get("d") != nil || string(o.Get("a")) != "1" {
		t.Error("Text and Get do not say what is there")
	}
}

func TestDevicesAndChannels(t *testing.T) {
	user := object(t, string(object(t, string(body(t, "login-200.http"))).Get("user")))
	devices, err := Devices(user)
	if err != nil || len(devices) != 1 {
		t.Fatalf("Devices = %v, %v; want one", devices, err)
	}
	device := devices[0]
	state, ok := device.UserState()
	if device.ID() != "c1f6b3f0-7a0e-4c7e-9f55-2d8c8a1b0e77" || device.DoNotDisturb() != htccapi.Off || !ok {
		t.Errorf("the device is read wrong: %s", mustJSON(t, device))
	}
	if want := htccapi.SettingNotReady.UserState(); state != want {
		t.Errorf("state of the device = %v; want %v", state, want)
	}
	if !strings.Contains(mustJSON(t, device), `"telephonyNetwork":"Private"`) {
		t.Errorf("the device is written as %s; want all its members", mustJSON(t, device))
	}
	channels, err := Channels(user)
	if err != nil || len(channels) != 1 {
		t.Fatalf("Channels = %v, %v; want one", channels, err)
	}
	state, ok = channels[0].UserState()
	if channels[0].Name() != "chat" || channels[0].DoNotDisturb() != "" || !ok || state != htccapi.SettingReady.UserState() {
		t.Errorf("the channel is read wrong: %s", mustJSON(t, channels[0]))
	}
}

func TestDevicesAndChannelsThatAreNotThere(t *testing.T) {
	tests := []struct {
		name string
		text string
		want string // devices, channels and error
	}{
		{"missing", `{}`, "null null false"},
		{"null", `{"devices":null,"channels":null}`, "null null false"},
		{"empty", `{"devices":[],"channels":[]}`, "[] [] false"},
		{"no list", `{"devices":{},"channels":"x"}`, "null null true"},
		{"a list of something else", `{"devices":["http://h/x"],"channels":[null]}`, "null null true"},
	}
	for _, test := range tests {
		o := object(t, test.text)
		devices, err1 := Devices(o)
		channels, err2 := Channels(o)
		failed := map[bool]string{true: "true", false: "false"}[err1 != nil && err2 != nil]
		got := mustJSON(t, devices) + " " + mustJSON(t, channels) + " " + failed
		if got != test.want {
			t.Errorf("%s: devices, channels and failure = %s; want %s", test.name, got, test.want)
		}
	}
	odd := Device{object(t, `{"id":7,"userState":"x","channels":"voice"}`)}
	_, ok := odd.UserState()
	if odd.ID() != "" || ok {
		t.Errorf("an odd device is read as something: %s", mustJSON(t, odd))
	}
}

// What is read is written so that it reads the same.
func FuzzObject(f *testing.F) {
	f.Add([]byte(`{"a":1,"b":{"c":[1,2,null]},"a":2}`))
	f.Add([]byte(`{"statusCode":"7"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var o Object
		err := json.Unmarshal(b, &o)
		if err != nil {
			return
		}
		written, err := json.Marshal(o)
		if err != nil {
			t.Fatalf("%q was read and cannot be written: %v", b, err)
		}
		var want, got any
		if json.Unmarshal(b, &want) != nil {
			return // a number too large for Go is kept all the same
		}
		err = json.Unmarshal(written, &got)
		if err != nil || !cmp.Equal(want, got) {
			t.Errorf("%q is written as %q (%v)", b, written, err)
		}
	})
}
