package gateway

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"portico/proxy/fault"
	"portico/proxy/icws/icwssim"
	"portico/proxy/watch"
	"portico/translate"
	"portico/translate/htccapi"
)

// watching has a service user of the site watch all agents.
func watching(_ *Settings, s *Site) {
	s.Service = watch.User{UserID: "portico", Password: "portico"}
	s.KeepAlive = 90 * time.Second
}

// beating does so with calls that keep each agent's own session alive, in place of a stream.
func beating(settings *Settings, s *Site) {
	watching(settings, s)
	s.Heartbeats = true
}

// forEachHolding runs a test for each way to keep the agents' own sessions alive.
func forEachHolding(t *testing.T, test func(t *testing.T, hold option)) {
	for name, hold := range map[string]option{"stream": watching, "heartbeat": beating} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, hold) })
		})
	}
}

const (
	routeHeartbeat = "POST /icws/{sessionId}/messaging/heartbeat"
	routeUserAll   = "PUT /icws/{sessionId}/messaging/subscriptions/status/user-statuses"
)

// newWatched returns a world whose service has logged in.
func newWatched(t *testing.T, sim *icwssim.Server, options ...option) *world {
	t.Helper()
	w := newTelling(t, sim, append(options, watching)...)
	time.Sleep(time.Second)
	return w
}

// since returns how often the site was asked for each route, other than before.
func (w *world) since(before map[string]int) map[string]int {
	more := map[string]int{}
	for route, n := range w.sim.Calls() {
		if n > before[route] && route != "GET /icws/connection/version" { // the probe
			more[route] = n - before[route]
		}
	}
	return more
}

func TestOneStreamForAThousandAgents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const agents = 1000
		w := newWatched(t, &icwssim.Server{}, beating)
		all := make([]*Agent, agents)
		var work sync.WaitGroup
		for n := range all {
			work.Go(func() { all[n] = w.login(agentName(n + 1)); w.shows(all[n]) })
		}
		work.Wait()
		time.Sleep(5 * time.Second)
		calls := w.sim.Calls()
		if n := calls[routeMessages]; n != 1 {
			t.Errorf("%d streams or polls; want 1", n)
		}
		if n := calls[routeUserAll]; n > 20 {
			t.Errorf("the list of users was put %d times; want them gathered", n)
		}
		w.fetches("a thousand log-ins", 0)
		before := w.sim.Calls()
		for n, agent := range all {
			w.set(icwssim.StateChange{User: agentName(n + 1), StatusID: ptr("At Lunch"), Activations: map[string]bool{"Mail": n%2 == 0}})
			synctest.Wait()
			w.expect(agent, "a change at the site", "voice:NotReadyAt Lunch email:NotReadyAt Lunch Active dnd:Off")
		}
		for _, agent := range all[:20] {
			w.do(agent, htccapi.Ready, "")
			w.expect(agent, "a write", "voice:Ready email:Ready Active dnd:Off")
		}
		time.Sleep(time.Second)
		more := w.since(before)
		if len(more) != 2 || more[routePutStatus] != 20 || more[routePutActivations] != 10 { // half had Mail
			t.Errorf("1,000 changes, as many reads and 20 writes cost %v; want the writes alone", more)
		}
	})
}

func TestWatchedAgentsHearOfChangesOnce(t *testing.T) {
	for _, announce := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWatched(t, &icwssim.Server{AnnounceSameStatus: announce})
			tellsOperations(w)
		})
	}
}

// A session that no stream is held for is kept alive, by a poll where the site knows no heartbeat.
func TestWatchedSessionsAreKeptAlive(t *testing.T) {
	for _, mute := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWatched(t, &icwssim.Server{NoHeartbeat: mute}, beating)
			anna := w.login("anna")
			w.do(anna, htccapi.Ready, "")
			logins := w.logins()
			time.Sleep(20 * time.Minute)
			w.do(anna, htccapi.NotReady, "")
			w.sessions("anna", 1)
			if n := w.logins() - logins; n != 0 {
				t.Errorf("without heartbeat %v: %d log-ins; want none", mute, n)
			}
			calls := w.sim.Calls()
			if n := calls[routeHeartbeat] + calls[routeMessages]; n > 22 {
				t.Errorf("without heartbeat %v: %d calls in 20 minutes to keep it alive", mute, n)
			}
		})
	}
}

// A stream that is held open costs no call, and tells at once that the session is over.
func TestStreamsThatAreHeldCostNoCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatched(t, &icwssim.Server{})
		anna := w.login("anna")
		w.do(anna, htccapi.Ready, "")
		time.Sleep(5 * time.Second)
		before := w.sim.Calls()
		time.Sleep(20 * time.Minute)
		w.expect(anna, "twenty minutes later", "voice:Ready email:Ready Active dnd:Off")
		if more := w.since(before); len(more) != 0 {
			t.Errorf("twenty minutes cost %v; want nothing", more)
		}
		w.do(anna, htccapi.NotReady, "")
		w.sessions("anna", 1)
		w.fault(icwssim.Fault{Scenario: "force-logoff", User: "anna"})
		time.Sleep(time.Second)
		_, err := w.Login(t.Context(), Caller{SessionID: anna.SessionID()})
		if !errors.Is(err, fault.Unauthenticated) {
			t.Errorf("after a forced log-off the session answers %v; want %v", err, fault.Unauthenticated)
		}
	})
}

