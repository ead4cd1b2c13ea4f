package gateway

import (
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
)

// TestNothingComesBackAfterTheEnd ends a session of an agent on both sites while the ICWS site takes
// its time: the HTCC reader, which finds its session gone meanwhile, must not bring it back.
func TestNothingComesBackAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w := newUnion(t, &icwssim.Server{}, cloud)
		cleo := w.login("cleo")
		w.posted(cleo, "", startAll)
		w.posted(cleo, "", `{"operationName":"Ready"}`)
		time.Sleep(time.Second)
		w.fault(icwssim.Fault{Route: routePutStatus, Delay: 3 * time.Second})
		err := w.EndContactCenterSession(t.Context(), cleo)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		state, err := cloud.State("cleo")
		if err != nil || state.ContactCenterSession || state.Sessions != 0 {
			t.Errorf("HTCC holds %d sessions, contact centre session %v (%v); want none", state.Sessions, state.ContactCenterSession, err)
		}
	})
}

// TestARefusedPasswordIsNotTriedAgain lets HTCC refuse the kept password of an agent who has another
// site, and take another password later.
func TestARefusedPasswordIsNotTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w := newUnion(t, &icwssim.Server{}, cloud)
		cleo := w.login("cleo")
		w.posted(cleo, "", startAll)
		time.Sleep(time.Second)
		for _, f := range []htccsim.Fault{{Status: 403}, {Scenario: "expire-session"}} {
			err := cloud.Fault(f)
			if err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		w.expect(cleo, "once HTCC refused the password", "voice:NotReady chat:LoggedOut email:LoggedOut Active dnd:Off")
		before := cloud.Calls()["GET /api/v2/me"]
		time.Sleep(10 * time.Minute)
		w.posted(cleo, "", `{"operationName":"Ready"}`)
		if n := cloud.Calls()["GET /api/v2/me"] - before; n != 0 {
			t.Errorf("%d more log-ins with a refused password; want 0", n)
		}
		cloud.Reset()
		err := cloud.SetState(htccsim.StateChange{User: "cleo", Channel: "chat", State: "Ready"})
		if err != nil {
			t.Fatal(err)
		}
		part := cleo.parts[1].(*htccPart)
		part.mu.Lock()
		part.refused = "the one before" // as if the agent had logged in with a new one
		part.mu.Unlock()
		time.Sleep(time.Minute)
		w.expect(cleo, "with a password that HTCC takes", "voice:Ready chat:Ready email:NotReady Active dnd:Off")
	})
}
