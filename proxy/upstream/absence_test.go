package upstream

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/fault"
)

func TestOnlyTheHostsAnswersEndAnAbsence(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		ends bool
	}{
		{"an answer", nil, true},
		{"a refusal", fault.Invalid, true},
		{"no answer again", fault.Unreachable, false},
		{"another read that failed ended this one", fmt.Errorf("read: %w", context.Canceled), false},
		{"too much under way", &fault.Error{Kind: fault.Overloaded, RetryAfter: time.Second}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var a Absence
				a.Note(fault.Timeout)
				time.Sleep(LongAbsence)
				a.Note(c.err)
				if a.IsLong() == c.ends {
					t.Errorf("after %v without an answer IsLong = %v; want %v", LongAbsence, a.IsLong(), !c.ends)
				}
			})
		})
	}
}

func TestAPauseEndsWithTheAbsence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a Absence
		slept := func(during func()) time.Duration {
			began := time.Now()
			time.AfterFunc(time.Second, during)
			err := a.Sleep(t.Context(), LongestPause)
			if err != nil {
				t.Fatal(err)
			}
			return time.Since(began)
		}
		for _, c := range []struct {
			when   string
			during func()
			want   time.Duration
		}{
			{"a host that was not away answers", func() { a.Note(nil) }, LongestPause},
			{"it gives no answer", func() { a.Note(fault.Unreachable) }, LongestPause},
			{"it answers again", func() { a.Note(nil) }, time.Second},
			{"it comes and goes", func() { a.Note(fault.Unreachable); a.Note(nil) }, LongestPause},
			{"later again", func() { a.Note(fault.Unreachable); a.Note(nil) }, time.Second},
		} {
			got := slept(c.during)
			if got != c.want {
				t.Errorf("%s: a pause of %v took %v; want %v", c.when, LongestPause, got, c.want)
			}
		}
	})
}
