package cache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestChangesPushedByTheUpstream(t *testing.T) {
	const fetching = time.Second
	tests := []struct {
		name   string
		before func(*Cell[list]) // with nothing held and no fetch under way
		during func(*Cell[list]) // while the first fetch is under way
		then   func(*Cell[list]) // once it is held
		want   []string
		calls  int64
	}{
		{name: "an update of a held value makes a new one",
			then: func(c *Cell[list]) { c.Update(with("Lunch")) },
			want: []string{"Available", "Lunch"}, calls: 1},
		{name: "an update of nothing is dropped, since the fetch brings it",
			before: func(c *Cell[list]) { c.Update(with("Lunch")) },
			want:   []string{"Available"}, calls: 1},
		{name: "updates during a fetch are applied to it in order",
			during: func(c *Cell[list]) { c.Update(with("Lunch")); c.Update(with("Break")) },
			then:   func(c *Cell[list]) { c.Update(with("Gone")) },
			want:   []string{"Available", "Lunch", "Break", "Gone"}, calls: 1},
		{name: "an update that returns nil changes nothing",
			during: func(c *Cell[list]) { c.Update(func(*list) *list { return nil }) },
			then:   func(c *Cell[list]) { c.Update(func(*list) *list { return nil }) },
			want:   []string{"Available"}, calls: 1},
		{name: "a full list pushed first saves the fetch",
			before: func(c *Cell[list]) { c.Replace(&list{[]string{"Meeting"}}) },
			want:   []string{"Meeting"}, calls: 0},
		{name: "a full list pushed during a fetch wins, with what comes after it",
			during: func(c *Cell[list]) {
				c.Update(with("Lunch"))
				c.Replace(&list{[]string{"Meeting"}})
				c.Update(with("Break"))
			},
			want: []string{"Meeting", "Break"}, calls: 1},
		{name: "a purge during a fetch leaves the list that came meanwhile",
			during: func(c *Cell[list]) { c.Replace(&list{[]string{"Meeting"}}); c.Purge() },
			want:   []string{"Meeting"}, calls: 1},
		{name: "a full list replaces what is held",
			then: func(c *Cell[list]) { c.Replace(&list{[]string{"Meeting"}}); c.Update(with("Break")) },
			want: []string{"Meeting", "Break"}, calls: 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := after(fetching, "Available")
				cell, _ := newCell(t, up)
				do := func(step func(*Cell[list])) {
					if step != nil {
						step(cell)
					}
				}
				do(test.before)
				var group sync.WaitGroup
				group.Go(func() { names(t, cell) })
				synctest.Wait()
				do(test.during)
				group.Wait()
				do(test.then)
				if diff := cmp.Diff(test.want, names(t, cell)); diff != "" {
					t.Errorf("held (-want +got):\n%s", diff)
				}
				if got := up.calls.Load(); got != test.calls {
					t.Errorf("%d fetches; want %d", got, test.calls)
				}
			})
		})
	}
}

func TestValueThatIsReadIsNeverChanged(t *testing.T) {
	cell, _ := newCell(t, always("Available"))
	before := names(t, cell)
	cell.Update(with("Lunch"))
	if diff := cmp.Diff([]string{"Available"}, before); diff != "" {
		t.Errorf("a value read before the update (-want +got):\n%s", diff)
	}
}

// TestNoUpdateIsLost pushes numbered changes while fetches begin and end. Whatever the order, the
// value holds all changes that came after the fetch was answered.
func TestNoUpdateIsLost(t *testing.T) {
	const rounds, changes = 200, 50
	for range rounds {
		answered := make(chan struct{})
		up := &upstream{answer: func(context.Context, int64) (*list, error) {
			defer close(answered)
			return &list{}, nil
		}}
		cell, _ := newCell(t, up)
		var group sync.WaitGroup
		group.Go(func() { names(t, cell) })
		group.Go(func() { names(t, cell) })
		group.Go(func() {
			<-answered // from here on: the flight is about to end, ends, has ended
			for i := range changes {
				cell.Update(with(fmt.Sprint(i)))
			}
		})
		group.Wait()
		got := names(t, cell)
		if len(got) != changes {
			t.Fatalf("%d of %d changes arrived: %v", len(got), changes, got)
		}
		for i, name := range got {
			if name != fmt.Sprint(i) {
				t.Fatalf("change %d is %q: out of order", i, name)
			}
		}
	}
}

func TestFetchOverrunByChangesIsThrownAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := after(time.Second, "Available")
		cell, reg := newCell(t, up)
		var group sync.WaitGroup
		group.Go(func() {
			_, err := cell.Get(t.Context())
			if !errors.Is(err, errOverrun) {
				t.Errorf("Get = %v; want too many changes", err)
			}
		})
		synctest.Wait()
		for range maxPending + 1 {
			cell.Update(with("Lunch"))
		}
		group.Wait()
		time.Sleep(retryAfter)
		if diff := cmp.Diff([]string{"Available"}, names(t, cell)); diff != "" {
			t.Errorf("held (-want +got):\n%s", diff)
		}
		if got := number(t, reg, "portico_catalogue_repeat_fetches_total"); got != 1 {
			t.Errorf("repeat fetches = %v; want 1: the upstream answered twice", got)
		}
	})
}

func TestChangeThatPanicsDuringAFetchFailsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cell, _ := newCell(t, after(time.Second, "Available"))
		var group sync.WaitGroup
		group.Go(func() {
			_, err := cell.Get(t.Context())
			if _, ok := errors.AsType[*PanicError](err); !ok {
				t.Errorf("Get = %v; want a panic as an error", err)
			}
		})
		synctest.Wait()
		cell.Update(func(*list) *list { panic("out of cheese") })
		group.Wait()
		time.Sleep(retryAfter)
		names(t, cell) // the cell is not stuck
	})
}

