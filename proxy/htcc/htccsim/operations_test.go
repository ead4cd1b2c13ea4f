package htccsim

import (
	"maps"
	"strings"
	"testing"
	"time"

	"portico/translate/htccapi"
)

// TestAdmits is the transition table of HTCC's agent-state model: rows are what something is
// in, columns what is asked for.
func TestAdmits(t *testing.T) {
	lunch := StockAgentStates()[5]
	out, notReady, ready := htccapi.SettingOffline.UserState(), htccapi.SettingNotReady.UserState(), htccapi.SettingReady.UserState()
	for _, test := range []struct {
		name       string
		from       htccapi.UserState
		hasSession bool
		to         htccapi.AgentStateSetting
		want       int
	}{
		{"logged out without session to Ready", out, false, htccapi.SettingReady, codeInvalid},
		{"logged out without session to NotReady", out, false, htccapi.SettingNotReady, codeInvalid},
		{"logged out without session to a custom state", out, false, lunch, codeInvalid},
		{"logged out without session to Offline", out, false, htccapi.SettingOffline, codeOK},
		{"logged out in a session to Ready", out, true, htccapi.SettingReady, codeInvalid},
		{"logged out in a session to NotReady", out, true, htccapi.SettingNotReady, codeOK},
		{"logged out in a session to a custom state", out, true, lunch, codeOK},
		{"NotReady to Ready", notReady, true, htccapi.SettingReady, codeOK},
		{"NotReady to NotReady", notReady, true, htccapi.SettingNotReady, codeOK},
		{"NotReady to AfterCallWork", notReady, true, htccapi.SettingAfterCallWork, codeOK},
		{"NotReady to Offline", notReady, true, htccapi.SettingOffline, codeOK},
		{"Ready to Ready", ready, true, htccapi.SettingReady, codeOK},
		{"Ready to AuxWork", ready, true, htccapi.SettingAuxWork, codeOK},
		{"Ready to Offline", ready, true, htccapi.SettingOffline, codeOK},
		{"LoggedIn to NotReady", htccapi.UserState{State: htccapi.StateLoggedIn}, true, htccapi.SettingNotReady, codeOK},
	} {
		if got := admits(test.from, test.hasSession, test.to); got.code != test.want {
			t.Errorf("%s: admits = %+v; want %d", test.name, got, test.want)
		}
	}
}

func TestOperations(t *testing.T) {
	const me, voice, chat = "/api/v2/me", "/api/v2/me/channels/voice", "/api/v2/me/channels/chat"
	for _, test := range []struct {
		name, path, body string
		voice, chat      string // display names afterwards
	}{
		{"all Ready", me, `{"operationName":"Ready"}`, "Ready", "Ready"},
		{"all NotReady", me, `{"operationName":"NotReady"}`, "Not Ready", "Not Ready"},
		{"all to a custom state", me, `{"operationName":"OutToLunch"}`, "Out to Lunch", "Out to Lunch"},
		{"all Offline", me, `{"operationName":"Offline"}`, "Offline", "Offline"},
		{"voice NotReady", voice, `{"operationName":"NotReady"}`, "Not Ready", "Not Ready"},
		{"voice after a call", voice, `{"operationName":"AfterCallWork","wrapUpTime":"0"}`, "AfterCallWork", "Not Ready"},
		{"voice after a call, time as a number", voice, `{"operationName":"AfterCallWork","wrapUpTime":30}`, "AfterCallWork", "Not Ready"},
		{"voice at other work", voice, `{"operationName":"AuxWork"}`, "AuxWork", "Not Ready"},
		{"voice Offline", voice, `{"operationName":"Offline"}`, "Offline", "Not Ready"},
		{"voice Ready by hand", voice, `{"operationName":"Ready","workmode":"ManualIn"}`, "Ready", "Not Ready"},
		{"chat Ready", chat, `{"operationName":"Ready"}`, "Ready", "Ready"},
		{"chat Offline", chat, `{"operationName":"Offline"}`, "Ready", "Offline"},
		{"members nobody knows", chat, `{"operationName":"Ready","mood":{"a":[1]}}`, "Ready", "Ready"},
		{"a trailing slash and a byte order mark", chat + "/", "\xef\xbb\xbf" + `{"operationName":"Ready"}`, "Ready", "Ready"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &Server{}
			inBubble(t, s, func(t *testing.T) {
				c := started(t, s, "bjorn", "voice", "chat")
				if got := c.must("POST", test.path, test.body).body; got != `{"statusCode":0}` {
					t.Errorf("POST = %s", got)
				}
				wanted := map[string]string{"voice": test.voice, "chat": test.chat}
				if got := c.states(); !maps.Equal(got, wanted) {
					t.Errorf("states = %v; want %v", got, wanted)
				}
			})
		})
	}
}

