package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/fault"
	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/proxy/session"
	"portico/translate/htccapi"
)

// TestNothingComesBackAfterTheEnd ends a session of an agent on both sites while the ICWS site takes
// its time: the HTCC reader, which finds its session gone meanwhile, must not bring it back.
func TestNothingComesBackAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w := newUnion(t, &icwssim.Server{}, cloud)
		cleo := w.login("cleo")
		w.posted(cleo, "", startAll)
		w.posted(cleo, "", `{"operationName":"Ready"}`)
		time.Sleep(time.Second)
		w.fault(icwssim.Fault{Route: routePutStatus, Delay: 3 * time.Second})
		err := w.EndContactCenterSession(t.Context(), cleo)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		state, err := cloud.State("cleo")
		if err != nil || state.ContactCenterSession || state.Sessions != 0 {
			t.Errorf("HTCC holds %d sessions, contact centre session %v (%v); want none", state.Sessions, state.ContactCenterSession, err)
		}
	})
}

// TestNothingComesBackAfterTheEndElsewhere is the same where another replica reads.
func TestNothingComesBackAfterTheEndElsewhere(t *testing.T) {
	for name, c := range map[string]struct {
		login string
		slow  time.Duration // PureConnect, to take the agent out of work
		tried bool          // by somebody with another password, before the end is over
	}{
		"cleo, PureConnect takes a second":          {"cleo", time.Second, false},
		"cleo, PureConnect takes 200 ms":            {"cleo", 200 * time.Millisecond, false},
		"cleo, whose name somebody tries meanwhile": {"cleo", time.Second, true},
		"bjorn, on HTCC alone":                      {"bjorn", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, cloud, a, b := twoTellers(t)
				p := newPair(t, a, b, c.login, false)
				b.shows(p.atB)
				a.working(p.atA)
				if c.slow > 0 {
					a.fault(icwssim.Fault{Route: routePutStatus, Delay: c.slow})
				}
				if c.tried {
					time.AfterFunc(c.slow/4, func() {
						_, _ = b.Login(t.Context(), Caller{Basic: true, Login: c.login, Password: "another"})
					})
				}
				b.ends(p.atA.SessionID())
				time.Sleep(5 * time.Minute)
				a.outOfWork(cloud, c.login)
				a.sessionsAtHTCC(cloud, c.login, 0)
			})
		})
	}
}

// TestTheEndElsewhereWaitsForALogIn has the reader log in again while the agent ends the session at another replica,
// which finds the HTCC session of before gone.
func TestTheEndElsewhereWaitsForALogIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cloud, a, b := twoTellers(t)
		p := newPair(t, a, b, "bjorn", false)
		a.working(p.atA)
		a.faultCloud(cloud, htccsim.Fault{Route: routeHTCCLogin, Delay: 2 * time.Second})
		a.faultCloud(cloud, htccsim.Fault{Scenario: "expire-session", User: "bjorn"})
		time.Sleep(time.Second)
		b.ends(p.atA.SessionID())
		time.Sleep(5 * time.Minute)
		a.outOfWork(cloud, "bjorn")
		a.sessionsAtHTCC(cloud, "bjorn", 0)
	})
}

// TestWhoEndsALostSessionIsLoggedOff has HTCC lose the session of an agent, who stays at work there, and the agent end it
// before the reader has opened another, or while that logs in.
func TestWhoEndsALostSessionIsLoggedOff(t *testing.T) {
	worlds := map[string]func(*testing.T, string) (*htccsim.Server, *world, *Agent){
		"in one process": func(t *testing.T, login string) (*htccsim.Server, *world, *Agent) {
			cloud := &htccsim.Server{}
			w := newUnion(t, &icwssim.Server{}, cloud)
			return cloud, w, w.login(login)
		},
		"where the agent is read": func(t *testing.T, login string) (*htccsim.Server, *world, *Agent) {
			_, cloud, a, b := twoTellers(t)
			return cloud, a, newPair(t, a, b, login, false).atA
		},
		"where the agent is not read": func(t *testing.T, login string) (*htccsim.Server, *world, *Agent) {
			_, cloud, a, b := twoTellers(t)
			return cloud, b, newPair(t, a, b, login, false).atB
		},
	}
	for name, world := range worlds {
		for when, wait := range map[string]time.Duration{"at once": 0, "while the reader logs in": 500 * time.Millisecond} {
			for _, login := range []string{"bjorn", "cleo"} {
				t.Run(name+", "+when+", "+login, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						cloud, w, agent := world(t, login)
						w.working(agent)
						w.faultCloud(cloud, htccsim.Fault{Route: routeHTCCLogin, Delay: time.Second, Times: 1})
						w.faultCloud(cloud, htccsim.Fault{Scenario: "expire-session", User: login})
						time.Sleep(wait)
						err := w.EndContactCenterSession(t.Context(), agent)
						if n := loginsAtHTCC(cloud); err != nil || n != 2 {
							t.Errorf("the end: %v, %d log-ins; want one more than the first", err, n)
						}
						w.outOfWork(cloud, login)
						time.Sleep(5 * time.Minute)
						w.outOfWork(cloud, login)
						w.sessionsAtHTCC(cloud, login, 0)
					})
				})
			}
		}
	}
}

