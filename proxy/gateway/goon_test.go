package gateway

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/fault"
	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/proxy/session"
	"portico/translate"
	"portico/translate/htccapi"
)

// TestTheEndElsewhereIsOfTheSessionOfNow has the reader open a new HTCC session, and the agent end theirs at another
// replica, which was not asked since.
func TestTheEndElsewhereIsOfTheSessionOfNow(t *testing.T) {
	for _, name := range []string{"bjorn", "cleo"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, cloud, a, b := twoTellers(t)
				p := newPair(t, a, b, name, false)
				b.shows(p.atB)
				a.working(p.atA)
				a.faultCloud(cloud, htccsim.Fault{Scenario: "expire-session", User: name})
				time.Sleep(time.Second)
				a.sessionsAtHTCC(cloud, name, 1)
				b.ends(p.atA.SessionID())
				time.Sleep(5 * time.Minute)
				a.outOfWork(cloud, name)
				a.sessionsAtHTCC(cloud, name, 0)
			})
		})
	}
}

// TestTheEndElsewhereIsAtTheHostOfNow is the same where the reader has moved the agent off a dead host.
func TestTheEndElsewhereIsAtTheHostOfNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet, cloud := newShared(), &htccsim.Server{}
		t.Cleanup(cloud.Close)
		switches, clouds := twoClouds(cloud, production)
		a, _ := fleet.replica(t, clouds)
		b, _ := fleet.replica(t, clouds)
		p := newPair(t, a, b, "bjorn", false)
		b.shows(p.atB)
		a.working(p.atA)
		switches.turn(gws1, false)
		p.goOn(p.first(), time.Minute, 2*time.Second)
		b.ends(p.atA.SessionID())
		time.Sleep(5 * time.Minute)
		a.outOfWork(cloud, "bjorn")
	})
}

// TestTheEndElsewhereIsAtTheICWSHostOfNow is the same at PureConnect.
func TestTheEndElsewhereIsAtTheICWSHostOfNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		switches, hosts := twoHosts(fleet.sim, production)
		a, _ := fleet.replica(t, hosts)
		b, _ := fleet.replica(t, hosts)
		p := newPair(t, a, b, "anna", false)
		b.shows(p.atB)
		switches.turn(ic1, false)
		p.goOn(p.first(), time.Minute, 2*time.Second)
		a.do(p.atA, htccapi.Ready, "")
		time.Sleep(time.Second)
		a.holds("anna", "Available")
		b.ends(p.atA.SessionID())
		time.Sleep(time.Minute)
		a.holds("anna", "Available, No ACD")
		a.sessions("anna", 0)
	})
}

// TestASessionOfBeforeIsNotTakenBack has a replica of another release put the upstream session in the store again that
// was replaced, and one that asked the store before come with it.
func TestASessionOfBeforeIsNotTakenBack(t *testing.T) {
	for _, name := range []string{"anna", "bjorn"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fleet, cloud, a, b := twoTellers(t)
				p := newPair(t, a, b, name, false)
				before, err := fleet.store.ByLogin(t.Context(), name)
				if err != nil {
					t.Fatal(err)
				}
				if name == "anna" {
					a.fault(icwssim.Fault{Scenario: "expire-session", User: name})
				} else {
					a.faultCloud(cloud, htccsim.Fault{Scenario: "expire-session", User: name})
				}
				settle()
				_, err = fleet.store.Update(t.Context(), before.ID, func(s *session.Session) { s.Upstreams = before.Upstreams })
				if err != nil {
					t.Fatal(err)
				}
				settle()
				after, err := fleet.store.ByLogin(t.Context(), name)
				if err != nil {
					t.Fatal(err)
				}
				for site, record := range after.Upstreams {
					is := headOf(record)
					if is.sameSession(headOf(before.Upstreams[site])) {
						t.Errorf("the store has the session of before")
					}
					for _, agent := range []*Agent{p.atA, p.atB} {
						agent.learn(before)
						if !is.sameSession(headOf(agent.parts[0].record())) {
							t.Errorf("reads %v: a replica does not have the session of now", agent.leased.Load())
						}
					}
				}
			})
		})
	}
}