func TestRefusedOperations(t *testing.T) {
	for _, test := range []struct {
		name, path, body string
		status, code     int
		text             string
	}{
		{"no operation", "/me", `{}`, 400, 1, "'operationName' is missing"},
		{"no body", "/me", ``, 400, 2, "not a JSON object"},
		{"an array", "/me", `[]`, 400, 2, "not a JSON object"},
		{"null", "/me", `null`, 400, 2, "not a JSON object"},
		{"an operation that is a number", "/me", `{"operationName":7}`, 400, 2, "must be a string"},
		{"an unknown operation", "/me", `{"operationName":"Dance"}`, 400, 2, "expected one of NotReady, Offline"},
		{"another spelling", "/me", `{"operationName":"ready"}`, 400, 2, "Operation 'ready' is not valid"},
		{"a session's operation on a channel", "/me/channels/voice", `{"operationName":"StartContactCenterSession"}`, 400, 2, "not valid"},
		{"no operation on a channel", "/me/channels/chat", `{}`, 400, 1, "missing"},
		{"a channel that the agent has not", "/me/channels/email", `{"operationName":"Ready"}`, 404, 6, "Channel 'email' is not found"},
		{"do-not-disturb of a channel", "/me/channels/chat", `{"operationName":"DoNotDisturbOn"}`, 400, 2, "not valid"},
		{"an unknown work mode", "/me/channels/voice", `{"operationName":"Ready","workmode":"Auto"}`, 400, 2, "ManualIn or AutoIn"},
		{"a work mode of NotReady", "/me/channels/voice", `{"operationName":"NotReady","workmode":"AutoIn"}`, 400, 2, "Ready only"},
		{"a time that is none", "/me/channels/voice", `{"operationName":"AfterCallWork","wrapUpTime":"soon"}`, 400, 2, "wrapUpTime"},
		{"a device that the agent has not", "/me/devices/7", `{"operationName":"DoNotDisturbOn"}`, 404, 6, "Device '7' is not found"},
		{"a state of a device", "/me/devices/{id}", `{"operationName":"Ready"}`, 400, 2, "expected one of DoNotDisturbOn"},
		{"no operation on a device", "/me/devices/{id}", `{}`, 400, 1, "missing"},
		{"to forward nowhere", "/me/devices/{id}", `{"operationName":"ForwardCallsOn"}`, 400, 1, "'forwardTo' is missing"},
		{"to start no channels", "/me", `{"operationName":"StartContactCenterSession"}`, 400, 1, "'channels' is missing"},
		{"to start null", "/me", `{"operationName":"StartContactCenterSession","channels":null}`, 400, 1, "missing"},
		{"to start an empty list", "/me", `{"operationName":"StartContactCenterSession","channels":[]}`, 400, 1, "names no channel"},
		{"to start a text", "/me", `{"operationName":"StartContactCenterSession","channels":"voice"}`, 400, 2, "array"},
		{"to start a channel that the agent has not", "/me", `{"operationName":"StartContactCenterSession","channels":["fax"]}`, 400, 2, "'fax'"},
		{"another agent, by no supervisor", "/users/7/channels/voice", `{"operationName":"Ready"}`, 403, 5, "permission"},
		{"a body too long", "/me", `{"operationName":"` + strings.Repeat("x", maxBody) + `"}`, 400, 2, "too long"},
		{"no operation on a workbin", "/workbins/7", `{}`, 400, 1, "missing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &Server{}
			inBubble(t, s, func(t *testing.T) {
				c := started(t, s, "bjorn", "voice", "chat")
				before := c.states()
				path := strings.Replace("/api/v2"+test.path, "{id}", c.deviceID(), 1)
				got := c.do("POST", path, test.body)
				var answer struct {
					StatusCode    int
					StatusMessage string
				}
				c.decode(got, &answer)
				if got.status != test.status || answer.StatusCode != test.code || !strings.Contains(answer.StatusMessage, test.text) {
					t.Errorf("POST %s %.80s = %d %s; want %d with %d and %q", path, test.body, got.status, got.body, test.status, test.code, test.text)
				}
				if after := c.states(); !maps.Equal(before, after) {
					t.Errorf("states = %v; want %v as before", after, before)
				}
			})
		})
	}
}

func TestOperationsBeforeASession(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "bjorn")
		for _, path := range []string{"/api/v2/me", "/api/v2/me/channels/voice", "/api/v2/me/channels/chat"} {
			for _, operation := range []string{"Ready", "NotReady"} {
				got := c.do("POST", path, `{"operationName":"`+operation+`"}`)
				if got.status != 400 || !strings.HasPrefix(got.body, `{"statusCode":2,`) {
					t.Errorf("%s on %s = %d %s; want 400 with 2", operation, path, got.status, got.body)
				}
			}
		}
		c.operate("/api/v2/me", "Offline")
		c.operate("/api/v2/me", "DoNotDisturbOn") // the flag alone
		want(t, "device", c.must("GET", "/api/v2/me/devices?fields=*", "").body, `"state":"LoggedOut"`, `"doNotDisturb":"On"`)
	})
}