// TestTheEndOfALostSessionWithoutAPassword is as good as one at HTCC can be then.
func TestTheEndOfALostSessionWithoutAPassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w := newUnion(t, &icwssim.Server{}, cloud, func(s *Settings, _ *Site) { s.Forget = true })
		bjorn := w.login("bjorn")
		w.working(bjorn)
		w.faultCloud(cloud, htccsim.Fault{Scenario: "expire-session", User: "bjorn"})
		err := w.EndContactCenterSession(t.Context(), bjorn)
		if n := loginsAtHTCC(cloud); err != nil || n != 1 {
			t.Errorf("the end: %v, %d log-ins; want none but the first", err, n)
		}
	})
}

// loginsAtHTCC returns how many calls there brought a password.
func loginsAtHTCC(cloud *htccsim.Server) int {
	n := 0
	for _, entry := range cloud.Log() {
		if entry.Header["Authorization"] != "" {
			n++
		}
	}
	return n
}

// A flaky store is one some of whose next calls fail.
type flaky struct {
	session.Store
	session.Leases
	deletes, turns atomic.Int64 // so many of each, and of the turns those of log-ins
	slow           atomic.Bool  // a turn that is given up takes its time
}

func (f *flaky) Delete(ctx context.Context, id string) error {
	if f.deletes.Add(-1) >= 0 {
		return errCut
	}
	return f.Store.Delete(ctx, id)
}

func (f *flaky) Take(ctx context.Context, name, holder string, life time.Duration) (session.Lease, error) {
	if strings.HasPrefix(name, "login/") && f.turns.Add(-1) >= 0 {
		return session.Lease{}, errCut
	}
	return f.Leases.Take(ctx, name, holder, life)
}

func (f *flaky) Release(ctx context.Context, name, holder string) error {
	if f.slow.CompareAndSwap(true, false) {
		time.Sleep(350 * time.Millisecond)
	}
	return f.Leases.Release(ctx, name, holder)
}

// TestOneCallOfTheStoreFailsAtTheEndElsewhere has the reader find the session gone at HTCC, which the agent has ended at
// another replica.
func TestOneCallOfTheStoreFailsAtTheEndElsewhere(t *testing.T) {
	for name, fail := range map[string]func(*flaky){
		"that it is over":    func(f *flaky) { f.deletes.Store(1) },
		"the turn":           func(f *flaky) { f.turns.Store(1) },
		"the turn, for long": func(f *flaky) { f.turns.Store(5) },
		"the turn, which is given up late": func(f *flaky) {
			f.turns.Store(1)
			f.slow.Store(true)
		},
	} {
		for _, login := range []string{"bjorn", "cleo"} {
			t.Run(name+", "+login, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					fleet, cloud := newShared(), &htccsim.Server{}
					a, _ := fleet.teller(t, cloud)
					join, line := fleet.join()
					store := &flaky{Store: line, Leases: line}
					b := newUnion(t, fleet.sim, cloud, join, func(s *Settings, _ *Site) { s.Store, s.Fleet.Leases = store, store })
					p := newPair(t, a, b, login, false)
					b.shows(p.atB)
					a.working(p.atA)
					a.fault(icwssim.Fault{Route: routePutStatus, Delay: 300 * time.Millisecond})
					fail(store)
					b.ends(p.atA.SessionID())
					time.Sleep(time.Second) // the store is told by then
					a.outOfWork(cloud, login)
					a.sessionsAtHTCC(cloud, login, 0)
					began := time.Now()
					a.login(login)
					if took := time.Since(began); took > time.Second {
						t.Errorf("a log-in after the end took %v; want it at once", took)
					}
					time.Sleep(5 * time.Minute)
					a.outOfWork(cloud, login)
					a.sessionsAtHTCC(cloud, login, 1)
				})
			})
		}
	}
}

