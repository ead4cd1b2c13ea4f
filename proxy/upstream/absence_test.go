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
