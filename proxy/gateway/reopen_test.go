package gateway

import (
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/fault"
	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/translate"
	"portico/translate/htccapi"
)

// started starts cleo's contact centre session, with a password if the request brings one.
func (w *world) started(cleo *Agent, password string) string {
	w.t.Helper()
	outcome, err := w.StartContactCenterSession(w.t.Context(), cleo, []htccapi.MediaChannel{htccapi.Voice, "chat", "email"},
		Ask{Body: json.RawMessage(startAll), Password: password})
	if err != nil {
		w.t.Fatal(err)
	}
	return sides(outcome)
}

// TestStartReopensAnEndedPart ends cleo's part at PureConnect for good, and has her start her contact
// centre session again.
func TestStartReopensAnEndedPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newUnion(t, &icwssim.Server{}, &htccsim.Server{})
		cleo := w.login("cleo")
		w.started(cleo, "")
		w.posted(cleo, "", `{"operationName":"Ready"}`)
		time.Sleep(time.Second)
		w.fault(icwssim.Fault{Scenario: "force-logoff", User: "cleo"})
		time.Sleep(time.Second)
		w.expect(cleo, "forced off", "voice:LoggedOut chat:Ready email:Ready Inactive dnd:Off")
		err := w.change(t.Context(), cleo, translate.Request{Operation: htccapi.Ready, Channel: htccapi.Voice})
		if !errors.Is(err, fault.Unreachable) || fault.Public(err) != textDenied {
			t.Errorf("Ready on an ended part = %v; want %v, since cleo is logged in", err, fault.Unreachable)
		}
		before := w.logins()
		if got := w.started(cleo, ""); got != "+voice +chat +email" {
			t.Errorf("Start = %s; want all channels", got)
		}
		time.Sleep(time.Second)
		w.expect(cleo, "started again", "voice:NotReady chat:Ready email:Ready Active dnd:Off")
		w.holds("cleo", "Available, No ACD")
		w.sessions("cleo", 1)
		if n := w.logins() - before; n != 1 {
			t.Errorf("%d log-ins; want 1", n)
		}
		w.set(icwssim.StateChange{User: "cleo", StatusID: ptr("At Lunch")})
		time.Sleep(time.Second)
		reads := w.sim.Calls()[routeGetStatus]
		w.expect(cleo, "a change afterwards", "voice:NotReadyAt Lunch chat:Ready email:Ready Active dnd:Off")
		if n := w.sim.Calls()[routeGetStatus] - reads; n != 0 {
			t.Errorf("%d reads of the status; want none: the reader is back", n)
		}
		w.posted(cleo, "", `{"operationName":"Ready"}`)
		time.Sleep(time.Second)
		w.expect(cleo, "Ready again", "voice:Ready chat:Ready email:Ready Active dnd:Off")
	})
}

// TestStartReopensWithThePresentedPassword does so for an agent whose password is not kept.
func TestStartReopensWithThePresentedPassword(t *testing.T) {
	forget := func(s *Settings, _ *Site) { s.Forget = true }
	end := map[string]func(*world, *htccsim.Server){
		"PureConnect": func(w *world, _ *htccsim.Server) { w.fault(icwssim.Fault{Scenario: "expire-session", User: "cleo"}) },
		"HTCC": func(w *world, cloud *htccsim.Server) {
			w.faultCloud(cloud, htccsim.Fault{Scenario: "expire-session", User: "cleo"})
		},
	}
	want := map[string]struct{ ended, without string }{
		"PureConnect": {"voice:LoggedOut chat:NotReady email:NotReady Inactive dnd:Off", "+chat +email -voice"},
		"HTCC":        {"voice:NotReady chat:LoggedOut email:LoggedOut Active dnd:Off", "+voice -chat -email"},
	}
	for site, ends := range end {
		t.Run(site, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := &htccsim.Server{}
				w := newUnion(t, &icwssim.Server{}, cloud, forget)
				cleo := w.login("cleo")
				w.started(cleo, "")
				w.posted(cleo, "", `{"operationName":"NotReady"}`)
				time.Sleep(time.Second)
				ends(w, cloud)
				time.Sleep(time.Minute)
				w.expect(cleo, "ended", want[site].ended)
				if got := w.started(cleo, ""); got != want[site].without {
					t.Errorf("Start without a password = %s; want %s", got, want[site].without)
				}
				if got := w.started(cleo, "cleo"); got != "+voice +chat +email" {
					t.Errorf("Start with a password = %s; want all channels", got)
				}
				time.Sleep(time.Second)
				w.expect(cleo, "started again", "voice:NotReady chat:NotReady email:NotReady Active dnd:Off")
			})
		})
	}
}

// TestStartTriesARefusedPasswordOnce has PureConnect refuse the kept password.
func TestStartTriesARefusedPasswordOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newUnion(t, &icwssim.Server{}, &htccsim.Server{})
		cleo := w.login("cleo")
		w.started(cleo, "")
		time.Sleep(time.Second)
		w.fault(icwssim.Fault{Scenario: "force-logoff", User: "cleo"})
		time.Sleep(time.Second)
		w.fault(icwssim.Fault{Route: routeLogin, Status: 401})
		before := w.logins()
		for range 3 {
			if got := w.started(cleo, "cleo"); got != "+chat +email -voice" {
				t.Errorf("Start = %s; want voice refused", got)
			}
		}
		if n := w.logins() - before; n != 1 {
			t.Errorf("%d log-ins with a refused password; want 1", n)
		}
	})
}

// A read that finds a part's upstream session gone for good shows what is left.
func TestAReadThatEndsAPartShowsTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newUnion(t, &icwssim.Server{}, &htccsim.Server{}, func(s *Settings, _ *Site) { s.Forget = true })
		cleo := w.login("cleo")
		w.started(cleo, "")
		w.fault(icwssim.Fault{Route: routeMessages, Status: 503})
		w.fault(icwssim.Fault{Scenario: "drop-stream", User: "cleo"})
		time.Sleep(2 * freshFor)
		w.fault(icwssim.Fault{Scenario: "expire-session", User: "cleo"})
		w.expect(cleo, "found by the read", "voice:LoggedOut chat:NotReady email:NotReady Inactive dnd:Off")
		w.expect(cleo, "afterwards", "voice:LoggedOut chat:NotReady email:NotReady Inactive dnd:Off")
	})
}
