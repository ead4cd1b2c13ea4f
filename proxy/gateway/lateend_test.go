package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/proxy/simulation"
	"portico/translate/htccapi"
)

const routeEnd = "POST /api/v2/me"

// newAtWork returns a world of two sites, and cleo, who is Ready on all channels of both.
func newAtWork(t *testing.T, options ...option) (*world, *htccsim.Server, *Agent) {
	t.Helper()
	cloud := &htccsim.Server{IdleTimeout: time.Hour}
	w := newUnion(t, &icwssim.Server{IdleTimeout: time.Hour}, cloud, options...)
	cleo := w.login("cleo")
	w.posted(cleo, "", startAll)
	w.posted(cleo, "", `{"operationName":"Ready"}`)
	settle()
	return w, cloud, cleo
}

// endsUnheard has cleo end the session while neither site carries that out, from then on.
func (w *world) endsUnheard(cloud *htccsim.Server, cleo *Agent) {
	w.t.Helper()
	w.faultCloud(cloud, htccsim.Fault{Route: routeEnd, Status: http.StatusServiceUnavailable})
	w.fault(icwssim.Fault{Route: routePutStatus, Status: http.StatusServiceUnavailable})
	err := w.EndContactCenterSession(w.t.Context(), cleo)
	if err != nil {
		w.t.Errorf("End: %v", err)
	}
}

// atSites are what a site of a test does wrong.
type atSites struct{ pureconnect, cloud []simulation.Fault }

func (f atSites) begin(w *world, cloud *htccsim.Server) {
	for _, one := range f.pureconnect {
		w.fault(one)
	}
	for _, one := range f.cloud {
		w.faultCloud(cloud, one)
	}
}

// hasLeft checks that cleo is out of work at both sites, and has no upstream session left.
func (w *world) hasLeft(cloud *htccsim.Server, when string) {
	w.t.Helper()
	w.outOfWork(cloud, "cleo")
	w.sessionsAtHTCC(cloud, "cleo", 0)
	w.holds("cleo", "Available, No ACD")
	w.sessions("cleo", 0)
	if w.t.Failed() {
		w.t.Fatal(when)
	}
}

// TestAnEndBearsABadAnswer has a site fail for a moment while an agent at both ends the session.
func TestAnEndBearsABadAnswer(t *testing.T) {
	const gone = http.StatusServiceUnavailable
	for name, faults := range map[string]atSites{
		"HTCC cannot, once":                    {cloud: []simulation.Fault{{Route: routeEnd, Status: gone, Times: 1}}},
		"HTCC cannot, three times":             {cloud: []simulation.Fault{{Route: routeEnd, Status: gone, Times: 3}}},
		"HTCC's answer is lost":                {cloud: []simulation.Fault{{Route: routeEnd, Status: gone, After: true, Times: 1}}},
		"PureConnect cannot, once":             {pureconnect: []simulation.Fault{{Route: routePutStatus, Status: gone, Times: 1}}},
		"PureConnect cannot, whatever it is":   {pureconnect: []simulation.Fault{{Status: gone, Times: 3}}},
		"PureConnect cannot log out":           {pureconnect: []simulation.Fault{{Route: routeLogout, Status: gone, Times: 1}}},
		"PureConnect breaks a connection":      {pureconnect: []simulation.Fault{{Scenario: "reset-connection", Route: routePutStatus, Times: 2}}},
		"PureConnect's answer is lost":         {pureconnect: []simulation.Fault{{Route: routePutStatus, Status: gone, After: true, Times: 1}}},
		"both cannot":                          {pureconnect: []simulation.Fault{{Status: gone, Times: 2}}, cloud: []simulation.Fault{{Route: routeEnd, Status: gone, Times: 2}}},
		"HTCC is late":                         {cloud: []simulation.Fault{{Route: routeEnd, Scenario: "hang", Times: 1}}},
		"PureConnect is late, and cannot then": {pureconnect: []simulation.Fault{{Route: routePutStatus, Scenario: "hang", Times: 1}, {Route: routePutStatus, Status: gone, Times: 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, cloud, cleo := newAtWork(t)
				faults.begin(w, cloud)
				err := w.EndContactCenterSession(t.Context(), cleo)
				if err != nil {
					t.Errorf("End: %v", err)
				}
				time.Sleep(3 * time.Second)
				w.hasLeft(cloud, "three seconds later")
			})
		})
	}
}