// TestASessionThatIsReplacedAgainIsInTheStore has a replica which learned late of the session of before replace the one of
// now.
func TestASessionThatIsReplacedAgainIsInTheStore(t *testing.T) {
	for _, name := range []string{"anna", "bjorn"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fleet, cloud, a, b := twoTellers(t)
				lose := func() {
					a.fault(icwssim.Fault{Scenario: "expire-session", User: "anna"})
					a.faultCloud(cloud, htccsim.Fault{Scenario: "expire-session", User: "bjorn"})
				}
				p := newPair(t, a, b, name, false)
				b.shows(p.atB)
				before, err := fleet.store.ByLogin(t.Context(), name)
				if err != nil {
					t.Fatal(err)
				}
				lose()
				settle()
				settle()
				p.atA.learn(before)
				lose()
				time.Sleep(time.Second)
				stored, err := fleet.store.ByLogin(t.Context(), name)
				if err != nil {
					t.Fatal(err)
				}
				here := p.atA.parts[0]
				if !headOf(stored.Upstreams[here.siteName()]).sameSession(headOf(here.record())) {
					t.Error("the store does not have the session that was opened last")
				}
				time.Sleep(time.Minute)
				one, other := headOf(here.record()), headOf(p.atB.parts[0].record())
				if !one.sameSession(other) {
					t.Errorf("the replicas have sessions of %v and %v; want one", one.Opened, other.Opened)
				}
			})
		})
	}
}

// TestTheSessionOfNowIsClosed has a session end at a replica which has not been asked since the other one, which reads,
// opened a new upstream session.
func TestTheSessionOfNowIsClosed(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *world){
		"when it was idle": func(*testing.T, *world) { time.Sleep(time.Hour) },
		"on an operator's word": func(t *testing.T, w *world) {
			_, err := w.DismissLogin(t.Context(), "anna")
			if err != nil {
				t.Fatal(err)
			}
		},
		"on an operator's word, by its name in the log": func(t *testing.T, w *world) {
			err := w.Dismiss(t.Context(), w.agentNamed("anna").short)
			if err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fleet := newShared()
				fleet.sim.IdleTimeout = -1
				a, _ := fleet.replica(t)
				b, _ := fleet.replica(t)
				p := newPair(t, a, b, "anna", false)
				b.shows(p.atB)
				time.Sleep(leaseEvery - time.Second)
				a.fault(icwssim.Fault{Scenario: "expire-session", User: "anna"})
				time.Sleep(500 * time.Millisecond)
				a.do(p.atA, htccapi.Ready, "")
				a.sessions("anna", 1)
				end(t, b)
				time.Sleep(time.Minute)
				a.sessions("anna", 0)
			})
		})
	}
}

// TestNothingIsDoneAfterTheEndElsewhere has an operation at one replica wait for the end at another, which PureConnect
// takes its time with.
func TestNothingIsDoneAfterTheEndElsewhere(t *testing.T) {
	for _, slow := range []time.Duration{10 * time.Millisecond, 100 * time.Millisecond, time.Second} {
		t.Run(slow.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fleet := newShared()
				a, _ := fleet.replica(t)
				b, _ := fleet.replica(t)
				p := newPair(t, a, b, "anna", false)
				b.shows(p.atB)
				a.do(p.atA, htccapi.Ready, "")
				settle()
				a.fault(icwssim.Fault{Route: "DELETE /icws/{sessionId}/connection", Delay: slow})
				a.fault(icwssim.Fault{Route: routePutStatus, Delay: 100 * time.Millisecond, Times: 1})
				var end sync.WaitGroup
				end.Go(func() { a.ends(p.atA.SessionID()) })
				time.Sleep(50 * time.Millisecond)
				err := b.change(t.Context(), p.atB, translate.Request{Operation: htccapi.Ready})
				if !errors.Is(err, fault.Unauthenticated) {
					t.Errorf("Ready after the end: %v; want %v", err, fault.Unauthenticated)
				}
				end.Wait()
				time.Sleep(time.Minute)
				a.sessions("anna", 0)
				a.holds("anna", "Available, No ACD")
			})
		})
	}
}

// working has an agent of HTCC work on voice and chat.
func (w *world) working(a *Agent) {
	w.t.Helper()
	w.posted(a, "", startTwo)
	w.posted(a, "", `{"operationName":"Ready"}`)
	settle()
}

// ends ends the contact centre session of an agent who comes with a session's cookie.
func (w *world) ends(id string) {
	w.t.Helper()
	err := w.EndContactCenterSession(w.t.Context(), w.cookie(id))
	if err != nil {
		w.t.Error(err)
	}
}

// outOfWork checks that an agent has no contact centre session at HTCC.
func (w *world) outOfWork(cloud *htccsim.Server, user string) {
	w.t.Helper()
	state, err := cloud.State(user)
	if err != nil || state.ContactCenterSession {
		w.t.Errorf("%s has a contact centre session %v (%v); want none", user, state.ContactCenterSession, err)
	}
}
