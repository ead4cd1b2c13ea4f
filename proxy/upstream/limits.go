package upstream

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/failsafe-go/failsafe-go/bulkhead"

	"portico/proxy/fault"
)

// Limits bound what is asked of a site. Each is off where it is zero.
type Limits struct {
	// Calls is how many calls may be outstanding, and CallWait how long one may wait for its place.
	// What lasts has none: event streams, calls that are held, and what is passed through.
	Calls    int
	CallWait time.Duration

	// BreakerCalls is how many calls of a host within BreakerWithin count. If half of them failed, the
	// host is not called for BreakerPause, and then by one call at a time until one succeeds.
	BreakerCalls  int
	BreakerWithin time.Duration
	BreakerPause  time.Duration

	// Retries is how many calls may be repeated for each that can be, such as 0.1.
	Retries float64

	// Logins is how many may begin in a second. Callers wait for theirs in a queue of LoginQueue places,
	// for at most LoginWait.
	Logins     int
	LoginQueue int
	LoginWait  time.Duration

	LoginTurn LoginTurn // nil: no other process logs in at the site
}

// A LoginTurn asks for leave to begin a log-in, where other replicas log in at the site too: 0 is leave,
// else it is worth asking again then. Callers is how many wait here for theirs, with the one it is asked
// for; of 0 it is asked for a reader, who comes after the callers of all. While it fails this process
// keeps the pace alone.
type LoginTurn func(ctx context.Context, every time.Duration, callers int) (time.Duration, error)

// A Guard keeps one site to its Limits. Any number of goroutines may use it.
type Guard struct {
	site     *Site
	limits   Limits
	places   bulkhead.Bulkhead[any] // nil without a limit
	breakers *breakers              // nil without a limit
	retries  *retries               // nil without a limit
	pace     *Pace                  // nil without a limit
}

// NewGuard returns the guard of a site. It starts nothing. Host names the host that a URL leads to; nil
// is the URL's own.
func NewGuard(site *Site, limits Limits, host func(*url.URL) string) *Guard {
	g := &Guard{site: site, limits: limits}
	if limits.Calls > 0 {
		g.places = bulkhead.New[any](uint(limits.Calls))
	}
	if limits.BreakerCalls > 0 {
		g.breakers = newBreakers(site, limits, host)
	}
	if limits.Retries > 0 {
		g.retries = newRetries(limits.Retries)
	}
	if limits.Logins > 0 {
		g.pace = newPace(site, limits)
	}
	return g
}

// A short says why a call was refused here, with nothing sent.
type short string

const (
	shortBreaker  short = "breaker_open"
	shortBulkhead short = "bulkhead_full"
	shortPaced    short = "paced"
	shortDeadline short = "deadline" // the caller left, or had no time, before it was the call's turn
)

var shorts = []short{shortBreaker, shortBulkhead, shortPaced, shortDeadline, other}

// place waits for a place among the calls outstanding, and reports whether one was taken, which is given back by
// leave. Probes need none: a site that is busy is there.
func (g *Guard) place(ctx context.Context, op *operation) (bool, error) {
	if g == nil || g.places == nil || CauseOf(ctx) == Probe {
		return false, nil
	}
	err := g.places.AcquirePermitWithMaxWait(ctx, g.limits.CallWait)
	if err == nil {
		return true, nil
	}
	if ctx.Err() != nil {
		return false, op.gaveUp(ctx)
	}
	op.shorts[shortBulkhead].Inc()
	return false, &fault.Error{Kind: fault.Overloaded, RetryAfter: time.Second, Err: err}
}

func (g *Guard) leave() { g.places.ReleasePermit() }

// host asks for leave to call the request's host. What comes of the call is told to the breaker.
func (g *Guard) host(req *http.Request, op *operation) (*breaker, error) {
	if g == nil || g.breakers == nil {
		return nil, nil
	}
	b := g.breakers.of(req.URL)
	if b.admits(req.Context()) {
		return b, nil
	}
	op.shorts[shortBreaker].Inc()
	after := max(b.circuit.RemainingDelay(), time.Second)
	return nil, &fault.Error{Kind: fault.Unreachable, RetryAfter: after, Err: errBreakerOpen}
}

// gaveUp counts a call whose time was over before it was its turn, and returns its error.
func (o *operation) gaveUp(ctx context.Context) error {
	o.shorts[shortDeadline].Inc()
	if ctx.Err() == context.Canceled {
		return fmt.Errorf("wait for a turn: %w", ctx.Err())
	}
	return &fault.Error{Kind: fault.Overloaded, RetryAfter: time.Second, Err: fmt.Errorf("wait for a turn: %w", ctx.Err())}
}
