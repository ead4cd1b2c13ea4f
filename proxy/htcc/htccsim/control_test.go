package htccsim

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestControlCalls(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "bjorn")
		c.must("GET", "/api/v2/me/devices/"+c.deviceID(), "")
		c.must("GET", "/api/v2/me/?subresources=*", "")
		c.listen("/v2/me/*")
		c.do("GET", "/api/v2/moods/7", "")
		c.do("GET", "/nowhere", "")
		got := c.must("GET", "/_sim/calls", "")
		const want = `{"GET (unknown path)":2,"GET /api/v2/me":2,"GET /api/v2/me/devices":1,"GET /api/v2/me/devices/{deviceId}":1,"POST /api/v2/notifications":3}`
		if strings.TrimSpace(got.body) != want || got.header.Get("Content-Type") != "application/json" {
			t.Errorf("calls = %s %s; want %s", got.header.Get("Content-Type"), got.body, want)
		}
		c.must("POST", "/_sim/reset", "")
		if got := strings.TrimSpace(c.must("GET", "/_sim/calls", "").body); got != "{}" {
			t.Errorf("after reset = %s; want {}", got)
		}
		if got := strings.TrimSpace(c.must("GET", "/_sim/log", "").body); got != "[]" {
			t.Errorf("log after reset = %s; want []", got)
		}
		c.must("GET", "/api/v2/me", "") // reset ends no session
	})
}

func TestControlLog(t *testing.T) {
	s := &Server{CSRF: true}
	inBubble(t, s, func(t *testing.T) {
		c := stranger(t, s)
		c.do("GET", "/api/v2/me", "", basic("bjorn", "wrong secret")...)
		token := c.must("GET", "/api/v2/me?subresources=*", "", basic("BJORN", "bjorn")...).header.Get("X-CSRF-TOKEN")
		c.header.Set("X-CSRF-TOKEN", token)
		c.start("voice")
		fail(t, s, Fault{Route: "POST /api/v2/me", Status: 500, Times: 1})
		c.do("POST", "/api/v2/me", `{"operationName":"Ready"}`)
		c.must("POST", "/api/v2/me/channels/voice", `{"operationName":"NotReady","newPassword":"hush"}`, "X-Forwarded-For", "192.0.2.7")
		c.do("POST", "/api/v2/me/channels/chat", `{"operationName":"Ready"}`)

		raw := c.must("GET", "/_sim/log", "").body
		for _, secret := range []string{"wrong", "hush", token, "node01", basic("bjorn", "bjorn")[1]} {
			if strings.Contains(raw, secret) {
				t.Errorf("the log has %q in it", secret)
			}
		}
		var entries []json.RawMessage
		c.decode(received{body: raw}, &entries)
		lines := make([]string, len(entries))
		for i := range entries {
			lines[i] = string(entries[i])
		}
		wantList(t, "log", lines,
			`"path":"/api/v2/me","user":"bjorn","host":"htcc.example","status":403,"outcome":"statusCode 20"`,
			`"query":"subresources=*","user":"bjorn","host":"htcc.example","status":200,"outcome":"ok"`,
			`"target":"bjorn","written":{"channels":["voice"],"operationName":"StartContactCenterSession"},"was":{"channels":{"chat":"LoggedOut","voice":"LoggedOut"}}`,
			`"status":500,"outcome":"fault"`,
			`"X-Forwarded-For":"192.0.2.7"},"target":"bjorn","written":{"newPassword":"***","operationName":"NotReady"},"was":{"channels":{"chat":"LoggedOut","voice":"LoggedIn"}}`,
			`"route":"POST /api/v2/me/channels/{channel}","method":"POST","path":"/api/v2/me/channels/{channel}","user":"bjorn","host":"htcc.example","status":400,"outcome":"statusCode 2"`)
		want(t, "header", raw, `"Authorization":"***"`, `"Cookie":"JSESSIONID"`, `"X-Csrf-Token":"***"`)
	})
}

