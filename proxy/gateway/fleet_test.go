package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"portico/cache"
	"portico/proxy/fault"
	"portico/proxy/icws/icwssim"
	"portico/proxy/push"
	"portico/proxy/session"
	"portico/proxy/throttle"
	"portico/translate"
	"portico/translate/htccapi"
)

// A shared is what the replicas of a test share.
type shared struct {
	sim    *icwssim.Server
	store  *session.Memory
	leases *session.MemoryLeases
	tries  *throttle.Memory
	shelf  *cache.MemoryShelf
	bells  *session.MemoryBells
	key    session.Key

	journal *push.Memory
}

func newShared() *shared {
	return &shared{&icwssim.Server{}, session.NewMemory(), session.NewMemoryLeases(), throttle.NewMemory(), cache.NewMemoryShelf(), &session.MemoryBells{}, session.NewKey(), push.NewMemory()}
}

// A cable leads from a replica to what is shared, and may be cut.
type cable struct {
	session.Store
	session.Leases
	cut   atomic.Bool
	lost  atomic.Int64
	calls atomic.Int64
	loses atomic.Bool // the next answer of Take, which is carried out
}

var errCut = errors.New("no answer")

func (c *cable) passes() error {
	c.calls.Add(1)
	if c.cut.Load() {
		return errCut
	}
	return nil
}

func (c *cable) Get(ctx context.Context, id string) (session.Session, error) {
	if err := c.passes(); err != nil {
		return session.Session{}, err
	}
	return c.Store.Get(ctx, id)
}

func (c *cable) ByLogin(ctx context.Context, login string) (session.Session, error) {
	if err := c.passes(); err != nil {
		return session.Session{}, err
	}
	return c.Store.ByLogin(ctx, login)
}

func (c *cable) Create(ctx context.Context, s session.Session, life time.Duration) (session.Session, error) {
	if err := c.passes(); err != nil {
		return session.Session{}, err
	}
	return c.Store.Create(ctx, s, life)
}

func (c *cable) Len(ctx context.Context) (int, error) {
	if err := c.passes(); err != nil {
		return 0, err
	}
	return c.Store.Len(ctx)
}

func (c *cable) Touch(ctx context.Context, id string, life time.Duration) error {
	if err := c.passes(); err != nil {
		return err
	}
	return c.Store.Touch(ctx, id, life)
}

func (c *cable) Expire(ctx context.Context, id string) (bool, error) {
	if err := c.passes(); err != nil {
		return false, err
	}
	return c.Store.Expire(ctx, id)
}

func (c *cable) Delete(ctx context.Context, id string) error {
	if err := c.passes(); err != nil {
		return err
	}
	return c.Store.Delete(ctx, id)
}

func (c *cable) Take(ctx context.Context, name, holder string, life time.Duration) (session.Lease, error) {
	if err := c.passes(); err != nil {
		return session.Lease{}, err
	}
	lease, err := c.Leases.Take(ctx, name, holder, life)
	if c.loses.CompareAndSwap(true, false) {
		return session.Lease{}, errCut
	}
	return lease, err
}

func (c *cable) Release(ctx context.Context, name, holder string) error {
	if err := c.passes(); err != nil {
		return err
	}
	return c.Leases.Release(ctx, name, holder)
}

// replica returns a running gateway of the fleet, and what leads from it to what is shared.
func (s *shared) replica(t *testing.T, options ...option) (*world, *cable) {
	t.Helper()
	join, line := s.join()
	return newWorld(t, s.sim, append([]option{join}, options...)...), line
}

// join makes a world one of the replicas.
func (s *shared) join() (option, *cable) {
	line := &cable{Store: s.store, Leases: s.leases}
	return func(settings *Settings, _ *Site) {
		settings.Store, settings.Tries = line, s.tries
		settings.Fleet = &Fleet{Leases: line, Bell: s.bells.One(), Shelf: shelfLine{s.shelf, line}, ProofKeys: []session.Key{s.key}, Up: func() bool { return !line.cut.Load() }, Losses: line.lost.Load}
	}, line
}

