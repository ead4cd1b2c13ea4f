package proxy

import (
	"fmt"
	"testing"
	"time"

	"portico/proxy/icws/icwssim"
)

// What callers read of the contact centre's failures.
const (
	badUpstream = "the contact centre answered with an error"
	unreachable = "the contact centre cannot be reached"
	tooLate     = "the contact centre did not answer in time"
)

// Failures of one call, by the fault that the site is given.
var (
	fails   = icwssim.Fault{Status: 500, Times: 1}
	garbage = icwssim.Fault{Scenario: "garbage", Times: 1}
	hangs   = icwssim.Fault{Scenario: "hang", Times: 1}
	breaks  = icwssim.Fault{Scenario: "reset-connection", Times: 1}
	expired = icwssim.Fault{Status: 401, Times: 1}
)

// TestFailuresOfOperations lets each call that an operation makes fail in every way. What the
// caller reads is the kind of failure and nothing of the site's; the session is usable afterwards,
// and what /me says is what the site holds.
func TestFailuresOfOperations(t *testing.T) {
	type want struct {
		status, code int
		text         string
	}
	done := want{200, 0, ""}
	for name, fault := range map[string]struct {
		icwssim.Fault
		want want
	}{
		"an error":               {fails, want{500, 4, badUpstream}},
		"garbage":                {garbage, want{500, 4, badUpstream}},
		"no answer":              {hangs, want{504, 4, tooLate}},
		"a broken connection":    {breaks, want{503, 4, unreachable}},
		"a session that is gone": {expired, done}, // Portico logs in again
	} {
		for _, op := range []struct{ path, operation, route string }{
			{"/me", "NotReady", routeSetStatus},
			{"/me", "Ready", routeActivate},
			{"/me", "Ready", routeSetStatus},
			{"/me", "AtLunch", routeSetStatus},
			{"/me", "DoNotDisturbOn", routeSetStatus},
			{"/me/channels/email", "Ready", routeActivate},
			{"/me/channels/email", "Ready", routeSetStatus},
			{"/me/devices/ffa26a05-f9eb-59bd-ba56-b86c7970ca4f", "DoNotDisturbOn", routeSetStatus},
		} {
			t.Run(fmt.Sprintf("%s/%s on %s, %s", name, op.operation, op.path, op.route), func(t *testing.T) {
				t.Parallel()
				w := newDoor(t, func(k *knobs) {
					if fault.Scenario == "hang" { // else none is waited for in vain
						k.timeout = 2 * time.Second
					}
				})
				anna := w.as("anna")
				anna.operate("/me", "AtPlay")
				w.holds(t, "AtPlay", "At Play", "Sales Support")
				before := anna.state()
				armed := fault.Fault
				armed.Route = op.route
				err := w.sim.Fault(armed)
				if err != nil {
					t.Fatal(err)
				}
				got := anna.post("/api/v2"+op.path, `{"operationName":"`+op.operation+`"}`)
				body := `{"statusCode":0}`
				if fault.want != done {
					body = fmt.Sprintf(`{"statusCode":%d,"statusMessage":%s}`, fault.want.code, quote(fault.want.text))
				}
				got.is(t, op.operation, fault.want.status, body)
				if fault.want != done {
					eventually(t, "/me says "+before+" again", func() bool { return anna.state() == before })
				}
				anna.operate("/me", "DoNotDisturbOff")
				anna.operate("/me", "AtLunch")
				if got := anna.state(); got != "voice:NotReadyAt Lunch email:NotReadyAt Lunch dnd:Off" {
					t.Errorf("afterwards /me says %q", got)
				}
				eventually(t, "the site holds At Lunch", func() bool {
					state, err := w.sim.State("anna")
					return err == nil && state.StatusID == "At Lunch"
				})
			})
		}
	}
}

// TestFailuresOfReads lets each call that a first read needs fail until the site is well again.
func TestFailuresOfReads(t *testing.T) {
	const routeActivations, routeAccess = "GET /icws/{sessionId}/activations/users/{userId}", "GET /icws/{sessionId}/status/status-messages-user-access/{userId}"
	for name, fault := range map[string]struct {
		icwssim.Fault
		status int
		text   string
	}{
		"an error":            {icwssim.Fault{Status: 500}, 500, badUpstream},
		"garbage":             {icwssim.Fault{Scenario: "garbage"}, 500, badUpstream},
		"no answer":           {icwssim.Fault{Scenario: "hang"}, 504, tooLate},
		"a broken connection": {icwssim.Fault{Scenario: "reset-connection", Times: 1000}, 503, unreachable},
	} {
		for _, route := range []string{routeStatus, routeActivations, routeAccess, routeCatalogue, routeLogin} {
			t.Run(name+"/"+route, func(t *testing.T) {
				t.Parallel()
				w := newDoor(t, func(k *knobs) {
					if fault.Scenario == "hang" { // else none is waited for in vain
						k.timeout = 2 * time.Second
					}
				})
				anna := w.as("anna")
				armed := fault.Fault
				armed.Route = route
				err := w.sim.Fault(armed)
				if err != nil {
					t.Fatal(err)
				}
				b := fmt.Sprintf(`{"statusCode":4,"statusMessage":%s}`, quote(fault.text))
				anna.get("/me").is(t, "GET /me", fault.status, fmt.Sprintf(`{"status":"error","errorDescription":%s}`, quote(fault.text)))
				anna.get("/api/v2/me?subresources=*").is(t, "GET /api/v2/me", fault.status, b)
				anna.get("/api/v2/me/status-messages").is(t, "the catalogue", fault.status, b)
				anna.get("/api/v2/settings/agent-states").is(t, "the agent states", fault.status, b)
				anna.post("/api/v2/me", `{"operationName":"Ready"}`).is(t, "Ready", fault.status, b)
				w.sim.Reset()
				eventually(t, "all is well again", func() bool { return anna.get("/me").status == 200 && anna.get("/me/status-messages").status == 200 })
				anna.operate("/me", "Ready")
				if n := w.calls(routeLogin); n > 1 {
					t.Errorf("%d log-ins after the site was well; want at most 1", n)
				}
			})
		}
	}
}

