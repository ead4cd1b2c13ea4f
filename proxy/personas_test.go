package proxy

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"slices"
	"strings"
	"testing"

	"portico/translate/htccapi"
)

// The applications known to speak this API, each in its own way from log-in to log-out, as an agent
// of either kind of site and of both.
//
// Source: captured traffic of the agent desktop with GWS 8.5.202.96; Genesys' HTCC sample for iOS of
// 2013; the public .NET client.

// A player is an application that plays an agent's day through Portico, and looks after each step
// whether what it is shown is what the sites hold.
type player struct {
	*caller
	agent  string
	second string // the channel it asks for beside voice
	begins string // state of voice after Start: a switch's own default, or that of the ICWS status
	away   int    // status of what only an HTCC site has
}

// played runs a persona once for each of the agents. Applications that keep cookies have a jar.
func played(t *testing.T, keepsCookies bool, persona func(*testing.T, *player)) {
	for _, p := range []*player{
		{agent: "anna", second: "email", begins: "NotReady", away: http.StatusNotFound},
		{agent: "bjorn", second: "chat", begins: "Ready", away: http.StatusOK},
		{agent: "cleo", second: "chat", begins: "NotReady", away: http.StatusOK},
	} {
		t.Run(p.agent, func(t *testing.T) {
			t.Parallel()
			w := newDoor(t, func(k *knobs) { k.cloud.CSRF = true })
			w.t = t
			p.caller = &caller{world: w}
			if keepsCookies {
				jar, err := cookiejar.New(nil)
				if err != nil {
					t.Fatal(err)
				}
				w.client.Jar = jar
			}
			persona(t, p)
		})
	}
}

// ok gets a path that is to be there.
func (p *player) ok(path string, headers ...string) answer {
	p.t.Helper()
	got := p.get(path, headers...)
	if got.status != http.StatusOK || !strings.HasPrefix(got.body, `{"statusCode":0`) {
		p.t.Fatalf("GET %s of %s = %d %s; want 200", path, p.agent, got.status, got.body)
	}
	return got
}

// passed gets paths that an HTCC site has, if there is one.
func (p *player) passed(paths ...string) {
	p.t.Helper()
	for _, path := range paths {
		if got := p.get(path); got.status != p.away {
			p.t.Errorf("GET %s of %s = %d %s; want %d", path, p.agent, got.status, got.body, p.away)
		}
	}
}

// operates posts an operation that is to succeed.
func (p *player) operates(path, operation string) {
	p.t.Helper()
	p.post(path, `{"operationName":"`+operation+`"}`).is(p.t, operation+" on "+path+" of "+p.agent, http.StatusOK, `{"statusCode":0}`)
}

// starts starts the contact centre session.
func (p *player) starts() {
	p.t.Helper()
	p.post("/api/v2/me", `{"operationName":"StartContactCenterSession","channels":["voice","`+p.second+`"]}`).is(
		p.t, "Start of "+p.agent, http.StatusOK, `{"statusCode":0}`)
}

// device returns the id of the agent's device.
func (p *player) device() string {
	p.t.Helper()
	var answer htccapi.DevicesAnswer
	var devices []htccapi.Device
	answer.Devices = &devices
	err := json.Unmarshal([]byte(p.ok("/api/v2/me/devices?fields=id").body), &answer)
	if err != nil || len(devices) != 1 {
		p.t.Fatalf("%d devices of %s (%v); want 1", len(devices), p.agent, err)
	}
	return devices[0].ID
}

// A day is what an application shows: the states of voice and of the second channel, and whether
// do-not-disturb is on.
type day struct{ voice, second, dnd string }

