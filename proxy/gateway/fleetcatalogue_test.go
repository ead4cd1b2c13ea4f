package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"portico/cache"
	"portico/proxy/fault"
	"portico/proxy/icws/icwssim"
	"portico/translate/htccapi"
)

// A shelfLine leads from a replica to the shelf, and is cut with its cable.
type shelfLine struct {
	shelf cache.Shelf
	line  *cable
}

func (s shelfLine) Get(ctx context.Context, name, known string) (cache.Copy, error) {
	if err := s.line.passes(); err != nil {
		return cache.Copy{}, err
	}
	return s.shelf.Get(ctx, name, known)
}

func (s shelfLine) Put(ctx context.Context, name string, c cache.Copy, life time.Duration) error {
	if err := s.line.passes(); err != nil {
		return err
	}
	return s.shelf.Put(ctx, name, c, life)
}

func (s shelfLine) Renew(ctx context.Context, name, version string, epoch int64, life time.Duration) (bool, error) {
	if err := s.line.passes(); err != nil {
		return false, err
	}
	return s.shelf.Renew(ctx, name, version, epoch, life)
}

func (s shelfLine) Purge(ctx context.Context, owner, part string) (int64, error) {
	if err := s.line.passes(); err != nil {
		return 0, err
	}
	return s.shelf.Purge(ctx, owner, part)
}

func (s shelfLine) Epochs(ctx context.Context, owner string, known map[string]int64) (map[string]int64, error) {
	if err := s.line.passes(); err != nil {
		return nil, err
	}
	return s.shelf.Epochs(ctx, owner, known)
}

// inStep gives replicas the time to learn from each other.
func inStep() {
	time.Sleep(2 * leaseEvery)
	synctest.Wait()
}

func TestASessionFetchesItsCatalogueOnceForTheFleet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, _ := fleet.replica(t)
		b, _ := fleet.replica(t)
		a.add("At Sea")
		atA := a.login("anna")
		a.has(atA, "where the agent logged in", "At Sea")
		settle()
		atB := b.cookie(atA.SessionID())
		b.has(atB, "elsewhere", "At Sea")
		a.fetches("one session at two replicas", 1)
		a.add("At Play Again")
		inStep()
		a.has(atA, "after a change, where the session is read", "At Play Again")
		b.has(b.cookie(atA.SessionID()), "after a change, elsewhere", "At Play Again")
		b.login("cleo")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		a.Close(ctx)
		settle()
		atB.expectReads(t, "once the other replica has stopped", true)
		a.add("Gone Fishing")
		inStep()
		b.has(b.cookie(atA.SessionID()), "after a change, once the other replica has stopped", "Gone Fishing")
		a.fetches("two sessions", 2)
	})
}

// First needs of one session at several replicas at the same moment are one fetch, also where the site
// takes its time.
func TestFirstNeedsAtAllReplicasTogetherAreOneFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		var replicas []*world
		for range 3 {
			w, _ := fleet.replica(t)
			replicas = append(replicas, w)
		}
		replicas[0].fault(icwssim.Fault{Route: routeCatalogue, Delay: 4 * time.Second})
		id := replicas[0].login("anna").SessionID()
		var work sync.WaitGroup
		for _, w := range replicas {
			work.Go(func() { w.reads(w.cookie(id)) })
		}
		work.Wait()
		replicas[0].fetches("first needs at three replicas", 1)
	})
}

// Where the replica that fetches dies, another does soon.
func TestAnotherReplicaFetchesWhenOneDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, toStore := fleet.replica(t)
		b, _ := fleet.replica(t)
		a.fault(icwssim.Fault{Route: routeCatalogue, Scenario: "hang", Times: 1})
		id := a.login("anna").SessionID()
		synctest.Wait()
		toStore.cut.Store(true)
		began := time.Now()
		b.reads(b.cookie(id))
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("the other replica waited for %v; want at most 3 s, for which the right to fetch is given, and a little", took)
		}
	})
}

func TestWithoutTheStoreEachReplicaFetchesForItself(t *testing.T) {
	for name, scope := range map[string]option{"each for itself": func(*Settings, *Site) {}, "shared": sharing} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fleet := newShared()
				shelf := &cable{}
				cutOff := func(s *Settings, _ *Site) {
					s.Fleet.Shelf = shelfLine{fleet.shelf, shelf}
					s.Fleet.Leases = shelf
				}
				shelf.Leases = fleet.leases
				a, _ := fleet.replica(t, scope, cutOff)
				b, _ := fleet.replica(t, scope, cutOff)
				anna := a.login("anna")
				settle()
				shelf.cut.Store(true)
				atB := b.cookie(anna.SessionID())
				b.reads(atB)
				a.fetches("with the store away", 2)
				shelf.cut.Store(false)
				settle()
				a.add("At Sea")
				inStep()
				b.has(b.cookie(anna.SessionID()), "with the store back", "At Sea")
				a.fetches("with the store back", 2)
			})
		})
	}
}

