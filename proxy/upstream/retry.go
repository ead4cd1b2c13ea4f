package upstream

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/budget"
	"github.com/failsafe-go/failsafe-go/retrypolicy"

	"portico/proxy/fault"
)

// retryPause is how long to wait before a call is repeated, half of it more or less by chance.
const retryPause = 100 * time.Millisecond

// retries repeat calls, each at most once. Any number of goroutines may use them.
type retries struct {
	saved    *allowance
	executor failsafe.Executor[any]
}

func newRetries(share float64) *retries {
	saved := &allowance{share: share}
	policy := retrypolicy.NewBuilder[any]().
		WithMaxRetries(1).
		WithDelay(retryPause).
		WithJitterFactor(0.5).
		WithBudget(saved).
		Build()
	return &retries{saved: saved, executor: failsafe.With(policy)}
}

var errWorthRepeating = errors.New("worth repeating")

// run calls try, and once more if what it returned is worth it and the budget has room. The library comes
// in only then: of a call that succeeds it would take twenty allocations.
func (r *retries) run(ctx context.Context, try func(ctx context.Context) (Reply, error)) (Reply, error) {
	r.saved.earn()
	reply, err := try(ctx)
	if !worthRepeating(ctx, reply, err) {
		return reply, err
	}
	_ = r.executor.WithContext(ctx).RunWithExecution(func(e failsafe.Execution[any]) error {
		if !e.IsRetry() {
			return errWorthRepeating
		}
		reply, err = try(WithCause(ctx, Retry))
		return nil
	})
	return reply, err
}

// worthRepeating reports an attempt that found nobody, or only half an answer. One that took all its
// time has none left, one that was not sent would be refused again, and what a host answers it would
// answer again; only 502 and 504 are words of something in between.
func worthRepeating(ctx context.Context, reply Reply, err error) bool {
	_, refusedHere := errors.AsType[*fault.Error](err)
	switch {
	case ctx.Err() != nil, refusedHere, errors.Is(err, fault.Timeout), errors.Is(err, errBodyTooLong), errors.Is(err, errHeadTooLong):
		return false
	case err != nil:
		return true
	default:
		return reply.Status == http.StatusBadGateway || reply.Status == http.StatusGatewayTimeout
	}
}

// mostSaved is how many repetitions can be saved up in good times.
const mostSaved = 10

// An allowance is a budget of repetitions: each call brings a share of one. It is a budget over time, as
// failsafe-go's own is over the calls outstanding, where one call alone may always be repeated: a site
// with little to do would be asked everything twice.
type allowance struct {
	share float64

	mu    sync.Mutex
	saved float64 // guarded by mu
}

// earn brings the share of a call that begins.
func (a *allowance) earn() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.saved = min(a.saved+a.share, mostSaved)
}

// TryAcquirePermit takes a whole repetition, if there is one.
func (a *allowance) TryAcquirePermit() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.saved < 1 {
		return false
	}
	a.saved--
	return true
}

// What failsafe-go asks of a budget besides.

// Rate is not known.
func (a *allowance) Rate() float64 { return 0 }

// RecordExecution does nothing: not only calls that fail bring their share.
func (a *allowance) RecordExecution() {}

// ReleaseExecution does nothing: what a call brought stays.
func (a *allowance) ReleaseExecution() {}

// ReleasePermit does nothing: what was taken is used up.
func (a *allowance) ReleasePermit() {}

// OnBudgetExceeded does nothing: the call's own failure says it all.
func (a *allowance) OnBudgetExceeded(budget.ExecutionType, failsafe.ExecutionInfo) {}
