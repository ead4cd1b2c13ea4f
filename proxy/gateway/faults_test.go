package gateway

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"portico/proxy/fault"
	"portico/proxy/icws/icwssim"
	"portico/translate"
	"portico/translate/htccapi"
)

const (
	routeGetStatus          = "GET /icws/{sessionId}/status/user-statuses/{userId}"
	routePutActivations     = "PUT /icws/{sessionId}/activations/users/{userId}"
	routeCatalogue          = "GET /icws/{sessionId}/status/status-messages"
	routeSubscribeCatalogue = "PUT /icws/{sessionId}/messaging/subscriptions/status/status-messages"
	routeAccess             = "GET /icws/{sessionId}/status/status-messages-user-access/{userId}"
)

// The needs of a caller, each with the call that it takes and how it is had.
var needs = []struct {
	name  string
	route string
	early bool // the call is made at the log-in
	try   func(w *world, a *Agent) error
}{
	{"log-in", routeLogin, true, nil},
	{"read", routeGetStatus, true, func(w *world, a *Agent) error {
		_, err := w.Me(w.t.Context(), a, nil)
		return err
	}},
	{"write of the status", routePutStatus, false, func(w *world, a *Agent) error {
		return w.change(w.t.Context(), a, translate.Request{Operation: "AtLunch"})
	}},
	{"write of activations", routePutActivations, false, func(w *world, a *Agent) error {
		return w.change(w.t.Context(), a, translate.Request{Operation: htccapi.Ready})
	}},
	{"catalogue", routeCatalogue, true, func(w *world, a *Agent) error {
		_, err := w.StatusMessages(w.t.Context(), a, htccapi.DialectStatus, false, func(string) bool { return false })
		return err
	}},
	{"access list", routeAccess, true, func(w *world, a *Agent) error {
		_, err := w.AgentStates(w.t.Context(), a)
		return err
	}},
}

// What callers get of each failure, in the order of needs. A new upstream session that is refused at
// once is the site's failure: the agent is still logged in here.
func TestWhatCallersGetOfAFailure(t *testing.T) {
	const lasting = 1000
	for name, row := range map[string]struct {
		fault icwssim.Fault
		kinds [6]fault.Kind
	}{
		"500": {icwssim.Fault{Status: 500},
			[6]fault.Kind{fault.BadUpstream, fault.BadUpstream, fault.BadUpstream, fault.BadUpstream, fault.BadUpstream, fault.BadUpstream}},
		"garbage": {icwssim.Fault{Scenario: "garbage"},
			[6]fault.Kind{fault.BadUpstream, fault.BadUpstream, fault.BadUpstream, fault.BadUpstream, fault.BadUpstream, fault.BadUpstream}},
		"401": {icwssim.Fault{Status: 401},
			[6]fault.Kind{fault.Unauthenticated, fault.BadUpstream, fault.BadUpstream, fault.BadUpstream, fault.BadUpstream, fault.BadUpstream}},
		"hang": {icwssim.Fault{Scenario: "hang"},
			[6]fault.Kind{fault.Timeout, fault.Timeout, fault.Timeout, fault.Timeout, fault.Timeout, fault.Timeout}},
		"reset": {icwssim.Fault{Scenario: "reset-connection"},
			[6]fault.Kind{fault.Unreachable, fault.Unreachable, fault.Unreachable, fault.Unreachable, fault.Unreachable, fault.Unreachable}},
		"403": {icwssim.Fault{Status: 403},
			[6]fault.Kind{fault.Forbidden, fault.Forbidden, fault.Forbidden, fault.Forbidden, fault.Forbidden, fault.Forbidden}},
		"404": {icwssim.Fault{Status: 404},
			[6]fault.Kind{fault.Unreachable, fault.NotFound, fault.NotFound, fault.NotFound, fault.NotFound, fault.NotFound}},
		"410": {icwssim.Fault{Status: 410},
			[6]fault.Kind{fault.Gone, fault.Gone, fault.Gone, fault.Gone, fault.Gone, fault.Gone}},
	} {
		for i, need := range needs {
			t.Run(name+" at "+need.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, &icwssim.Server{})
					if !need.early {
						w.shows(w.login("anna"))
						time.Sleep(time.Second)
					}
					f := row.fault
					f.Route, f.Times = need.route, lasting
					w.fault(f)
					agent, err := w.Login(t.Context(), Caller{Basic: true, Login: "anna", Password: "anna"})
					if need.try != nil {
						if err != nil {
							t.Fatal(err)
						}
						err = need.try(w, agent)
					}
					if got := fault.KindOf(err); got != row.kinds[i] {
						t.Errorf("the caller gets %q (%v); want %q", got, err, row.kinds[i])
					}
					w.sim.Reset()
					time.Sleep(refusedFor + time.Minute)
					w.works()
				})
			})
		}
	}
}

// works holds that anna's session works.
func (w *world) works() {
	w.t.Helper()
	anna := w.login("anna")
	w.do(anna, "AtLunch", "")
	w.expect(anna, "after all", "voice:NotReadyAt Lunch email:NotReadyAt Lunch Active dnd:Off")
	time.Sleep(time.Second)
	w.holds("anna", "At Lunch")
	before := w.sim.Calls()[routeGetStatus]
	w.expect(anna, "after all", "voice:NotReadyAt Lunch email:NotReadyAt Lunch Active dnd:Off")
	if got := w.sim.Calls()[routeGetStatus]; got != before {
		w.t.Errorf("a read of a session that is well again took %d calls", got-before)
	}
}

func TestAPanicInAFetchIsAnErrorOfItsCallers(t *testing.T) {
	for _, route := range []string{"/user-statuses/anna", "/status-messages", "/activations/users/anna", "/icws/connection"} {
		t.Run(route, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim := &icwssim.Server{}
				panics := &panicking{path: route, next: sim.Transport()}
				w := newWorld(t, sim, func(_ *Settings, s *Site) { s.ICWS = newClient(panics, prometheus.NewRegistry()) })
				panics.on.Store(true)
				agent, err := w.Login(t.Context(), Caller{Basic: true, Login: "anna", Password: "anna"})
				if err == nil {
					_, err = w.Me(t.Context(), agent, nil)
				}
				if got := fault.KindOf(err); got != fault.Internal {
					t.Errorf("%q (%v); want %q", got, err, fault.Internal)
				}
				panics.on.Store(false)
				time.Sleep(time.Minute)
				w.works()
			})
		})
	}
}

func TestARefusedCallIsNotFollowedByOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		anna := w.login("anna")
		w.shows(anna)
		time.Sleep(time.Second)
		w.fault(icwssim.Fault{Route: routePutActivations, Status: 403, Times: 1})
		err := w.change(t.Context(), anna, translate.Request{Operation: htccapi.Ready, Channel: "email"})
		if !errors.Is(err, fault.Forbidden) {
			t.Errorf("%v; want %v", err, fault.Forbidden)
		}
		if got := w.sim.Calls()[routePutStatus]; got != 0 {
			t.Errorf("the status was set %d times after activations were refused; want 0", got)
		}
	})
}