func TestASharedCatalogueIsFetchedOnceForTheFleet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		var replicas []*world
		for range 3 {
			w, _ := fleet.replica(t, sharing)
			replicas = append(replicas, w)
		}
		replicas[0].add("At Sea")
		agents := make([]*Agent, 90)
		var work sync.WaitGroup
		for n := range agents {
			work.Go(func() {
				w := replicas[n%3]
				agents[n] = w.loginIn(agentName(n+1), []string{"en-us", "de"}[n%2])
				w.has(agents[n], "at once", "At Sea")
			})
		}
		work.Wait()
		replicas[0].fetches("90 log-ins at three replicas at once", 2)
		inStep()
		for n, agent := range agents[:6] { // elsewhere than they are read
			w := replicas[(n+1)%3]
			w.has(w.cookie(agent.SessionID()), "at another replica", "At Sea")
		}
		replicas[0].add("At Play Again")
		inStep()
		for n, agent := range agents[:6] {
			for at, w := range replicas {
				if at == n%3 || at == (n+1)%3 {
					w.has(w.cookie(agent.SessionID()), "after a change", "At Play Again")
				}
			}
		}
		late, _ := fleet.replica(t, sharing)
		late.has(late.loginIn("agent0300", "de"), "at a replica that came later", "At Play Again")
		late.has(late.cookie(agents[0].SessionID()), "at a replica that came later", "At Play Again")
		replicas[0].fetches("all that", 2)
	})
}

// A replica that reads for nobody who shares a catalogue learns of changes from one that does, and says
// so when none does.
func TestWhatNoReplicaProvesIsStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, _ := fleet.replica(t, sharing)
		b, _ := fleet.replica(t, sharing)
		id := a.login("anna").SessionID()
		settle()
		b.reads(b.cookie(id))
		a.add("At Sea")
		inStep()
		b.has(b.cookie(id), "after a change", "At Sea")
		a.fault(icwssim.Fault{Route: routeMessages, Status: 503})
		a.fault(icwssim.Fault{Scenario: "drop-stream", User: "anna"})
		time.Sleep(20 * time.Second) // longer than a proof of another replica holds
		if _, stale := b.reads(b.cookie(id)); !stale {
			t.Error("a catalogue is fresh that no replica proves")
		}
		a.sim.Reset()
		a.add("At Play Again")
		time.Sleep(time.Minute)
		b.has(b.cookie(id), "once it is proven again", "At Play Again")
	})
}

// Where the site tells nobody of changes, no replica takes what it has for fresh.
func TestWhatNoReplicaCanProveIsStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, _ := fleet.replica(t, sharing)
		b, _ := fleet.replica(t, sharing)
		a.fault(icwssim.Fault{Route: routeSubscribeCatalogue, Status: 404})
		anna := a.login("anna")
		b.reads(b.cookie(anna.SessionID()))
		settle()
		for what, w := range map[string]*world{"where the session is read": a, "elsewhere": b} {
			if _, stale := w.reads(w.cookie(anna.SessionID())); !stale {
				t.Errorf("%s, a catalogue is fresh that nothing tells of changes", what)
			}
		}
	})
}

// Where each session has its own catalogue, it is as sure elsewhere as where the session is read.
func TestWhatTheReaderDoubtsIsStaleElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, _ := fleet.replica(t)
		b, _ := fleet.replica(t)
		id := a.login("anna").SessionID()
		settle()
		b.reads(b.cookie(id))
		a.fault(icwssim.Fault{Route: routeMessages, Status: 503})
		a.fault(icwssim.Fault{Scenario: "drop-stream", User: "anna"})
		inStep()
		if _, stale := b.reads(b.cookie(id)); !stale {
			t.Error("a catalogue is fresh elsewhere that is stale where the session is read")
		}
		a.sim.Reset()
		a.add("At Sea")
		time.Sleep(time.Minute)
		b.has(b.cookie(id), "once its stream is back", "At Sea")
		if n := a.sim.Calls()[routeCatalogue]; n != 0 { // since the reset
			t.Errorf("%d fetches after the break; want none", n)
		}
	})
}

func TestAPurgeReachesAllReplicas(t *testing.T) {
	for name, test := range map[string]struct {
		scope   option
		fetches int
	}{"each for itself": {func(*Settings, *Site) {}, 2}, "shared": {sharing, 1}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fleet := newShared()
				a, _ := fleet.replica(t, test.scope)
				b, _ := fleet.replica(t, test.scope)
				anna, cleo := a.login("anna"), b.login("cleo")
				settle()
				atB := b.cookie(anna.SessionID())
				b.reads(atB)
				a.fetches("before", test.fetches)
				_, err := b.Purge(t.Context(), "pureconnect", "")
				if err != nil {
					t.Fatal(err)
				}
				inStep()
				a.reads(anna)
				a.fetches("of who is read at the replica that was not told to", test.fetches+1)
				b.reads(b.cookie(anna.SessionID()))
				b.reads(cleo)
				a.fetches("of all", 2*test.fetches)
				_, err = b.Purge(t.Context(), "pureconnect", "de")
				if err != nil {
					t.Fatal(err)
				}
				inStep()
				a.reads(anna)
				b.reads(cleo)
				a.fetches("a purge of another language", 2*test.fetches)
			})
		})
	}
}

