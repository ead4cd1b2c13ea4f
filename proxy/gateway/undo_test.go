package gateway

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/fault"
	"portico/proxy/icws/icwssim"
	"portico/translate"
	"portico/translate/htccapi"
)

// page is what a proxy before the site says of its own accord.
var page = icwssim.Fault{Status: 502, Body: "<html>bad gateway</html>", ContentType: "text/html", Times: 1}

func TestALateStatusOffersNoWorkThatWasNotAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{AsyncDelay: 3 * time.Second})
		anna := w.login("anna")
		w.shows(anna)
		time.Sleep(time.Second)
		lost := page
		lost.Route, lost.After = routePutStatus, true
		w.fault(lost)
		err := w.change(t.Context(), anna, translate.Request{Operation: htccapi.Ready, Channel: "email"})
		if !errors.Is(err, fault.BadUpstream) {
			t.Errorf("a write whose answer was lost: %v; want %v", err, fault.BadUpstream)
		}
		time.Sleep(10 * time.Second)
		w.holds("anna", "Available")
		state, err := w.sim.State("anna")
		if err != nil || state.Activations["Sales"] || state.Activations["Support"] {
			t.Errorf("anna, who asked for email, takes voice: %v (%v)", state.Activations, err)
		}
		w.expect(anna, "when it took place after all", "voice:NotReady email:NotReady Active dnd:Off")
		w.do(anna, htccapi.Ready, "")
		w.expect(anna, "after the next try", "voice:Ready email:Ready Active dnd:Off")
	})
}

func TestNotesThatDidNotArriveAreNotConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		anna := w.login("anna")
		w.do(anna, "AtLunch", "")
		time.Sleep(time.Second)
		w.fault(icwssim.Fault{Route: routePutStatus, Status: 500, Times: 1})
		err := w.change(t.Context(), anna, translate.Request{Operation: "AtLunch", Notes: "back at two"})
		if !errors.Is(err, fault.BadUpstream) {
			t.Errorf("notes that were not set: %v; want %v", err, fault.BadUpstream)
		}
	})
}

func TestACallerWhoLeavesStopsNoPlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		anna := w.login("anna")
		w.shows(anna)
		time.Sleep(time.Second)
		w.fault(icwssim.Fault{Route: routePutActivations, Delay: time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		err := w.change(ctx, anna, translate.Request{Operation: htccapi.Ready, Channel: "email"})
		if err != nil {
			t.Errorf("a plan was stopped half way: %v", err)
		}
		time.Sleep(time.Second)
		w.expect(anna, "after the caller left", "voice:NotReady email:Ready Active dnd:Off")
		w.holds("anna", "Available")
	})
}

func TestACallerWhoLeavesWhileWaitingForItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		anna := w.login("anna")
		w.shows(anna)
		time.Sleep(time.Second)
		w.fault(icwssim.Fault{Route: routePutStatus, Delay: 3 * time.Second, Times: 1})
		var first sync.WaitGroup
		first.Go(func() { w.do(anna, "AtLunch", "") })
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := w.change(ctx, anna, translate.Request{Operation: htccapi.Ready})
		if !errors.Is(err, fault.Timeout) {
			t.Errorf("a write that never had its turn: %v; want %v", err, fault.Timeout)
		}
		first.Wait()
		time.Sleep(time.Second)
		w.holds("anna", "At Lunch")
	})
}

func TestNoWriteComesBetweenLeavingWorkAndTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{AsyncDelay: time.Second})
		anna := w.login("anna")
		w.do(anna, htccapi.Ready, "")
		time.Sleep(2 * time.Second)
		ended := make(chan error, 1)
		go func() { ended <- w.EndContactCenterSession(t.Context(), anna) }()
		time.Sleep(500 * time.Millisecond)
		err := w.change(t.Context(), anna, translate.Request{Operation: htccapi.Ready})
		if !errors.Is(err, fault.Unauthenticated) {
			t.Errorf("a write beside the end: %v; want %v", err, fault.Unauthenticated)
		}
		if err := <-ended; err != nil {
			t.Errorf("the end: %v", err)
		}
		time.Sleep(5 * time.Second)
		w.holds("anna", "Available, No ACD")
		w.sessions("anna", 0)
	})
}

func TestAnEndWhoseCallerLeavesRestoresActivations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{AsyncDelay: time.Second}, func(_ *Settings, s *Site) { s.Rules.RestoreActivations = true })
		anna := w.login("anna")
		w.do(anna, htccapi.Ready, "email")
		time.Sleep(2 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		err := w.EndContactCenterSession(ctx, anna)
		if err != nil {
			t.Errorf("the end: %v", err)
		}
		state, err := w.sim.State("anna")
		if err != nil || !state.Activations["Sales"] || !state.Activations["Support"] || state.Activations["Mail"] {
			t.Errorf("activations are %v (%v); want those of the log-in", state.Activations, err)
		}
	})
}

func TestAnEndWhileTheSiteIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		anna := w.login("anna")
		w.do(anna, htccapi.Ready, "")
		time.Sleep(time.Second)
		w.fault(icwssim.Fault{Scenario: "hang"})
		err := w.EndContactCenterSession(t.Context(), anna)
		if err != nil {
			t.Errorf("the end at a site that cannot be reached: %v", err)
		}
		_, err = w.Login(t.Context(), Caller{SessionID: anna.SessionID()})
		if !errors.Is(err, fault.Unauthenticated) {
			t.Errorf("the session answers %v; want %v", err, fault.Unauthenticated)
		}
		time.Sleep(20 * time.Second)
	})
}

func TestAWaitingWriteEndsWithTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{LoseCompletions: true, AsyncDelay: 9 * time.Second}, func(_ *Settings, s *Site) { s.WaitCompleted = true })
		anna := w.login("anna")
		w.shows(anna)
		answered := make(chan error, 1)
		go func() { answered <- w.change(t.Context(), anna, translate.Request{Operation: "AtLunch"}) }()
		time.Sleep(2 * time.Second)
		w.end(anna, endOperator)
		synctest.Wait()
		select {
		case err := <-answered:
			if !errors.Is(err, fault.Unauthenticated) {
				t.Errorf("%v; want %v", err, fault.Unauthenticated)
			}
		default:
			t.Error("a write waits for the completion of a session that has ended")
		}
	})
}

// TestAChangeThatWasNotSentIsNotLookedFor has the site away, and its breaker open soon, while a change it accepted has not
// completed.
func TestAChangeThatWasNotSentIsNotLookedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, supply, anna := newLame(t)
		w.do(anna, "AtLunch", "")
		supply.turn("ic1.example:8018", false)
		for range 10 {
			began := time.Now()
			err := w.change(t.Context(), anna, translate.Request{Operation: "AtPlay"})
			if took := time.Since(began); !errors.Is(err, fault.Unreachable) || took > 2*time.Second {
				t.Errorf("after %v: %v; want %v at once", took, err, fault.Unreachable)
			}
		}
		supply.turn("ic1.example:8018", true)
		time.Sleep(time.Minute)
		w.expect(anna, "when the site is back", "voice:NotReadyAt Lunch email:NotReadyAt Lunch Active dnd:Off")
		w.decided(anna)
	})
}
