package gateway

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/fault"
	"portico/proxy/upstream"
)

// expectHurry holds whether the next log-in of a reader would be a caller's.
func (j *joining) expectHurry(t *testing.T, when string, want bool) {
	t.Helper()
	if got := len(j.hurry.channel()) > 0; got != want {
		t.Errorf("%s: a reader's log-in is hurried: %v; want %v", when, got, want)
	}
}

// taken takes the lock and returns what frees it.
func (j *joining) taken(ctx context.Context, t *testing.T) func() {
	t.Helper()
	release, err := j.hold(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return release
}

func TestACallerWhoNeedNotWaitHurriesNobody(t *testing.T) {
	for range 100 { // as often as not it would be one who does
		var j joining
		j.taken(t.Context(), t)()
		j.expectHurry(t, "a caller has come and gone", false)
	}
}

func TestALogInIsHurriedWhileACallerWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j joining
		reader := upstream.WithCause(t.Context(), upstream.Session)
		release := j.taken(reader, t)
		j.expectHurry(t, "nobody waits", false)
		for range 2 {
			go func() { j.taken(t.Context(), t)() }()
		}
		synctest.Wait()
		j.expectHurry(t, "two callers wait", true)
		release()
		synctest.Wait()
		j.expectHurry(t, "both had the lock", false)

		release = j.taken(reader, t)
		leaving, leave := context.WithCancel(t.Context())
		left := make(chan error)
		for _, ctx := range []context.Context{leaving, t.Context()} {
			go func() {
				_, err := j.hold(ctx)
				left <- err
			}()
		}
		synctest.Wait()
		leave()
		if err := <-left; !errors.Is(err, fault.Timeout) {
			t.Errorf("a caller who leaves: %v; want %v", err, fault.Timeout)
		}
		j.expectHurry(t, "one of two has left", true)
		time.Sleep(joinPatience)
		if err := <-left; !errors.Is(err, fault.Overloaded) {
			t.Errorf("a caller who waits for long: %v; want %v", err, fault.Overloaded)
		}
		j.expectHurry(t, "both have given up", false)
		release()
	})
}

// TestTheNextCallersWordStays has one caller leave while the next begins to wait.
func TestTheNextCallersWordStays(t *testing.T) {
	for range 100_000 {
		var j joining
		j.press()
		var both sync.WaitGroup
		start := make(chan struct{})
		both.Go(func() { <-start; j.rest() })
		both.Go(func() { <-start; j.press() })
		close(start)
		both.Wait()
		if len(j.hurry.channel()) != 1 {
			t.Fatal("a caller waits, and nobody is told")
		}
		j.rest()
		if len(j.hurry.channel()) != 0 {
			t.Fatal("nobody waits, and a log-in is told that a caller does")
		}
	}
}
