package gateway

import (
	"strings"
	"testing"
	"time"
)

// TestInstant holds that what instants are compared by is not the clock that operators and time servers set.
func TestInstant(t *testing.T) {
	var i instant
	if !i.time().IsZero() {
		t.Errorf("before anything happened: %v", i.time())
	}
	before := time.Now()
	i.note()
	first, again := i.time(), i.time()
	if first.Before(before) || time.Now().Before(first) || !first.Equal(again) {
		t.Errorf("%v, then %v; want twice the same moment after %v", first, again, before)
	}
	if !strings.Contains(first.String(), "m=") {
		t.Errorf("%v has no monotonic reading", first)
	}
	i.forget()
	if !i.time().IsZero() {
		t.Errorf("when forgotten: %v", i.time())
	}
}
