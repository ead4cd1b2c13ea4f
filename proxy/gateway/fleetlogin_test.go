package gateway

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"portico/proxy/fault"
	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/proxy/throttle"
)

func (w *world) tries(login, password string) error {
	_, err := w.Login(w.t.Context(), Caller{Basic: true, Login: login, Password: password})
	return err
}

func TestARefusedPasswordIsRememberedByAllReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, _ := fleet.replica(t)
		b, _ := fleet.replica(t)
		for _, w := range []*world{a, b, a, b} {
			err := w.tries("anna", "wrong")
			if !errors.Is(err, fault.Unauthenticated) {
				t.Errorf("a wrong password: %v; want %v", err, fault.Unauthenticated)
			}
		}
		if n := a.logins(); n != 1 {
			t.Errorf("the site was asked %d times; want 1", n)
		}
		time.Sleep(refusedFor)
		_ = b.tries("anna", "wrong")
		if n := a.logins(); n != 2 {
			t.Errorf("the site was asked %d times once it was forgotten; want 2", n)
		}
	})
}

func TestWhoWasLoggedOffStaysSoAtAllReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, _ := fleet.replica(t)
		b, _ := fleet.replica(t)
		atA := a.login("anna")
		settle()
		b.cookie(atA.SessionID())
		a.fault(icwssim.Fault{Scenario: "force-logoff", User: "anna"})
		synctest.Wait()
		for what, w := range map[string]*world{"where the site said so": a, "elsewhere": b} {
			err := w.tries("anna", "anna")
			if !errors.Is(err, fault.Unauthenticated) {
				t.Errorf("a log-in at once, %s: %v; want %v", what, err, fault.Unauthenticated)
			}
		}
		time.Sleep(barredFor)
		b.login("anna")
	})
}

// forgetful is a store of tries that may lose its connection.
type forgetful struct {
	throttle.Store
	line *cable
}

func (f forgetful) Succeeded(ctx context.Context, key string) (bool, error) {
	if err := f.line.passes(); err != nil {
		return false, err
	}
	return f.Store.Succeeded(ctx, key)
}

// Who might have been logged off elsewhere is not let in while nobody can tell.
func TestWithoutTheStoreNobodyIsLetInWhoMayBeBarred(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		tries := &cable{}
		a, _ := fleet.replica(t, func(s *Settings, _ *Site) { s.Tries = forgetful{s.Tries, tries} })
		tries.cut.Store(true)
		err := a.tries("anna", "anna")
		if !errors.Is(err, fault.Overloaded) || fault.RetryAfter(err) == 0 {
			t.Errorf("a log-in: %v; want %v with a time to come again", err, fault.Overloaded)
		}
		tries.cut.Store(false)
		a.login("anna")
	})
}

// paced has a replica begin log-ins at a pace that it keeps with the others.
func (s *shared) paced(pace throttle.Pace, line *cable) option {
	return func(_ *Settings, site *Site) {
		limits := unpaced()
		limits.Logins, limits.LoginQueue, limits.LoginWait = 10, 1000, 20*time.Second
		limits.LoginTurn = func(ctx context.Context, every time.Duration, callers int) (time.Duration, error) {
			if err := line.passes(); err != nil {
				return 0, err
			}
			return pace.Next(ctx, site.Name, every, callers)
		}
		site.ICWS = newLimitedClient(s.sim.Transport(), prometheus.NewRegistry(), limits)
	}
}

func TestLogInsOfAllReplicasAreAtOnePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		pace, line := throttle.NewMemoryPace(), &cable{}
		a, _ := fleet.replica(t, fleet.paced(pace, line))
		b, _ := fleet.replica(t, fleet.paced(pace, line))
		logInAll := func(first int) time.Duration {
			began := time.Now()
			var work sync.WaitGroup
			for n := range 40 {
				work.Go(func() { []*world{a, b}[n%2].login(agentName(first + n)) })
			}
			work.Wait()
			return time.Since(began)
		}
		if took := logInAll(1); took < 3900*time.Millisecond || took > 4500*time.Millisecond {
			t.Errorf("40 log-ins at two replicas took %v; want 3.9s at 10 a second", took)
		}
		time.Sleep(time.Second)
		line.cut.Store(true)
		if took := logInAll(101); took < 1900*time.Millisecond || took > 2500*time.Millisecond {
			t.Errorf("40 log-ins took %v at two replicas that cannot ask each other; want 1.9s", took)
		}
	})
}

