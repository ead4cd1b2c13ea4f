package htccsim

import (
	"maps"
	"strings"
	"testing"
	"time"
)

func TestStartTellsOfTheLogIn(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "bjorn")
		c.listen("/v2/me/devices", "/v2/me/channels")
		if got := c.start("voice", "chat").body; got != `{"statusCode":0}` {
			t.Errorf("start = %s", got)
		}
		want(t, "device meanwhile", c.must("GET", "/api/v2/me/devices?fields=*", "").body, `"userState":{"state":"LoggedIn"},`)
		wantList(t, "notifications", c.heard(),
			`"userState":{"state":"LoggedIn"},`,
			`/v2/me/channels {"messageType":"ChannelStateChangeMessageV2","channels":[{"channel":"chat"`,
			`"userState":{"id":"9430250E-0A1B-421F-B372-F29E69366DED","displayName":"Ready","state":"Ready"}`)
		wanted := map[string]string{"voice": "Ready", "chat": "Not Ready"}
		if got := c.states(); !maps.Equal(got, wanted) {
			t.Errorf("states = %v; want %v", got, wanted)
		}
	})
}

// TestAStateAtOnceAfterTheStart is what some clients do without waiting for the log-in.
func TestAStateAtOnceAfterTheStart(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "bjorn")
		c.listen("/v2/me/devices")
		c.start("voice")
		c.operate("/api/v2/me", "NotReady")
		wantList(t, "notifications", c.heard(), `"state":"LoggedIn"`, `"state":"Ready"`, `"state":"NotReady"`)
		if got := c.states()["voice"]; got != "Not Ready" {
			t.Errorf("voice = %q; want what was asked for last", got)
		}
	})
}

func TestStateAtLogin(t *testing.T) {
	s := &Server{VoiceAtLogin: "NotReady", LoginDelay: -1}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "bjorn")
		c.start("voice")
		if got := c.states()["voice"]; got != "Not Ready" {
			t.Errorf("voice = %q; want Not Ready without delay", got)
		}
	})
}

func TestStartAgain(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := started(t, s, "cleo", "voice", "chat")
		c.operate("/api/v2/me", "OutToLunch")
		c.operate("/api/v2/me/channels/chat", "Offline")
		time.Sleep(settle)
		c = loggedIn(t, s, "cleo") // the page was loaded anew
		c.listen("/v2/me/*")
		c.start("voice", "chat", "email")
		wanted := map[string]string{"voice": "Out to Lunch", "chat": "Not Ready", "email": "Not Ready"}
		if got := c.states(); !maps.Equal(got, wanted) {
			t.Errorf("states = %v; want %v", got, wanted)
		}
		wantList(t, "notifications", c.heard(), `"channel":"chat"`)
		c.start("voice", "chat", "email")
		wantList(t, "notifications of a repeat", c.heard())
		c.operate("/api/v2/me/channels/voice", "Offline")
		c.start("voice")
		time.Sleep(settle)
		if got := c.states()["voice"]; got != "Ready" {
			t.Errorf("voice brought back = %q; want Ready", got)
		}
	})
}