// A session that lives on while the service gets another one is known to live: when it is lost later, it
// is lost alone.
func TestASessionIsLostAloneAfterTheServicesWas(t *testing.T) {
	forEachHolding(t, func(t *testing.T, hold option) {
		w := newWatched(t, &icwssim.Server{}, hold)
		anna := w.login("anna")
		w.do(anna, htccapi.Ready, "")
		time.Sleep(time.Second)
		w.fault(icwssim.Fault{Scenario: "expire-session", User: "portico"})
		time.Sleep(time.Minute)
		w.fault(icwssim.Fault{Scenario: "expire-session", User: "anna"})
		time.Sleep(5 * time.Minute)
		w.expect(anna, "after both", "voice:Ready email:Ready Active dnd:Off")
		w.holds("anna", "Available")
	})
}

// unstreamed is a way to the site on which streams do not come through.
type unstreamed struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (u unstreamed) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Del("Accept")
	return u.next.RoundTrip(r)
}

// Where no streams come through from the site, the sessions are kept alive by calls.
func TestSessionsAreKeptAliveByCallsWhereNothingStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := &icwssim.Server{}
		w := newWatched(t, sim, func(_ *Settings, s *Site) { s.ICWS = newClient(unstreamed{sim.Transport()}, prometheus.NewRegistry()) })
		anna := w.login("anna")
		time.Sleep(time.Minute)
		before := w.sim.Calls()
		time.Sleep(20 * time.Minute)
		w.do(anna, htccapi.Ready, "")
		w.sessions("anna", 1)
		if n := w.since(before)[routeHeartbeat]; n < 13 || n > 18 {
			t.Errorf("%d heartbeats in 20 minutes; want one in each 90 s or a little more", n)
		}
	})
}

// A session that is lost while the service's lives is no outage: nothing is set, and what was asked for
// is done.
func TestASessionLostAloneIsNoOutage(t *testing.T) {
	forEachHolding(t, func(t *testing.T, hold option) {
		w := newWatched(t, &icwssim.Server{}, hold)
		anna := w.login("anna")
		w.do(anna, htccapi.Ready, "")
		time.Sleep(time.Second)
		desktop := w.open(anna, everything)
		w.fault(icwssim.Fault{Scenario: "expire-session", User: "anna"})
		w.do(anna, "AtLunch", htccapi.Voice)
		time.Sleep(time.Second)
		w.expect(anna, "after it", "voice:NotReadyAt Lunch email:Ready Active dnd:Off")
		desktop.hears("all the while", "device Active:NotReadyAt Lunch dnd:Off", "channels voice:NotReadyAt Lunch email:Ready")
		w.sessions("anna", 1)
		w.fault(icwssim.Fault{Scenario: "expire-session", User: "anna"})
		time.Sleep(5 * time.Minute)
		w.expect(anna, "the session lost again", "voice:NotReadyAt Lunch email:Ready Active dnd:Off")
		w.holds("anna", "Available")
		desktop.hears("afterwards")
	})
}

// A session that is lost with the service's is an outage.
func TestSessionsLostTogetherAreAnOutage(t *testing.T) {
	forEachHolding(t, func(t *testing.T, hold option) {
		w := newWatched(t, &icwssim.Server{}, hold)
		anna, lunch := w.login("anna"), w.login("agent0001")
		w.do(anna, htccapi.Ready, "")
		w.do(lunch, "AtLunch", "")
		time.Sleep(time.Second)
		w.fault(icwssim.Fault{Scenario: "expire-session"})
		time.Sleep(time.Minute)
		w.expect(anna, "after the outage", "voice:NotReady email:NotReady Active dnd:Off")
		w.holds("anna", "Available, No ACD")
		w.expect(lunch, "after the outage", "voice:NotReadyAt Lunch email:NotReadyAt Lunch Active dnd:Off")
		before := w.sim.Calls()
		w.set(icwssim.StateChange{User: "anna", StatusID: ptr("At Play")})
		synctest.Wait()
		w.expect(anna, "a change then", "voice:NotReadyAt Play email:NotReadyAt Play Active dnd:Off")
		if more := w.since(before); len(more) != 0 {
			t.Errorf("a read then costs %v; want nothing", more)
		}
	})
}