// A door that is full lets agents in by what any replica knows, and asks no more than it can bear.
func TestAReplicaKnowsTheSessionsOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, _ := fleet.replica(t)
		b, toStore := fleet.replica(t)
		id := a.login("anna").SessionID()
		if !b.Knows(t.Context(), id) || b.Knows(t.Context(), "a stranger's") {
			t.Error("the session of another replica is not known, or one that there is not is")
		}
		if len(b.all()) != 0 {
			t.Error("who is only known is taken up")
		}
		for range looksAtOnce {
			b.fleet.looking <- struct{}{}
		}
		before := toStore.calls.Load()
		if b.Knows(t.Context(), id) || toStore.calls.Load() != before {
			t.Error("the store is asked though too much is looked for already")
		}
		toStore.cut.Store(true)
		if b.Knows(t.Context(), id) {
			t.Error("a session is known that nobody can tell of")
		}
	})
}

// TestATurnToLogInIsNotGivenUpForTheOneBefore has the store learn late that one who had a turn here, or did not get it,
// has left it.
func TestATurnToLogInIsNotGivenUpForTheOneBefore(t *testing.T) {
	for name, failures := range map[string]int64{"it ended": 0, "it failed": 1} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fleet := newShared()
				join, line := fleet.join()
				store := &flaky{Store: line, Leases: line}
				a := newUnion(t, fleet.sim, &htccsim.Server{}, join, func(s *Settings, _ *Site) { s.Fleet.Leases = store })
				store.turns.Store(failures)
				store.slow.Store(true)
				endFirst, err := a.turn(t.Context(), "anna")
				if err == nil {
					go endFirst()
				}
				synctest.Wait()
				endSecond, err := a.turn(t.Context(), "anna")
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				if lease, _ := fleet.leases.Take(t.Context(), "login/anna", "another replica", time.Second); lease.Held {
					t.Error("the turn is another replica's while one here has it")
				}
				endSecond()
				if lease, _ := fleet.leases.Take(t.Context(), "login/anna", "another replica", time.Second); !lease.Held {
					t.Error("the turn is nobody else's once it was left here")
				}
			})
		})
	}
}

// TestATurnToLogInEndsWithTheLastWhoHasIt has the first of two in a process end theirs while the store's answer to the
// second is on its way, and the second give up while it is.
func TestATurnToLogInEndsWithTheLastWhoHasIt(t *testing.T) {
	for name, leaves := range map[string]bool{"the first ends": false, "the second leaves": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fleet := newShared()
				join, line := fleet.join()
				slow := longLine{line, &atomic.Int64{}}
				a := newUnion(t, fleet.sim, &htccsim.Server{}, join, func(s *Settings, _ *Site) { s.Fleet.Leases = slow })
				endFirst, err := a.turn(t.Context(), "anna")
				if err != nil {
					t.Fatal(err)
				}
				slow.takes.Store(int64(time.Second))
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				ends := make(chan func(), 1)
				go func() {
					end, _ := a.turn(ctx, "anna")
					ends <- end
				}()
				time.Sleep(750 * time.Millisecond)
				if leaves {
					leave()
				} else {
					endFirst()
				}
				endSecond := <-ends
				free := func() bool {
					settle()
					lease, err := fleet.leases.Take(t.Context(), "login/anna", "another replica", time.Second)
					return err == nil && lease.Held
				}
				if free() {
					t.Error("the turn is another replica's while one here has it")
				}
				if leaves {
					endFirst()
				} else {
					endSecond()
				}
				if !free() {
					t.Error("the turn is nobody else's once both have left it")
				}
			})
		})
	}
}

