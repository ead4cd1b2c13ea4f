package gateway

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/fault"
	"portico/proxy/icws/icwssim"
	"portico/translate"
	"portico/translate/htccapi"
)

const routePutStatus = "PUT /icws/{sessionId}/status/user-statuses/{userId}"

func TestOperationsReachTheSiteAndShow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		anna := w.login("anna")
		for _, step := range []struct {
			op      htccapi.Operation
			channel htccapi.MediaChannel
			shows   string
			holds   string
		}{
			{htccapi.NotReady, "", "voice:NotReady email:NotReady Active dnd:Off", "Available, No ACD"},
			{htccapi.Ready, "", "voice:Ready email:Ready Active dnd:Off", "Available"},
			{htccapi.NotReady, "email", "voice:Ready email:NotReady Active dnd:Off", "Available"},
			{"AtLunch", "voice", "voice:NotReadyAt Lunch email:NotReadyAt Lunch Active dnd:Off", "At Lunch"},
			{htccapi.Ready, "email", "voice:NotReady email:Ready Active dnd:Off", "Available"},
			{htccapi.DoNotDisturbOn, "", "voice:NotReady email:Ready Active dnd:On", "Do Not disturb"},
			{htccapi.Ready, "", "voice:Ready email:Ready Active dnd:On", "Do Not disturb"},
			{htccapi.DoNotDisturbOff, "", "voice:Ready email:Ready Active dnd:Off", "Available"},
			{htccapi.AfterCallWork, "", "voice:NotReadyAfterCallWork email:NotReadyAfterCallWork Active dnd:Off", "Follow Up"},
			{htccapi.Offline, "voice", "voice:LoggedOut email:NotReadyAfterCallWork Active dnd:Off", "Follow Up"},
		} {
			w.do(anna, step.op, step.channel)
			w.expect(anna, "at once after "+string(step.op), step.shows)
			time.Sleep(time.Second)
			w.holds("anna", step.holds)
			w.expect(anna, "a second after "+string(step.op), step.shows)
		}
	})
}

func TestALaterFailureUndoesActivations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		anna := w.login("anna")
		w.do(anna, htccapi.NotReady, "")
		time.Sleep(time.Second)
		before, err := w.sim.State("anna")
		if err != nil {
			t.Fatal(err)
		}
		err = w.sim.Fault(icwssim.Fault{Route: routePutStatus, Status: 500, Times: 1})
		if err != nil {
			t.Fatal(err)
		}
		err = w.change(t.Context(), anna, translate.Request{Operation: htccapi.Ready, Channel: "email"})
		if !errors.Is(err, fault.BadUpstream) {
			t.Errorf("a failing status: %v; want %v", err, fault.BadUpstream)
		}
		after, err := w.sim.State("anna")
		if err != nil {
			t.Fatal(err)
		}
		for workgroup, active := range before.Activations {
			if after.Activations[workgroup] != active {
				t.Errorf("workgroup %s is left %v; want %v", workgroup, after.Activations[workgroup], active)
			}
		}
		w.expect(anna, "after the failure", "voice:NotReady email:NotReady Active dnd:Off")
		w.do(anna, htccapi.Ready, "email")
		w.expect(anna, "after the next try", "voice:NotReady email:Ready Active dnd:Off")
	})
}

func TestACompletionWithAnErrorBringsTheOldStateBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{RefuseAsync: true})
		anna := w.login("anna")
		w.do(anna, htccapi.NotReady, "")
		time.Sleep(time.Second)
		// The access list shrinks at the site, and the message about it is lost to us: so the site refuses what
		// we think allowed.
		err := w.sim.Fault(icwssim.Fault{Scenario: "drop-stream", User: "anna"})
		if err != nil {
			t.Fatal(err)
		}
		err = w.sim.SetState(icwssim.StateChange{User: "anna", Access: &[]string{"Available, No ACD"}})
		if err != nil {
			t.Fatal(err)
		}
		w.do(anna, htccapi.Ready, "")
		w.expect(anna, "after it was accepted", "voice:Ready email:Ready Active dnd:Off")
		time.Sleep(5 * time.Second)
		w.expect(anna, "after it was refused", "voice:NotReady email:NotReady Active dnd:Off")
		w.holds("anna", "Available, No ACD")
	})
}

func TestALostCompletionIsDecidedByARead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{LoseCompletions: true})
		anna := w.login("anna")
		w.do(anna, htccapi.Ready, "")
		time.Sleep(completionWithin + time.Second)
		w.expect(anna, "after the time for a completion", "voice:Ready email:Ready Active dnd:Off")
		anna.icws().mu.Lock()
		defer anna.icws().mu.Unlock()
		if len(anna.icws().writes.byID) != 0 || len(anna.icws().state.Pending) != 0 {
			t.Errorf("%d writes and %d pending changes are left", len(anna.icws().writes.byID), len(anna.icws().state.Pending))
		}
	})
}

func TestAnAnswerThatIsLostIsLookedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		anna := w.login("anna")
		w.do(anna, htccapi.NotReady, "")
		time.Sleep(time.Second)
		err := w.sim.Fault(icwssim.Fault{Route: routePutStatus, Status: 500, After: true, Delay: 300 * time.Millisecond, Times: 1})
		if err != nil {
			t.Fatal(err)
		}
		w.do(anna, "AtLunch", "")
		w.expect(anna, "after the answer was lost", "voice:NotReadyAt Lunch email:NotReadyAt Lunch Active dnd:Off")
		w.holds("anna", "At Lunch")
	})
}

func TestConfirmCompletedWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{AsyncDelay: 2 * time.Second}, func(_ *Settings, s *Site) { s.WaitCompleted = true })
		anna := w.login("anna")
		_, err := w.Me(t.Context(), anna, nil)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		began := time.Now()
		w.do(anna, "AtLunch", "")
		if took := time.Since(began); took < 2*time.Second {
			t.Errorf("the write was answered after %v, before the site carried it out", took)
		}
		w.holds("anna", "At Lunch")
	})
}

// TestAChannelLeftInDoNotDisturbGetsNoWork has somebody else end do-not-disturb with a status that work is routed to.
func TestAChannelLeftInDoNotDisturbGetsNoWork(t *testing.T) {
	for name, leave := range map[string]func(*world, *Agent){
		"Offline": func(w *world, anna *Agent) { w.do(anna, htccapi.Offline, htccapi.Voice) },
		"a Start without it": func(w *world, anna *Agent) {
			_, err := w.StartContactCenterSession(w.t.Context(), anna, []htccapi.MediaChannel{"email"}, Ask{})
			if err != nil {
				w.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fleet := newShared()
				a, _ := fleet.replica(t)
				b, _ := fleet.replica(t)
				anna := a.login("anna")
				settle()
				a.do(anna, htccapi.Ready, "")
				a.do(anna, htccapi.DoNotDisturbOn, "")
				time.Sleep(time.Second)
				leave(b, b.cookie(anna.SessionID())) // where nobody reads the site
				settle()
				a.expect(anna, "after it", "voice:LoggedOut email:Ready Active dnd:On")
				a.set(icwssim.StateChange{User: "anna", StatusID: ptr("Available")})
				settle()
				state, err := fleet.sim.State("anna")
				if err != nil || state.Activations["Sales"] || state.Activations["Support"] || !state.Activations["Mail"] {
					t.Errorf("the site has %v active (%v); want email's workgroups alone", state.Activations, err)
				}
				for _, w := range []*world{a, b} {
					w.expect(w.cookie(anna.SessionID()), "when somebody ended it", "voice:LoggedOut email:Ready Active dnd:Off")
				}
			})
		})
	}
}