// shows returns what /me says: voice by its device, as applications show it.
func (p *player) shows() day {
	p.t.Helper()
	var answer struct {
		User struct {
			Devices  []htccapi.Device
			Channels []htccapi.Channel
		}
	}
	err := json.Unmarshal([]byte(p.ok("/api/v2/me?subresources=devices,channels").body), &answer)
	if err != nil {
		p.t.Fatal(err)
	}
	var shown day
	for _, device := range answer.User.Devices {
		shown.voice, shown.dnd = stateText(device.UserState), device.DoNotDisturb
	}
	for _, channel := range answer.User.Channels {
		if string(channel.Channel) == p.second {
			shown.second = stateText(&channel.UserState)
		}
	}
	return shown
}

// stateText is a state with its work mode; the reason is each site's own.
func stateText(s *htccapi.UserState) string {
	if s == nil {
		return ""
	}
	return s.State + s.WorkMode
}

// icwsStatus is the status that an ICWS site has when voice is in a state.
var icwsStatus = map[string]string{"Ready": "Available", "NotReady": "Available, No ACD", "NotReadyAfterCallWork": "Follow Up"}

// expects holds what is shown, and what the sites hold, to want.
func (p *player) expects(when string, want day) {
	p.t.Helper()
	eventually(p.t, fmt.Sprintf("%s %s is shown %+v; now %+v", when, p.agent, want, p.shows()), func() bool { return p.shows() == want })
	eventually(p.t, fmt.Sprintf("%s the sites hold %+v of %s; now %+v", when, want, p.agent, p.held(want)), func() bool { return p.held(want) == want })
}

// held returns what the sites hold of the agent's channels. What an ICWS site holds is a status, which
// stands for the state in want, or for do-not-disturb, under which the state is Portico's to keep.
func (p *player) held(want day) day {
	p.t.Helper()
	var held day
	if p.agent != "anna" {
		held = p.heldByHTCC()
	}
	if p.agent == "bjorn" {
		return held
	}
	state, err := p.sim.State(p.agent)
	if err != nil {
		p.t.Fatal(err)
	}
	if p.agent == "cleo" && held.dnd != want.dnd {
		return held
	}
	fits := state.StatusID == icwsStatus[want.voice]
	if p.agent == "anna" && want.second == "Ready" {
		fits = state.StatusID == icwsStatus["Ready"] && state.Activations["Mail"]
	}
	if want.dnd == htccapi.On {
		fits = state.StatusID == "Do Not disturb"
	}
	if !fits {
		return day{voice: state.StatusID}
	}
	held.voice, held.dnd = want.voice, want.dnd
	if p.agent == "anna" {
		held.second = want.second
	}
	return held
}

func (p *player) heldByHTCC() day {
	p.t.Helper()
	state, err := p.cloud.State(p.agent)
	if err != nil {
		p.t.Fatal(err)
	}
	held := day{dnd: state.DND}
	for _, channel := range state.Channels {
		switch string(channel.Channel) {
		case "voice":
			held.voice = stateText(&channel.UserState)
		case p.second:
			held.second = stateText(&channel.UserState)
		}
	}
	return held
}

// ends logs out and holds the sites to have nothing of the agent left.
func (p *player) ends() {
	p.t.Helper()
	p.operates("/api/v2/me", "EndContactCenterSession")
	eventually(p.t, "the sites have no session of "+p.agent, func() bool {
		at, err := p.sim.State(p.agent)
		atCloud, errCloud := p.cloud.State(p.agent)
		return (err != nil || at.Sessions == 0) && (errCloud != nil || !atCloud.ContactCenterSession)
	})
}

// TestAgentDesktop sends credentials once, keeps cookies, and begins by asking whether it has a
// session.
func TestAgentDesktop(t *testing.T) {
	played(t, true, func(t *testing.T, p *player) {
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
		p.ok("/api/v2/diagnostics/version")
		p.passed("/api/v2/workbins?fields=*", "/internal-api/lucene/index")
		p.ok("/api/v2/me/?subresources=devices,calls,channels,interactions,chats")
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
		p.ends()
		p.get(probe).is(t, "the next probe", 403, deniedB)
	})
}