// TestAReplicaThatDiesKeepsNobodyOutForLong has one die, or take its time, whose turn it is to log in under a name.
func TestAReplicaThatDiesKeepsNobodyOutForLong(t *testing.T) {
	for name, row := range map[string]struct {
		dies        bool
		least, most time.Duration
		logins      int
	}{
		"it dies":           {true, 0, turnLease + time.Second, 2},
		"it takes its time": {false, 22 * time.Second, 23 * time.Second, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fleet := newShared()
				slow := func(_ *Settings, s *Site) {
					s.ICWS = newPatientClient(fleet.sim.Transport(), prometheus.NewRegistry(), unpaced(), loginTimeout)
				}
				a, line := fleet.replica(t, slow)
				b, _ := fleet.replica(t, slow)
				a.fault(icwssim.Fault{Route: routeLogin, Delay: 23 * time.Second, Times: 1})
				go func() { _ = a.tries("anna", "anna") }()
				time.Sleep(time.Second)
				line.cut.Store(row.dies)
				began := time.Now()
				err := b.tries("anna", "anna")
				if took := time.Since(began); err != nil || took < row.least || took > row.most {
					t.Errorf("a log-in at another replica: %v after %v; want it after %v to %v", err, took, row.least, row.most)
				}
				if n := a.logins(); n != row.logins {
					t.Errorf("the site was asked %d times; want %d", n, row.logins)
				}
				time.Sleep(turnLease / 2)
				if lease, _ := fleet.leases.Take(t.Context(), "login/anna", "a third", time.Second); !lease.Held {
					t.Error("the turn is taken still after all log-ins")
				}
				time.Sleep(time.Minute)
			})
		})
	}
}

// TestALogInLeavesAnEndItsTurn has a log-in be under way here as the agent's session ends, which has the turn for longer.
func TestALogInLeavesAnEndItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		join, _ := fleet.join()
		a := newUnion(t, fleet.sim, &htccsim.Server{}, join)
		endLogin, err := a.turn(t.Context(), "anna")
		if err != nil {
			t.Fatal(err)
		}
		endLast, err := a.turnBy(t.Context(), "anna", turnLife)
		if err != nil {
			t.Fatal(err)
		}
		defer endLast()
		time.Sleep(turnLease - time.Second)
		endLogin()
		time.Sleep(turnLife - turnLease)
		if lease, _ := fleet.leases.Take(t.Context(), "login/anna", "another replica", time.Second); lease.Held {
			t.Errorf("the turn that an End has for %v is another replica's before", turnLife)
		}
	})
}

// TestALogInAfterAShortAbsenceOfTheStore has the store away for a moment while somebody logs in: the turn that could not
// be given up then keeps nobody out for long.
func TestALogInAfterAShortAbsenceOfTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, line := newShared().replica(t)
		a.fault(icwssim.Fault{Route: routeLogin, Delay: time.Second, Times: 1})
		go func() {
			time.Sleep(500 * time.Millisecond)
			line.cut.Store(true)
			time.Sleep(1500 * time.Millisecond)
			line.cut.Store(false)
		}()
		err := a.tries("anna", "anna")
		if err == nil {
			t.Fatal("a log-in succeeds that no store was told of")
		}
		time.Sleep(3 * time.Second) // until the store has answered for long enough
		began := time.Now()
		for a.tries("anna", "anna") != nil && time.Since(began) < time.Minute {
			time.Sleep(2 * time.Second)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("who tries again and again is logged in %v later", took)
		}
	})
}

// TestTurnsThatRanOutAreKeptNoMore has turns be left that cannot be given up, as while the store is away.
func TestTurnsThatRanOutAreKeptNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var some turns
		for range 1000 {
			some.leave(heldTurn{"login/anna", "this one", time.Now()})
			time.Sleep(time.Second)
		}
		if got, most := len(some.takeHeld()), int(turnLife/time.Second)+1; got > most {
			t.Errorf("%d turns are kept; want %d at most, which have not run out", got, most)
		}
	})
}