// TestAnEndIsMadeUpForOnceTheSiteIsBack has the sites away for ten minutes from before the end on.
func TestAnEndIsMadeUpForOnceTheSiteIsBack(t *testing.T) {
	const gone = http.StatusServiceUnavailable
	for name, faults := range map[string]atSites{
		"HTCC cannot":                 {cloud: []simulation.Fault{{Status: gone}}},
		"HTCC hangs":                  {cloud: []simulation.Fault{{Scenario: "hang"}}},
		"PureConnect hangs":           {pureconnect: []simulation.Fault{{Scenario: "hang"}}},
		"PureConnect sets no status":  {pureconnect: []simulation.Fault{{Route: routePutStatus, Status: gone}, {Route: routeGetStatus, Status: gone}}},
		"PureConnect logs nobody out": {pureconnect: []simulation.Fault{{Route: routeLogout, Status: gone}}},
		"both cannot":                 {pureconnect: []simulation.Fault{{Status: gone}}, cloud: []simulation.Fault{{Status: gone}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, cloud, cleo := newAtWork(t)
				faults.begin(w, cloud)
				began := time.Now()
				err := w.EndContactCenterSession(t.Context(), cleo)
				if took := time.Since(began); err != nil || took > 15*time.Second {
					t.Errorf("End took %v: %v", took, err)
				}
				time.Sleep(10 * time.Minute)
				w.sim.Reset()
				cloud.Reset()
				time.Sleep(time.Minute)
				w.hasLeft(cloud, "a minute after the sites are back")
			})
		})
	}
}

// TestWhoHasLoggedInAgainStaysAtWork has the sites take no End, and the agent, who has ended the session, come back at the
// same replica or at another one.
func TestWhoHasLoggedInAgainStaysAtWork(t *testing.T) {
	for name, world := range map[string]func(*testing.T) (cloud *htccsim.Server, a, b *world){
		"in one process": func(t *testing.T) (*htccsim.Server, *world, *world) {
			cloud := &htccsim.Server{IdleTimeout: time.Hour}
			w := newUnion(t, &icwssim.Server{IdleTimeout: time.Hour}, cloud)
			return cloud, w, w
		},
		"at the same replica": func(t *testing.T) (*htccsim.Server, *world, *world) {
			_, cloud, a, _ := twoTellers(t)
			return cloud, a, a
		},
		"at another replica": func(t *testing.T) (*htccsim.Server, *world, *world) {
			_, cloud, a, b := twoTellers(t)
			return cloud, a, b
		},
	} {
		for when, away := range map[string]simulation.Fault{"away": {Status: http.StatusServiceUnavailable}, "late": {Delay: 4 * time.Second, Status: http.StatusServiceUnavailable}} {
			t.Run(name+", "+when, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					cloud, a, b := world(t)
					cleo := a.login("cleo")
					settle()
					a.posted(cleo, "", startAll)
					a.posted(cleo, "", `{"operationName":"Ready"}`)
					settle()
					end, status := away, away
					end.Route, status.Route = routeEnd, routePutStatus
					a.faultCloud(cloud, end)
					a.fault(status)
					err := a.EndContactCenterSession(t.Context(), cleo)
					if err != nil {
						t.Errorf("End: %v", err)
					}
					time.Sleep(5 * time.Second) // amid a try, if they take long
					began := time.Now()
					again := b.login("cleo")
					if took := time.Since(began); took > 5*time.Second || a == b && took > time.Second {
						t.Errorf("the log-in took %v", took)
					}
					a.sim.Reset()
					cloud.Reset()
					b.posted(again, "", startAll)
					b.posted(again, "", `{"operationName":"Ready"}`)
					time.Sleep(20 * time.Minute)
					b.expect(again, "twenty minutes later", "voice:Ready chat:Ready email:Ready Active dnd:Off")
					a.holds("cleo", "Available")
					state, err := cloud.State("cleo")
					if err != nil || !state.ContactCenterSession {
						t.Errorf("HTCC has a contact centre session: %v (%v); want one", state.ContactCenterSession, err)
					}
					a.sessions("cleo", 1)
				})
			})
		}
	}
}

// TestALogInBreaksOffALateEnd has the site take its time to carry out an End, and the agent come back meanwhile.
func TestALogInBreaksOffALateEnd(t *testing.T) {
	for _, slow := range []string{routePutStatus, routeEnd} {
		t.Run(slow, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, cloud, cleo := newAtWork(t)
				w.endsUnheard(cloud, cleo)
				w.sim.Reset()
				cloud.Reset()
				if slow == routeEnd {
					w.faultCloud(cloud, htccsim.Fault{Route: slow, Delay: 4 * time.Second, Times: 1})
				} else {
					w.fault(icwssim.Fault{Route: slow, Delay: 4 * time.Second, Times: 1})
				}
				time.Sleep(3 * time.Second) // the try is under way
				again := w.login("cleo")
				w.posted(again, "", startAll)
				w.posted(again, "", `{"operationName":"Ready"}`)
				time.Sleep(time.Minute)
				w.expect(again, "a minute later", "voice:Ready chat:Ready email:Ready Active dnd:Off")
				w.holds("cleo", "Available")
			})
		})
	}
}

