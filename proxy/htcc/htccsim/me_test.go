package htccsim

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"portico/translate/htccapi"
)

// membersOf returns the names of the members of the object at path in a JSON text, sorted.
func membersOf(t testing.TB, text string, path ...string) string {
	t.Helper()
	for _, name := range path {
		var outer map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &outer); err != nil {
			t.Fatalf("%q in %s: %v", name, text, err)
		}
		text = string(outer[name])
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return strings.Join(slices.Sorted(maps.Keys(object)), " ")
}

const userMembers = "changePasswordOnFirstLogin contactCenterId emailAddress enabled firstName id lastName path roles uri userName"

func TestSubresourcesAreThoseAskedFor(t *testing.T) {
	with := func(more ...string) string {
		return strings.Join(slices.Sorted(slices.Values(append(strings.Fields(userMembers), more...))), " ")
	}
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := started(t, s, "bjorn", "voice", "chat")
		for _, test := range []struct{ name, path, want string }{
			{"none", "/api/v2/me", with()},
			{"a trailing slash", "/api/v2/me/?subresources=devices", with("devices")},
			{"a list", "/api/v2/me?subresources=features,devices,channels", with("channelStates", "channels", "devices", "features")},
			{"the star, which has no features, nor empty chats", "/api/v2/me?subresources=*",
				with("calls", "channelStates", "channels", "devices", "settings", "skills")},
			{"unknown names", "/api/v2/me?subresources=moods,calls", with("calls")},
			{"the page's literal", "/api/v2/me/subresources=*", with("calls", "channelStates", "channels", "devices", "settings", "skills")},
			{"the literal, encoded", "/api/v2/me/subresources%3D%2A", with("calls", "channelStates", "channels", "devices", "settings", "skills")},
			{"all fields", "/api/v2/me?fields=*", with()},
			{"some fields", "/api/v2/me?fields=userName,roles,mood", "roles userName"},
			{"both", "/api/v2/me?fields=userName&subresources=skills", "skills userName"},
		} {
			if got := membersOf(t, c.must("GET", test.path, "").body, "user"); got != test.want {
				t.Errorf("%s: GET %s = %s; want %s", test.name, test.path, got, test.want)
			}
		}
	})
}

func TestKnobsOfMe(t *testing.T) {
	for _, test := range []struct {
		name string
		s    *Server
		in   []string
	}{
		{"empty lists as in 2016", &Server{EmptyLists: true}, []string{`"interactions":[]`, `"chats":[]`, `"calls":[]`}},
		{"voice among the channels", &Server{VoiceInChannels: true},
			[]string{`{"channel":"voice",`, `"switchName":"SIP_Switch","userActivity":"Idle"}],"channelStates":[`}},
		{"uris of another name", &Server{PublicURL: "https://agents.example"}, []string{`"uri":"https://agents.example/api/v2/users/`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, test.s, func(t *testing.T) {
				c := started(t, test.s, "bjorn", "voice", "chat")
				want(t, "GET /me", c.must("GET", "/api/v2/me?subresources=*", "").body, test.in...)
			})
		})
	}
}

func TestChannelsAreAbsentWithoutASession(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "bjorn")
		got := c.must("GET", "/api/v2/me?subresources=channels,devices", "").body
		if strings.Contains(got, `"channelStates"`) || strings.Contains(got, `"channels":[{`) {
			t.Errorf("GET /me = %s; want no channels before the start", got)
		}
		want(t, "the device", got, `"deviceState":"Active"`, `"displayName":"Offline","state":"LoggedOut"`)
		c.start("voice")
		if got := c.must("GET", "/api/v2/me/channels?fields=*", "").body; got != `{"statusCode":0,"channels":[]}` {
			t.Errorf("channels after a start with voice = %s; want none", got)
		}
	})
}

