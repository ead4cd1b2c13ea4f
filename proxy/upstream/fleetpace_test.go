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
)

// A ledger is what replicas ask for turns: no two of them within the time between, and callers first.
type ledger struct {
	delay  time.Duration // of each answer
	others time.Duration // that many others begin as often as who asks

	mu            sync.Mutex
	free, awaited time.Time // guarded by mu
	down          bool      // guarded by mu
	asked         int       // guarded by mu
}

func (l *ledger) ask(_ context.Context, every time.Duration, callers int) (time.Duration, error) {
	time.Sleep(l.delay)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	if l.down {
		return 0, errors.New("no answer")
	}
	now, free := time.Now(), l.free
	if callers == 0 && l.awaited.After(free) {
		free = l.awaited
	}
	if now.Before(free) {
		if callers > 0 {
			l.awaited = free.Add(every + every/2)
		}
		return free.Sub(now), nil
	}
	l.free = now.Add((1 + l.others) * every)
	if callers > 1 {
		l.awaited = l.free.Add(every / 2)
	}
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
func TestABusyFleetRefusesCallersInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := (&ledger{others: 1}).replica(t)
		for n := range 25 {
			a.ask(t.Context(), fmt.Sprint(n))
		}
		time.Sleep(2 * time.Second)
		for n := range 25 {
			a.ask(t.Context(), fmt.Sprint("late", n))
		}
		if refused := len(a.errs); refused < 20 { // at its own pace the replica would let in 15, and refuse the others
			t.Errorf("%d of 25 were refused who come late to a line of 15; want 20 or more, as turns come half as often", refused)
		}
		for _, err := range a.errs {
			wantRefusedHere(t, "a caller who came too late", err)
		}
		a.work.Wait()
		if last := a.at[len(a.at)-1]; last > 2*time.Second+ofPace.LoginWait+ofPace.LoginWait/10 {
			t.Errorf("the last turn came after %v; want at most %v later than the last who came", last, ofPace.LoginWait)
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
