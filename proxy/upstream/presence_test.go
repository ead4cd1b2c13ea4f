package upstream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/fault"
)

func TestAPresenceTellsWhenASiteComesAndGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := []error{fault.Unreachable, nil, nil, fault.Timeout, fault.Unreachable, nil}
		began := time.Now()
		var told []error
		var changes []string
		p := Presence{
			Ask:  func(context.Context) error { return answers[len(told)] },
			Told: func(err error) { told = append(told, err) },
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(len(answers)-1)*ProbeEvery+time.Second)
		defer cancel()
		err := p.Run(ctx, func(up bool) {
			if p.IsUp() != up {
				t.Errorf("IsUp = %v while it becomes %v", !up, up)
			}
			changes = append(changes, fmt.Sprint(up, " at ", time.Since(began)))
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Run = %v; want the end of its context", err)
		}
		if want := []string{"true at 10s", "false at 30s", "true at 50s"}; !slices.Equal(changes, want) {
			t.Errorf("changes = %q; want %q", changes, want)
		}
		if !slices.Equal(told, answers) {
			t.Errorf("told %v; want each of %v", told, answers)
		}
	})
}

func TestAPresenceHoldsAProbeThatWasBrokenOffAgainstNobody(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := Presence{
		Ask:  func(ctx context.Context) error { cancel(); return ctx.Err() },
		Told: func(err error) { t.Errorf("told %v; want nothing", err) },
	}
	err := p.Run(ctx, func(up bool) { t.Errorf("the site became %v; want no change", up) })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v; want the end of its context", err)
	}
}
