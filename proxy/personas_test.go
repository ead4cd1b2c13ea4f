package proxy

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"portico/translate/htccapi"
)

// The applications known to speak this API, each in its own way from log-in to log-out, as an agent
// of either kind of site and of both.
//
// Source: captured traffic of the agent desktop with GWS 8.5.202.96; Genesys' HTCC sample for iOS of
// 2013; the public .NET client.

// TestAgentDesktop sends credentials once, keeps cookies, and begins by asking whether it has a
// session. Its CometD client is cometd.js, which shares the browser's cookies, and writes the type of
// a message behind the URL; it listens once the contact centre session is there.
func TestAgentDesktop(t *testing.T) {
	played(t, true, func(t *testing.T, p *player) {
		p.client.Jar = newJar(t)
		const probe = "/api/v2/me?subresources=features,devices,channels"
		p.get(probe).is(t, "the probe", 403, deniedB)
		p.ok(probe, "Authorization", basicAuth(p.agent, p.agent))
		device := p.device()
		p.passed("/internal-api/me/settings?fields=*", "/api/v2/services?fields=*", "/api/v2/me/groups?type=BusinessUnit&fields=*",
			"/internal-api/contact-center?subresources=businessAttributes", "/api/v2/groups?type=dispositions&fields=*")
		if p.agent != "cleo" { // whose device the HTCC site does not know
			p.passed("/api/v2/me/devices/"+device+"/settings/tserver", "/api/v2/me/devices/"+device+"/settings/tserver")
		}
		p.starts()
		p.expects("after Start", day{p.begins, "NotReady", "Off"})
		comet := newComet(t, polling{app: p.caller, client: p.client, suffixed: true})
		comet.shakes(`,"minimumVersion":"1.0","supportedConnectionTypes":["long-polling"],"advice":{"timeout":60000,"interval":0}`, "long-polling")
		comet.says("/meta/connect", longPolling+`,"advice":{"timeout":0}`)
		comet.listens("long-polling")
		comet.subscribes("/v2/me/devices", "/v2/me/channels", "/v2/me/calls", "/v2/me/chats", "/v2/me", "/notifications/services")
		p.ok("/api/v2/diagnostics/version")
		p.passed("/api/v2/workbins?fields=*", "/internal-api/lucene/index")
		p.ok("/api/v2/me/?subresources=devices,calls,channels,interactions,chats")
		p.catchesUp(comet)
		p.operates("/api/v2/me/channels/voice", "NotReady")
		p.expects("after NotReady on voice", day{"NotReady", "NotReady", "Off"})
		if got := p.post("/internal-api/operations", subscribe); got.status != p.away {
			t.Errorf("POST /internal-api/operations = %d %s; want %d", got.status, got.body, p.away)
		}
		p.operates("/api/v2/me/channels/voice", "Ready")
		p.expects("after Ready on voice", day{"Ready", "NotReady", "Off"})
		p.operates("/api/v2/me/channels/"+p.second, "Ready")
		p.expects("after Ready on the second channel", day{"Ready", "Ready", "Off"})
		p.operates("/api/v2/me", "DoNotDisturbOn")
		p.expects("under do-not-disturb", day{"Ready", "Ready", "On"})
		p.operates("/api/v2/me", "DoNotDisturbOff")
		p.expects("after do-not-disturb", day{"Ready", "Ready", "Off"})
		p.leaves()
		p.ends()
		p.get(probe).is(t, "the next probe", 403, deniedB)
	})
}

// TestTelephoneApp sends credentials with every request, keeps the token that it is shown, and
// chooses states from the list of them. Its CometD client says everything to one URL; once the last of
// its five topics is subscribed to it starts the contact centre session.
func TestTelephoneApp(t *testing.T) {
	topics := []string{"/v2/me/devices", "/v2/me/channels", "/v2/me/calls", "/v2/me/chats", "/v2/me/emails"}
	played(t, true, func(t *testing.T, p *player) {
		p.client.Jar = newJar(t)
		p.headers = []string{"Authorization", basicAuth(p.agent, p.agent)}
		first := p.ok("/api/v2/me?subresources=*")
		if first.header.Get("X-CSRF-HEADER")+first.header.Get("X-CSRF-TOKEN") != "" {
			t.Error("the application is shown the token of the site")
		}
		comet := newComet(t, polling{app: p.caller, client: p.client})
		comet.shakes(`,"minimumVersion":"1.0beta","supportedConnectionTypes":["long-polling"]`, "long-polling")
		comet.listens("long-polling")
		comet.subscribes(topics...)
		p.catchesUp(comet)
		p.starts()
		p.expects("after Start", day{p.begins, "NotReady", "Off"})
		var states struct{ Settings []htccapi.AgentStateSetting }
		err := json.Unmarshal([]byte(p.ok("/api/v2/settings/agent-states").body), &states)
		if err != nil {
			t.Fatal(err)
		}
		p.passed("/internal-api/business-attributes", "/api/v2/contacts")
		for _, state := range states.Settings {
			if state.OperationName == htccapi.Offline || p.agent == "cleo" && !slices.Contains(htccapi.Reserved, state.OperationName) {
				continue // custom states of cleo's are one site's or the other's
			}
			p.operates("/api/v2/me/channels/"+p.second, string(state.OperationName))
			eventually(t, string(state.OperationName)+" is shown", func() bool { return p.shows().second == state.State+state.WorkMode })
			p.agrees("after "+string(state.OperationName), p.shows())
		}
		p.operates("/api/v2/me", "NotReady")
		p.expects("after NotReady", day{"NotReady", "NotReady", "Off"})
		p.operates("/api/v2/me", "DoNotDisturbOn")
		p.expects("under do-not-disturb", day{"NotReady", "NotReady", "On"})
		p.passed("/api/v2/me/chats/?fields=*", "/api/v2/me/emails/?fields=*", "/api/v1/stats/7") // back in the foreground
		p.operates("/api/v2/me", "DoNotDisturbOff")
		p.expects("after do-not-disturb", day{"NotReady", "NotReady", "Off"})
		for _, topic := range topics {
			comet.says("/meta/unsubscribe", `,"subscription":"`+topic+`"`)
		}
		p.leaves()
		p.ends()
	})
}