func TestUnprovenValueIsServedForAsLongAsConfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := always("Available")
		cell, reg := newCell(t, up, staleFor(time.Minute))
		names(t, cell)
		cell.Unproven()
		time.Sleep(30 * time.Second)
		cell.Unproven() // the stream breaks again before it was proven: the first break counts
		if got, want := number(t, reg, "portico_catalogue_unproven_since_timestamp_seconds"), float64(time.Now().Add(-30*time.Second).Unix()); got != want {
			t.Errorf("unproven since %v; want %v", got, want)
		}
		time.Sleep(29 * time.Second)
		names(t, cell)
		if got := up.calls.Load(); got != 1 {
			t.Errorf("%d fetches after 59 s; want 1", got)
		}
		time.Sleep(time.Second)
		got, result, err := cell.Lookup(t.Context())
		if err != nil || result != Miss || up.calls.Load() != 2 {
			t.Errorf("Lookup after 60 s = %v, %v with %d fetches; want a miss and the second fetch", result, err, up.calls.Load())
		}
		if !got.Stale() || got.Age() != 0 {
			t.Errorf("fetched with the stream broken: stale %v, age %v; want stale, as nothing feeds it, and 0", got.Stale(), got.Age())
		}
		if got := number(t, reg, "portico_catalogue_fetches_total", "cause", "unproven", "outcome", "ok"); got != 1 {
			t.Errorf("fetches of unproven values = %v; want 1", got)
		}
		if got := number(t, reg, "portico_catalogue_repeat_fetches_total"); got != 0 {
			t.Errorf("repeat fetches = %v; want 0", got)
		}
	})
}

func TestUnprovenValueIsServedForEverByDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := always("Available")
		cell, reg := newCell(t, up)
		names(t, cell)
		cell.Unproven()
		time.Sleep(1000 * time.Hour)
		names(t, cell)
		if got := up.calls.Load(); got != 1 {
			t.Errorf("%d fetches; want 1", got)
		}
		if got := lookups(t, reg, StaleHit); got != 1 {
			t.Errorf("stale hits = %v; want 1", got)
		}
	})
}

func TestCellIsProvenAnew(t *testing.T) {
	tests := []struct {
		name  string
		prove func(*Cell[list])
	}{
		{"by a full list", func(c *Cell[list]) { c.Replace(&list{[]string{"Available"}}) }},
		{"by a stream that missed nothing", func(c *Cell[list]) { c.Proven() }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cell, reg := newCell(t, always("Available"), staleFor(time.Minute))
				entries := func(state string) float64 {
					return number(t, reg, "portico_catalogue_entries", "state", state)
				}
				names(t, cell)
				cell.Unproven()
				cell.Update(with("Lunch")) // does not prove the rest
				if proven, stale := entries("proven"), entries("unproven"); proven != 0 || stale != 1 {
					t.Errorf("entries after the break: %v proven, %v unproven; want 0, 1", proven, stale)
				}
				time.Sleep(time.Hour)
				test.prove(cell)
				got, result, err := cell.Lookup(t.Context())
				if err != nil || result != Hit || got.Stale() {
					t.Errorf("Lookup = %v, stale %v, %v; want a hit that is proven", result, got.Stale(), err)
				}
				if proven, stale := entries("proven"), entries("unproven"); proven != 1 || stale != 0 {
					t.Errorf("entries after the proof: %v proven, %v unproven; want 1, 0", proven, stale)
				}
				if got := number(t, reg, "portico_catalogue_unproven_since_timestamp_seconds"); got != 0 {
					t.Errorf("unproven since %v; want 0", got)
				}
			})
		})
	}
}

func TestStreamThatBreaksDuringTheFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cell, _ := newCell(t, after(2*time.Second, "Available"))
		var group sync.WaitGroup
		group.Go(func() { names(t, cell) })
		time.Sleep(time.Second)
		cell.Unproven()
		group.Wait()
		held, ok := cell.Snapshot()
		if !ok || held.Age() != time.Second {
			t.Errorf("held %v, age %v; want unproven for 1s, since the break", ok, held.Age())
		}
	})
}

func TestRefetchThatFailsLeavesTheOldValueToBeProven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &upstream{answer: func(_ context.Context, call int64) (*list, error) {
			if call > 1 {
				return nil, errRefused
			}
			return &list{[]string{"Available"}}, nil
		}}
		cell, _ := newCell(t, up, staleFor(time.Minute))
		names(t, cell)
		cell.Unproven()
		time.Sleep(time.Minute)
		_, err := cell.Get(t.Context())
		if !errors.Is(err, errRefused) {
			t.Errorf("Get of a value unproven too long = %v; want refused", err)
		}
		cell.Proven()
		if diff := cmp.Diff([]string{"Available"}, names(t, cell)); diff != "" {
			t.Errorf("held after the proof (-want +got):\n%s", diff)
		}
	})
}

func TestPurgedValueIsFetchedAgain(t *testing.T) {
	up := always("Available")
	cell, reg := newCell(t, up)
	cell.Purge() // of nothing: the next fetch is still a first need
	names(t, cell)
	cell.Purge()
	names(t, cell)
	if got := number(t, reg, "portico_catalogue_fetches_total", "cause", "refresh", "outcome", "ok"); got != 1 {
		t.Errorf("refreshes = %v; want 1", got)
	}
	if got := number(t, reg, "portico_catalogue_repeat_fetches_total"); got != 0 {
		t.Errorf("repeat fetches = %v; want 0", got)
	}
}
