package push

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A tardy journal takes its time for each renewal, as a store does that is slow, and fails for one owner.
type tardy struct {
	Journal
	takes time.Duration
	fails string

	now, most atomic.Int64 // renewals under way, and how many there were at most

	mu      sync.Mutex
	last    map[string]time.Time // when an owner was renewed; guarded by mu
	longest time.Duration        // between two times; guarded by mu
}

func (j *tardy) Renew(ctx context.Context, owner string, turns map[string]uint64) (uint64, []string, error) {
	j.most.Store(max(j.most.Load(), j.now.Add(1)))
	defer j.now.Add(-1)
	time.Sleep(j.takes)
	if owner == j.fails {
		return 0, nil, errAway
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if before, known := j.last[owner]; known {
		j.longest = max(j.longest, time.Since(before))
	}
	j.last[owner] = time.Now()
	return j.Journal.Renew(ctx, owner, turns)
}

// inTardy runs test against a server with a tardy journal, and another one.
func inTardy(t *testing.T, fails string, test func(t *testing.T, j *tardy, here, there *Server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		memory := NewMemory()
		ctx, cancel := context.WithCancel(t.Context())
		j := &tardy{Journal: memory.End(), takes: 700 * time.Millisecond, fails: fails, last: map[string]time.Time{}}
		here, there := newServer(t, Options{Journal: j, MaxInterval: time.Hour}), newServer(t, Options{Journal: memory.End()})
		var running sync.WaitGroup
		for _, s := range []*Server{here, there} {
			running.Go(func() { _ = s.Run(ctx) })
		}
		test(t, j, here, there)
		here.Close()
		there.Close()
		cancel()
		running.Wait()
	})
}

// The store forgets a client a minute after it was renewed.
func TestASlowJournalForgetsNobody(t *testing.T) {
	inTardy(t, "agent 7", func(t *testing.T, j *tardy, here, _ *Server) {
		const owners = 200
		for i := range owners {
			open(t, here, fmt.Sprint("agent ", i))
		}
		time.Sleep(5 * time.Minute)
		j.mu.Lock()
		defer j.mu.Unlock()
		if j.longest > 30*time.Second || len(j.last) != owners-1 {
			t.Errorf("%d owners were renewed, after %v at most; want all but one, twice a minute", len(j.last), j.longest)
		}
		if got := j.most.Load(); got > RenewAtOnce {
			t.Errorf("%d renewals at once; want %d at most", got, RenewAtOnce)
		}
	})
}

// What others publish is heard while clients are renewed because some of it was missed.
func TestNoticesDoNotWaitForRenewals(t *testing.T) {
	inTardy(t, "", func(t *testing.T, j *tardy, here, there *Server) {
		for i := range 200 {
			open(t, here, fmt.Sprint("agent ", i))
		}
		p := ready(t, here, "anna")
		j.Journal.(*MemoryEnd).notices <- Notice{Missed: true}
		time.Sleep(time.Second)
		began := time.Now()
		c := p.connect("")
		publish(t, there, "anna", 1)
		if got := dataOf(t, c.text(t)); got != "1" || time.Since(began) > 0 {
			t.Errorf("events = %q after %v; want 1 at once", got, time.Since(began))
		}
	})
}

// lose has the journal forget the newest events of an owner, as if they had never been there.
func (m *Memory) lose(owner string, count int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.owners[owner]
	o.entries = o.entries[:len(o.entries)-count]
	o.last, o.newest = o.last-uint64(count), ""
	for _, c := range o.clients {
		c.record.Seen = min(c.record.Seen, o.last)
	}
}

// A store that another took the place of may lack the last moment. Clients would take what comes next for what they had.
func TestAJournalThatLostItsNewestEvents(t *testing.T) {
	for name, then := range map[string]func(f *fleet){
		"the next event":          func(f *fleet) { publish(t, f.servers[0], "anna", 4) },
		"the next event, at once": func(f *fleet) { publish(t, f.servers[0], "anna", 4); publish(t, f.servers[0], "anna", 5) },
		"an event from elsewhere": func(f *fleet) { publish(t, f.servers[2], "anna", 4); time.Sleep(renewEvery) },
		"the next renewal":        func(*fleet) { time.Sleep(renewEvery) },
	} {
		t.Run(name, func(t *testing.T) {
			inFleet(t, Options{}, func(t *testing.T, f *fleet) {
				pages := []*page{ready(t, f.servers[0], "anna"), ready(t, f.servers[1], "anna")}
				for i := range 3 {
					publish(t, f.servers[0], "anna", i)
					synctest.Wait()
					for _, p := range pages {
						p.connect("").text(t)
					}
				}
				f.lose("anna", 3)
				then(f)
				synctest.Wait()
				for _, p := range pages {
					if got := p.connect(`,"advice":{"timeout":0}`).text(t); !strings.Contains(got, "402::") {
						t.Errorf("connect at server %d = %s; want a new handshake", slices.Index(f.servers, p.s), got)
					}
					p = ready(t, p.s, "anna")
					publish(t, f.servers[0], "anna", 6)
					if got := dataOf(t, p.connect("").text(t)); got != "6" {
						t.Errorf("events after that = %q; want 6", got)
					}
				}
			})
		})
	}
}
