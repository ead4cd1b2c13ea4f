package guesses

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/fault"
	"portico/proxy/session"
	"portico/proxy/throttle"
)

var (
	anna   = Account{"pureconnect", "anna"}
	home   = netip.MustParseAddr("192.0.2.1")
	abroad = netip.MustParseAddr("198.51.100.7")
)

// refuse has passwords tried and refused until the gate lets no more be, at most so many times, and returns how
// many were tried.
func refuse(t *testing.T, g *Gate, of Account, from netip.Addr, most int) int {
	t.Helper()
	for tried := range most {
		err := g.MayTry(t.Context(), []Account{of}, from)
		if errors.Is(err, fault.Throttled) {
			return tried
		}
		if err == nil {
			err = g.Tried(t.Context(), []Account{of}, from, true)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return most
}

func TestWhoMayTry(t *testing.T) {
	for name, c := range map[string]struct {
		play func(*testing.T, *Gate) int
		want int
	}{
		"a stranger":                 {func(t *testing.T, g *Gate) int { return refuse(t, g, anna, abroad, 10) }, 3},
		"strangers at two addresses": {func(t *testing.T, g *Gate) int { return refuse(t, g, anna, abroad, 10) + refuse(t, g, anna, home, 10) }, 4},
		"an address with many names": {func(t *testing.T, g *Gate) int { return sprayed(t, g) }, 5},
		"names that differ by case": {func(t *testing.T, g *Gate) int {
			return refuse(t, g, anna, abroad, 2) + refuse(t, g, Account{"pureconnect", "ANNA "}, abroad, 10)
		}, 3},
		"a neighbour in IPv6":        {func(t *testing.T, g *Gate) int { return neighbours(t, g) }, 3},
		"who logged in there before": {func(t *testing.T, g *Gate) int { return familiar(t, g) }, 3},
		"a stranger a window later": {func(t *testing.T, g *Gate) int {
			refuse(t, g, anna, abroad, 10)
			time.Sleep(time.Minute)
			return refuse(t, g, anna, abroad, 10)
		}, 3},
		"the same name at other site": {func(t *testing.T, g *Gate) int {
			refuse(t, g, anna, abroad, 3)
			return refuse(t, g, Account{"premise", "anna"}, abroad, 2)
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := NewGate(nil, session.NewKey())
				g.Bound(Limits{PerName: 4, PerAddress: 5, Within: time.Minute})
				if got := c.play(t, g); got != c.want {
					t.Errorf("%d passwords were tried; want %d", got, c.want)
				}
			})
		})
	}
}

// sprayed tries two passwords on each of many names.
func sprayed(t *testing.T, g *Gate) int {
	tried := 0
	for _, name := range []string{"bea", "carl", "dora", "emil"} {
		tried += refuse(t, g, Account{"pureconnect", name}, abroad, 2)
	}
	return tried
}

// neighbours are two addresses of one caller's network.
func neighbours(t *testing.T, g *Gate) int {
	return refuse(t, g, anna, netip.MustParseAddr("2001:db8::1"), 2) + refuse(t, g, anna, netip.MustParseAddr("2001:db8::2"), 10)
}

// familiar is an agent who logged in at home before strangers used up the tries of the name.
func familiar(t *testing.T, g *Gate) int {
	err := g.Tried(t.Context(), []Account{anna}, home, false)
	if err != nil {
		t.Fatal(err)
	}
	refuse(t, g, anna, abroad, 10)
	refuse(t, g, anna, netip.MustParseAddr("203.0.113.9"), 10)
	return refuse(t, g, anna, home, 10)
}

// TestOneAccountAtATime holds that who locks several accounts waits for each, and nobody for ever.
func TestOneAccountAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(nil, session.NewKey())
		bea := Account{"premise", "bea"}
		unlock, err := g.Lock(t.Context(), []Account{anna, bea})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = g.Lock(ctx, []Account{bea, anna})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("while both are locked: %v; want %v", err, context.DeadlineExceeded)
		}
		unlock()
		for _, all := range [][]Account{{bea}, {anna}} {
			free, err := g.Lock(t.Context(), all)
			if err != nil {
				t.Fatal(err)
			}
			free()
		}
	})
}

// TestRemembered has two replicas remember together, for as long as they are to.
func TestRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared, key := throttle.NewMemory(), session.NewKey()
		here := NewRemembered("refused", time.Minute, shared, key, slog.New(slog.DiscardHandler))
		there := NewRemembered("refused", time.Minute, shared, key, slog.New(slog.DiscardHandler))
		other := NewRemembered("barred", time.Minute, shared, key, slog.New(slog.DiscardHandler))
		alone := NewRemembered("refused", time.Minute, nil, key, slog.New(slog.DiscardHandler))
		here.Add(t.Context(), "anna")
		holds := func(when string, r *Remembered, want bool) {
			t.Helper()
			got, err := r.Has(t.Context(), "anna")
			if err != nil || got != want {
				t.Errorf("%s: %v, %v; want %v", when, got, err, want)
			}
		}
		holds("here", here, true)
		holds("at another replica", there, true)
		holds("in another set", other, false)
		holds("in a process that is alone", alone, false)
		time.Sleep(2 * time.Minute)
		here.Sweep()
		holds("here, later", here, false)
		holds("at another replica, later", there, false)
	})
}

// A broken store answers each call, or those that count alone, with an error.
type broken struct {
	throttle.Store
	counts bool // only what counts is broken
}

var errBroken = errors.New("no answer")

func (b broken) Wait(context.Context, string, throttle.Limit) (time.Duration, error) {
	return 0, errBroken
}

func (b broken) Succeeded(ctx context.Context, key string) (bool, error) {
	if !b.counts {
		return false, errBroken
	}
	return b.Store.Succeeded(ctx, key)
}

func TestWhoCannotBeJudgedIsToldWhenToComeAgain(t *testing.T) {
	for _, store := range []broken{{throttle.NewMemory(), false}, {throttle.NewMemory(), true}} {
		g := NewGate(store, session.NewKey())
		_, entered := g.Enter(t.Context(), anna, home)
		for _, err := range []error{g.MayTry(t.Context(), []Account{anna}, home), entered} {
			if !errors.Is(err, fault.Overloaded) || !errors.Is(err, errBroken) || fault.RetryAfter(err) != storeRetry {
				t.Errorf("%v, again in %v; want %v in %v", err, fault.RetryAfter(err), fault.Overloaded, storeRetry)
			}
		}
	}
}