func TestControlState(t *testing.T) {
	for _, test := range []struct {
		name, body string
		want       []string
	}{
		{"a channel by its operation", `{"user":"bjorn","channel":"chat","state":"OutToLunch"}`,
			[]string{`{"channel":"chat","userState":{"id":"6E0B5A52-9B5F-4A0B-9C7D-0B1D2C3E4F50","displayName":"Out to Lunch"`}},
		{"voice by its display name", `{"user":"BJORN","channel":"voice","state":"Not Ready"}`, []string{`"displayName":"Not Ready","state":"NotReady"},"phoneNumber"`}},
		{"a device by its number", `{"user":"bjorn","device":"5101","state":"AuxWork"}`, []string{`"workMode":"AuxWork"},"phoneNumber":"5101"`}},
		{"a device that is lost", `{"user":"bjorn","deviceState":"Inactive"}`, []string{`"deviceState":"Inactive","phoneNumber":"5101"`, `"channels":[{"channel":"chat"`}},
		{"everything", `{"user":"bjorn","state":"LoggedOut"}`, []string{`"state":"LoggedOut"},"phoneNumber"`, `"channel":"chat","userState":{"id":"0F7F5003-EF26-4D13-A6Ef-D0C7EC819BEB"`}},
		{"all do-not-disturb", `{"user":"bjorn","dnd":"On"}`, []string{`"doNotDisturb":"On"`, `"dnd":"On"`}},
		{"do-not-disturb of a channel", `{"user":"bjorn","channel":"chat","dnd":"On"}`, []string{`"doNotDisturb":"Off"`, `"dndState":"On"}]`, `"dnd":"Off"`}},
		{"do-not-disturb of voice", `{"user":"bjorn","channel":"voice","dnd":"On"}`, []string{`"doNotDisturb":"On"`, `"dndState":"Off"}]`}},
		{"several channels", `{"user":"bjorn","channels":{"voice":"NotReady","chat":"Ready"}}`, []string{`"displayName":"Not Ready"`, `"displayName":"Ready"`}},
		{"channels as they are shown", `{"user":"bjorn","channels":[{"channel":"chat","userState":{"state":"Ready"}}]}`, []string{`"channel":"chat","userState":{"id":"9430250E`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &Server{}
			inBubble(t, s, func(t *testing.T) {
				c := started(t, s, "bjorn", "voice", "chat")
				c.listen("/v2/me/*")
				got := c.must("POST", "/_sim/state", test.body).body
				want(t, "new state", got, test.want...)
				if shown := c.must("GET", "/_sim/state?user=bjorn", "").body; shown != got {
					t.Errorf("GET = %s; want %s", shown, got)
				}
				if told := c.heard(); len(told) == 0 {
					t.Error("nothing was told")
				}
			})
		})
	}
}

func TestControlStateOfNobodyThere(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := stranger(t, s)
		got := strings.TrimSpace(c.must("GET", "/_sim/state?user=CLEO", "").body)
		want(t, "state", got, `{"userName":"cleo","devices":[{"id":"`, `"channels":[{"channel":"voice"`, `"channel":"email"`,
			`"dnd":"Off","contactCenterSession":false,"loginCode":"","queue":"","sessions":0,"notifications":0}`)
	})
}