// TestDotNet keeps no cookies, sends credentials with every request, and takes nothing but JSON with
// a statusCode that is a number, and of these only 0 for success. Its CometD client, which has cookies
// of its own, comes first, listens to everything, and takes a websocket where it is let.
func TestDotNet(t *testing.T) {
	for name, sockets := range map[string]bool{"over a websocket": true, "where there are no websockets": false} {
		t.Run(name, func(t *testing.T) { played(t, sockets, dotNet) })
	}
}

func dotNet(t *testing.T, p *player) {
	p.headers = []string{"Authorization", basicAuth(p.agent, p.agent)}
	comet, transport := p.dials()
	comet.shakes(`,"minimumVersion":"0.9","supportedConnectionTypes":["websocket","long-polling"]`, transport)
	comet.listens(transport)
	comet.subscribes("/**")
	first := p.get("/api/v2/me?subresources=*")
	strict(t, first)
	var me struct {
		User map[string]json.RawMessage
	}
	err := json.Unmarshal([]byte(first.body), &me)
	if err != nil || me.User["settings"] == nil || me.User["settings"][0] != '{' {
		t.Errorf("settings, which it reads unasked: %s (%v)", me.User["settings"], err)
	}
	p.catchesUp(comet)
	strict(t, p.post("/api/v2/me", `{"operationName":"StartContactCenterSession","channels":["voice","`+p.second+`"]}`))
	p.expects("after Start", day{p.begins, "NotReady", "Off"})
	strict(t, p.post("/api/v2/me/channels/voice", `{"operationName":"AfterCallWork"}`))
	p.expects("after AfterCallWork on voice", day{"NotReadyAfterCallWork", p.besideAfterCallWork(), "Off"})
	strict(t, p.post("/api/v2/me", `{"operationName":"DoNotDisturbOn"}`))
	p.agrees("under do-not-disturb", day{"NotReadyAfterCallWork", p.besideAfterCallWork(), "On"})
	strict(t, p.post("/api/v2/me", `{"operationName":"DoNotDisturbOff"}`))
	strict(t, p.post("/api/v2/me", `{"operationName":"Ready"}`))
	p.expects("after Ready", day{"Ready", "Ready", "Off"})
	if n := p.calls(routeLogin) + int(counts(t, p.reg, "portico_logins_total")["ok cloud"]); n > 2 {
		t.Errorf("%d log-ins at the sites by an application without cookies; want one each", n)
	}
	p.waits(comet)
	p.ends()
	comet.stops("after the log-out", "none")
}

// dials opens a websocket, or falls back to long-polling where the door refuses it.
func (p *player) dials() (*comet, string) {
	p.t.Helper()
	jar := newJar(p.t)
	conn, refusal, err := websocket.Dial(p.t.Context(), p.url+notificationsPath, &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {p.headers[1]}}, HTTPClient: &http.Client{Transport: p.client.Transport, Jar: jar}})
	if err != nil {
		if refusal == nil || refusal.StatusCode < 400 {
			p.t.Fatalf("a websocket: %v; want it refused as HTTP does", err)
		}
		return newComet(p.t, polling{app: p.caller, client: &http.Client{Transport: p.client.Transport, Jar: jar}}), "long-polling"
	}
	line := socket{conn}
	comet := newComet(p.t, line)
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		line.read(comet)
	}()
	p.t.Cleanup(func() {
		_ = conn.CloseNow()
		<-reading
	})
	return comet, "websocket"
}

// strict takes an answer as the .NET client does.
func strict(t *testing.T, got answer) {
	t.Helper()
	var verdict struct{ StatusCode *int }
	err := json.Unmarshal([]byte(got.body), &verdict)
	if err != nil || verdict.StatusCode == nil || *verdict.StatusCode != 0 || !strings.HasPrefix(got.header.Get("Content-Type"), "application/json;") {
		t.Errorf("%d %s with %q (%v); want JSON with the statusCode 0", got.status, got.body, got.header.Get("Content-Type"), err)
	}
}
