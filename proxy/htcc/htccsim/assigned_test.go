package htccsim

import (
	"strings"
	"testing"
	"time"

	"portico/translate/htccapi"
)

// atCleos returns bjorn, whose session has the device of cleo, and her, who has none meanwhile. Both
// listen, and have heard of the start.
func atCleos(t *testing.T, s *Server) (bjorn, cleo *client, device string) {
	t.Helper()
	bjorn, cleo, device = loggedIn(t, s, "bjorn"), loggedIn(t, s, "cleo"), uuid("device", "5102")
	bjorn.listen("/v2/me/*")
	cleo.listen("/v2/me/*")
	bjorn.startAt(device)
	wantList(t, "what bjorn is told of the start", bjorn.heard(), `"state":"LoggedIn"`, `"state":"Ready"`)
	return bjorn, cleo, device
}

func (c *client) startAt(device string) {
	c.t.Helper()
	c.must("POST", "/api/v2/me", `{"operationName":"StartContactCenterSession","channels":["voice"],"devicePath":"/devices/`+device+`"}`)
}

const noDevices = `{"statusCode":0,"devices":[]}`

func TestADeviceIsThatOfOneAgent(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		bjorn, cleo, device := atCleos(t, s)
		for _, path := range []string{"/api/v2/me/devices?fields=*", "/api/v2/users/" + plainID("user", "cleo") + "/devices?fields=*"} {
			if got := cleo.must("GET", path, "").body; got != noDevices {
				t.Errorf("GET %s = %s; want %s", path, got, noDevices)
			}
		}
		if got := cleo.must("GET", "/api/v2/me?subresources=devices", "").body; !strings.Contains(got, `"devices":[]`) {
			t.Errorf("GET /me = %s; want no devices", got)
		}
		for _, path := range []string{"/api/v2/me/devices/" + device, "/api/v2/me/channels/voice", "/api/v2/devices/" + device + "/settings/tserver"} {
			if got := cleo.do("GET", path, ""); got.status != 404 {
				t.Errorf("GET %s = %d %s; want 404", path, got.status, got.body)
			}
		}
		want(t, "what bjorn reads", bjorn.must("GET", "/api/v2/me/devices?fields=*", "").body, `"phoneNumber":"5102"`, `"state":"Ready"`)
		bjorn.operate("/api/v2/me", "EndContactCenterSession")
		want(t, "what cleo reads then", cleo.must("GET", "/api/v2/me/devices?fields=*", "").body, `"phoneNumber":"5102"`, `"state":"LoggedOut"`)
	})
}

func TestADeviceIsChangedByItsAgentAlone(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		bjorn, cleo, device := atCleos(t, s)
		for _, test := range []struct {
			path, body string
			status     int
		}{
			{"/me/devices/" + device, `{"operationName":"DoNotDisturbOn"}`, 404},
			{"/me/devices/" + device, `{"operationName":"ForwardCallsOn","forwardTo":"9"}`, 404},
			{"/me/channels/voice", `{"operationName":"NotReady"}`, 404},
			{"/me", `{"operationName":"StartContactCenterSession","channels":["voice"]}`, 500},
			{"/me", `{"operationName":"DoNotDisturbOn"}`, 200}, // of her channels
		} {
			if got := cleo.do("POST", "/api/v2"+test.path, test.body); got.status != test.status {
				t.Errorf("POST %s %s = %d %s; want %d", test.path, test.body, got.status, got.body, test.status)
			}
		}
		for _, change := range []StateChange{{Device: "5102", DND: "On"}, {Channel: htccapi.Voice, State: "NotReady"}} {
			change.User = "cleo"
			if s.SetState(change) == nil {
				t.Errorf("SetState(%+v) succeeded; want a refusal", change)
			}
		}
		setState(t, s, StateChange{User: "cleo", DND: "Off"})
		want(t, "the device", bjorn.must("GET", "/api/v2/me/devices?fields=*", "").body, `"doNotDisturb":"Off"`, `"state":"Ready"`)
		wantList(t, "what bjorn is told", bjorn.heard())
		bjorn.operate("/api/v2/me", "DoNotDisturbOn")
		wantList(t, "what bjorn is told of his own", bjorn.heard(), `"doNotDisturb":"On"`)
		wantList(t, "what cleo is told", cleo.heard())
	})
}

// TestALateChangeOfADeviceIsToldToItsAgent although another one asked for it.
func TestALateChangeOfADeviceIsToldToItsAgent(t *testing.T) {
	s := &Server{StateDelay: time.Minute}
	inBubble(t, s, func(t *testing.T) {
		bjorn, cleo := loggedIn(t, s, "bjorn"), loggedIn(t, s, "cleo")
		device := cleo.deviceID()
		bjorn.listen("/v2/me/*")
		cleo.listen("/v2/me/*")
		cleo.operate("/api/v2/me/devices/"+device, "DoNotDisturbOn")
		bjorn.startAt(device)
		wantList(t, "what bjorn is told", bjorn.heard(), `"doNotDisturb":"On"`, `"state":"LoggedIn"`, `"state":"Ready"`)
		wantList(t, "what cleo is told", cleo.heard())
	})
}

func TestAnOutageIsToldToTheAgentOfTheDevice(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		bjorn, cleo, _ := atCleos(t, s)
		for range 8 { // enough for chance to show
			fail(t, s, Fault{Scenario: "voice-down"})
			fail(t, s, Fault{Scenario: "voice-down", User: "cleo"})
			wantList(t, "what bjorn is told of the loss", bjorn.heard(), `"deviceState":"Inactive"`)
			fail(t, s, Fault{Scenario: "voice-up", User: "cleo"})
			fail(t, s, Fault{Scenario: "voice-up"})
			wantList(t, "what bjorn is told of the return", bjorn.heard(), `"state":"NotReady"`)
		}
		wantList(t, "what cleo is told", cleo.heard())
	})
}