// TestTelephoneApp sends credentials with every request, keeps the token that it is shown, and
// chooses states from the list of them.
func TestTelephoneApp(t *testing.T) {
	played(t, true, func(t *testing.T, p *player) {
		p.headers = []string{"Authorization", basicAuth(p.agent, p.agent)}
		first := p.ok("/api/v2/me?subresources=*")
		if first.header.Get("X-CSRF-HEADER")+first.header.Get("X-CSRF-TOKEN") != "" {
			t.Error("the application is shown the token of the site")
		}
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
		}
		p.operates("/api/v2/me", "NotReady")
		p.expects("after NotReady", day{"NotReady", "NotReady", "Off"})
		p.operates("/api/v2/me", "DoNotDisturbOn")
		p.expects("under do-not-disturb", day{"NotReady", "NotReady", "On"})
		p.passed("/api/v2/me/chats/?fields=*", "/api/v2/me/emails/?fields=*", "/api/v1/stats/7") // back in the foreground
		p.operates("/api/v2/me", "DoNotDisturbOff")
		p.expects("after do-not-disturb", day{"NotReady", "NotReady", "Off"})
		p.ends()
	})
}

// TestDotNet keeps no cookies, sends credentials with every request, and takes nothing but JSON with
// a statusCode that is a number, and of these only 0 for success.
func TestDotNet(t *testing.T) {
	played(t, false, func(t *testing.T, p *player) {
		p.headers = []string{"Authorization", basicAuth(p.agent, p.agent)}
		strict := func(got answer) {
			t.Helper()
			var verdict struct{ StatusCode *int }
			err := json.Unmarshal([]byte(got.body), &verdict)
			if err != nil || verdict.StatusCode == nil || *verdict.StatusCode != 0 || !strings.HasPrefix(got.header.Get("Content-Type"), "application/json;") {
				t.Errorf("%d %s with %q (%v); want JSON with the statusCode 0", got.status, got.body, got.header.Get("Content-Type"), err)
			}
		}
		first := p.get("/api/v2/me?subresources=*")
		strict(first)
		var me struct {
			User map[string]json.RawMessage
		}
		err := json.Unmarshal([]byte(first.body), &me)
		if err != nil || me.User["settings"] == nil || me.User["settings"][0] != '{' {
			t.Errorf("settings, which it reads unasked: %s (%v)", me.User["settings"], err)
		}
		start := p.post("/api/v2/me", `{"operationName":"StartContactCenterSession","channels":["voice","`+p.second+`"]}`)
		strict(start)
		p.expects("after Start", day{p.begins, "NotReady", "Off"})
		strict(p.post("/api/v2/me/channels/voice", `{"operationName":"AfterCallWork"}`))
		p.expects("after AfterCallWork on voice", day{"NotReadyAfterCallWork", p.besideAfterCallWork(), "Off"})
		strict(p.post("/api/v2/me", `{"operationName":"DoNotDisturbOn"}`))
		strict(p.post("/api/v2/me", `{"operationName":"DoNotDisturbOff"}`))
		strict(p.post("/api/v2/me", `{"operationName":"Ready"}`))
		p.expects("after Ready", day{"Ready", "Ready", "Off"})
		if n := p.calls(routeLogin) + int(counts(t, p.reg, "portico_logins_total")["ok cloud"]); n > 2 {
			t.Errorf("%d log-ins at the sites by an application without cookies; want one each", n)
		}
		p.ends()
	})
}

// besideAfterCallWork is the state of the second channel: an ICWS site has one status for both.
func (p *player) besideAfterCallWork() string {
	if p.agent == "anna" {
		return "NotReadyAfterCallWork"
	}
	return "NotReady"
}

// onlySome are the members that one kind of site has alone, or only at times, and why.
var onlySome = map[string]string{
	"channel.dndState":     "HTCC gives it while do-not-disturb is on; an ICWS agent's is that of the device",
	"channel.phoneNumber":  "HTCC may list voice with its number",
	"channel.switchName":   "HTCC may list voice with its switch",
	"channel.userActivity": "voice alone has it, which HTCC may show as a device only",
	"device.forwardTo":     "an HTCC device that forwards its calls",
	"userState.reason":     "a custom state has it",
	"userState.workMode":   "some states have it",
	"setting.reason":       "a custom state has it",
	"setting.workMode":     "some states have it",
	"skill":                "an ICWS site tells no skills",
}

