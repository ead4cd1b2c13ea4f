package upstream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

var ofPace = Limits{Logins: 10, LoginQueue: 50, LoginWait: 3 * time.Second}

// A queue notes when each of those got their turn who asked for it.
type queue struct {
	*guarded
	began time.Time
	work  sync.WaitGroup

	mu    sync.Mutex
	turns []string // guarded by mu
	at    []time.Duration
	errs  []error
}

func newQueue(t testing.TB) *queue { return &queue{guarded: newGuarded(t, ofPace), began: time.Now()} }

// ask has somebody wait for their turn, after those who wait already.
func (q *queue) ask(ctx context.Context, who string) {
	q.work.Go(func() {
		err := q.Guard.Turn(ctx, "get")
		q.mu.Lock()
		defer q.mu.Unlock()
		if err != nil {
			q.errs = append(q.errs, err)
			return
		}
		q.turns, q.at = append(q.turns, who), append(q.at, time.Since(q.began))
	})
	synctest.Wait()
}

func (q *queue) waiting(want int) {
	q.t.Helper()
	if got := int(testutil.ToFloat64(q.metrics.waiting)); got != want {
		q.t.Errorf("the metric shows %d who wait; want %d", got, want)
	}
}

func TestLogInsBeginOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t)
		reader := WithCause(t.Context(), Session)
		for n := range 5 {
			q.ask(reader, fmt.Sprint("reader", n))
			q.ask(t.Context(), fmt.Sprint("caller", n))
		}
		q.waiting(9)
		q.work.Wait()
		want := []string{"reader0", "caller0", "caller1", "caller2", "caller3", "caller4", "reader1", "reader2", "reader3", "reader4"}
		if !slices.Equal(q.turns, want) {
			t.Errorf("turns: %q; want %q", q.turns, want)
		}
		for n, at := range q.at {
			if at != time.Duration(n)*100*time.Millisecond {
				t.Errorf("turn %d came after %v; want %v", n, at, time.Duration(n)*100*time.Millisecond)
			}
		}
		q.waiting(0)
		if got := testutil.CollectAndCount(q.metrics.waits); got != 1 {
			t.Errorf("%d series of waits; want 1", got)
		}
	})
}

func TestACallerWhoseTurnWouldComeTooLateIsToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t)
		for n := range 100 {
			q.ask(t.Context(), fmt.Sprint(n))
		}
		if now := time.Since(q.began); now != 0 || len(q.errs) != 69 {
			t.Fatalf("%d of 100 were refused within %v; want 69 at once: one goes, and 30 can within 3 s", len(q.errs), now)
		}
		wantRefusedHere(t, "a caller who came too late", q.errs[0])
		if got := q.shorts(shortPaced); got != 69 {
			t.Errorf("%d are counted; want 69", got)
		}
		q.work.Wait()
		if last := q.at[len(q.at)-1]; last > 3*time.Second {
			t.Errorf("the last turn came after %v; want 3s", last)
		}
	})
}

func TestTheQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t)
		q.Guard.pace.room = 5
		for n := range 10 {
			q.ask(t.Context(), fmt.Sprint(n))
		}
		if len(q.errs) != 4 {
			t.Errorf("%d of 10 were refused; want 4", len(q.errs))
		}
		q.work.Wait()
	})
}

func TestWhoLeavesFreesTheirPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t)
		leaving, leave := context.WithCancel(t.Context())
		gone := make(chan struct{})
		q.ask(t.Context(), "first")
		q.ask(leaving, "leaves")
		q.ask(WithWish(t.Context(), Wish{Gone: gone}), "is not wanted")
		q.ask(t.Context(), "last")
		q.waiting(3)
		leave()
		close(gone)
		synctest.Wait()
		q.waiting(1)
		q.work.Wait()
		if !slices.Equal(q.turns, []string{"first", "last"}) || q.at[1] != 100*time.Millisecond {
			t.Errorf("turns: %q at %v; want the last at once after the first", q.turns, q.at)
		}
		if len(q.errs) != 2 || !errors.Is(q.errs[0], context.Canceled) || !errors.Is(q.errs[1], context.Canceled) {
			t.Errorf("who left got %v; want %v twice", q.errs, context.Canceled)
		}
	})
}

func TestAReadersLogInThatACallerWaitsForIsTheirs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t)
		urgent := make(chan struct{}, 1)
		reader := WithCause(t.Context(), Session)
		for n := range 20 {
			q.ask(reader, fmt.Sprint(n))
		}
		q.ask(WithWish(reader, Wish{Urgent: urgent}), "urgent")
		urgent <- struct{}{}
		q.work.Wait()
		if at := slices.Index(q.turns, "urgent"); at != 1 {
			t.Errorf("the urgent one is number %d; want 1", at)
		}
	})
}
