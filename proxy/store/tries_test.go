package store

import (
	"testing"
	"time"

	"portico/proxy/throttle"
)

func testCounts(t *testing.T, k kit) {
	ctx := t.Context()
	limit := throttle.Limit{Failures: 3, Within: 15 * time.Minute}
	expect := func(what, key string, want time.Duration) {
		t.Helper()
		got, err := k.tries.Wait(ctx, key, limit)
		if err != nil || got > want || got < want-k.slack {
			t.Errorf("%s: Wait = %v, %v; want %v, or up to %v less", what, got, err, want, k.slack)
		}
	}
	fails := func(key string) {
		t.Helper()
		must(t, k.tries.Fail(ctx, key, limit))
	}
	expect("a key that never failed", "a", 0)
	fails("a")
	k.pass(10 * time.Minute)
	fails("a")
	expect("two failures of three", "a", 0)
	limit.Failures = 2
	expect("two failures, asked with room for one less", "a", 5*time.Minute)
	limit.Failures = 3
	fails("a")
	expect("three, the first 10 minutes ago", "a", 5*time.Minute)
	expect("another key", "b", 0)
	k.pass(5 * time.Minute)
	expect("once the first has left the window", "a", 0)
	fails("a")
	expect("a fourth, with the window still full of the others", "a", 10*time.Minute)
	fails("a")
	expect("one that was counted beyond the limit", "a", 10*time.Minute)
	k.pass(15 * time.Minute)
	expect("a window later", "a", 0)
}

func testSuccesses(t *testing.T, k kit) {
	ctx := t.Context()
	known := func(what string, want bool) {
		t.Helper()
		got, err := k.tries.Succeeded(ctx, "a")
		if err != nil || got != want {
			t.Errorf("%s: Succeeded = %v, %v; want %v", what, got, err, want)
		}
	}
	known("a key that nobody knows", false)
	must(t, k.tries.Fail(ctx, "a", throttle.Limit{Failures: 3, Within: time.Hour}))
	known("a key that only failed", false)
	must(t, k.tries.Succeed(ctx, "a", 24*time.Hour))
	k.pass(24*time.Hour - time.Minute)
	known("a key that succeeded a day ago", true)
	k.pass(time.Minute)
	known("a key that succeeded longer ago than it is remembered", false)
}