// cookie returns the agent who comes with a session's cookie.
func (w *world) cookie(id string) *Agent {
	w.t.Helper()
	agent, err := w.Login(w.t.Context(), Caller{SessionID: id})
	if err != nil {
		w.t.Fatal(err)
	}
	return agent
}

// settle gives readers the time to begin, or to find out that another one does.
func settle() {
	time.Sleep(2 * leaseEvery)
	synctest.Wait()
}

func (a *Agent) expectReads(t *testing.T, when string, want bool) {
	t.Helper()
	if a.leased.Load() != want {
		t.Errorf("%s: reads = %v; want %v", when, !want, want)
	}
}

const (
	showsReady    = "voice:Ready email:Ready Active dnd:Off"
	showsNotReady = "voice:NotReady email:NotReady Active dnd:Off"
)

func TestAnyReplicaServesASession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, _ := fleet.replica(t)
		b, toStore := fleet.replica(t)
		atA := a.login("anna")
		settle()
		atB := b.cookie(atA.SessionID())
		b.expect(atB, "a session begun elsewhere", showsNotReady)
		a.do(atA, "Ready", "")
		b.expect(atB, "at once after a write elsewhere", showsReady)
		b.do(atB, "NotReady", "")
		synctest.Wait()
		a.expect(atA, "what its reader is told of a write elsewhere", showsNotReady)
		basic := b.login("anna")
		if basic.SessionID() != atA.SessionID() || a.logins() != 1 {
			t.Errorf("name and password lead to another session, or %d log-ins", a.logins())
		}
		settle()
		atA.expectReads(t, "where the agent logged in", true)
		atB.expectReads(t, "elsewhere", false)
		before := toStore.calls.Load()
		b.cookie(atA.SessionID())
		if calls := toStore.calls.Load() - before; calls != 1 {
			t.Errorf("a request cost %d store calls where another replica reads; want 1", calls)
		}
	})
}

func TestTheReaderAsksTheStoreForNoRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, toStore := fleet.replica(t)
		agent := a.login("anna")
		settle()
		before := toStore.calls.Load()
		for range 10 {
			a.expect(a.cookie(agent.SessionID()), "from its own reader", showsNotReady)
		}
		if calls := toStore.calls.Load() - before; calls != 0 {
			t.Errorf("10 requests cost %d store calls; want none", calls)
		}
	})
}

func TestLogInsAtAllReplicasTogetherAreOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		var replicas []*world
		for range 3 {
			w, _ := fleet.replica(t)
			replicas = append(replicas, w)
		}
		replicas[0].fault(icwssim.Fault{Route: routeLogin, Delay: time.Second})
		ids := make(chan string, 60)
		var work sync.WaitGroup
		for i := range 60 {
			work.Go(func() { ids <- replicas[i%3].login("anna").SessionID() })
		}
		work.Wait()
		close(ids)
		first := <-ids
		for id := range ids {
			if id != first {
				t.Error("one name has two sessions")
			}
		}
		if n := replicas[0].logins(); n != 1 {
			t.Errorf("%d log-ins at the site; want 1", n)
		}
	})
}

func TestAnotherReplicaReadsWhenOneIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, toStore := fleet.replica(t)
		b, _ := fleet.replica(t)
		atA := a.login("anna")
		settle()
		atB := b.cookie(atA.SessionID())
		settle()
		toStore.cut.Store(true)
		for range int(2 * leaseLife / time.Second) {
			time.Sleep(time.Second)
			synctest.Wait()
			if atA.leased.Load() && atB.leased.Load() {
				t.Fatal("two replicas read at once")
			}
		}
		atA.expectReads(t, "cut off for longer than its lease", false)
		atB.expectReads(t, "where the lease ran out", true)
		a.expect(a.cookie(atA.SessionID()), "cut off", showsNotReady)
		b.set(icwssim.StateChange{User: "anna", StatusID: ptr("Available")})
		synctest.Wait()
		b.expect(atB, "pushed to the new reader", "voice:Ready email:NotReady Active dnd:Off")
		a.expect(atA, "read by who is cut off", "voice:Ready email:NotReady Active dnd:Off")
		toStore.cut.Store(false)
		settle()
		atA.expectReads(t, "back, while another reads", false)
		a.sessions("anna", 1)
	})
}