func TestPartialStart(t *testing.T) {
	const (
		media = `{"statusCode":4,"statusMessage":"Interaction server connection is not opened","channel":"multimedia"}`
		voice = `{"statusCode":4,"statusMessage":"Device '5102' is not registered.","channel":"voice"}`
	)
	for _, test := range []struct {
		name, scenario string
		channels       []string
		status         int
		want           string
	}{
		{"multimedia fails as one", "multimedia-down", []string{"voice", "chat", "email"}, 200,
			`{"statusCode":7,"succeeded":[{"statusCode":0,"channel":"voice"}],"failed":[` + media + `]}`},
		{"voice fails", "voice-down", []string{"voice", "chat"}, 200,
			`{"statusCode":7,"succeeded":[{"statusCode":0,"channel":"multimedia"}],"failed":[` + voice + `]}`},
		{"both fail", "backend-down", []string{"voice", "chat"}, 500, `{"statusCode":4,"statusMessage":"Device '5102' is not registered."}`},
		{"voice alone fails", "voice-down", []string{"voice"}, 500, `{"statusCode":4,"statusMessage":"Device '5102' is not registered."}`},
		{"what is down is not asked for", "multimedia-down", []string{"voice"}, 200, `{"statusCode":0}`},
		{"somebody sits there", "device-taken", []string{"voice"}, 500, `{"statusCode":4,"statusMessage":"Device '5102' is assigned to another user"}`},
	} {
		for _, user := range []string{"", "cleo"} {
			t.Run(test.name+" for "+user, func(t *testing.T) {
				s := &Server{}
				inBubble(t, s, func(t *testing.T) {
					c := loggedIn(t, s, "cleo")
					fail(t, s, Fault{Scenario: test.scenario, User: user})
					got := c.do("POST", "/api/v2/me", `{"operationName":"StartContactCenterSession","channels":["`+strings.Join(test.channels, `","`)+`"]}`)
					if got.status != test.status || got.body != test.want {
						t.Errorf("start = %d %s; want %d %s", got.status, got.body, test.status, test.want)
					}
					s.Reset()
					c.start(test.channels...)
				})
			})
		}
	}
}

