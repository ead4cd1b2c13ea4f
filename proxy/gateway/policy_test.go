package gateway

import (
	"testing"
	"testing/synctest"
	"time"

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
