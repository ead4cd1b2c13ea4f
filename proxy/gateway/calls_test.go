package gateway

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/proxy/icws/icwssim"
	"portico/proxy/upstream"
	"portico/translate/htccapi"
)

const (
	routeVersion              = "GET /icws/connection/version"
	routeLogout               = "DELETE /icws/{sessionId}/connection"
	routeGetActivations       = "GET /icws/{sessionId}/activations/users/{userId}"
	routeSubscribeAccess      = "PUT /icws/{sessionId}/messaging/subscriptions/status/status-messages-user-access"
	routeSubscribeActivations = "PUT /icws/{sessionId}/messaging/subscriptions/activations/users/{subId}"
)

// costs does something, lets a minute pass, and holds every call that reached the site to want.
func (w *world) costs(what string, do func(), want map[string]int) {
	w.t.Helper()
	before := w.sim.Calls()
	do()
	time.Sleep(time.Minute)
	more := map[string]int{}
	for route, n := range w.sim.Calls() {
		if n > before[route] {
			more[route] = n - before[route]
		}
	}
	if diff := cmp.Diff(want, more); diff != "" {
		w.t.Errorf("%s costs (-want +got):\n%s", what, diff)
	}
}

func (w *world) leaves(a *Agent) {
	w.t.Helper()
	err := w.EndContactCenterSession(w.t.Context(), a)
	if err != nil {
		w.t.Fatal(err)
	}
}

// What an agent costs the site whose service watches them, call by call.
func TestCallsOfAWatchedAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatched(t, &icwssim.Server{AsyncDelay: 3 * time.Second, PingInterval: 5 * time.Second})
		bob := w.login("agent0001")
		w.shows(bob)
		time.Sleep(time.Minute)

		var anna *Agent
		w.costs("a log-in", func() { anna = w.login("anna"); w.shows(anna); w.shows(anna) }, map[string]int{
			routeLogin: 1, routeMessages: 1, routeGetStatus: 1, routeGetActivations: 1, routeAccess: 1,
			routeUserAll: 1, routeSubscribeAccess: 1, routeSubscribeActivations: 1,
		})
		w.costs("the first Ready", func() { w.do(anna, htccapi.Ready, "") }, map[string]int{routePutStatus: 1, routePutActivations: 1})
		w.costs("a change of state", func() { w.do(anna, htccapi.NotReady, "") }, map[string]int{routePutStatus: 1})
		w.costs("another", func() { w.do(anna, "AtLunch", ""); w.shows(anna) }, map[string]int{routePutStatus: 1})
		w.costs("a change at the site", func() {
			w.set(icwssim.StateChange{User: "anna", StatusID: ptr("At Play")})
			synctest.Wait()
			w.expect(anna, "told", "voice:NotReadyAt Play email:NotReadyAt Play Active dnd:Off")
		}, map[string]int{})
		w.costs("a break of the three streams", func() { w.fault(icwssim.Fault{Scenario: "drop-stream", Times: 3}) }, map[string]int{
			routeMessages: 3, routeVersion: 1, routeSubscribeCatalogue: 1, routeUserAll: 1, routeSubscribeAccess: 1, routeSubscribeActivations: 2,
		})
		w.costs("a log-out", func() { w.leaves(anna) }, map[string]int{routeLogout: 1})
	})
}

// With heartbeats in place of streams nothing else is dearer.
func TestCallsOfAnAgentKeptAliveByHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seldom := func(_ *Settings, s *Site) { s.KeepAlive = time.Hour }
		w := newWorld(t, &icwssim.Server{PingInterval: 5 * time.Second, IdleTimeout: -1}, beating, seldom)
		time.Sleep(time.Second)
		w.shows(w.login("agent0001"))
		time.Sleep(time.Minute)
		var anna *Agent
		w.costs("a log-in", func() { anna = w.login("anna"); w.shows(anna) }, map[string]int{
			routeLogin: 1, routeGetStatus: 1, routeGetActivations: 1, routeAccess: 1,
			routeUserAll: 1, routeSubscribeAccess: 1, routeSubscribeActivations: 1,
		})
	})
}

// The site is asked whether it is there when the service hears nothing of it, and as soon as its stream
// has broken.
func TestProbesWhereTheServiceHearsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatched(t, &icwssim.Server{PingInterval: 5 * time.Minute})
		w.costs("a silent minute", func() {}, map[string]int{routeVersion: 6})
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWatched(t, &icwssim.Server{PingInterval: 5 * time.Second})
		time.Sleep(time.Minute)
		w.costs("a minute that is not", func() {}, map[string]int{})
		w.fault(icwssim.Fault{Status: 503})
		w.fault(icwssim.Fault{Scenario: "drop-stream"})
		time.Sleep(upstream.ProbeEvery + time.Second)
		if _, up := w.Ready(); up["pureconnect"] {
			t.Error("the site is said to be there; want it known that it answers nothing")
		}
	})
}
