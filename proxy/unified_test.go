package proxy

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
)

// TestOneOfTwoSitesFails posts operations on all channels of an agent on both sites while one of them
// fails, and while both do, in every way, and then lets them recover.
func TestOneOfTwoSitesFails(t *testing.T) {
	const all = `{"operationName":"NotReady"}`
	for name, test := range map[string]struct {
		cloud    htccsim.Fault
		icws     icwssim.Fault
		text     string
		whenBoth int // status
	}{
		"with an error":            {htccsim.Fault{Status: 500, Body: "<html>canary</html>"}, icwssim.Fault{Status: 500}, badUpstream, 500},
		"with garbage":             {htccsim.Fault{Scenario: "garbage"}, icwssim.Fault{Scenario: "garbage"}, badUpstream, 500},
		"without answer":           {htccsim.Fault{Scenario: "hang"}, icwssim.Fault{Scenario: "hang"}, tooLate, 504},
		"with a broken connection": {htccsim.Fault{Scenario: "reset-connection", Times: 1000}, icwssim.Fault{Scenario: "reset-connection", Times: 1000}, unreachable, 503},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newDoor(t, func(k *knobs) { k.timeout = patience(test.cloud) })
			cleo := w.with(cookieOf(w.as("cleo").get("/api/v2/me")))
			cleo.post("/api/v2/me", `{"operationName":"StartContactCenterSession","channels":["voice","chat","email"]}`).is(t, "Start", 200, `{"statusCode":0}`)
			begin := func() {
				t.Helper()
				eventually(t, "the sites are well", func() bool {
					return cleo.post("/api/v2/me", `{"operationName":"Ready"}`).body == `{"statusCode":0}`
				})
				eventually(t, "all are Ready", func() bool { return cleo.state() == "voice:Ready chat:Ready email:Ready dnd:Off" })
			}
			breakCloud := func() {
				t.Helper()
				test.cloud.Route = routeChannel
				w.breaks(test.cloud)
			}
			breakICWS := func() {
				t.Helper()
				test.icws.Route = routeSetStatus
				err := w.sim.Fault(test.icws)
				if err != nil {
					t.Fatal(err)
				}
			}
			recovered := func(when string) {
				t.Helper()
				w.sim.Reset()
				w.cloud.Reset()
				eventually(t, when+" NotReady goes through", func() bool { return cleo.post("/api/v2/me", all).body == `{"statusCode":0}` })
				eventually(t, when+" all are NotReady", func() bool { return cleo.state() == "voice:NotReady chat:NotReady email:NotReady dnd:Off" })
				eventually(t, when+" the sites hold it", func() bool { return w.cleoHeld() == "Available, No ACD voice chat:NotReady email:NotReady" })
			}

			begin()
			breakCloud()
			cleo.post("/api/v2/me", all).is(t, "HTCC fails", 200, fmt.Sprintf(`{"statusCode":7,"succeeded":[{"statusCode":0,"channel":"voice"}],`+
				`"failed":[{"statusCode":4,"statusMessage":%[1]s,"channel":"chat"},{"statusCode":4,"statusMessage":%[1]s,"channel":"email"}]}`, quote(test.text)))
			cleo.post("/me", all).is(t, "HTCC fails, in dialect Status", 200, fmt.Sprintf(`{"status":"ok","errorDescription":%s}`, quote("chat, email: "+test.text)))
			if got := cleo.state(); !strings.HasPrefix(got, "voice:NotReady chat:Ready email:Ready") {
				t.Errorf("while HTCC fails /me says %q", got)
			}
			recovered("after HTCC failed")

			begin()
			breakICWS()
			cleo.post("/api/v2/me", all).is(t, "ICWS fails", 200, fmt.Sprintf(`{"statusCode":7,"succeeded":[{"statusCode":0,"channel":"chat"},{"statusCode":0,"channel":"email"}],`+
				`"failed":[{"statusCode":4,"statusMessage":%s,"channel":"voice"}]}`, quote(test.text)))
			cleo.post("/me", all).is(t, "ICWS fails, in dialect Status", 200, fmt.Sprintf(`{"status":"ok","errorDescription":%s}`, quote("voice: "+test.text)))
			recovered("after ICWS failed")

			begin()
			breakCloud()
			breakICWS()
			cleo.post("/api/v2/me", all).is(t, "both fail", test.whenBoth, fmt.Sprintf(`{"statusCode":4,"statusMessage":%s}`, quote(test.text)))
			cleo.post("/me", all).is(t, "both fail, in dialect Status", test.whenBoth, fmt.Sprintf(`{"status":"error","errorDescription":%s}`, quote(test.text)))
			recovered("after both failed")

			if n := counts(t, w.reg, "portico_logins_total"); n["ok cloud"] != 1 || n["ok pureconnect"] != 1 {
				t.Errorf("log-ins: %v; want one at each site", n)
			}
		})
	}
}