func TestPlaces(t *testing.T) {
	for _, test := range []struct {
		name, with string
		status     int
		want       string // in the answer, or the number afterwards
	}{
		{"none means one's own", ``, 200, `"phoneNumber":"5101"`},
		{"a place with one device", `,"place":"Place_6001","loginCode":"77","queue":"8001"`, 200, `"phoneNumber":"6001"`},
		{"several devices and one ACD position", `,"place":"Place_6002"`, 200, `"phoneNumber":"6002"`},
		{"several devices and no ACD position", `,"place":"Place_6004"`, 400, `"statusCode":2`},
		{"one of them by its path", `,"place":"Place_6004","devicePath":"/devices/` + uuid("device", "6005") + `"`, 200, `"phoneNumber":"6005"`},
		{"a device by its path alone", `,"devicePath":"/devices/` + uuid("device", "6001") + `"`, 200, `"phoneNumber":"6001"`},
		{"an unknown place", `,"place":"Nowhere"`, 400, `Place 'Nowhere' is not found`},
		{"an unknown device", `,"devicePath":"/devices/x"`, 400, `Device '/devices/x' is not found`},
		{"somebody else's", `,"devicePath":"/devices/` + uuid("device", "5102") + `"`, 500, `Device '5102' is assigned to another user`},
		{"a mobile session", `,"mobileSession":{"mobileDeviceId":"x","mobilePushType":"IOS","debug":true}`, 200, `"phoneNumber":"5101"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &Server{}
			inBubble(t, s, func(t *testing.T) {
				started(t, s, "cleo", "voice")
				c := loggedIn(t, s, "bjorn")
				got := c.do("POST", "/api/v2/me", `{"operationName":"StartContactCenterSession","channels":["voice"]`+test.with+`}`)
				if got.status != test.status {
					t.Fatalf("start = %d %s; want %d", got.status, got.body, test.status)
				}
				if got.status == 200 {
					got = c.must("GET", "/api/v2/me?subresources=devices", "")
				}
				want(t, "outcome", got.body, test.want)
				c.operate("/api/v2/me", "EndContactCenterSession")
				c = loggedIn(t, s, "bjorn")
				want(t, "afterwards", c.must("GET", "/api/v2/me/devices?fields=*", "").body, `"phoneNumber":"5101"`)
			})
		})
	}
}

func TestMovingToAnotherPlace(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := started(t, s, "bjorn", "voice")
		c.listen("/v2/me/devices")
		c.must("POST", "/api/v2/me", `{"operationName":"StartContactCenterSession","channels":["voice"],"place":"Place_6001"}`)
		wantList(t, "notifications", c.heard(), `"state":"LoggedOut"},"phoneNumber":"5101"`, `{"state":"LoggedIn"},"phoneNumber":"6001"`, `"state":"Ready"},"phoneNumber":"6001"`)
		want(t, "state", c.must("GET", "/_sim/state?user=bjorn", "").body, `"loginCode":"6001"`)
	})
}

func TestEndEndsTheHTTPSession(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := started(t, s, "bjorn", "voice", "chat")
		c.operate("/api/v2/me", "EndContactCenterSession")
		if got := c.do("GET", "/api/v2/me", ""); got.status != 403 || got.body != deniedBody {
			t.Errorf("GET /me = %d %s; want 403 %s", got.status, got.body, deniedBody)
		}
		state, err := s.State("bjorn")
		if err != nil || state.ContactCenterSession || state.Sessions != 0 || state.Notifications != 0 || state.Channels[0].UserState.State != "LoggedOut" {
			t.Errorf("State = %+v, %v; want all ended", state, err)
		}
		c = loggedIn(t, s, "bjorn")
		if got := c.states(); !maps.Equal(got, map[string]string{"voice": "Offline"}) {
			t.Errorf("states = %v; want voice Offline and no channels", got)
		}
	})
}

func TestOutageOfMultimedia(t *testing.T) {
	for _, test := range []struct {
		name string
		s    *Server
		back string
	}{
		{"comes back as NotReady", &Server{}, "Not Ready"},
		{"comes back as LoggedOut", &Server{LoggedOutAfterOutage: true}, "Offline"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := test.s
			inBubble(t, s, func(t *testing.T) {
				c := started(t, s, "bjorn", "voice", "chat")
				c.operate("/api/v2/me", "Ready")
				time.Sleep(settle)
				c.listen("/v2/me/*", "/notifications/services")
				fail(t, s, Fault{Scenario: "multimedia-down"})
				if got := c.states(); !maps.Equal(got, map[string]string{"voice": "Ready"}) {
					t.Errorf("states = %v; want voice alone", got)
				}
				want(t, "services", c.must("GET", "/api/v2/services?fields=*", "").body, `"type":"MultiMediaState","state":"Inactive"`, `"type":"Voice","state":"Active"`)
				wantNoWorkbins(t, c)
				got := c.do("POST", "/api/v2/me/channels/chat", `{"operationName":"Ready"}`)
				if got.status != 500 || got.body != `{"statusCode":4,"statusMessage":"Interaction server connection is not opened"}` {
					t.Errorf("chat Ready = %d %s", got.status, got.body)
				}
				fail(t, s, Fault{Scenario: "multimedia-up"})
				if got := c.must("GET", "/api/v2/workbins?fields=*", "").body; got != `{"statusCode":0,"workbins":[]}` {
					t.Errorf("workbins = %s; want them back", got)
				}
				wanted := map[string]string{"voice": "Ready", "chat": test.back}
				if got := c.states(); !maps.Equal(got, wanted) {
					t.Errorf("states = %v; want %v", got, wanted)
				}
				wantList(t, "notifications", c.heard(),
					`/notifications/services {"messageType":"ServiceStateChangeMessage","services":[{`, `"channels":[]`, `"messageType":"ErrorMessage"`,
					`"state":"Active"`, `"displayName":"`+test.back+`"`)
			})
		})
	}
}

// wantNoWorkbins holds reads of workbins to what was seen while the interaction server was lost.
func wantNoWorkbins(t *testing.T, c *client) {
	t.Helper()
	for _, path := range []string{"/workbins?fields=*", "/workbins", "/workbins/7", "/me/workbins"} {
		got := c.do("GET", "/api/v2"+path, "")
		if got.status != 503 || got.body != `{"statusCode":12,"statusMessage":"Interaction server connection is not opened"}` {
			t.Errorf("GET %s = %d %s; want 503 with 12", path, got.status, got.body)
		}
	}
}
