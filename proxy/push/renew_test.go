package push

import (
	"context"
	"fmt"
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