// cleoHeld returns what the two sites hold of cleo: the ICWS status, and the channels that are HTCC's.
func (w *world) cleoHeld() string {
	w.t.Helper()
	at, err := w.sim.State("cleo")
	if err != nil {
		w.t.Fatal(err)
	}
	atCloud, err := w.cloud.State("cleo")
	if err != nil {
		w.t.Fatal(err)
	}
	text := at.StatusID + " voice"
	for _, channel := range atCloud.Channels {
		if channel.Channel != "voice" {
			text += " " + string(channel.Channel) + ":" + channel.UserState.State
		}
	}
	return text
}

// TestOneOfTwoSitesIsAway takes the whole of a site away: the other goes on, and it comes back by
// itself.
func TestOneOfTwoSitesIsAway(t *testing.T) {
	t.Run("HTCC", func(t *testing.T) {
		w := newDoor(t)
		cleo := w.with(cookieOf(w.as("cleo").get("/api/v2/me")))
		cleo.post("/api/v2/me", startCleo).is(t, "Start", 200, `{"statusCode":0}`)
		cleo.operate("/me", "Ready")
		for _, f := range []htccsim.Fault{{Scenario: "reset-connection", Route: "*", Times: 1_000_000}, {Scenario: "drop-stream"}} {
			w.breaks(f)
		}
		eventually(t, "its channels are out of view", func() bool { return strings.HasPrefix(cleo.state(), "voice:Ready dnd:") })
		got := cleo.post("/api/v2/me", `{"operationName":"NotReady"}`)
		if got.status != 200 || !strings.HasPrefix(got.body, `{"statusCode":7,"succeeded":[{"statusCode":0,"channel":"voice"}],"failed":[{"statusCode":4,`) {
			t.Errorf("NotReady = %d %s; want 7", got.status, got.body)
		}
		cleo.post("/api/v2/me/channels/chat", `{"operationName":"Ready"}`).is(t, "an operation on its channel", 503,
			fmt.Sprintf(`{"statusCode":4,"statusMessage":%s}`, quote(unreachable)))
		w.cloud.Reset()
		eventually(t, "it is back, as it was left", func() bool { return cleo.state() == "voice:NotReady chat:Ready email:Ready dnd:Off" })
		cleo.post("/api/v2/me", `{"operationName":"NotReady"}`).is(t, "NotReady at both", 200, `{"statusCode":0}`)
		eventually(t, "all are NotReady", func() bool { return cleo.state() == "voice:NotReady chat:NotReady email:NotReady dnd:Off" })
	})
	t.Run("PureConnect", func(t *testing.T) {
		w := newDoor(t)
		cleo := w.with(cookieOf(w.as("cleo").get("/api/v2/me")))
		cleo.post("/api/v2/me", startCleo).is(t, "Start", 200, `{"statusCode":0}`)
		for _, f := range []icwssim.Fault{{Scenario: "reset-connection", Route: "*", Times: 1_000_000}, {Scenario: "drop-stream"}} {
			err := w.sim.Fault(f)
			if err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, "voice is out of view", func() bool { return cleo.state() == "chat:NotReady email:NotReady dnd:Off" })
		got := cleo.post("/api/v2/me", `{"operationName":"Ready"}`)
		if got.status != 200 || !strings.HasPrefix(got.body, `{"statusCode":7,"succeeded":[{"statusCode":0,"channel":"chat"},{"statusCode":0,"channel":"email"}],"failed":[{"statusCode":4,`) {
			t.Errorf("Ready = %d %s; want 7", got.status, got.body)
		}
		if got := cleo.get(pathServices); got.status != 200 {
			t.Errorf("what is passed through = %d %s", got.status, got.body)
		}
		w.sim.Reset()
		eventually(t, "voice is back", func() bool { return cleo.state() == "voice:NotReady chat:Ready email:Ready dnd:Off" })
	})
}