// A purge while the store is away is that of one replica at once, and of the others when the store is back.
func TestAPurgeWhileTheStoreIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, toStore := fleet.replica(t)
		b, _ := fleet.replica(t)
		anna, cleo := a.login("anna"), b.login("cleo")
		a.reads(anna)
		b.reads(cleo)
		inStep()
		a.fetches("before", 2)
		toStore.cut.Store(true)
		_, err := a.Purge(t.Context(), "pureconnect", "")
		toStore.cut.Store(false)
		if !errors.Is(err, fault.Overloaded) {
			t.Errorf("Purge: %v; want %v, as the others were not told", err, fault.Overloaded)
		}
		a.reads(anna)
		a.fetches("at the replica that was told", 3)
		inStep()
		b.reads(cleo)
		a.fetches("at the other, once the store is back", 4)
	})
}

// Catalogues that are the same are kept once, however many sessions have them.
func TestEqualCataloguesAreKeptOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, _ := fleet.replica(t)
		b, _ := fleet.replica(t)
		for n := range 10 {
			a.reads(a.login(agentName(n + 1)))
		}
		if n := fleet.shelf.Len(); n != 1 {
			t.Errorf("%d catalogues are kept of 10 sessions that have the same; want 1", n)
		}
		id := a.login("agent0001").SessionID()
		for range 9 {
			time.Sleep(20 * time.Minute) // or the session were idle
			a.cookie(id)
		}
		b.reads(b.cookie(id))
		a.fetches("10 sessions, one of which another replica serves hours later", 10)
	})
}

// What an agent may choose is the same at all replicas, and asked of the site once.
func TestAnAccessListIsThatOfTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, _ := fleet.replica(t)
		b, _ := fleet.replica(t)
		anna := a.login("anna")
		settle()
		b.accessible(b.cookie(anna.SessionID()), "At Lunch", true)
		a.set(icwssim.StateChange{User: "anna", Access: &[]string{"Available", "Available, No ACD"}})
		inStep()
		a.accessible(anna, "At Lunch", false)
		b.accessible(b.cookie(anna.SessionID()), "At Lunch", false)
		if n := a.sim.Calls()[routeAccess]; n != 1 {
			t.Errorf("the access list was fetched %d times; want 1", n)
		}
		_, err := a.Purge(t.Context(), "pureconnect", "")
		if err != nil {
			t.Fatal(err)
		}
		inStep()
		b.accessible(b.cookie(anna.SessionID()), "At Lunch", false)
		if n := a.sim.Calls()[routeAccess]; n != 2 {
			t.Errorf("the access list was fetched %d times, and a purge; want 2", n)
		}
	})
}

// accessible holds whether an agent may choose a status to want.
func (w *world) accessible(a *Agent, statusID string, want bool) {
	w.t.Helper()
	doc, err := w.StatusMessages(w.t.Context(), a, htccapi.DialectStatus, false, func(string) bool { return false })
	if err != nil {
		w.t.Fatal(err)
	}
	var list struct{ StatusMessageList []entry }
	err = json.Unmarshal(doc.Body, &list)
	at := slices.IndexFunc(list.StatusMessageList, func(e entry) bool { return e.StatusID == statusID })
	if err != nil || at < 0 || list.StatusMessageList[at].Accessible != want {
		w.t.Errorf("%s is accessible: %v, %v; want %v", statusID, at >= 0 && !want, err, want)
	}
}

// TestAfterAnOutageAllReplicasShareAgain has the server behind the site be lost for a moment, which the session outlives.
func TestAfterAnOutageAllReplicasShareAgain(t *testing.T) {
	for name, mode := range map[string]option{"session": func(*Settings, *Site) {}, "shared": sharing} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fleet := newShared()
				a, _ := fleet.replica(t, mode)
				b, _ := fleet.replica(t, mode)
				atA := a.login("anna")
				settle()
				b.reads(b.cookie(atA.SessionID()))
				a.fault(icwssim.Fault{Scenario: "ic-down"})
				time.Sleep(2 * time.Second)
				a.fault(icwssim.Fault{Scenario: "ic-up"})
				time.Sleep(time.Minute)
				for _, status := range []string{"At Sea", "At Play Again"} {
					a.add(status)
					inStep()
					a.has(atA, "where the session is read", status)
					b.has(b.cookie(atA.SessionID()), "elsewhere", status)
				}
			})
		})
	}
}
