package proxy

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"portico/proxy/htcc/htccsim"
)

// TestTheAgeOfStateIsTold looks at a header and a metric, for an agent of each kind of site and of both.
func TestTheAgeOfStateIsTold(t *testing.T) {
	w := newDoor(t)
	for _, agent := range []string{"anna", "bjorn", "cleo"} {
		for _, path := range []string{"/me", "/api/v2/me/devices", "/me/channels"} {
			got := w.as(agent).get(path)
			age, err := strconv.ParseFloat(got.header.Get("Portico-State-Age"), 64)
			if got.status != http.StatusOK || err != nil || age < 0 || age > 60 {
				t.Errorf("GET %s of %s = %d with an age of %q; want seconds", path, agent, got.status, got.header.Get("Portico-State-Age"))
			}
		}
	}
	if n := testutil.CollectAndCount(w.reg, "portico_state_served_age_seconds"); n != 4 {
		t.Errorf("%d series of ages; want one for each of two sites and two sources", n)
	}
	if got := w.do("GET", "/me", ""); got.header.Get("Portico-State-Age") != "" {
		t.Error("a refusal tells an age")
	}
}

// TestAChannelThatHTCCDoesNotListIsReadThere asks for voice, which stands in the list of channels of no HTCC site, and
// for what the site does not have.
func TestAChannelThatHTCCDoesNotListIsReadThere(t *testing.T) {
	const route = "GET /api/v2/me/channels/{channel}"
	w := newDoor(t)
	bjorn, cleo := w.with(cookieOf(w.as("bjorn").get("/me"))), w.with(cookieOf(w.as("cleo").get("/me")))
	bjorn.post("/api/v2/me", startVoiceAndChat).is(t, "Start", 200, `{"statusCode":0}`)
	eventually(t, "chat is listed", func() bool { return bjorn.get("/api/v2/me/channels/chat").status == 200 })
	before := w.cloud.Calls()[route]
	bjorn.get("/me/channels/chat")
	if got := w.cloud.Calls()[route] - before; got != 0 {
		t.Errorf("HTCC was asked %d times for a channel that it lists; want 0", got)
	}
	for _, test := range []struct {
		agent      *caller
		path       string
		status     int
		begin, has string
	}{
		{bjorn, "/api/v2/me/channels/voice", 200, `{"statusCode":0,"channel":{"channel":"voice"`, `"phoneNumber":"5101"`},
		{bjorn, "/me/channels/voice", 200, `{"channel":{"channel":"voice"`, `"phoneNumber":"5101"`},
		{bjorn, "/api/v2/me/channels/voice?fields=channel,phoneNumber", 200, `{"statusCode":0,"channel":{"channel":"voice","phoneNumber":"5101"}}`, ""},
		{bjorn, "/api/v2/me/channels/fax", 404, `{"statusCode":6`, `"there is no channel \"fax\" at HTCC; this agent's list has: chat"`},
		{bjorn, "/me/channels/%2e%2e%2ffax", 404, `{"status":"error"`, `"there is no `},
		{cleo, "/api/v2/me/channels/voice", 200, `{"statusCode":0,"channel":{"channel":"voice"`, `"NotReady"`},
		{cleo, "/api/v2/me/channels/email", 404, `{"statusCode":6`, `"there is no channel \"email\" at HTCC; this agent's list has: voice"`},
		{cleo, "/api/v2/me/channels/fax", 404, `{"statusCode":6`, `"there is no channel \"fax\"; this agent has: voice"`},
	} {
		got := test.agent.get(test.path)
		if got.status != test.status || !strings.HasPrefix(got.body, test.begin) || !strings.Contains(got.body, test.has) {
			t.Errorf("GET %s = %d %s\nwant %d %s with %s", test.path, got.status, got.body, test.status, test.begin, test.has)
		}
	}
	if got := bjorn.do("HEAD", "/api/v2/me/channels/voice", "", bjorn.headers...); got.status != 200 {
		t.Errorf("HEAD of voice = %d; want 200", got.status)
	}
	w.breaks(htccsim.Fault{Route: route, Status: 503})
	if got := bjorn.get("/api/v2/me/channels/voice"); got.status != 503 {
		t.Errorf("voice while HTCC does not tell = %d %s; want 503", got.status, got.body)
	}
}

const startVoiceAndChat = `{"operationName":"StartContactCenterSession","channels":["voice","chat"]}`