// TestAnEndThatFailsElsewhereKeepsNobodyFromLoggingIn has PureConnect refuse the end, and lose the session later.
func TestAnEndThatFailsElsewhereKeepsNobodyFromLoggingIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, a, b := twoTellers(t)
		p := newPair(t, a, b, "anna", false)
		b.do(p.atB, htccapi.Ready, "")
		a.fault(icwssim.Fault{Route: routePutStatus, Status: 500})
		err := b.EndContactCenterSession(t.Context(), b.cookie(p.atA.SessionID()))
		if err == nil {
			t.Fatal("the end succeeded; want it refused")
		}
		a.sim.Reset()
		a.login("anna")
		a.fault(icwssim.Fault{Scenario: "expire-session", User: "anna"})
		time.Sleep(5 * time.Second)
		a.sessions("anna", 1)
		b.ends(p.atA.SessionID())
		settle()
		a.sessions("anna", 0)
	})
}

const routeHTCCLogin = "GET /api/v2/me" // any read of the agent has it

// TestARefusedPasswordIsNotTriedAgain lets HTCC refuse the kept password of an agent who has another
// site, and take another password later.
func TestARefusedPasswordIsNotTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w := newUnion(t, &icwssim.Server{}, cloud)
		cleo := w.login("cleo")
		w.posted(cleo, "", startAll)
		time.Sleep(time.Second)
		for _, f := range []htccsim.Fault{{Status: 403}, {Scenario: "expire-session"}} {
			err := cloud.Fault(f)
			if err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		w.expect(cleo, "once HTCC refused the password", "voice:NotReady chat:LoggedOut email:LoggedOut Active dnd:Off")
		before := cloud.Calls()["GET /api/v2/me"]
		time.Sleep(10 * time.Minute)
		w.posted(cleo, "", `{"operationName":"Ready"}`)
		if n := cloud.Calls()["GET /api/v2/me"] - before; n != 0 {
			t.Errorf("%d more log-ins with a refused password; want 0", n)
		}
		cloud.Reset()
		err := cloud.SetState(htccsim.StateChange{User: "cleo", Channel: "chat", State: "Ready"})
		if err != nil {
			t.Fatal(err)
		}
		part := cleo.parts[1].(*htccPart)
		part.mu.Lock()
		part.refused = []byte("the one before") // as if the agent had logged in with a new one
		part.mu.Unlock()
		time.Sleep(time.Minute)
		w.expect(cleo, "with a password that HTCC takes", "voice:Ready chat:Ready email:NotReady Active dnd:Off")
	})
}

// TestAPasswordThatHTCCRefusedIsNotSentAgain has HTCC refuse the kept password of an agent who has no other
// site, and who comes again with it.
func TestAPasswordThatHTCCRefusedIsNotSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w := newUnion(t, &icwssim.Server{}, cloud)
		w.login("bjorn")
		time.Sleep(time.Second)
		w.faultCloud(cloud, htccsim.Fault{Status: 403, Route: routeHTCCLogin})
		before := cloud.Calls()[routeHTCCLogin]
		w.faultCloud(cloud, htccsim.Fault{Scenario: "expire-session"})
		time.Sleep(time.Second)
		for _, want := range []int{1, 1, 2} {
			_, err := w.Login(t.Context(), Caller{Basic: true, Login: "bjorn", Password: "bjorn"})
			if n := cloud.Calls()[routeHTCCLogin] - before; !errors.Is(err, fault.Unauthenticated) || n != want {
				t.Errorf("%d log-ins with a refused password, %v; want %d, %v", n, err, want, fault.Unauthenticated)
			}
			time.Sleep(refusedFor * 2 / 3)
		}
	})
}

