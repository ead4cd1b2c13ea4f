package gateway

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/fault"
	"portico/proxy/icws/icwssim"
)

func TestAPolicyIsChangedWhileAgentsAreLoggedIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		anna := w.login("anna")
		if anna.keptPassword() == "" {
			t.Fatal("the password of anna is not kept")
		}
		w.SetPolicy(Policy{Idle: time.Hour, Forget: true, MaxBytes: 1 << 20,
			Route: func(login string) (Route, bool) {
				return Route{Stops: []Stop{{Site: "pureconnect", Login: "cleo"}}}, login == "agent0001"
			}})
		if w.login("anna") != anna {
			t.Error("who is logged in needs a route again")
		}
		_, err := w.Login(t.Context(), Caller{Basic: true, Login: "nobody", Password: "nobody"})
		if err == nil {
			t.Error("a log-in by the old routes")
		}
		time.Sleep(40 * time.Minute) // the old policy's were 30
		w.sessions("anna", 1)
		time.Sleep(30 * time.Minute)
		w.sessions("anna", 0)
	})
}

func TestARouteThatChangedIsThatOfTheNextLogIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		w.SetPolicy(Policy{Idle: time.Hour, Forget: true, MaxBytes: 1 << 20, Route: func(login string) (Route, bool) {
			return Route{Stops: []Stop{{Site: "pureconnect", Login: "anna"}}}, true
		}})
		agent, err := w.Login(t.Context(), Caller{Basic: true, Login: "a.alias", Password: "anna"})
		if err != nil {
			t.Fatal(err)
		}
		w.sessions("anna", 1)
		if agent.keptPassword() != "" {
			t.Error("a password is kept though the policy is to forget it")
		}
	})
}

// TestARefusalIsNotRememberedForOtherRoutes has a name's right password refused where it has no route, then where its route
// leads to another account, and then let in by the route put right; a wrong one stays refused without asking again.
func TestARefusalIsNotRememberedForOtherRoutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		routed := func(to string) {
			w.SetPolicy(Policy{Idle: time.Hour, MaxBytes: 1 << 20, Route: func(string) (Route, bool) {
				return Route{Stops: []Stop{{Site: "pureconnect", Login: to}}}, to != ""
			}})
		}
		for _, c := range []struct {
			to, password string
			asks         int
			err          error
		}{
			{"", "anna", 0, fault.Unauthenticated},
			{"cleo", "anna", 1, fault.Unauthenticated},
			{"cleo", "anna", 0, fault.Unauthenticated}, // a moment ago
			{"anna", "wrong", 1, fault.Unauthenticated},
			{"anna", "wrong", 0, fault.Unauthenticated},
			{"anna", "anna", 1, nil},
		} {
			routed(c.to)
			before := w.logins()
			_, err := w.Login(t.Context(), Caller{Basic: true, Login: "anna", Password: c.password})
			if got := w.logins() - before; !errors.Is(err, c.err) || got != c.asks {
				t.Errorf("routed to %q, password %q: %v after %d log-ins; want %v after %d", c.to, c.password, err, got, c.err, c.asks)
			}
		}
	})
}