// TestAWrongPasswordKeepsNobodyAtWork has somebody try another password while the agent is still to be taken out of work.
func TestAWrongPasswordKeepsNobodyAtWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, cloud, cleo := newAtWork(t)
		w.endsUnheard(cloud, cleo)
		_, err := w.Login(t.Context(), Caller{Basic: true, Login: "cleo", Password: "another"})
		if err == nil {
			t.Error("another password was taken")
		}
		time.Sleep(time.Minute)
		w.sim.Reset()
		cloud.Reset()
		time.Sleep(time.Minute)
		w.hasLeft(cloud, "a minute after the sites are back")
	})
}

// TestAnEndIsTriedOnceMoreWhenPorticoStops stops while the sites are back and the next try is still to come.
func TestAnEndIsTriedOnceMoreWhenPorticoStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &strings.Builder{}
		w, cloud, cleo := newAtWork(t, func(s *Settings, _ *Site) { s.Logger = slog.New(slog.NewTextHandler(log, nil)) })
		w.endsUnheard(cloud, cleo)
		time.Sleep(5 * time.Minute)
		w.sim.Reset()
		cloud.Reset()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		began := time.Now()
		w.Close(ctx)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("Close took %v; want no more than the tries do", took)
		}
		w.hasLeft(cloud, "when Portico has stopped")
		for _, text := range []string{`level=WARN msg="an agent who ended the session is still to be taken out of work, as the site gives no answer" site=cloud`,
			`level=INFO msg="an agent who ended the session was taken out of work" site=cloud`} {
			if n := strings.Count(log.String(), text); n != 1 {
				t.Errorf("the log says %d times %s; want once", n, text)
			}
		}
	})
}

// TestAnEndIsNotMadeUpForForEver has the sites be away for longer than that is tried.
func TestAnEndIsNotMadeUpForForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w := newUnion(t, &icwssim.Server{}, cloud)
		cleo := w.login("cleo")
		w.posted(cleo, "", startAll)
		settle()
		w.faultCloud(cloud, htccsim.Fault{Scenario: "hang"})
		w.fault(icwssim.Fault{Scenario: "hang"})
		err := w.EndContactCenterSession(t.Context(), cleo)
		if err != nil {
			t.Errorf("End: %v", err)
		}
		time.Sleep(2*lateFor + time.Minute) // at PureConnect the session is closed once the agent is given up
		w.mu.RLock()
		defer w.mu.RUnlock()
		if len(w.leaving) != 0 || len(w.lateEnds.late) != 0 {
			t.Errorf("%d agents are still leaving, and %d accounts known; want none", len(w.leaving), len(w.lateEnds.late))
		}
	})
}

// TestALateEndPutsActivationsBack has PureConnect be away at an end after which activations are to be what they were.
func TestALateEndPutsActivationsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{AsyncDelay: time.Second}, func(_ *Settings, s *Site) { s.Rules.RestoreActivations = true })
		anna := w.login("anna")
		w.do(anna, htccapi.Ready, "email")
		settle()
		w.fault(icwssim.Fault{Status: http.StatusServiceUnavailable})
		err := w.EndContactCenterSession(t.Context(), anna)
		if err != nil {
			t.Errorf("End: %v", err)
		}
		time.Sleep(time.Minute)
		w.sim.Reset()
		time.Sleep(time.Minute)
		w.holds("anna", "Available, No ACD")
		w.sessions("anna", 0)
		state, err := w.sim.State("anna")
		if err != nil || !state.Activations["Sales"] || !state.Activations["Support"] || state.Activations["Mail"] {
			t.Errorf("activations are %v (%v); want those of the log-in", state.Activations, err)
		}
	})
}

// TestAnUpstreamSessionIsClosedLate has PureConnect be away when an operator ends a session, which takes nobody out of work.
func TestAnUpstreamSessionIsClosedLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{IdleTimeout: time.Hour})
		anna := w.login("anna")
		w.do(anna, htccapi.Ready, "")
		settle()
		w.fault(icwssim.Fault{Scenario: "hang"})
		w.end(anna, endOperator)
		time.Sleep(5 * time.Minute)
		w.sessions("anna", 1)
		w.sim.Reset()
		time.Sleep(time.Minute)
		w.sessions("anna", 0)
		w.holds("anna", "Available")
	})
}