// TestStartTriesAPasswordAgainThatHTCCRefused does so once the refusal is forgotten, as at PureConnect.
func TestStartTriesAPasswordAgainThatHTCCRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w := newUnion(t, &icwssim.Server{}, cloud)
		cleo := w.login("cleo")
		w.started(cleo, "")
		time.Sleep(time.Second)
		before := cloud.Calls()[routeHTCCLogin]
		w.faultCloud(cloud, htccsim.Fault{Status: 403, Route: routeHTCCLogin})
		w.faultCloud(cloud, htccsim.Fault{Scenario: "expire-session"})
		time.Sleep(time.Second)
		try := func(want string, logins int) {
			t.Helper()
			if got := w.started(cleo, ""); got != want {
				t.Errorf("Start = %s; want %s", got, want)
			}
			if n := cloud.Calls()[routeHTCCLogin] - before; n != logins {
				t.Errorf("%d log-ins since HTCC refuses; want %d", n, logins)
			}
		}
		try("+voice -chat -email", 1)
		time.Sleep(refusedFor)
		try("+voice -chat -email", 2)
		cloud.Reset()
		before = cloud.Calls()[routeHTCCLogin]
		try("+voice -chat -email", 0)
		time.Sleep(refusedFor)
		if got := w.started(cleo, ""); got != "+voice +chat +email" {
			t.Errorf("Start = %s; want all channels", got)
		}
		time.Sleep(time.Second)
		w.expect(cleo, "when HTCC takes the password again", "voice:NotReady chat:NotReady email:NotReady Active dnd:Off")
	})
}

// TestTwoEndsAndACallOfTheStoreThatFailsKeepNoTurn has an application log out twice, as when its window is closed too.
func TestTwoEndsAndACallOfTheStoreThatFailsKeepNoTurn(t *testing.T) {
	for _, times := range []int{1, 2} {
		synctest.Test(t, func(t *testing.T) {
			fleet, cloud := newShared(), &htccsim.Server{}
			a, _ := fleet.teller(t, cloud)
			join, line := fleet.join()
			store := &flaky{Store: line, Leases: line}
			b := newUnion(t, fleet.sim, cloud, join, func(s *Settings, _ *Site) { s.Store, s.Fleet.Leases = store, store })
			p := newPair(t, a, b, "bjorn", false)
			b.shows(p.atB)
			a.working(p.atA)
			a.faultCloud(cloud, htccsim.Fault{Route: "POST /api/v2/me", Delay: 100 * time.Millisecond})
			store.deletes.Store(1)
			var ends sync.WaitGroup
			for range times {
				ends.Go(func() { _ = b.EndContactCenterSession(t.Context(), p.atB) })
				time.Sleep(10 * time.Millisecond)
			}
			ends.Wait()
			time.Sleep(5 * time.Minute)
			turns := &b.fleet.turns
			turns.mu.Lock()
			if got := turns.here["bjorn"]; got != nil {
				t.Errorf("%d Ends: five minutes later %d here have the turn to log in; want none", times, got.count)
			}
			turns.mu.Unlock()
			b.login("bjorn")
			began := time.Now()
			_, err := a.Login(t.Context(), Caller{Basic: true, Login: "bjorn", Password: "another"})
			if took := time.Since(began); took > time.Second || !errors.Is(err, fault.Unauthenticated) {
				t.Errorf("%d Ends: a log-in with another password at the other replica took %v, and ended with %v", times, took, err)
			}
		})
	}
}

// A oneCut is a store that does not answer one of the calls that ask for the session of a name.
type oneCut struct {
	session.Store
	left atomic.Int64 // calls up to that one
}

func (c *oneCut) ByLogin(ctx context.Context, login string) (session.Session, error) {
	if c.left.Add(-1) == 0 {
		return session.Session{}, errCut
	}
	return c.Store.ByLogin(ctx, login)
}

// TestTheEndWhereTheSiteWasAwayBearsACallThatFails ends where HTCC was away when the agent came, and has each of the first
// calls of the store fail in turn.
func TestTheEndWhereTheSiteWasAwayBearsACallThatFails(t *testing.T) {
	for nth := range int64(5) {
		t.Run(fmt.Sprint("call ", nth+1), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fleet, cloud := newShared(), &htccsim.Server{}
				a, _ := fleet.teller(t, cloud)
				join, line := fleet.join()
				store := &oneCut{Store: line}
				b := newUnion(t, fleet.sim, cloud, join, func(s *Settings, _ *Site) { s.Store = store })
				a.faultCloud(cloud, htccsim.Fault{Route: routeHTCCLogin, Status: http.StatusServiceUnavailable, Times: 1000})
				p := newPair(t, a, b, "cleo", true)
				cloud.Reset()
				time.Sleep(time.Minute)
				a.working(p.atA)
				time.Sleep(time.Minute)
				agent := b.cookie(p.atA.SessionID())
				store.left.Store(nth + 1)
				err := b.EndContactCenterSession(t.Context(), agent)
				if err != nil {
					t.Errorf("End: %v", err)
				}
				time.Sleep(time.Minute)
				b.outOfWork(cloud, "cleo")
			})
		})
	}
}