// TestSameShapes compares members and types of everything that /me shows, of agents of either kind of
// site and of both, in several states.
func TestSameShapes(t *testing.T) {
	shapes := map[string]map[string]string{} // by agent: member, and its type
	for _, agent := range []string{"anna", "bjorn", "cleo"} {
		w := newDoor(t)
		app := w.as(agent)
		shape := map[string]string{}
		shapes[agent] = shape
		second := map[string]string{"anna": "email", "bjorn": "chat", "cleo": "chat"}[agent]
		app.post("/api/v2/me", `{"operationName":"StartContactCenterSession","channels":["voice","`+second+`"]}`)
		eventually(t, "both channels are there", func() bool { return strings.Contains(app.state(), second+":NotReady") })
		for _, operation := range []string{"NotReady", "Ready", "DoNotDisturbOn", "DoNotDisturbOff"} {
			app.operate("/me", operation)
			for _, path := range []string{"/me?subresources=*", "/api/v2/me?subresources=*,features"} {
				readShape(t, shape, app.get(path).body)
			}
		}
		for _, path := range []string{"/me/devices", "/me/channels", "/settings/agent-states", "/api/v2/me/devices?fields=*", "/api/v2/me/channels?fields=*",
			"/api/v2/settings/agent-states", "/api/v2/me/devices", "/api/v2/me/channels"} {
			readShape(t, shape, app.get(path).body)
		}
	}
	for agent, shape := range shapes {
		for member, kind := range shapes["bjorn"] {
			if shape[member] == "" && onlySome[member] == "" && onlySome[strings.Split(member, ".")[0]] == "" {
				t.Errorf("%s has no %s, which is a %s of bjorn", agent, member, kind)
			}
		}
		for member, kind := range shape {
			other := shapes["bjorn"][member]
			if other != kind && (other != "" || onlySome[member] == "") {
				t.Errorf("%s is a %s of %s, and a %q of bjorn", member, kind, agent, other)
			}
		}
	}
	if n := len(shapes["bjorn"]); n < 50 {
		t.Errorf("%d members were compared: %v", n, slices.Sorted(maps.Keys(shapes["bjorn"])))
	}
}

// readShape adds to shape what members the objects in a body have, by the kind of object.
func readShape(t testing.TB, shape map[string]string, body string) {
	t.Helper()
	var answer map[string]any
	err := json.Unmarshal([]byte(body), &answer)
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	kind := "answer"
	if answer["userName"] != nil {
		kind = "user" // dialect Status wraps it in nothing
	}
	addShape(shape, kind, answer)
}

// kinds are the objects in lists, and in members, by their names.
var kinds = map[string]string{"user": "user", "devices": "device", "channelStates": "channel", "features": "feature", "skills": "skill", "userState": "userState"}

func addShape(shape map[string]string, kind string, object map[string]any) {
	for name, value := range object {
		inner := kinds[name]
		switch {
		case name == "channels" && kind != "device":
			inner = "channel"
		case name == "settings" && kind == "answer":
			inner = "setting"
		}
		shape[kind+"."+name] = fmt.Sprintf("%T", value)
		if kind == "answer" && (name == "devices" || name == "channels" || name == "settings" || name == "user") || inner != "" {
			for _, one := range listOf(value) {
				addShape(shape, inner, one)
			}
		}
	}
}

// listOf returns the objects in a list, or the one that value is.
func listOf(value any) []map[string]any {
	one, isObject := value.(map[string]any)
	if isObject {
		return []map[string]any{one}
	}
	var objects []map[string]any
	list, _ := value.([]any)
	for _, entry := range list {
		object, isObject := entry.(map[string]any)
		if isObject {
			objects = append(objects, object)
		}
	}
	return objects
}
