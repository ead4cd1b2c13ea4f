package clock

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestInstant holds that what instants are compared by is not the clock that operators and time servers set.
func TestInstant(t *testing.T) {
	var i Instant
	if !i.Time().IsZero() {
		t.Errorf("before anything happened: %v", i.Time())
	}
	before := time.Now()
	i.Note()
	first, again := i.Time(), i.Time()
	if first.Before(before) || time.Now().Before(first) || !first.Equal(again) {
		t.Errorf("%v, then %v; want twice the same moment after %v", first, again, before)
	}
	if !strings.Contains(first.String(), "m=") {
		t.Errorf("%v has no monotonic reading", first)
	}
	i.Forget()
	if !i.Time().IsZero() {
		t.Errorf("when forgotten: %v", i.Time())
	}
}

func TestSinceTheLaterOfTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var i Instant
		earlier := time.Now()
		time.Sleep(time.Second)
		i.Note()
		time.Sleep(time.Second)
		later := time.Now()
		time.Sleep(time.Second)
		if got := i.Since(earlier); got != 2*time.Second {
			t.Errorf("beside an earlier moment: %v; want %v", got, 2*time.Second)
		}
		if got := i.Since(later); got != time.Second {
			t.Errorf("beside a later moment: %v; want %v", got, time.Second)
		}
		if got := i.Since(time.Now().Add(time.Second)); got != 0 {
			t.Errorf("beside one that is to come: %v; want 0", got)
		}
	})
}