func TestLists(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := started(t, s, "cleo", "voice", "chat", "email")
		id := c.deviceID()
		for _, test := range []struct{ path, want string }{
			{"/api/v2/me/devices", `{"statusCode":0,"uris":["http://htcc.example:8090/api/v2/devices/` + id + `"]}`},
			{"/api/v2/me/channels", `{"statusCode":0,"uris":["http://htcc.example:8090/api/v2/me/channels/chat","http://htcc.example:8090/api/v2/me/channels/email"]}`},
			{"/api/v2/me/channels?channel=email", `{"statusCode":0,"uris":["http://htcc.example:8090/api/v2/me/channels/email"]}`},
			{"/api/v2/me/channels?fields=channel", `{"statusCode":0,"channels":[{"channel":"chat"},{"channel":"email"}]}`},
			{"/api/v2/me/channels?fields=channel&channel=chat", `{"statusCode":0,"channels":[{"channel":"chat"}]}`},
			{"/api/v2/me/channels?fields=channel&channel=chat&channel=email", `{"statusCode":0,"channels":[{"channel":"chat"},{"channel":"email"}]}`},
			{"/api/v2/me/channels?fields=channel&_=17", `{"statusCode":0,"channels":[{"channel":"chat"},{"channel":"email"}]}`},
			{"/api/v2/me/devices?fields=phoneNumber&phoneNumber=5102", `{"statusCode":0,"devices":[{"phoneNumber":"5102"}]}`},
			{"/api/v2/me/devices?fields=id&phoneNumber=9", `{"statusCode":0,"devices":[]}`},
			{"/api/v2/me/channels/chat?fields=channel", `{"statusCode":0,"channel":{"channel":"chat"}}`},
			{"/api/v2/me/devices/" + id + "?fields=phoneNumber", `{"statusCode":0,"device":{"phoneNumber":"5102"}}`},
			{"/api/v2/me/groups?type=BusinessUnit&fields=*", `{"statusCode":0,"groups":[]}`},
			{"/api/v2/workbins?fields=*", `{"statusCode":0,"workbins":[]}`},
			{"/api/v2/me/chats/?fields=*", `{"statusCode":0,"chats":[]}`},
			{"/api/v2/contacts", `{"statusCode":0,"uris":[]}`},
			{"/internal-api/lucene/index", `{"statusCode":0,"index":[]}`},
		} {
			if got := c.must("GET", test.path, "").body; got != test.want {
				t.Errorf("GET %s = %s; want %s", test.path, got, test.want)
			}
		}
		want(t, "voice, which the list has not", c.must("GET", "/api/v2/me/channels/voice", "").body, `{"statusCode":0,"channel":{"channel":"voice"`, `"phoneNumber":"5102"`)
	})
}

func TestWhatApplicationsReadAtTheStart(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "bjorn")
		skill := plainID("skill", "Billing")
		for _, test := range []struct{ path, want string }{
			{"/api/v2/features", `{"statusCode":0,"uris":["http://htcc.example:8090/api/v2/features/api-voice",`},
			{"/api/v2/me/features?fields=id", `"features":[{"id":"api-voice"},`},
			{"/api/v2/me/skills?fields=name,level", `{"statusCode":0,"skills":[{"name":"Billing","level":"8"}]}`},
			{"/api/v2/skills/" + skill + "?fields=name", `{"statusCode":0,"skill":{"name":"Billing"}}`},
			{"/api/v2/me/calls", `{"statusCode":0,"uris":[]}`},
			{"/api/v2/services/ON_PREMISE_ENVIRONMENT", `"service":{"id":"ON_PREMISE_ENVIRONMENT","name":"Provisioning"`},
			{"/api/v2/voice-environments/" + voiceEnvironment + "?fields=name", `{"statusCode":0,"voiceEnvironment":{"name":"SIP_Switch"}}`},
			{"/api/v2/settings", `{"statusCode":0,"settings":[{"displayName":"Agent States","uri":"http://htcc.example:8090/api/v2/settings/agent-states"}]}`},
			{"/api/v2/devices/" + c.deviceID() + "/settings/tserver", `"settings":[{"name":"TServer.switch","value":"SIP_Switch"},{"name":"TServer.dn","value":"5101"}],"key":"name"}`},
			{"/internal-api/me/settings?fields=*", `"resources":{"agentStates":[{"id":"900D55CC`},
			{"/internal-api/contact-center?subresources=businessAttributes", `"businessAttributes":[]}`},
		} {
			want(t, "GET "+test.path, c.must("GET", test.path, "").body, test.want)
		}
	})
}