func TestAWatchedAgentWhoIsForcedOffStaysOff(t *testing.T) {
	forEachHolding(t, func(t *testing.T, hold option) {
		w := newWatched(t, &icwssim.Server{RememberEnded: true}, hold)
		anna := w.login("anna")
		w.shows(anna)
		time.Sleep(time.Second)
		w.fault(icwssim.Fault{Scenario: "force-logoff", User: "anna"})
		time.Sleep(3 * time.Minute)
		_, err := w.Login(t.Context(), Caller{SessionID: anna.SessionID()})
		if !errors.Is(err, fault.Unauthenticated) {
			t.Errorf("the session answers %v; want %v", err, fault.Unauthenticated)
		}
		w.sessions("anna", 0)
	})
}

// A write whose completion says that it failed is told to have failed, though nobody reads the session.
func TestAWatchedWriteThatFailsLater(t *testing.T) {
	forEachHolding(t, func(t *testing.T, hold option) {
		w := newWatched(t, &icwssim.Server{}, hold)
		anna := w.login("anna")
		w.do(anna, htccapi.NotReady, "")
		time.Sleep(time.Second)
		desktop := w.open(anna, everything)
		w.fault(icwssim.Fault{Scenario: "refuse-async", User: "anna", Times: 1})
		err := w.change(t.Context(), anna, translate.Request{Operation: htccapi.Ready})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		w.expect(anna, "after it failed", "voice:NotReady email:NotReady Active dnd:Off")
		if got := desktop.heard(); !slices.ContainsFunc(got, func(one string) bool { return strings.HasSuffix(one, "ErrorMessage") }) {
			t.Errorf("the desktop hears %q; want an error", got)
		}
	})
}

// While the service cannot be had, each agent's state is read when it is asked for.
func TestWithoutTheServiceAgentsAreReadForThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTelling(t, &icwssim.Server{}, watching, func(_ *Settings, s *Site) { s.Service.Password = "wrong" })
		anna := w.login("anna")
		w.expect(anna, "at first", "voice:NotReady email:NotReady Active dnd:Off")
		time.Sleep(3 * time.Second)
		w.set(icwssim.StateChange{User: "anna", StatusID: ptr("At Lunch")})
		w.expect(anna, "a change", "voice:NotReadyAt Lunch email:NotReadyAt Lunch Active dnd:Off")
		w.do(anna, htccapi.Ready, "")
		w.expect(anna, "a write", "voice:Ready email:Ready Active dnd:Off")
		before := w.logins()
		time.Sleep(4 * time.Minute)
		if n := w.logins() - before; n != 0 {
			t.Errorf("the refused password was sent %d times more; want none within five minutes", n)
		}
	})
}

// TestWithoutTheServiceNobodyWaitsForItsCatalogue has agents log in one after the other while the service user is
// refused, and while what it would receive fails.
func TestWithoutTheServiceNobodyWaitsForItsCatalogue(t *testing.T) {
	for name, breaks := range map[string]func(*world, *Site){
		"refused": func(_ *world, s *Site) { s.Service.Password = "wrong" },
		"no stream": func(w *world, _ *Site) {
			w.fault(icwssim.Fault{Route: routeMessages, User: "portico", Status: 500})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim := &icwssim.Server{}
				faulty := &world{t: t, sim: sim}
				w := newTelling(t, sim, watching, func(_ *Settings, s *Site) { breaks(faulty, s) })
				time.Sleep(10 * time.Second)
				for _, name := range []string{"anna", "cleo", "agent0001", "agent0002"} {
					began := time.Now()
					agent := w.login(name)
					w.shows(agent)
					if took := time.Since(began); took > time.Second {
						t.Errorf("the log-in of %s took %v", name, took)
					}
				}
				time.Sleep(time.Second)
				for _, view := range w.Sessions("", false) {
					if view.Parts[0].Live {
						t.Errorf("operators see %+v as kept current", view)
					}
				}
				if got := testutil.ToFloat64(w.settings.Metrics.serviceOf("pureconnect")); got != 0 {
					t.Errorf("portico_site_service_watching = %v; want 0", got)
				}
			})
		})
	}
}

// An administrator takes the service user's right away and gives it back three seconds later: applications are told of
// changes again soon.
func TestARefusalOfTheServiceUserCostsNobodyTheirNotifications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatched(t, &icwssim.Server{})
		anna := w.login("anna")
		time.Sleep(2 * time.Second)
		desk := w.open(anna, everything)
		for _, route := range []string{routeUserAll, routeGetStatus} {
			w.fault(icwssim.Fault{Route: route, User: "portico", Status: http.StatusForbidden, Times: 1000})
		}
		w.login("cleo")
		time.Sleep(3 * time.Second)
		w.sim.Reset()
		w.login("agent0001") // the list is put without her
		time.Sleep(10 * time.Second)
		desk.heard()
		w.set(icwssim.StateChange{User: "anna", StatusID: ptr("At Lunch")})
		time.Sleep(time.Second)
		if got := desk.heard(); len(got) == 0 {
			t.Error("her application is told nothing when another client sends anna to lunch")
		}
	})
}