func TestAReplicaThatStopsLeavesItsSessionsToTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, _ := fleet.replica(t)
		b, _ := fleet.replica(t)
		id := a.login("anna").SessionID()
		a.do(a.cookie(id), "Ready", "")
		settle()
		b.cookie(id)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		a.Close(ctx)
		atB := b.cookie(id)
		b.expect(atB, "another replica has stopped", showsReady)
		settle()
		atB.expectReads(t, "another replica has stopped", true)
		b.sessions("anna", 1)
		if n := b.logins(); n != 1 {
			t.Errorf("%d log-ins; want the first alone", n)
		}
		c, _ := fleet.replica(t) // the one that took its place
		c.expect(c.cookie(id), "a replica that came later", showsReady)
	})
}

func TestASessionEndsAtAllReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, _ := fleet.replica(t)
		b, _ := fleet.replica(t)
		atA := a.login("anna")
		settle()
		atB := b.cookie(atA.SessionID())
		err := b.EndContactCenterSession(t.Context(), atB) // where nobody reads
		if err != nil {
			t.Fatal(err)
		}
		settle()
		for name, w := range map[string]*world{"where it was read": a, "where it ended": b} {
			_, err := w.Login(t.Context(), Caller{SessionID: atA.SessionID()})
			if !errors.Is(err, fault.Unauthenticated) {
				t.Errorf("%s: %v; want %v", name, err, fault.Unauthenticated)
			}
			if n := len(w.all()); n != 0 {
				t.Errorf("%s: %d agents are left", name, n)
			}
		}
		a.sessions("anna", 0)
		if n := a.logins(); n != 1 {
			t.Errorf("%d log-ins; want the first alone", n)
		}
	})
}

func TestASessionIsIdleWhenNoReplicaUsesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, _ := fleet.replica(t)
		b, _ := fleet.replica(t)
		id := a.login("anna").SessionID()
		for range 4 { // used at one replica only
			time.Sleep(20 * time.Minute)
			b.cookie(id)
		}
		settle()
		if len(a.all()) != 0 || len(b.all()) != 1 {
			t.Errorf("%d agents where the session is not used, %d where it is; want 0 and 1", len(a.all()), len(b.all()))
		}
		a.sessions("anna", 1)
		a.cookie(id) // known at both again
		time.Sleep(30*time.Minute + 3*sweepEvery)
		synctest.Wait()
		a.sessions("anna", 0)
		if n := len(a.all()) + len(b.all()); n != 0 {
			t.Errorf("%d agents are left of an idle session", n)
		}
	})
}

func TestWhileTheStoreIsDownAgentsWhoAreHereWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, toStore := fleet.replica(t)
		b, _ := fleet.replica(t)
		anna := a.login("anna")
		cleo := b.login("cleo")
		settle()
		toStore.cut.Store(true)
		a.expect(a.cookie(anna.SessionID()), "with its cookie", showsNotReady)
		a.do(a.login("anna"), "Ready", "")
		a.expect(anna, "after a write", showsReady)
		for what, caller := range map[string]Caller{"a new log-in": {Basic: true, Login: "bjorn", Password: "bjorn"}, "a cookie of elsewhere": {SessionID: cleo.SessionID()}} {
			_, err := a.Login(t.Context(), caller)
			if !errors.Is(err, fault.Overloaded) || fault.RetryAfter(err) == 0 {
				t.Errorf("%s: %v; want %v with a time to come again", what, err, fault.Overloaded)
			}
		}
		time.Sleep(time.Minute)
		a.expect(a.cookie(anna.SessionID()), "long after", showsReady)
		if shared, up := a.StoreUp(); !shared || up {
			t.Errorf("StoreUp = %v, %v", shared, up)
		}
		if n := a.logins(); n != 2 {
			t.Errorf("%d log-ins; want those of before", n)
		}
		toStore.cut.Store(false)
		settle()
		a.expect(a.cookie(cleo.SessionID()), "once the store is back", "voice:NotReady Active dnd:Off")
		anna.expectReads(t, "once the store is back", true)
	})
}

