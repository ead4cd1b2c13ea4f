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
	"portico/translate/icwsapi"
)

func (w *world) fault(f icwssim.Fault) {
	w.t.Helper()
	if err := w.sim.Fault(f); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) set(change icwssim.StateChange) {
	w.t.Helper()
	if err := w.sim.SetState(change); err != nil {
		w.t.Fatal(err)
	}
}

func ptr[T any](v T) *T { return &v }

func TestReadsCostNothingWhileTheReaderLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		anna := w.login("anna")
		w.shows(anna)
		time.Sleep(time.Second)
		before := w.sim.Calls()
		for range 100 {
			w.shows(anna)
		}
		w.set(icwssim.StateChange{User: "anna", StatusID: ptr("At Lunch")})
		synctest.Wait()
		w.expect(anna, "after another client's change", "voice:NotReadyAt Lunch email:NotReadyAt Lunch Active dnd:Off")
		w.set(icwssim.StateChange{User: "anna", StatusID: ptr("Available"), Activations: map[string]bool{"Sales": false, "Support": false, "Mail": true}})
		synctest.Wait()
		w.expect(anna, "after its activations changed too", "voice:NotReady email:Ready Active dnd:Off")
		for route, n := range w.sim.Calls() {
			if n != before[route] && route != "GET /icws/connection/version" { // the probe
				t.Errorf("%s was called %d times for reads", route, n-before[route])
			}
		}
	})
}

func TestABrokenStreamIsNoOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		anna := w.login("anna")
		w.do(anna, htccapi.Ready, "")
		time.Sleep(time.Second)
		w.fault(icwssim.Fault{Scenario: "drop-stream", User: "anna"})
		synctest.Wait()
		w.set(icwssim.StateChange{User: "anna", Activations: map[string]bool{"Mail": false}})
		w.expect(anna, "while the stream is broken", "voice:Ready email:NotReady Active dnd:Off")
		time.Sleep(10 * time.Second)
		w.expect(anna, "after it is back", "voice:Ready email:NotReady Active dnd:Off")
		w.holds("anna", "Available")
		if got := w.logins(); got != 1 {
			t.Errorf("%d log-ins; want 1", got)
		}
	})
}

func TestALostSessionComesBackNotReady(t *testing.T) {
	for name, change := range map[string]func(*Site){
		"voice:NotReady email:NotReady Active dnd:Off":   func(*Site) {},
		"voice:LoggedOut email:LoggedOut Active dnd:Off": func(s *Site) { s.Rules.LoggedOutAfterOutage = true },
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, &icwssim.Server{}, func(_ *Settings, s *Site) { change(s) })
			anna := w.login("anna")
			w.do(anna, htccapi.Ready, "")
			time.Sleep(time.Second)
			w.fault(icwssim.Fault{Scenario: "expire-session", User: "anna"})
			time.Sleep(10 * time.Second)
			w.expect(anna, "after the outage", name)
			w.holds("anna", "Available, No ACD")
			same, err := w.Login(t.Context(), Caller{SessionID: anna.SessionID()})
			if err != nil || same != anna {
				t.Errorf("the session did not live through the outage: %v", err)
			}
			if got := w.logins(); got != 2 {
				t.Errorf("%d log-ins; want 2", got)
			}
		})
	}
}

func TestAWriteOnALostSessionIsMadeOnTheNewOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		anna := w.login("anna")
		w.shows(anna)
		time.Sleep(time.Second)
		w.fault(icwssim.Fault{Scenario: "expire-session", User: "anna"})
		w.do(anna, "AtLunch", "")
		w.expect(anna, "after the write", "voice:NotReadyAt Lunch email:NotReadyAt Lunch Active dnd:Off")
		time.Sleep(time.Second)
		w.holds("anna", "At Lunch")
		if got := w.logins(); got != 2 {
			t.Errorf("%d log-ins; want 2", got)
		}
	})
}

func TestWhoIsForcedOffStaysOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		anna := w.login("anna")
		w.shows(anna)
		time.Sleep(time.Second)
		w.fault(icwssim.Fault{Scenario: "force-logoff", User: "anna"})
		time.Sleep(time.Second)
		_, err := w.Login(t.Context(), Caller{SessionID: anna.SessionID()})
		if !errors.Is(err, fault.Unauthenticated) {
			t.Errorf("the session answers %v; want %v", err, fault.Unauthenticated)
		}
		_, err = w.Login(t.Context(), Caller{Basic: true, Login: "anna", Password: "anna"})
		if !errors.Is(err, fault.Unauthenticated) {
			t.Errorf("a log-in at once answers %v; want %v", err, fault.Unauthenticated)
		}
		time.Sleep(barredFor)
		w.login("anna")
	})
}

func TestWithoutAPasswordALostSessionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{}, func(s *Settings, _ *Site) { s.Forget = true })
		anna := w.login("anna")
		w.shows(anna)
		time.Sleep(time.Second)
		w.fault(icwssim.Fault{Scenario: "expire-session", User: "anna"})
		time.Sleep(5 * time.Second)
		_, err := w.Login(t.Context(), Caller{SessionID: anna.SessionID()})
		if !errors.Is(err, fault.Unauthenticated) {
			t.Errorf("the session answers %v; want %v", err, fault.Unauthenticated)
		}
		w.login("anna")
	})
}

func TestASiteThatHangsComesBackByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		anna := w.login("anna")
		w.do(anna, htccapi.Ready, "")
		time.Sleep(time.Second)
		w.fault(icwssim.Fault{Scenario: "hang"})
		w.fault(icwssim.Fault{Scenario: "drop-stream"})
		synctest.Wait()
		_, err := w.Me(t.Context(), anna, nil)
		if !errors.Is(err, fault.Timeout) {
			t.Errorf("a read of a site that hangs: %v; want %v", err, fault.Timeout)
		}
		err = w.change(t.Context(), anna, translate.Request{Operation: htccapi.NotReady})
		if !errors.Is(err, fault.Timeout) {
			t.Errorf("a write to a site that hangs: %v; want %v", err, fault.Timeout)
		}
		time.Sleep(time.Minute)
		w.sim.Reset()
		time.Sleep(2 * time.Minute)
		w.expect(anna, "when the site is back", "voice:Ready email:Ready Active dnd:Off")
	})
}

func TestACatalogueChangeShowsWithoutAFetch(t *testing.T) {
	const fetch = "GET /icws/{sessionId}/status/status-messages"
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		anna := w.login("anna")
		states := func() map[htccapi.Operation]string {
			t.Helper()
			list, err := w.AgentStates(t.Context(), anna)
			if err != nil {
				t.Fatal(err)
			}
			names := map[htccapi.Operation]string{}
			for _, state := range list {
				names[htccapi.Operation(state.ID)] = state.ID
			}
			return names
		}
		if states()["AtLunch"] == "" {
			t.Error("AtLunch is not among the states at first")
		}
		time.Sleep(time.Second)
		err := w.sim.ChangeCatalogue(icwssim.CatalogueChange{Remove: []string{"At Lunch"}})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if states()["AtLunch"] != "" {
			t.Error("a removed status is still among the states")
		}
		w.set(icwssim.StateChange{User: "anna", Access: &[]string{"Available", "Available, No ACD"}})
		synctest.Wait()
		if got := states(); len(got) != 3 {
			t.Errorf("after the access list shrank the states are %v; want Ready, NotReady and Offline", got)
		}
		if got := w.sim.Calls()[fetch]; got != 1 {
			t.Errorf("%d fetches of the catalogue; want 1", got)
		}
	})
}

// The age of what is shown grows while the site shows nothing, and is that of a read once one was made.
func TestTheAgeOfWhatIsShown(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, &icwssim.Server{}, mode)
				anna := w.login("anna")
				age := func() time.Duration {
					me, err := w.Me(t.Context(), anna, nil)
					if err != nil {
						t.Fatal(err)
					}
					return me.Age
				}
				age()
				time.Sleep(20 * time.Minute)
				if got := age(); got > time.Minute {
					t.Errorf("age = %v while the stream lives; want no more than its keep-alives are apart", got)
				}
				w.set(icwssim.StateChange{User: "anna", StatusID: ptr("At Lunch")})
				synctest.Wait()
				if got := age(); got != 0 {
					t.Errorf("age = %v after a change; want 0", got)
				}
				w.fault(icwssim.Fault{Route: routeMessages, Status: 503})
				w.fault(icwssim.Fault{Scenario: "drop-stream"})
				time.Sleep(5 * time.Minute)
				if got := age(); got > freshFor {
					t.Errorf("age = %v without a stream; want that of a read", got)
				}
			})
		})
	}
}

// Two hundred reads, and fifty changes at the site between them, cost it no read; nor does a break of
// the stream cost a log-in.
func TestReadsCostTheSiteNothing(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, &icwssim.Server{}, mode)
				anna := w.login("anna")
				w.shows(anna)
				time.Sleep(time.Second)
				before := w.sim.Calls()
				for change := range 50 {
					status := []string{"At Lunch", "At Play"}[change%2]
					w.set(icwssim.StateChange{User: "anna", StatusID: &status})
					synctest.Wait()
					for range 4 {
						w.expect(anna, status, "voice:NotReady"+status+" email:NotReady"+status+" Active dnd:Off")
					}
				}
				if more := w.since(before); len(more) != 0 {
					t.Errorf("200 reads cost %v; want nothing", more)
				}
				logins := w.logins()
				w.fault(icwssim.Fault{Route: routeMessages, Status: 503, Times: 3})
				w.fault(icwssim.Fault{Scenario: "drop-stream"})
				time.Sleep(time.Millisecond)
				w.set(icwssim.StateChange{User: "anna", StatusID: ptr("Gone Home")})
				time.Sleep(time.Minute)
				before = w.sim.Calls()
				w.expect(anna, "after a break", "voice:NotReadyGone Home email:NotReadyGone Home Active dnd:Off")
				if more := w.since(before); len(more) != 0 || w.logins() != logins {
					t.Errorf("a read after a break cost %v and %d log-ins; want nothing", more, w.logins()-logins)
				}
			})
		})
	}
}

// What is drained for a write may tell of the connection before a reader has begun, or while one begins anew.
func TestAConnectionThatIsUpNeedsNoReader(t *testing.T) {
	p := &icwsPart{}
	up := icwsapi.ConnectionStateChangeMessage{NewConnectionState: icwsapi.ConnectionUp}
	p.changeConnection(up)
	ctx, anew := context.WithCancelCause(t.Context())
	var reading sync.WaitGroup
	reading.Go(func() { p.receiveOn(anew) })
	p.changeConnection(up)
	reading.Wait()
	p.changeConnection(up)
	if !errors.Is(context.Cause(ctx), errAnew) {
		t.Errorf("the reader goes on: %v", context.Cause(ctx))
	}
}
