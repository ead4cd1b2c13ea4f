package htccsim

import (
	"maps"
	"strings"
	"testing"
	"time"
)

// The applications known to speak this API, each in its own way, from log-in to log-out.
//
// Source: captured traffic of the agent desktop with GWS 8.5.202.96; Genesys' HTCC sample for iOS of
// 2013; the public .NET client; a public softphone in Vue.

func TestAgentDesktop(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := stranger(t, s)
		const probe = "/api/v2/me?subresources=features,devices,channels"
		if got := c.do("GET", probe, ""); got.status != 403 || got.body != deniedBody {
			t.Fatalf("probe = %d %s; want the log-in form", got.status, got.body)
		}
		c.must("GET", probe, "", basic("cleo", "cleo")...)
		id := c.deviceID()
		for _, path := range []string{
			"/internal-api/me/settings?fields=*", "/api/v2/services?fields=*", "/api/v2/me/groups?type=BusinessUnit&fields=*",
			"/internal-api/contact-center?subresources=businessAttributes", "/api/v2/groups?type=dispositions&fields=*",
			"/api/v2/me/devices/" + id + "/settings/tserver",
		} {
			c.must("GET", path, "")
		}
		c.start("voice", "chat")
		c.must("GET", "/api/v2/contacts/"+plainID("user", "cleo")+"?type=User", "")
		c.listen("/v2/me/devices", "/v2/me/channels", "/v2/me/calls", "/v2/me/chats", "/v2/me", "/notifications/services")
		for _, path := range []string{
			"/api/v2/diagnostics/version", "/api/v2/workbins?fields=*", "/internal-api/lucene/index",
			"/api/v2/me/?subresources=devices,calls,channels,interactions,chats", "/api/v2/devices/" + id + "/settings/tserver",
		} {
			c.must("GET", path, "")
		}
		c.operate("/internal-api/operations", "Subscribe")
		c.operate("/api/v2/workbins/7", "Subscribe")
		c.operate("/api/v2/me/channels/voice", "NotReady")
		wanted := map[string]string{"voice": "Not Ready", "chat": "Not Ready"}
		if got := c.states(); !maps.Equal(got, wanted) {
			t.Errorf("states = %v; want %v", got, wanted)
		}
		c.speak(`{"channel":"/meta/disconnect"}`)
		c.operate("/api/v2/me", "EndContactCenterSession")
		if got := c.do("GET", probe, ""); got.status != 403 {
			t.Errorf("afterwards = %d; want 403", got.status)
		}
	})
}

func TestTelephoneApp(t *testing.T) {
	s := &Server{CSRF: true}
	inBubble(t, s, func(t *testing.T) {
		c := stranger(t, s)
		c.header.Set("Authorization", basic("cleo", "cleo")[1]) // with every request
		shown := c.must("GET", "/api/v2/me?subresources=*", "")
		c.header.Set(shown.header.Get("X-CSRF-HEADER"), shown.header.Get("X-CSRF-TOKEN"))
		c.listen("/v2/me/devices", "/v2/me/channels", "/v2/me/calls", "/v2/me/chats", "/v2/me/emails")
		c.start("voice", "chat", "email")

		var known struct {
			StatusCode int
			Settings   []struct{ OperationName, DisplayName string }
		}
		c.decode(c.must("GET", "/api/v2/settings/agent-states", ""), &known)
		c.must("GET", "/internal-api/business-attributes", "")
		c.must("GET", "/api/v2/contacts", "")
		c.heard()
		for _, state := range known.Settings {
			if state.OperationName == "Offline" {
				continue
			}
			c.operate("/api/v2/me/channels/email", state.OperationName)
			wantList(t, "notifications of "+state.OperationName, c.heard(), `"displayName":"`+state.DisplayName+`"`)
			if got := c.states()["email"]; got != state.DisplayName {
				t.Errorf("email after %s = %q; want %q", state.OperationName, got, state.DisplayName)
			}
		}
		c.operate("/api/v2/me", "DoNotDisturbOn")
		wantList(t, "notifications of do-not-disturb", c.heard(), `"doNotDisturb":"On"`, `"dndState":"On"`)
		c.must("GET", "/api/v2/me/chats/?fields=*", "") // back in the foreground
		c.must("GET", "/api/v2/me/emails/?fields=*", "")
		c.must("GET", "/api/v1/stats/"+plainID("user", "cleo"), "")
		c.speak(`{"channel":"/meta/unsubscribe","subscription":"/v2/me/devices"}`)
		c.speak(`{"channel":"/meta/disconnect"}`)
		c.operate("/api/v2/me", "EndContactCenterSession")
	})
}

// TestDotNet has no cookies in its REST client, an own jar for CometD, and takes only JSON with a
// statusCode that is a number.
func TestDotNet(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		rest, comet := stranger(t, s), stranger(t, s)
		rest.http.Jar = nil
		for _, c := range []*client{rest, comet} {
			c.header.Set("Authorization", basic("bjorn", "bjorn")[1])
		}
		comet.clientID = ""
		shaken := comet.speak(`{"channel":"/meta/handshake","version":"1.0","minimumVersion":"0.9","supportedConnectionTypes":["websocket","long-polling"]}`)
		comet.clientID = shaken[0].ClientID
		comet.speak(connectMessage) // at once, though it asks for nothing of the kind
		comet.speak(`{"channel":"/meta/subscribe","subscription":"/**"}`)

		got := rest.must("GET", "/api/v2/me?subresources=*", "")
		if !strings.HasPrefix(got.header.Get("Content-Type"), "application/json;") || !strings.HasPrefix(got.body, `{"statusCode":0,`) {
			t.Errorf("GET /me = %v %s; want JSON with statusCode", got.header, got.body)
		}
		want(t, "settings, which it reads unasked", got.body, `"settings":{"interaction-workspace":`)
		if got := rest.start("voice", "chat").body; got != `{"statusCode":0}` {
			t.Errorf("start = %s; want no partial success, which it takes for failure", got)
		}
		comet.heard()
		rest.operate("/api/v2/me/channels/voice", "AuxWork")
		wantList(t, "notifications", comet.heard(), `/v2/me/devices {"messageType":"DeviceStateChangeMessage"`)
		fail(t, s, Fault{Scenario: "multimedia-down"})
		wantList(t, "notifications of services", comet.heard(), "/notifications/services", "/v2/me/channels")
		rest.operate("/api/v2/me", "EndContactCenterSession")
	})
}

// TestSoftphone sets a state at once after the start, and starts once more whenever its connection
// comes back.
func TestSoftphone(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := stranger(t, s)
		c.must("GET", "/api/v2/me?subresources=features,devices,channels,settings", "", basic("bjorn", "bjorn")...)
		c.listen("/v2/me/*")
		c.start("voice")
		c.operate("/api/v2/me", "Ready")
		wantList(t, "notifications", c.heard(), `"state":"LoggedIn"`, `"state":"Ready"`, `"state":"Ready"`)
		c.operate("/api/v2/me/channels/voice", "OutToLunch")
		fail(t, s, Fault{Scenario: "drop-stream"})
		c.listen("/v2/me/*")
		c.start("voice")
		time.Sleep(settle)
		if got := c.states()["voice"]; got != "Out to Lunch" {
			t.Errorf("voice = %q; want it left alone", got)
		}
	})
}