func TestAStoreThatLostEverythingHasAgentsLogInAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, _ := fleet.replica(t)
		b, _ := fleet.replica(t)
		id := a.login("anna").SessionID()
		settle()
		b.cookie(id)
		_ = fleet.store.Delete(t.Context(), id)
		settle()
		if n := len(a.all()) + len(b.all()); n != 0 {
			t.Errorf("%d agents are left", n)
		}
		if next := b.login("anna"); next.SessionID() == id {
			t.Error("a session came back that nobody knows")
		}
	})
}

// The replica that knows no password goes on with the session that the other one opened.
func TestALostUpstreamSessionIsReplacedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, _ := fleet.replica(t)
		b, _ := fleet.replica(t)
		atA := a.login("anna")
		settle()
		atB := b.cookie(atA.SessionID())
		b.expect(atB, "before", showsNotReady)
		a.fault(icwssim.Fault{Scenario: "expire-session", User: "anna"})
		_, err := b.Me(t.Context(), atB, nil) // may come before the other has found out
		if err != nil && !errors.Is(err, fault.Unreachable) {
			t.Errorf("Me right after the upstream session was lost: %v", err)
		}
		settle()
		b.expect(b.cookie(atA.SessionID()), "after", showsNotReady)
		a.expect(a.cookie(atA.SessionID()), "after, where the password is", showsNotReady)
		if n := a.logins(); n != 2 {
			t.Errorf("%d log-ins; want one more", n)
		}
	})
}

func TestRefusedLogInsCountForTheFleet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, _ := fleet.replica(t)
		b, _ := fleet.replica(t)
		for i, w := range []*world{a, b, a} {
			_, err := w.Login(t.Context(), Caller{Basic: true, Login: "anna", Password: string(rune('0' + i))})
			if !errors.Is(err, fault.Unauthenticated) {
				t.Errorf("wrong password %d: %v", i, err)
			}
		}
		_, err := b.Login(t.Context(), Caller{Basic: true, Login: "anna", Password: "anna"})
		if !errors.Is(err, fault.Throttled) {
			t.Errorf("after three refused log-ins at two replicas: %v; want %v", err, fault.Throttled)
		}
	})
}

func TestKeysOfProofsMayBeChangedReplicaByReplica(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		next := session.NewKey()
		order := func(keys ...session.Key) option { return func(s *Settings, _ *Site) { s.Fleet.ProofKeys = keys } }
		a, _ := fleet.replica(t, order(fleet.key, next))
		b, _ := fleet.replica(t, order(next, fleet.key))
		id := a.login("anna").SessionID()
		for _, w := range []*world{b, a, b} {
			if w.login("anna").SessionID() != id {
				t.Error("another session")
			}
		}
		if n := a.logins(); n != 1 {
			t.Errorf("%d log-ins; want 1", n)
		}
	})
}

func TestTheReaderIsWhereNotificationsAreWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, _ := fleet.replica(t, telling)
		b, _ := fleet.replica(t, telling)
		atA := a.login("anna")
		settle()
		atB := b.cookie(atA.SessionID())
		settle()
		atA.expectReads(t, "while nobody waits anywhere", true)
		b.open(atB, "/v2/me/devices")
		time.Sleep(staysAfter + 3*leaseEvery)
		synctest.Wait()
		atA.expectReads(t, "while somebody waits elsewhere", false)
		atB.expectReads(t, "where somebody waits", true)
		for range 10 {
			time.Sleep(leaseEvery)
			synctest.Wait()
			atB.expectReads(t, "later, where somebody waits", true)
		}
	})
}