func TestOfflineComesBackAsNotReadyOnly(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := started(t, s, "bjorn", "voice", "chat")
		c.operate("/api/v2/me/channels/chat", "Offline")
		if got := c.do("POST", "/api/v2/me/channels/chat", `{"operationName":"Ready"}`); !strings.Contains(got.body, "NotReady comes first") {
			t.Errorf("Ready = %d %s; want a refusal", got.status, got.body)
		}
		c.operate("/api/v2/me", "Ready") // passes chat by
		if got := c.states()["chat"]; got != "Offline" {
			t.Errorf("chat = %q; want Offline", got)
		}
		c.operate("/api/v2/me/channels/chat", "NotReady")
		c.operate("/api/v2/me/channels/chat", "Ready")
	})
}

func TestDoNotDisturbKeepsStates(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := started(t, s, "bjorn", "voice", "chat")
		before := c.states()
		c.operate("/api/v2/me", "DoNotDisturbOn")
		if got := c.states(); !maps.Equal(got, before) {
			t.Errorf("states = %v; want %v as before", got, before)
		}
		want(t, "device", c.must("GET", "/api/v2/me/devices?fields=*", "").body, `"doNotDisturb":"On"`, `"capabilities":["DoNotDisturbOff","ForwardCallsOn"]`)
		want(t, "state", c.must("GET", "/_sim/state?user=bjorn", "").body, `"dnd":"On"`)
		c.operate("/api/v2/me/devices/"+c.deviceID(), "DoNotDisturbOff")
		want(t, "state", c.must("GET", "/_sim/state?user=bjorn", "").body, `"dnd":"Off"`, `"channel":"chat","userState":{"id":"900D55CC-2BB0-431F-8BF9-D3525B383BE6","displayName":"Not Ready","state":"NotReady"},"dndState":"On"`)
		c.operate("/api/v2/me", "DoNotDisturbOff")
		want(t, "state", c.must("GET", "/_sim/state?user=bjorn", "").body, `"dnd":"Off"`)
	})
}

func TestForwardCalls(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "bjorn")
		path := "/api/v2/me/devices/" + c.deviceID()
		c.must("POST", path, `{"operationName":"ForwardCallsOn","forwardTo":"5550100"}`)
		want(t, "device", c.must("GET", path, "").body, `"forwardTo":"5550100"`, `"capabilities":["DoNotDisturbOn","ForwardCallsOff"]`)
		c.operate(path, "ForwardCallsOff")
		if got := c.must("GET", path, "").body; strings.Contains(got, "forwardTo") {
			t.Errorf("device = %s; want no forwardTo", got)
		}
	})
}

func TestInactiveDevice(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := started(t, s, "bjorn", "voice", "chat")
		c.listen("/v2/me/devices")
		fail(t, s, Fault{Scenario: "voice-down"})
		got := c.must("GET", "/api/v2/me/devices?fields=*", "").body
		if !strings.Contains(got, `"deviceState":"Inactive"`) || strings.Contains(got, "userState") {
			t.Errorf("device = %s; want it Inactive and without userState", got)
		}
		c.heard()
		const refusal = `{"statusCode":4,"statusMessage":"Device '5101' is not registered."}`
		path := "/api/v2/me/devices/" + c.deviceID()
		for _, test := range [][2]string{
			{"/api/v2/me/channels/voice", "NotReady"}, {path, "DoNotDisturbOn"}, {path, "ForwardCallsOff"},
		} {
			got := c.do("POST", test[0], `{"operationName":"`+test[1]+`"}`)
			if got.status != 500 || got.body != refusal {
				t.Errorf("%s = %d %s; want 500 %s", test[1], got.status, got.body, refusal)
			}
			wantList(t, "notifications", c.heard(), `/v2/me/devices {"messageType":"ErrorMessage","devicePath":"/devices/`)
		}
		const partly = `{"statusCode":7,"succeeded":[{"statusCode":0,"channel":"multimedia"}],` +
			`"failed":[{"statusCode":4,"statusMessage":"Device '5101' is not registered.","channel":"voice"}]}`
		if got := c.must("POST", "/api/v2/me", `{"operationName":"Ready"}`).body; got != partly {
			t.Errorf("all Ready = %s; want %s", got, partly)
		}
		fail(t, s, Fault{Scenario: "voice-up"})
		wanted := map[string]string{"voice": "Not Ready", "chat": "Ready"}
		if got := c.states(); !maps.Equal(got, wanted) {
			t.Errorf("states = %v; want %v", got, wanted)
		}
	})
}