const startCleo = `{"operationName":"StartContactCenterSession","channels":["voice","chat","email"]}`

// TestStartTakesThePasswordThatComesWithIt ends the part at PureConnect of an agent whose password is
// not kept: only a Start that brings it can open the part again.
func TestStartTakesThePasswordThatComesWithIt(t *testing.T) {
	w := newDoor(t, func(k *knobs) { k.gateway.Forget = true })
	basic := w.as("cleo")
	cookie := w.with(cookieOf(basic.get("/api/v2/me")))
	cookie.post("/api/v2/me", startCleo).is(t, "Start", 200, `{"statusCode":0}`)
	err := w.sim.Fault(icwssim.Fault{Scenario: "force-logoff", User: "cleo"})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "voice has ended", func() bool { return strings.HasPrefix(cookie.state(), "voice:LoggedOut ") })
	cookie.post("/api/v2/me", startCleo).is(t, "Start with the cookie", 200,
		`{"statusCode":7,"succeeded":[{"statusCode":0,"channel":"chat"},{"statusCode":0,"channel":"email"}],`+
			`"failed":[{"statusCode":4,"statusMessage":"the contact centre does not accept the agent's session","channel":"voice"}]}`)
	basic.post("/api/v2/me", startCleo).is(t, "Start with the password", 200, `{"statusCode":0}`)
	eventually(t, "voice is back", func() bool { return strings.HasPrefix(cookie.state(), "voice:NotReady ") })
}

// TestNobodyIsToldOfNoCallsWhereASiteCannotBeAsked has an agent on a call load the desktop anew while HTCC does not answer.
func TestNobodyIsToldOfNoCallsWhereASiteCannotBeAsked(t *testing.T) {
	w := newDoor(t)
	bjorn, cleo := w.as("bjorn"), w.as("cleo")
	const all = "/api/v2/me?subresources=*"
	for name, agent := range map[string]*caller{"bjorn": bjorn, "cleo": cleo} {
		agent.get("/api/v2/me")
		err := w.cloud.Fault(htccsim.Fault{Scenario: "call", User: name})
		if err != nil {
			t.Fatal(err)
		}
		if got := agent.get(all).body; !strings.Contains(got, `"calls":[{`) {
			t.Fatalf("on a call: %s", got)
		}
	}
	unavailable := htccsim.Fault{Route: routeGetMe, Status: http.StatusServiceUnavailable, Times: 1000}
	w.breaks(unavailable)
	if got := bjorn.get(all); got.status != http.StatusServiceUnavailable {
		t.Errorf("bjorn, who is at HTCC alone, is told %d %s; want 503", got.status, got.body)
	}
	w.cloud.Reset()
	for _, fault := range []htccsim.Fault{unavailable, {Route: routeGetMe, Status: http.StatusInternalServerError, Times: 1000}} {
		w.breaks(fault)
		got := cleo.get(all)
		if got.status != http.StatusOK || strings.Contains(got.body, `"calls"`) || !strings.Contains(got.body, `"skills":[`) || !strings.Contains(got.body, `"channel":"voice"`) {
			t.Errorf("cleo, who is at PureConnect too, is told %d %s; want voice, and nothing of calls", got.status, got.body)
		}
		w.cloud.Reset()
	}
	for _, agent := range []*caller{bjorn, cleo} {
		if got := agent.get(all).body; !strings.Contains(got, `"calls":[{`) {
			t.Errorf("afterwards: %s", got)
		}
	}
}

// TestNothingGoesOnWhereAPartHasEnded has HTCC log off an agent who is at PureConnect too: there are no calls then.
func TestNothingGoesOnWhereAPartHasEnded(t *testing.T) {
	w := newDoor(t, func(k *knobs) { k.gateway.Forget = true })
	cleo := w.with(cookieOf(w.as("cleo").get("/api/v2/me")))
	cleo.post("/api/v2/me", startCleo).is(t, "Start", 200, `{"statusCode":0}`)
	err := w.cloud.Fault(htccsim.Fault{Scenario: "force-logoff", User: "cleo"})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "chat has ended", func() bool { return strings.Contains(cleo.state(), "chat:LoggedOut") })
	if got := cleo.get("/api/v2/me?subresources=*").body; !strings.Contains(got, `"calls":[]`) {
		t.Errorf("told %s; want no calls", got)
	}
}