func TestWritesOfAnAgentAtTwoReplicasAreMadeOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, _ := fleet.replica(t)
		b, _ := fleet.replica(t)
		atA := a.login("anna")
		settle()
		atB := b.cookie(atA.SessionID())
		a.do(atA, "NotReady", "")
		settle()
		a.fault(icwssim.Fault{Route: routePutStatus, Delay: 300 * time.Millisecond, Times: 2})
		var writes sync.WaitGroup
		writes.Go(func() { a.do(atA, "Ready", "voice") })
		writes.Go(func() { b.do(atB, "Ready", "email") })
		writes.Wait()
		settle()
		a.expect(atA, "after both", showsReady)
		b.expect(atB, "after both", showsReady)
	})
}

// The store gave a turn, and who asked for it does not know.
func TestAWriteTurnWhoseAnswerWasLostIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, toStore := fleet.replica(t)
		b, _ := fleet.replica(t)
		atA := a.login("anna")
		settle()
		atB := b.cookie(atA.SessionID())
		toStore.loses.Store(true)
		a.do(atA, "Ready", "")
		began := time.Now()
		b.do(atB, "NotReady", "")
		if waited := time.Since(began); waited > time.Second {
			t.Errorf("the next operation waited %v", waited)
		}
	})
}

// A replica that died in the middle of a write keeps nobody from working.
func TestAWriteTurnThatNobodyEndsRunsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, toStore := fleet.replica(t)
		anna := a.login("anna")
		settle()
		_, err := fleet.leases.Take(t.Context(), "write/anna", "one that died", writeTurnLife)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		a.do(anna, "Ready", "")
		if waited := time.Since(began); waited > writeTurnLife+time.Second {
			t.Errorf("a write waited for %v", waited)
		}
		toStore.cut.Store(true)
		a.do(anna, "NotReady", "")
		a.expect(anna, "without the store", showsNotReady)
	})
}

// A planned stop leaves nobody unread until the others ask for the lease by themselves.
func TestAnotherReplicaReadsAtOnceWhenOneStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, _ := fleet.replica(t)
		b, _ := fleet.replica(t)
		c, _ := fleet.replica(t)
		id := a.login("anna").SessionID()
		settle()
		atB, atC := b.cookie(id), c.cookie(id)
		time.Sleep(leaseEvery / 5)
		a.Close(t.Context())
		time.Sleep(500 * time.Millisecond)
		synctest.Wait()
		if atB.leased.Load() == atC.leased.Load() {
			t.Errorf("half a second after a replica has stopped, reads = %v at both others; want one", atB.leased.Load())
		}
	})
}

// TestAnOperatorEndsASessionAtAnyReplica asks one that has not heard of anna, while the store answers and while not.
func TestAnOperatorEndsASessionAtAnyReplica(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, _ := fleet.replica(t)
		b, line := fleet.replica(t)
		anna := a.login("anna")
		settle()
		line.cut.Store(true)
		_, err := b.DismissLogin(t.Context(), "anna")
		if !errors.Is(err, fault.Overloaded) {
			t.Errorf("without the store = %v; want %v", err, fault.Overloaded)
		}
		line.cut.Store(false)
		name, err := b.DismissLogin(t.Context(), "Anna")
		if err != nil || name != a.ShortName(anna) {
			t.Errorf("= %q, %v; want %q", name, err, a.ShortName(anna))
		}
		settle()
		if anna.life.Err() == nil {
			t.Error("the session goes on where it began")
		}
		a.sessions("anna", 0)
		_, err = a.Login(t.Context(), Caller{Basic: true, Login: "anna", Password: "anna"})
		if !errors.Is(err, fault.Unauthenticated) {
			t.Errorf("the application logs in again at once: %v; want %v", err, fault.Unauthenticated)
		}
	})
}