func TestUsersWithoutAnything(t *testing.T) {
	s := &Server{Users: []User{{UserName: "dana", Password: "dana"}}}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "dana")
		want(t, "GET /me", c.must("GET", "/api/v2/me?subresources=*", "").body, `"devices":[],"skills":[],"calls":[],"settings":{}}`)
		want(t, "settings", c.must("GET", "/internal-api/me/settings", "").body, `"settings":{}`)
		c.operate("/api/v2/me", "DoNotDisturbOn") // of nothing
		for body, status := range map[string]int{
			`{"operationName":"StartContactCenterSession","channels":["voice"]}`: 400,
			`{"operationName":"Ready"}`: 400, `{"operationName":"EndContactCenterSession"}`: 200,
		} {
			if got := loggedIn(t, s, "dana").do("POST", "/api/v2/me", body); got.status != status {
				t.Errorf("%s = %d %s; want %d", body, got.status, got.body, status)
			}
		}
	})
}

func TestUnknownThingsAre404(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "bjorn")
		for _, path := range []string{
			"/", "/api/v2", "/api/v2/moods", "/api/v1/me", "/me", "/api/v2/me/channels/fax", "/api/v2/me/channels/chat", "/api/v2/me/devices/x",
			"/api/v2/users/x", "/api/v2/users/x/channels", "/api/v2/users/x/channels/voice", "/api/v2/users/x/devices", "/api/v2/users/x/skills",
			"/api/v2/features/x", "/api/v2/services/x", "/api/v2/settings/x", "/api/v2/skills/x", "/api/v2/contacts/x", "/api/v2/workbins/x",
			"/api/v2/voice-environments/x", "/api/v2/me/devices/x/settings/tserver", "/api/v2/me/calls/x",
		} {
			got := c.do("GET", path, "")
			if got.status != 404 || !strings.HasPrefix(got.body, `{"statusCode":6,"statusMessage":"`) {
				t.Errorf("GET %s = %d %s; want 404 with 6", path, got.status, got.body)
			}
		}
		got := c.do("DELETE", "/api/v2/me", "")
		if got.status != 405 || got.header.Get("Allow") != "GET, POST" {
			t.Errorf("DELETE /me = %d, Allow %q; want 405, GET, POST", got.status, got.header.Get("Allow"))
		}
		got = c.do("OPTIONS", "/api/v2/me", "", "X-Support-CSRFP", "True")
		if got.status != 200 || got.header.Get("Allow") != "GET, POST" {
			t.Errorf("OPTIONS /me = %d, Allow %q; want 200, GET, POST", got.status, got.header.Get("Allow"))
		}
	})
}

func TestDocumentsDialect(t *testing.T) {
	s := &Server{Dialect: htccapi.DialectStatus}
	inBubble(t, s, func(t *testing.T) {
		c := started(t, s, "bjorn", "voice", "chat")
		id := strings.Split(c.must("GET", "/api/v2/me/devices", "").body, `"`)[5]
		for _, test := range []struct{ method, path, body, want string }{
			{"GET", "/api/v2/me/channels?fields=channel", "", `{"channels":[{"channel":"chat"}]}`},
			{"GET", "/api/v2/me/channels/chat?fields=channel", "", `{"channel":{"channel":"chat"}}`},
			{"GET", "/api/v2/me?fields=userName", "", `{"userName":"bjorn"}`},
			{"GET", "/api/v2/settings/agent-states?fields=operationName&operationName=Ready", "", `{"settings":[{"operationName":"Ready"}]}`},
			{"GET", "/api/v2/diagnostics/version", "", `{"version":"8.5.202.96"}`},
			{"POST", "/api/v2/me", `{"operationName":"Ready"}`, `{"status":"ok"}`},
			{"POST", "/api/v2/me/devices/" + id, `{"operationName":"DoNotDisturbOn"}`, `{"status":"ok"}`},
			{"POST", "/api/v2/me", `{}`, `{"status":"error","errorDescription":"Required parameter 'operationName' is missing"}`},
		} {
			if got := c.do(test.method, test.path, test.body).body; got != test.want {
				t.Errorf("%s %s %s = %s; want %s", test.method, test.path, test.body, got, test.want)
			}
		}
		got := c.must("GET", "/api/v2/me?subresources=*", "").body
		want(t, "GET /me", got, `"devices":[{"id":"`+id+`"`, `"channels":[{"channel":"chat"`)
		if strings.Contains(got, "channelStates") || strings.Contains(got, "statusCode") {
			t.Errorf("GET /me = %s; want nothing of the other dialect", got)
		}
		if got := stranger(t, s).do("GET", "/api/v2/me", "").body; got != `{"status":"error","errorDescription":"Access denied"}` {
			t.Errorf("anonymous = %s", got)
		}
		fail(t, s, Fault{Scenario: "multimedia-down", User: "bjorn"})
		if got := c.do("POST", "/api/v2/me", `{"operationName":"Ready"}`).body; got != `{"status":"ok","errorDescription":"Interaction server connection is not opened"}` {
			t.Errorf("partial success = %s", got)
		}
	})
}

