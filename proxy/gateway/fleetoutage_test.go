package gateway

import (
	"encoding/json"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/icws/icwssim"
	"portico/translate/htccapi"
)

// lostAtReplicas has anna be Ready at two replicas of which the first reads, at a site that has no event streams: it polls.
// The second one has not been asked for some time.
func lostAtReplicas(t *testing.T, wait time.Duration) pair {
	t.Helper()
	fleet := newShared()
	fleet.sim.IdleTimeout = -1
	a, _ := fleet.replica(t)
	b, _ := fleet.replica(t)
	a.fault(icwssim.Fault{Scenario: "messaging-1"})
	p := newPair(t, a, b, "anna", false)
	b.shows(p.atB)
	a.do(p.atA, htccapi.Ready, "")
	time.Sleep(time.Minute + wait)
	return p
}

// staysReady has anna go Ready at the replica that reads, and the other one be asked a quarter of an hour later.
func (p pair) staysReady() {
	p.a.t.Helper()
	p.a.do(p.atA, htccapi.Ready, "")
	time.Sleep(15 * time.Minute)
	p.a.holds("anna", "Available")
	p.b.expect(p.b.cookie(p.atA.SessionID()), "at the other replica", showsReady)
	time.Sleep(time.Minute)
	p.a.holds("anna", "Available")
	p.a.expect(p.atA, "where anna is read", showsReady)
}

// TestAnAgentIsRecoveredWhoeverLogsInAgain has a read at the replica that does not read find out that PureConnect has lost
// the session, between two polls of the one that does.
func TestAnAgentIsRecoveredWhoeverLogsInAgain(t *testing.T) {
	for wait := time.Duration(0); wait < leaseEvery; wait += time.Second {
		synctest.Test(t, func(t *testing.T) {
			p := lostAtReplicas(t, wait)
			p.a.fault(icwssim.Fault{Scenario: "expire-session", User: "anna"})
			p.b.shows(p.atB)
			time.Sleep(time.Second)
			p.a.holds("anna", "Available, No ACD")
			p.staysReady()
		})
	}
}

// TestAnotherReplicaRecoversWhereOneCannot has that replica fail to take anna out of work, or stop before it could.
func TestAnotherReplicaRecoversWhereOneCannot(t *testing.T) {
	for name, stops := range map[string]bool{"it fails": false, "it stops": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := lostAtReplicas(t, 0)
				p.a.fault(icwssim.Fault{Route: routePutStatus, Status: 500, Times: 1})
				p.a.fault(icwssim.Fault{Scenario: "expire-session", User: "anna"})
				p.b.shows(p.atB)
				if stops {
					p.b.Close(t.Context())
				}
				time.Sleep(time.Minute)
				p.a.holds("anna", "Available, No ACD")
				if !stops {
					p.staysReady()
				}
			})
		})
	}
}

// TestNobodyIsRecoveredAfterTheirOperation has anna go Ready at the replica that reads while the other one logs in again
// and is to recover her.
func TestNobodyIsRecoveredAfterTheirOperation(t *testing.T) {
	for wait := time.Duration(0); wait < time.Second; wait += 20 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			p := lostAtReplicas(t, 0)
			for _, route := range []string{routeLogin, routeGetStatus, routePutStatus} {
				p.a.fault(icwssim.Fault{Route: route, Delay: 100 * time.Millisecond})
			}
			p.a.fault(icwssim.Fault{Scenario: "expire-session", User: "anna"})
			var both sync.WaitGroup
			both.Go(func() { p.b.shows(p.atB) })
			time.Sleep(wait)
			both.Go(func() { p.a.do(p.atA, htccapi.Ready, "") })
			both.Wait()
			time.Sleep(time.Minute)
			p.a.holds("anna", "Available")
			p.a.expect(p.atA, "Ready after "+wait.String(), showsReady)
			p.b.expect(p.atB, "the same at the other replica, after "+wait.String(), showsReady)
		})
	}
}

// TestAnOutageIsOverAtAllReplicas has PureConnect lose anna's session and refuse log-ins for a while, also that of a
// replica which does not read. The other one logs in and recovers her.
func TestAnOutageIsOverAtAllReplicas(t *testing.T) {
	const none, asked = "a replica that was not asked in the outage", "one that was"
	for _, name := range []string{none, asked} {
		for what, then := range map[string]func(*testing.T, pair){
			"reads": func(t *testing.T, p pair) {
				p.a.Close(t.Context())
				time.Sleep(2 * leaseLife)
				p.atB.expectReads(t, "where nobody did", true)
				p.a.holds("anna", "Available")
				p.b.expect(p.atB, "where it is read now", showsReady)
			},
			"is asked for a write": func(t *testing.T, p pair) {
				p.b.do(p.b.cookie(p.atA.SessionID()), htccapi.NotReady, "email")
				p.a.holds("anna", "Available")
				p.b.expect(p.atB, "after it", "voice:Ready email:NotReady Active dnd:Off")
			},
			"is asked for a read": func(t *testing.T, p pair) {
				p.b.expect(p.b.cookie(p.atA.SessionID()), "read", showsReady)
				time.Sleep(time.Minute)
				p.a.holds("anna", "Available")
				p.a.expect(p.atA, "where anna is read", showsReady)
			},
		} {
			t.Run(name+", "+what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					fleet := newShared()
					a, _ := fleet.replica(t)
					b, _ := fleet.replica(t)
					p := newPair(t, a, b, "anna", false)
					b.shows(p.atB)
					a.fault(icwssim.Fault{Route: routeLogin, Status: 503})
					a.fault(icwssim.Fault{Scenario: "expire-session", User: "anna"})
					if name == asked {
						p.goOn(map[*world]*Agent{b: p.atB}, 6*time.Second, time.Second)
					}
					time.Sleep(leaseEvery)
					a.sim.Reset()
					time.Sleep(time.Minute)
					a.holds("anna", "Available, No ACD")
					b.cookie(p.atA.SessionID())
					a.do(p.atA, htccapi.Ready, "")
					settle()
					then(t, p)
				})
			})
		}
	}
}

// TestAStartThatFailsHalfWayLeavesNothingInWork has an agent whom a supervisor logged off at PureConnect start again,
// where the site refuses one status.
func TestAStartThatFailsHalfWayLeavesNothingInWork(t *testing.T) {
	for name, at := range map[string]func(a, b *world) *world{
		"where cleo is read": func(a, _ *world) *world { return a },
		"elsewhere":          func(_, b *world) *world { return b },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, _, a, b := twoTellers(t)
				p := newPair(t, a, b, "cleo", false)
				b.shows(p.atB)
				a.started(p.atA, "")
				a.posted(p.atA, "", `{"operationName":"Ready"}`)
				settle()
				a.fault(icwssim.Fault{Scenario: "force-logoff", User: "cleo"})
				settle()
				a.fault(icwssim.Fault{Route: routePutStatus, Status: 503, Times: 1})
				w := at(a, b)
				_, err := w.StartContactCenterSession(t.Context(), w.cookie(p.atA.SessionID()), []htccapi.MediaChannel{htccapi.Voice, "chat", "email"}, Ask{Body: json.RawMessage(startAll)})
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				a.holds("cleo", "Available, No ACD")
			})
		})
	}
}
