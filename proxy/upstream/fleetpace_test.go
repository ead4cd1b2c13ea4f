package upstream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A ledger is what replicas ask for turns: no two of them within the time between, and callers first.
type ledger struct {
	delay time.Duration // of each answer

	mu            sync.Mutex
	free, awaited time.Time // guarded by mu
	down          bool      // guarded by mu
	asked         int       // guarded by mu
}

func (l *ledger) ask(_ context.Context, every time.Duration, yields bool) (time.Duration, error) {
	time.Sleep(l.delay)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	if l.down {
		return 0, errors.New("no answer")
	}
	now, free := time.Now(), l.free
	if yields && l.awaited.After(free) {
		free = l.awaited
	}
	if now.Before(free) {
		if !yields {
			l.awaited = free.Add(2 * every)
		}
		return free.Sub(now), nil
	}
	l.free = now.Add(every)
	return 0, nil
}

func (l *ledger) setDown(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = down
}

// replica returns the queue of one that asks the ledger. All began together.
func (l *ledger) replica(t testing.TB) *queue {
	limits := ofPace
	limits.LoginTurn = l.ask
	return &queue{guarded: newGuarded(t, limits), began: time.Now()}
}

func wait(replicas ...*queue) {
	for _, q := range replicas {
		q.work.Wait()
	}
}

// expectEvery holds turns of all replicas together to a pace.
func expectEvery(t *testing.T, want time.Duration, replicas ...*queue) {
	t.Helper()
	var all []time.Duration
	for _, q := range replicas {
		if len(q.errs) > 0 {
			t.Errorf("refused: %v", q.errs)
		}
		all = append(all, q.at...)
	}
	slices.Sort(all)
	for n, at := range all {
		if at != time.Duration(n)*want {
			t.Fatalf("turns of all came at %v; want one each %v", all, want)
		}
	}
}

func TestReplicasTogetherKeepThePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := &ledger{}
		a, b := shared.replica(t), shared.replica(t)
		for n := range 10 {
			a.ask(t.Context(), fmt.Sprint("a", n))
			b.ask(t.Context(), fmt.Sprint("b", n))
		}
		wait(a, b)
		expectEvery(t, 100*time.Millisecond, a, b)
		if !slices.IsSorted(a.turns) || !slices.IsSorted(b.turns) {
			t.Errorf("turns out of their order: %q, %q", a.turns, b.turns)
		}
		if shared.asked > 3*20 {
			t.Errorf("the others were asked %d times for 20 turns", shared.asked)
		}
	})
}

func TestCallersOfAnyReplicaComeBeforeReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := &ledger{}
		a, b := shared.replica(t), shared.replica(t)
		for n := range 5 {
			a.ask(WithCause(t.Context(), Session), fmt.Sprint("reader", n))
		}
		for n := range 5 {
			b.ask(t.Context(), fmt.Sprint("caller", n))
		}
		wait(a, b)
		if before := len(slices.DeleteFunc(slices.Clone(a.at), func(at time.Duration) bool { return at > b.at[4] })); before > 2 {
			t.Errorf("%d readers of one replica, at %v, came before the last caller of another, at %v; want at most the 2 who were about to",
				before, a.at, b.at)
		}
	})
}

func TestAloneAReplicaKeepsItsOwnPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := &ledger{}
		shared.setDown(true)
		a := shared.replica(t)
		for n := range 10 {
			a.ask(t.Context(), fmt.Sprint(n))
		}
		wait(a)
		expectEvery(t, 100*time.Millisecond, a)
	})
}

// Others who log in make turns rarer, which those who come late are told in time.
func TestAFleetThatIsBusyRefusesCallersInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := &ledger{}
		a, b := shared.replica(t), shared.replica(t)
		for n := range 25 {
			a.ask(t.Context(), fmt.Sprint(n))
			b.ask(t.Context(), fmt.Sprint(n))
		}
		time.Sleep(time.Second)
		for n := range 25 {
			a.ask(t.Context(), fmt.Sprint("late", n))
		}
		if len(a.errs) == 0 {
			t.Error("nobody was refused though turns come half as often")
		}
		for _, err := range a.errs {
			wantRefusedHere(t, "a caller who came too late", err)
		}
		wait(a, b)
		for n, who := range a.turns {
			if late := a.at[n] - time.Second; strings.HasPrefix(who, "late") && late > ofPace.LoginWait+time.Second {
				t.Errorf("%s waited for %v; want at most about %v", who, late, ofPace.LoginWait)
			}
		}
	})
}

func TestATurnThatIsNotWantedGoesToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := &ledger{}
		a := shared.replica(t)
		a.ask(t.Context(), "first")
		for range 3 {
			a.ask(WithStill(t.Context(), func() error { return errors.New("not any more") }), "not wanted")
		}
		a.ask(t.Context(), "last")
		wait(a)
		if !slices.Equal(a.turns, []string{"first", "last"}) || a.at[1] != 100*time.Millisecond {
			t.Errorf("turns %q at %v; want the last in the turn that three gave back", a.turns, a.at)
		}
	})
}

// A slow answer holds nobody up who leaves, and costs no turns.
func TestSlowAnswersOfTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := &ledger{delay: 30 * time.Millisecond}
		a := shared.replica(t)
		leaving, leave := context.WithCancel(t.Context())
		a.ask(leaving, "leaves")
		leave()
		synctest.Wait()
		if len(a.errs) != 1 {
			t.Error("who leaves waits for an answer")
		}
		for n := range 10 {
			a.ask(t.Context(), fmt.Sprint(n))
		}
		wait(a)
		for n := 2; n < len(a.at); n++ {
			if gap := a.at[n] - a.at[n-1]; gap != 100*time.Millisecond {
				t.Errorf("turn %d came %v after the one before; want 100ms", n, gap)
			}
		}
		if len(a.turns) != 10 {
			t.Errorf("%d had a turn; want 10", len(a.turns))
		}
	})
}
