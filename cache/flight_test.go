package cache

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var errRefused = errors.New("refused")

// TestFetchThatGoesWrong has ten callers wait for a first fetch that goes wrong in some way. All
// are freed in time with an error; a second later the next fetch succeeds.
func TestFetchThatGoesWrong(t *testing.T) {
	const timeout = 10 * time.Second
	var ignoring chan struct{} // closed to end the fetch that ignores its context
	tests := []struct {
		name  string
		first func(context.Context) (*list, error)
		freed time.Duration
		check func(error) bool
	}{
		{"the upstream refuses", func(context.Context) (*list, error) { return nil, errRefused },
			0, func(err error) bool { return errors.Is(err, errRefused) }},
		{"the fetch panics", func(context.Context) (*list, error) { panic("out of cheese") },
			0, func(err error) bool {
				panicked, ok := errors.AsType[*PanicError](err)
				return ok && panicked.Value == "out of cheese" && strings.Contains(err.Error(), "flight_test.go")
			}},
		{"the fetch panics with an error", func(context.Context) (*list, error) { panic(errRefused) },
			0, func(err error) bool { return !errors.Is(err, errRefused) && strings.Contains(err.Error(), "refused") }},
		{"the fetch ends its goroutine", func(context.Context) (*list, error) { runtime.Goexit(); return nil, nil },
			0, func(err error) bool { return strings.Contains(err.Error(), "ended its goroutine") }},
		{"the fetch returns nothing", func(context.Context) (*list, error) { return nil, nil },
			0, func(err error) bool { return strings.Contains(err.Error(), "returned nothing") }},
		{"the fetch hangs and has the last word", func(ctx context.Context) (*list, error) {
			<-ctx.Done()
			return nil, errors.Join(errRefused, ctx.Err())
		}, timeout, func(err error) bool { return errors.Is(err, errRefused) && errors.Is(err, context.DeadlineExceeded) }},
		{"the fetch hangs and ignores its context", func(context.Context) (*list, error) {
			<-ignoring
			return &list{[]string{"too late"}}, nil
		}, timeout + lastWords, func(err error) bool { return errors.Is(err, context.DeadlineExceeded) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ignoring = make(chan struct{})
				up := &upstream{answer: func(ctx context.Context, call int64) (*list, error) {
					if call == 1 {
						return test.first(ctx)
					}
					return &list{[]string{"Available"}}, nil
				}}
				cell, reg := newCell(t, up, within(timeout))
				started := time.Now()
				var group sync.WaitGroup
				for range 10 {
					group.Go(func() {
						_, err := cell.Get(t.Context())
						if err == nil || !test.check(err) || !strings.HasPrefix(err.Error(), `cache: fetch catalogue of site "pureconnect": `) {
							t.Errorf("Get = %v; want another error", err)
						}
						if time.Since(started) != test.freed {
							t.Errorf("freed after %v; want %v", time.Since(started), test.freed)
						}
					})
				}
				group.Wait()
				close(ignoring)

				time.Sleep(retryAfter)
				got := names(t, cell)
				if got[0] != "Available" {
					t.Errorf("next Get = %v; want the second fetch", got)
				}
				if got := up.calls.Load(); got != 2 {
					t.Errorf("%d fetches; want 2", got)
				}
				if got := lookups(t, reg, Failed); got != 10 {
					t.Errorf("look-ups that failed = %v; want 10", got)
				}
				if got := number(t, reg, "portico_catalogue_fetches_total", "outcome", "error"); got != 1 {
					t.Errorf("failed fetches counted = %v; want 1", got)
				}
				if got := number(t, reg, "portico_catalogue_repeat_fetches_total"); got != 0 {
					t.Errorf("repeat fetches = %v; want 0: the first one failed", got)
				}
			})
		})
	}
}

func TestFailureIsTriedAgainAtMostOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &upstream{answer: func(context.Context, int64) (*list, error) { return nil, errRefused }}
		cell, _ := newCell(t, up)
		_, first := cell.Get(t.Context())
		for range 40 { // a Get each 100 ms, from 100 ms to 4 s after the first
			time.Sleep(100 * time.Millisecond)
			_, err := cell.Get(t.Context())
			if !errors.Is(err, errRefused) {
				t.Fatalf("Get = %v; want refused", err)
			}
			if up.calls.Load() == 1 && err != first {
				t.Errorf("Get = %v; want the very error of the fetch", err)
			}
		}
		if got := up.calls.Load(); got != 5 {
			t.Errorf("%d fetches in 4 s; want 5", got)
		}
	})
}

func TestDropFreesThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cancelled := make(chan error, 1)
		up := &upstream{answer: func(ctx context.Context, _ int64) (*list, error) {
			<-ctx.Done()
			cancelled <- ctx.Err()
			return &list{[]string{"too late"}}, nil
		}}
		cell, reg := newCell(t, up)
		var group sync.WaitGroup
		for range 10 {
			group.Go(func() {
				_, err := cell.Get(t.Context())
				if !errors.Is(err, ErrClosed) {
					t.Errorf("Get = %v; want ErrClosed", err)
				}
			})
		}
		synctest.Wait()
		cell.Drop()
		group.Wait()
		if err := <-cancelled; !errors.Is(err, context.Canceled) {
			t.Errorf("the fetch saw %v; want cancelled", err)
		}
		synctest.Wait()
		if held, ok := cell.Snapshot(); ok {
			t.Errorf("the cell holds %v after Drop; want nothing", held.Value)
		}
		_, err := cell.Get(t.Context())
		if !errors.Is(err, ErrClosed) || up.calls.Load() != 1 {
			t.Errorf("Get after Drop = %v with %d fetches; want ErrClosed, 1", err, up.calls.Load())
		}
		if got := number(t, reg, "portico_catalogue_entries"); got != 0 {
			t.Errorf("entries = %v; want 0", got)
		}
	})
}

func TestSessionThatEndsAsTheFetchReturns(t *testing.T) {
	cell, _ := newCell(t, always("Available"))
	_, _, err := cell.takeOff(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cell.Drop()
	_, err = cell.land(answer[list]{value: &list{[]string{"Available"}}, asked: true})
	if !errors.Is(err, ErrClosed) {
		t.Errorf("land = %v; want ErrClosed", err)
	}
	if _, ok := cell.Snapshot(); ok {
		t.Error("the cell holds a value after Drop; want nothing")
	}
}

func TestCellEndsWithItsSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		life, end := context.WithCancel(t.Context())
		up := always("Available")
		cell := NewCell(life, CellOptions[list]{Cache: Access, Site: site, Fetch: up.fetch})
		names(t, cell)
		end()
		synctest.Wait()
		_, err := cell.Get(t.Context())
		if !errors.Is(err, ErrClosed) {
			t.Errorf("Get = %v; want ErrClosed", err)
		}
		cell.Replace(&list{})
		cell.Update(with("Lunch"))
		if _, ok := cell.Snapshot(); ok {
			t.Error("a dead cell keeps a list; want nothing")
		}
	})
}

func TestCellOfASessionThatHasEnded(t *testing.T) {
	life, end := context.WithCancel(t.Context())
	end()
	up := always("Available")
	cell := NewCell(life, CellOptions[list]{Cache: Catalogue, Site: site, Fetch: up.fetch})
	_, err := cell.Get(t.Context())
	if !errors.Is(err, ErrClosed) || up.calls.Load() != 0 {
		t.Errorf("Get = %v with %d fetches; want ErrClosed, 0", err, up.calls.Load())
	}
}

// TestFlightLooksASecondTime takes off as one does who looked before the last flight landed.
func TestFlightLooksASecondTime(t *testing.T) {
	t.Run("and finds the value", func(t *testing.T) {
		up := always("Available")
		cell, _ := newCell(t, up)
		names(t, cell)
		landed, err := cell.fly(t.Context())
		if err != nil || landed.result(true) != Hit || up.calls.Load() != 1 {
			t.Errorf("fly = %v, %v with %d fetches; want a hit without a second one", landed.result(true), err, up.calls.Load())
		}
	})
	t.Run("and finds a failure", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			up := &upstream{answer: func(context.Context, int64) (*list, error) { return nil, errRefused }}
			cell, _ := newCell(t, up)
			_, first := cell.Get(t.Context())
			_, err := cell.fly(t.Context())
			if err != first || up.calls.Load() != 1 {
				t.Errorf("fly = %v with %d fetches; want the first one's error", err, up.calls.Load())
			}
		})
	})
}

func TestFetchFollowsTheCallerWhoLed(t *testing.T) {
	type key struct{}
	var knew any
	cell, _ := newCell(t, always("Available"), func(opts *CellOptions[list]) {
		fetch := opts.Fetch
		opts.Fetch = func(ctx context.Context) (*list, error) { knew = ctx.Value(key{}); return fetch(ctx) }
		opts.Follow = func(life, caller context.Context) context.Context {
			return context.WithValue(life, key{}, caller.Value(key{}))
		}
	})
	_, err := cell.Get(context.WithValue(t.Context(), key{}, "the caller's trace"))
	if err != nil || knew != "the caller's trace" {
		t.Errorf("Get = %v, and the fetch knew %v; want what the caller's context tells", err, knew)
	}
}
