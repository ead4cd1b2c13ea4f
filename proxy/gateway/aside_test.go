package gateway

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// idleNow returns how many wait for an errand, once nothing runs.
func idleNow(a *aside) int {
	synctest.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.idle)
}

// TestErrandsAreRunByAFew also holds that none are left: a bubble in which goroutines are fails.
func TestErrandsAreRunByAFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a aside
		var readers sync.WaitGroup
		over := make(chan struct{})
		begun := make(chan struct{}, 3*mostIdle)
		a.enter()
		for range cap(begun) {
			readers.Go(func() {
				a.enter()
				defer a.leave()
				a.errand(func() { begun <- struct{}{}; <-over }).call()
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
		a.errand(func() {}).call()
		if got := idleNow(&a); got != mostIdle {
			t.Errorf("%d wait after one more errand; want %d", got, mostIdle)
		}
		a.leave()
		if got := idleNow(&a); got != 0 {
			t.Errorf("%d wait when the last reader has left; want none", got)
		}
	})
}

func TestAPanicAsideIsTheCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a aside
		a.enter()
		defer a.leave()
		defer func() {
			err, _ := recover().(error)
			if err == nil || !strings.Contains(err.Error(), "oh dear") {
				t.Errorf("the caller panics with %v; want what the errand did", err)
			}
			ran := false
			a.errand(func() { ran = true }).call()
			if !ran {
				t.Error("no errand is run after one that panicked")
			}
		}()
		a.errand(func() { panic("oh dear") }).call()
	})
}
