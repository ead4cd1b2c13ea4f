package upstream

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestLimitedContextsEnd(t *testing.T) {
	left := errors.New("left")
	for name, tt := range map[string]struct {
		waited bool // somebody waits for the end
		cancel bool // the caller leaves after a second
		sooner bool // the caller's own time is over after a second
		want   error
		cause  error
		after  time.Duration
	}{
		"in time":                       {want: context.DeadlineExceeded, cause: context.DeadlineExceeded, after: 5 * time.Second},
		"in time, waited for":           {waited: true, want: context.DeadlineExceeded, cause: context.DeadlineExceeded, after: 5 * time.Second},
		"with the caller":               {cancel: true, want: context.Canceled, cause: left, after: time.Second},
		"with the caller, waited for":   {waited: true, cancel: true, want: context.Canceled, cause: left, after: time.Second},
		"with the caller's time":        {sooner: true, want: context.DeadlineExceeded, cause: context.DeadlineExceeded, after: time.Second},
		"with that time, as waited for": {waited: true, sooner: true, want: context.DeadlineExceeded, cause: context.DeadlineExceeded, after: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				caller, leave := context.WithCancelCause(t.Context())
				defer leave(nil)
				if tt.sooner {
					timed, cancel := context.WithTimeout(caller, time.Second)
					defer cancel()
					caller = timed
				}
				if tt.cancel {
					time.AfterFunc(time.Second, func() { leave(left) })
				}
				began := time.Now()
				ctx := limit(caller, 5*time.Second)
				defer ctx.end()
				if at, ok := ctx.Deadline(); !ok || !tt.cancel && at.Sub(began) != tt.after {
					t.Errorf("Deadline = %v, %v; want after %v", at.Sub(began), ok, tt.after)
				}
				if ctx.Err() != nil {
					t.Errorf("Err at first = %v; want none", ctx.Err())
				}
				if tt.waited {
					<-ctx.Done()
				} else {
					time.Sleep(tt.after)
					synctest.Wait()
				}
				if got := context.Cause(ctx); time.Since(began) != tt.after || ctx.Err() != tt.want || got != tt.cause {
					t.Errorf("after %v: Err = %v, Cause = %v; want %v, %v after %v", time.Since(began), ctx.Err(), got, tt.want, tt.cause, tt.after)
				}
			})
		})
	}
}

// A context that was made from a limited one, as that of a span is, is one too.
func TestLimitedContextsAreFoundAgain(t *testing.T) {
	ctx := limit(t.Context(), time.Minute)
	defer ctx.end()
	of, until := halves(WithCause(ctx, Probe))
	if of != t.Context() || until != ctx.until || CauseOf(WithCause(ctx, Probe)) != Probe {
		t.Errorf("halves = %v, %v; want those of the limited context", of, until)
	}
}