func TestLostMediaAreToldOfToo(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := started(t, s, "bjorn", "voice", "chat")
		fail(t, s, Fault{Scenario: "multimedia-down"})
		c.listen("/v2/me/*")
		const told = `/v2/me/channels {"messageType":"ErrorMessage","errorMessage":"Interaction server connection is not opened"`
		got := c.do("POST", "/api/v2/me/channels/chat", `{"operationName":"Ready"}`)
		if got.status != 500 || got.body != `{"statusCode":4,"statusMessage":"Interaction server connection is not opened"}` {
			t.Errorf("Ready = %d %s; want 500 and 4", got.status, got.body)
		}
		wantList(t, "notifications of a refused state", c.heard(), told)
		c.must("POST", "/api/v2/me", `{"operationName":"NotReady"}`)
		wantList(t, "notifications of a change of all", c.heard(), `/v2/me/devices {"messageType":"DeviceStateChangeMessage"`, told)
		c.must("POST", "/api/v2/me", `{"operationName":"DoNotDisturbOn"}`)
		wantList(t, "notifications of do-not-disturb", c.heard(), `/v2/me/devices {"messageType":"DeviceStateChangeMessage"`, told)
		fail(t, s, Fault{Scenario: "multimedia-up"})
		c.operate("/api/v2/me/channels/chat", "Offline")
		c.heard()
		c.do("POST", "/api/v2/me/channels/chat", `{"operationName":"Ready"}`)
		wantList(t, "notifications of what is not valid", c.heard())
	})
}

func TestSupervisorsChangeOthers(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		cleo := started(t, s, "cleo", "voice", "chat")
		cleo.listen("/v2/me/*")
		c := loggedIn(t, s, "dana")
		want(t, "GET /me", c.must("GET", "/api/v2/me", "").body, `"roles":["ROLE_AGENT","ROLE_SUPERVISOR"]`)
		path := "/api/v2/users/" + plainID("user", "cleo") + "/channels/"
		c.operate(path+"voice", "NotReady")
		c.operate(path+"chat", "Ready")
		wanted := map[string]string{"voice": "Not Ready", "chat": "Ready"}
		if got := cleo.states(); !maps.Equal(got, wanted) {
			t.Errorf("states = %v; want %v", got, wanted)
		}
		wantList(t, "what cleo is told", cleo.heard(), `/v2/me/devices {"messageType":"DeviceStateChangeMessage"`, `/v2/me/channels {"messageType":"ChannelStateChangeMessageV2"`)
		if got := c.do("POST", "/api/v2/users/x/channels/voice", `{"operationName":"Ready"}`); got.status != 404 {
			t.Errorf("an unknown user = %d; want 404", got.status)
		}
		want(t, "her own device", c.must("GET", "/api/v2/me/devices?fields=capabilities", "").body, `"ListenIn"`)
	})
}

func TestAcceptedIsNotDone(t *testing.T) {
	s := &Server{StateDelay: time.Second}
	inBubble(t, s, func(t *testing.T) {
		c := started(t, s, "bjorn", "voice", "chat")
		c.operate("/api/v2/me", "OutToLunch")
		c.operate("/api/v2/me/channels/voice", "AuxWork")
		wanted := map[string]string{"voice": "Ready", "chat": "Not Ready"}
		if got := c.states(); !maps.Equal(got, wanted) {
			t.Errorf("states at once = %v; want %v", got, wanted)
		}
		time.Sleep(2 * time.Second)
		wanted = map[string]string{"voice": "AuxWork", "chat": "Out to Lunch"}
		if got := c.states(); !maps.Equal(got, wanted) {
			t.Errorf("states after a while = %v; want %v", got, wanted)
		}
	})
}

func TestRefuseAsync(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := started(t, s, "bjorn", "voice", "chat")
		c.listen("/v2/me/*")
		fail(t, s, Fault{Scenario: "refuse-async", User: "bjorn", Times: 2})
		before := c.states()
		c.operate("/api/v2/me/channels/voice", "NotReady")
		c.operate("/api/v2/me/channels/chat", "Ready")
		wantList(t, "notifications", c.heard(), `/v2/me/devices {"messageType":"ErrorMessage"`, `/v2/me/channels {"messageType":"ErrorMessage"`)
		if got := c.states(); !maps.Equal(got, before) {
			t.Errorf("states = %v; want %v as before", got, before)
		}
		c.operate("/api/v2/me/channels/voice", "NotReady")
		if got := c.states()["voice"]; got != "Not Ready" {
			t.Errorf("voice = %q; want the third to succeed", got)
		}
	})
}
