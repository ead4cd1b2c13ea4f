package aside

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// idleNow returns how many wait for an errand, once nothing runs.
func idleNow(a *Pool) int {
	synctest.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.idle)
}

// TestErrandsAreRunByAFew also holds that none are left: a bubble in which goroutines are fails.
func TestErrandsAreRunByAFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a Pool
		var readers sync.WaitGroup
		over := make(chan struct{})
		begun := make(chan struct{}, 3*mostIdle)
		a.Enter()
		for range cap(begun) {
			readers.Go(func() {
				a.Enter()
				defer a.Leave()
				a.Call(func() { begun <- struct{}{}; <-over })
			})
		}
		synctest.Wait()
		if len(begun) != cap(begun) {
			t.Errorf("%d of %d errands run side by side", len(begun), cap(begun))
		}
		close(over)
		readers.Wait()
		if got := idleNow(&a); got != mostIdle {
			t.Errorf("%d wait for more; want %d", got, mostIdle)
		}
		a.Call(func() {})
		if got := idleNow(&a); got != mostIdle {
			t.Errorf("%d wait after one more errand; want %d", got, mostIdle)
		}
		a.Leave()
		if got := idleNow(&a); got != 0 {
			t.Errorf("%d wait when the last reader has left; want none", got)
		}
	})
}

func TestAPanicAsideIsTheCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a Pool
		a.Enter()
		defer a.Leave()
		defer func() {
			err, _ := recover().(error)
			if err == nil || !strings.Contains(err.Error(), "oh dear") {
				t.Errorf("the caller panics with %v; want what the errand did", err)
			}
			ran := false
			a.Call(func() { ran = true })
			if !ran {
				t.Error("no errand is run after one that panicked")
			}
		}()
		a.Call(func() { panic("oh dear") })
	})
}