func TestDocumentsPaths(t *testing.T) {
	s := &Server{Dialect: htccapi.DialectStatus}
	inBubble(t, s, func(t *testing.T) {
		c := started(t, s, "bjorn", "voice", "chat")
		c.http.Jar = nil
		c.header.Set("Authorization", basic("bjorn", "bjorn")[1])
		want(t, "POST /me", c.must("POST", "/me", `{"operationName":"Ready"}`).body, `{"status":"ok"}`)
		want(t, "POST /me/channels/chat", c.must("POST", "/me/channels/chat", `{"operationName":"OutToLunch"}`).body, `{"status":"ok"}`)
		want(t, "GET /me/channels", c.must("GET", "/me/channels", "").body, `"displayName":"Out to Lunch"`)
		want(t, "GET /me", c.must("GET", "/me?subresources=*", "").body, `"devices":[{"id":"`, `"channels":[{"channel":"chat"`)
		want(t, "GET /me/subresources=*", c.must("GET", "/me/subresources=*", "").body, `"devices":[{"id":"`)
		want(t, "GET /settings/agent-states", c.must("GET", "/settings/agent-states", "").body, `"operationName":"OutToLunch"`)
		if got := stranger(t, s).do("GET", "/me", "").status; got != 403 {
			t.Errorf("anonymous = %d; want 403", got)
		}
		if got := s.Calls()["POST /api/v2/me"]; got != 2 { // the session's start too
			t.Errorf("counted %d POST /api/v2/me; want 2", got)
		}
	})
	real := &Server{}
	inBubble(t, real, func(t *testing.T) {
		if got := loggedIn(t, real, "bjorn").do("GET", "/me", "").status; got != 404 {
			t.Errorf("in the dialect of real servers = %d; want 404", got)
		}
	})
}

func TestStringCodes(t *testing.T) {
	s := &Server{StringCodes: true}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "bjorn")
		if got := c.start("voice").body; got != `{"statusCode":"0"}` {
			t.Errorf("start = %s; want a string", got)
		}
	})
}

func TestUsers(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		started(t, s, "cleo", "voice", "chat")
		c := loggedIn(t, s, "bjorn")
		var listed struct {
			Users []struct{ ID, UserName string }
		}
		c.decode(c.must("GET", "/api/v2/users?fields=id,userName&userName=cleo", ""), &listed)
		if len(listed.Users) != 1 || listed.Users[0].UserName != "cleo" {
			t.Fatalf("users = %+v; want cleo", listed)
		}
		path := "/api/v2/users/" + listed.Users[0].ID
		want(t, "cleo", c.must("GET", path+"?subresources=devices", "").body, `"user":{"id":"`+listed.Users[0].ID+`"`, `"phoneNumber":"5102"`)
		want(t, "her channels", c.must("GET", path+"/channels?fields=*", "").body, `"channel":"chat"`)
		want(t, "her channel", c.must("GET", path+"/channels/chat", "").body, `"channel":{"channel":"chat"`)
		want(t, "her devices", c.must("GET", path+"/devices?fields=*", "").body, `"5102"`)
		want(t, "her skills", c.must("GET", path+"/skills?fields=*", "").body, `"level":"9"`)
		want(t, "her contact", c.must("GET", "/api/v2/contacts/"+listed.Users[0].ID+"?type=User", "").body, `"firstName":"Cleo"`)
	})
}
