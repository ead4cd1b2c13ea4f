package store

import (
	"testing"
	"testing/synctest"
	"time"

	"portico/cache"
	"portico/proxy/push"
	"portico/proxy/session"
	"portico/proxy/throttle"
)

// A kit is one way to keep what replicas share, and how time passes for it.
type kit struct {
	sessions session.Store
	leases   session.Leases
	tries    throttle.Store
	journal  func() push.Journal // of one more server
	bell     func() session.Bell // of one more replica
	pace     throttle.Pace
	shelf    cache.Shelf
	pass     func(time.Duration)
	slack    time.Duration // real time that may pass besides, at most
}

// kit returns what the store keeps. Its server's clock is set forward by tests. Open opens another like it.
func (v *Valkey) kit(open func() *Valkey) kit {
	return kit{v.Sessions(), v.Leases(), v.Tries(), func() push.Journal { return open().Journal() }, func() session.Bell { return open().Bell() }, v.Pace(), v.Shelf(),
		func(d time.Duration) { v.ahead.Add(d.Milliseconds()) }, time.Minute}
}

// contracts are what every kit passes.
var contracts = map[string]func(*testing.T, kit){
	"sessions": testSessions, "lives of sessions": testLives, "who creates a session": testCreate, "changes of sessions": testUpdate, "sessions that others have": testApart,
	"leases": testLeases, "fences": testFences, "counts": testCounts, "successes": testSuccesses,
	"events of a journal": testEvents, "clients of a journal": testClients, "notices of a journal": testNotices, "ends in a journal": testEnds,
	"bells": testBells, "pace": testPace, "who yields": testYields, "copies": testCopies, "epochs": testEpochs,
}

func TestInMemory(t *testing.T) { testInMemory(t, func() session.Store { return session.NewMemory() }) }

func TestObserved(t *testing.T) {
	testInMemory(t, func() session.Store { return session.Observe(session.NewMemory(), nil) })
}

func testInMemory(t *testing.T, newStore func() session.Store) {
	for name, contract := range contracts {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				journal, bells := push.NewMemory(), &session.MemoryBells{}
				contract(t, kit{newStore(), session.NewMemoryLeases(), throttle.NewMemory(), func() push.Journal { return journal.End() },
					bells.One, throttle.NewMemoryPace(), cache.NewMemoryShelf(), time.Sleep, 0})
			})
		})
	}
}

func TestOnServer(t *testing.T) { testOn(t, startServer(t), false) }

// A cluster of one node refuses what would need two, as a greater one does.
func TestOnCluster(t *testing.T) {
	server := startServer(t, "--cluster-enabled", "yes")
	server.cli(t, "CLUSTER", "ADDSLOTSRANGE", "0", "16383")
	server.await(t, "cluster_state:ok", "CLUSTER", "INFO")
	testOn(t, server, true)
}

func testOn(t *testing.T, server *server, cluster bool) {
	for name, contract := range contracts {
		t.Run(name, func(t *testing.T) {
			server.cli(t, "FLUSHALL")
			open := func() *Valkey { return server.open(t, func(s *Settings) { s.Cluster = cluster }) }
			contract(t, open().kit(open))
		})
	}
}