// TestAnEndHoldsThatTheStoreWasNotToldOf ends anna's session at one replica while the store is away from all, in turn at
// the one that reads and at the other.
func TestAnEndHoldsThatTheStoreWasNotToldOf(t *testing.T) {
	for _, reads := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			fleet := newShared()
			a, lineA := fleet.replica(t)
			b, lineB := fleet.replica(t)
			atA := a.login("anna")
			settle()
			atB := b.login("anna")
			b.shows(atB)
			cut := func(away bool) { lineA.cut.Store(away); lineB.cut.Store(away) }
			where, agent := a, atA
			if !reads {
				where, agent = b, atB
			}
			cut(true)
			err := where.EndContactCenterSession(t.Context(), agent)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(4 * time.Second)
			a.sessions("anna", 0)
			cut(false)
			_, err = where.Login(t.Context(), Caller{SessionID: atA.SessionID()})
			if !errors.Is(err, fault.Unauthenticated) {
				t.Errorf("the cookie where the session ended: %v; want %v", err, fault.Unauthenticated)
			}
			settle()
			settle()
			for _, w := range []*world{a, b} {
				_, err = w.Login(t.Context(), Caller{SessionID: atA.SessionID()})
				if !errors.Is(err, fault.Unauthenticated) {
					t.Errorf("the cookie: %v; want %v", err, fault.Unauthenticated)
				}
			}
			a.sessions("anna", 0)
			if n := a.logins(); n != 1 {
				t.Errorf("%d log-ins; want the first alone", n)
			}
			b.login("anna")
			a.sessions("anna", 1)
		})
	}
}

// TestAForcedEndHoldsThatTheStoreWasNotToldOf has PureConnect log anna off while the store is away, whose application
// sends her password with each request.
func TestAForcedEndHoldsThatTheStoreWasNotToldOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, line := fleet.replica(t)
		a.login("anna")
		settle()
		line.cut.Store(true)
		a.fault(icwssim.Fault{Scenario: "force-logoff", User: "anna"})
		time.Sleep(13 * time.Second)
		line.cut.Store(false)
		time.Sleep(time.Second)
		_, err := a.Login(t.Context(), Caller{Basic: true, Login: "anna", Password: "anna"})
		if !errors.Is(err, fault.Unauthenticated) {
			t.Errorf("a log-in at once: %v; want %v", err, fault.Unauthenticated)
		}
		a.sessions("anna", 0)
	})
}

// TestDoNotDisturbHidesTheSameAtEachReplica has an agent switch it on, and change what it hides, at the replica that reads.
func TestDoNotDisturbHidesTheSameAtEachReplica(t *testing.T) {
	for name, reads := range map[string]bool{"where it is read": true, "elsewhere": false} {
		for _, ask := range []translate.Request{{Operation: htccapi.NotReady}, {Operation: htccapi.AfterCallWork}, {Operation: htccapi.NotReady, Channel: htccapi.Voice}} {
			t.Run(fmt.Sprint(name, ", ", ask.Operation, " of ", ask.Channel), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					fleet := newShared()
					a, _ := fleet.replica(t)
					b, _ := fleet.replica(t)
					first, other := a, b
					if !reads {
						first, other = b, a
					}
					id := a.login("anna").SessionID()
					settle()
					other.do(other.cookie(id), htccapi.Ready, "")
					first.do(first.cookie(id), htccapi.DoNotDisturbOn, "")
					err := first.change(t.Context(), first.cookie(id), ask)
					if err != nil {
						t.Fatal(err)
					}
					time.Sleep(6 * time.Second)
					want := first.shows(first.cookie(id))
					other.expect(other.cookie(id), "at the other replica", want)
					other.do(other.cookie(id), htccapi.DoNotDisturbOff, "")
					time.Sleep(6 * time.Second)
					want = strings.Replace(want, "dnd:On", "dnd:Off", 1)
					first.expect(first.cookie(id), "do-not-disturb is off", want)
					other.expect(other.cookie(id), "do-not-disturb is off, at the other replica", want)
				})
			})
		}
	}
}