func TestLoginWithoutALicence(t *testing.T) {
	w := newDoor(t)
	err := w.sim.Fault(icwssim.Fault{Scenario: "no-licence", Times: 1})
	if err != nil {
		t.Fatal(err)
	}
	got := w.as("anna").get("/api/v2/me")
	got.is(t, "without a licence", 403, `{"statusCode":5,"statusMessage":"no permission"}`)
	w.as("anna").get("/me?fields=userName").is(t, "the next log-in", 200, `{"userName":"anna"}`)
}

// TestSessionsThatEnd ends the site's session and looks at what an application notices.
func TestSessionsThatEnd(t *testing.T) {
	t.Run("the session expires and Portico opens a new one", func(t *testing.T) {
		w := newDoor(t)
		anna := w.with(cookieOf(w.as("anna").get("/me")))
		anna.operate("/me", "AtLunch")
		w.holds(t, "AtLunch", "At Lunch", "Sales Support")
		err := w.sim.Fault(icwssim.Fault{Scenario: "expire-session", User: "anna"})
		if err != nil {
			t.Fatal(err)
		}
		anna.operate("/me", "AtPlay")
		w.holds(t, "AtPlay", "At Play", "Sales Support")
		if n := w.calls(routeLogin); n != 2 {
			t.Errorf("%d log-ins; want 2", n)
		}
	})
	t.Run("a supervisor logs the agent off", func(t *testing.T) {
		w := newDoor(t)
		anna := w.with(cookieOf(w.as("anna").get("/me")))
		eventually(t, "the reader receives", func() bool { return counts(t, w.reg, "portico_upstream_streams")["pureconnect live sse"] == 1 })
		err := w.sim.Fault(icwssim.Fault{Scenario: "force-logoff", User: "anna"})
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "the cookie is worth nothing", func() bool { return anna.get("/api/v2/me").status == 403 })
		anna.get("/api/v2/me").is(t, "the cookie", 403, deniedB)
		w.as("anna").get("/api/v2/me").is(t, "the password for a while", 403, deniedB)
	})
}

// TestSiteOutOfReach takes the whole site away and brings it back.
func TestSiteOutOfReach(t *testing.T) {
	w := newDoor(t)
	anna := w.with(cookieOf(w.as("anna").get("/me")))
	anna.operate("/me", "AtLunch")
	w.holds(t, "AtLunch", "At Lunch", "Sales Support")
	for _, fault := range []icwssim.Fault{{Route: "*", Scenario: "reset-connection", Times: 1_000_000}, {Scenario: "drop-stream"}} {
		err := w.sim.Fault(fault)
		if err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the channels are out of view", func() bool { return anna.get("/me/channels").body == `{"channels":[]}` })
	anna.get("/api/v2/me/channels").is(t, "no URIs", 200, `{"statusCode":0,"uris":[]}`)
	anna.get("/me/devices?fields=deviceState,userState").is(t, "the device", 200, `{"devices":[{"deviceState":"Inactive"}]}`)
	anna.get("/api/v2/me/channels/voice").is(t, "a channel", 404, `{"statusCode":6,"statusMessage":"there is no channel \"voice\"; this agent has: none"}`)
	anna.get("/api/v2/me?fields=userName").is(t, "the agent", 200, `{"statusCode":0,"user":{"userName":"anna"}}`)
	anna.post("/api/v2/me/channels/voice", `{"operationName":"Ready"}`).is(t, "an operation", 503,
		fmt.Sprintf(`{"statusCode":4,"statusMessage":%s}`, quote(unreachable)))
	stale := anna.get("/me/status-messages")
	if stale.status != 200 || stale.header.Get("Warning") == "" {
		t.Errorf("the catalogue = %d with Warning %q; want it stale", stale.status, stale.header.Get("Warning"))
	}
	w.sim.Reset()
	eventually(t, "everything is back", func() bool { return anna.state() == "voice:NotReadyAt Lunch email:NotReadyAt Lunch dnd:Off" })
}
