package store

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func testLeases(t *testing.T, k kit) {
	ctx := t.Context()
	take := func(what, holder string, want bool) {
		t.Helper()
		got, err := k.leases.Take(ctx, "anna", holder, 10*time.Minute)
		if err != nil || got.Held != want {
			t.Errorf("%s: Take = %v, %v; want %v", what, got, err, want)
		}
	}
	release := func(holder string) {
		t.Helper()
		must(t, k.leases.Release(ctx, "anna", holder))
	}
	release("A") // one that nobody holds
	take("a lease that nobody holds", "A", true)
	take("one that another holds", "B", false)
	k.pass(8 * time.Minute)
	take("one's own", "A", true)
	k.pass(8 * time.Minute)
	take("one that was renewed", "B", false)
	release("B")
	take("one that others tried to release", "B", false)
	release("A")
	take("one that was released", "B", true)
	take("one that was released and taken since", "A", false)
	k.pass(10 * time.Minute)
	take("one that ran out", "A", true)
}

func testFences(t *testing.T, k kit) {
	ctx := t.Context()
	var last uint64
	take := func(what, holder string, grows bool) {
		t.Helper()
		got, err := k.leases.Take(ctx, "anna", holder, time.Minute)
		if err != nil || (got.Fence > last) != grows || got.Fence < last {
			t.Errorf("%s has number %d, %v, after %d; want a greater one: %v", what, got.Fence, err, last, grows)
		}
		last = got.Fence
	}
	take("the first lease", "A", true)
	take("a renewed one", "A", false)
	take("that of another, asked for", "B", false)
	k.pass(time.Minute)
	take("one taken over", "B", true)
	k.pass(time.Minute)
	take("one that ran out, of the same holder", "B", true)
	must(t, k.leases.Release(ctx, "anna", "B"))
	take("one that was released", "A", true)

	for round := range 20 {
		k.pass(time.Minute)
		var holders atomic.Int32
		var work sync.WaitGroup
		for i := range 4 {
			work.Go(func() {
				lease, err := k.leases.Take(ctx, "anna", fmt.Sprint(i), time.Minute)
				if err == nil && lease.Held && lease.Fence > last {
					holders.Add(1)
				}
			})
		}
		work.Wait()
		if holders.Load() != 1 {
			t.Fatalf("round %d: %d replicas got the lease", round, holders.Load())
		}
	}
}
