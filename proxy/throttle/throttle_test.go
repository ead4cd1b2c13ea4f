package throttle

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { testStore(t, NewMemory()) })
}

// testStore is the contract that every Store passes. It runs where time does not pass by itself.
func testStore(t *testing.T, store Store) {
	t.Helper()
	ctx := t.Context()
	limit := Limit{Failures: 3, Within: 15 * time.Minute}
	expect := func(what, key string, want time.Duration) {
		t.Helper()
		got, err := store.Wait(ctx, key, limit)
		if err != nil || got != want {
			t.Errorf("%s: Wait = %v, %v; want %v", what, got, err, want)
		}
	}
	fail := func(key string) {
		t.Helper()
		err := store.Fail(ctx, key, limit)
		if err != nil {
			t.Fatal(err)
		}
	}
	expect("a key that never failed", "a", 0)
	fail("a")
	time.Sleep(10 * time.Minute)
	fail("a")
	expect("two failures of three", "a", 0)
	fail("a")
	expect("three, the first 10 minutes ago", "a", 5*time.Minute)
	expect("another key", "b", 0)
	time.Sleep(5 * time.Minute)
	expect("once the first has left the window", "a", 0)
	fail("a")
	expect("a fourth, with the window still full of the others", "a", 10*time.Minute)
	fail("a")
	expect("one that was counted beyond the limit", "a", 10*time.Minute)
	time.Sleep(15 * time.Minute)
	expect("a window later", "a", 0)

	known := func(what string, want bool) {
		t.Helper()
		got, err := store.Succeeded(ctx, "a")
		if err != nil || got != want {
			t.Errorf("%s: Succeeded = %v, %v; want %v", what, got, err, want)
		}
	}
	known("a key that only failed", false)
	err := store.Succeed(ctx, "a", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Hour - time.Nanosecond)
	known("a key that succeeded an hour ago", true)
	time.Sleep(time.Nanosecond)
	known("a key that succeeded longer ago than it is remembered", false)
}

func TestMemoryIsBounded(t *testing.T) {
	m := newMemory(10)
	limit := Limit{Failures: 2, Within: time.Hour}
	for i := range 1000 {
		key := fmt.Sprint(i)
		_ = m.Fail(t.Context(), key, limit)
		_ = m.Succeed(t.Context(), key, time.Hour)
		_ = m.Fail(t.Context(), "busy", limit)
	}
	busy, _ := m.failures.Peek("busy")
	if m.failures.Len() != 10 || m.succeeded.Len() != 10 || len(busy) != 2 || cap(busy) > 8 {
		t.Errorf("kept %d and %d keys, and %d failures of one in room for %d", m.failures.Len(), m.succeeded.Len(), len(busy), cap(busy))
	}
}