func TestControlRefusals(t *testing.T) {
	for _, test := range []struct {
		name, method, path, body string
		status                   int
		want                     string
	}{
		{"no such control", "GET", "/_sim/stats", "", 404, "want one of GET /_sim/calls"},
		{"a wrong method", "GET", "/_sim/reset", "", 404, "POST /_sim/reset"},
		{"the state of nobody", "GET", "/_sim/state", "", 400, "want GET /_sim/state?user=NAME"},
		{"the state of an unknown user", "GET", "/_sim/state?user=nobody", "", 404, "want one of bjorn, cleo, dana"},
		{"to change an unknown user", "POST", "/_sim/state", `{"user":"nobody"}`, 400, "want one of bjorn, cleo, dana"},
		{"to set an unknown state", "POST", "/_sim/state", `{"user":"bjorn","channel":"chat","state":"At Sea"}`, 400, "expected one of NotReady, Offline"},
		{"to set a channel that the user has not", "POST", "/_sim/state", `{"user":"bjorn","channel":"email","state":"Ready"}`, 400, `no channel "email"`},
		{"to set a device that the user has not", "POST", "/_sim/state", `{"user":"bjorn","device":"9","state":"Ready"}`, 400, `no device "9"`},
		{"do-not-disturb that is neither", "POST", "/_sim/state", `{"user":"bjorn","dnd":"true"}`, 400, "want On or Off"},
		{"a device state that is neither", "POST", "/_sim/state", `{"user":"bjorn","deviceState":"Off"}`, 400, "want Active or Inactive"},
		{"channels that are a text", "POST", "/_sim/state", `{"user":"bjorn","channels":"chat"}`, 400, `want {"chat":"Ready"}`},
		{"an unknown member", "POST", "/_sim/state", `{"user":"bjorn","mood":"x"}`, 400, `unknown field "mood"`},
		{"no JSON", "POST", "/_sim/state", `bjorn`, 400, "the controls are"},
		{"a fault that does nothing", "POST", "/_sim/fault", `{}`, 400, "want status, delay, body or scenario"},
		{"a fault on an unknown route", "POST", "/_sim/fault", `{"route":"GET /me","status":500}`, 400, "POST /api/v2/notifications"},
		{"a fault on a method that is not there", "POST", "/_sim/fault", `{"route":"DELETE /api/v2/me","status":500}`, 400, "GET /api/v2/me"},
		{"an unknown scenario", "POST", "/_sim/fault", `{"scenario":"flood"}`, 400, "want one of expire-session"},
		{"a scenario for an unknown user", "POST", "/_sim/fault", `{"scenario":"expire-session","user":"nobody"}`, 400, "want one of bjorn, cleo, dana"},
		{"a call for nobody", "POST", "/_sim/fault", `{"scenario":"call"}`, 400, "needs a user"},
		{"a status that is none", "POST", "/_sim/fault", `{"status":99}`, 400, "want 200 to 599"},
		{"a delay that is none", "POST", "/_sim/fault", `{"delay":"soon"}`, 400, "want a duration"},
		{"negative times", "POST", "/_sim/fault", `{"status":500,"times":-1}`, 400, "no negative numbers"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &Server{}
			inBubble(t, s, func(t *testing.T) {
				got := stranger(t, s).do(test.method, test.path, test.body)
				if got.status != test.status || !strings.Contains(got.body, test.want) {
					t.Errorf("%s %s %s = %d %s; want %d %s", test.method, test.path, test.body, got.status, got.body, test.status, test.want)
				}
			})
		})
	}
}

func TestControlFault(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "bjorn")
		c.must("POST", "/_sim/fault", `{"route":"GET /api/v2/me","user":"bjorn","host":"htcc.example","status":418,"delay":"10ms","times":1,"body":"tea","contentType":"text/plain","after":true}`)
		got := c.do("GET", "/api/v2/me", "")
		if got.status != 418 || got.body != "tea" || got.header.Get("Content-Type") != "text/plain" {
			t.Errorf("GET /me = %+v; want the tea", got)
		}
		c.must("POST", "/_sim/fault", `{"scenario":"redirect","location":"https://evil.example/x"}`)
		if got := c.do("POST", "/api/v2/me", "{}"); got.header.Get("Location") != "https://evil.example/x" {
			t.Errorf("Location = %q", got.header.Get("Location"))
		}
	})
}

// TestEveryScenarioCanBeCalledAndTakenBack runs all of them, one after the other, and a session that
// must still come to work after each.
func TestEveryScenarioCanBeCalledAndTakenBack(t *testing.T) {
	s := &Server{LoginDelay: -1}
	inBubble(t, s, func(t *testing.T) {
		for _, scenario := range Scenarios() {
			c := stranger(t, s)
			c.must("POST", "/_sim/fault", fmt.Sprintf(`{"scenario":%q,"user":"bjorn"}`, scenario))
			c.must("POST", "/_sim/reset", "")
			c = started(t, s, "bjorn", "voice", "chat")
			c.operate("/api/v2/me", "NotReady")
			c.operate("/api/v2/me", "EndContactCenterSession")
		}
	})
}
