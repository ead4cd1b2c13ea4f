package store

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func testPace(t *testing.T, k kit) {
	const every = 10 * time.Minute
	expect := func(what, key string, want time.Duration) {
		t.Helper()
		got, err := k.pace.Next(t.Context(), key, every, 1)
		if err != nil || got > want || got < want-k.slack || (got == 0) != (want == 0) {
			t.Errorf("%s: Next = %v, %v; want %v, or up to %v less", what, got, err, want, k.slack)
		}
	}
	expect("the first", "a", 0)
	expect("the second at once", "a", every)
	expect("another key", "b", 0)
	k.pass(6 * time.Minute)
	expect("the second, later", "a", 4*time.Minute)
	k.pass(4 * time.Minute)
	expect("the second in time", "a", 0)
	k.pass(time.Hour)
	expect("after a pause, in which nobody saves up", "a", 0)
	expect("after a pause, the second", "a", every)
}

func testYields(t *testing.T, k kit) {
	const every = 10 * time.Minute
	begins := func(what string, urgent int, want bool) {
		t.Helper()
		wait, err := k.pace.Next(t.Context(), "a", every, urgent)
		if err != nil || (wait == 0) != want {
			t.Errorf("%s: Next = %v, %v; want leave: %v", what, wait, err, want)
		}
	}
	begins("who yields, alone", 0, true)
	begins("who yields, too early", 0, false)
	k.pass(every)
	begins("who yields, in time, while others have only yielded", 0, true)
	begins("who does not, too early", 1, false)
	k.pass(every)
	begins("who yields, while another is expected back", 0, false)
	begins("who is expected back", 1, true)
	begins("another who does not, too early", 1, false)
	k.pass(2*every + time.Minute)
	begins("who yields, once nobody comes back", 0, true)
	k.pass(every)
	begins("the first of two who do not", 2, true)
	k.pass(every)
	begins("who yields, before the second", 0, false)
	begins("the second", 1, true)
	k.pass(every)
	begins("who yields, after the last", 0, true)
}

// Replicas that ask as often as they can get leave no more often than one would.
func TestReplicasShareAPace(t *testing.T) {
	server := startServer(t)
	const every, within = 50 * time.Millisecond, time.Second
	var begun atomic.Int64
	var work sync.WaitGroup
	began := time.Now()
	for range 3 {
		v := server.open(t, nil)
		for range 3 {
			work.Go(func() {
				for time.Since(began) < within {
					wait, err := v.Pace().Next(t.Context(), "a", every, 1)
					if err != nil {
						t.Error(err)
						return
					}
					if wait == 0 {
						begun.Add(1)
					}
				}
			})
		}
	}
	work.Wait()
	if most := int64(time.Since(began)/every) + 1; begun.Load() > most || begun.Load() < 2 {
		t.Errorf("%d have begun in %v; want at most %d", begun.Load(), time.Since(began), most)
	}
}
