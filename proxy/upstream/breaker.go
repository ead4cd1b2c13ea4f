package upstream

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
)

// maxBreakers is how many hosts of a site have a breaker of their own. Beyond it they share one: a site
// may name any number of hosts.
const maxBreakers = 64

// breakers are those of a site, by host and port. Any number of goroutines may use them.
type breakers struct {
	site   *Site
	limits Limits
	host   func(*url.URL) string

	mu  sync.RWMutex
	all map[string]*breaker // guarded by mu
}

func newBreakers(site *Site, limits Limits, host func(*url.URL) string) *breakers {
	if host == nil {
		host = func(u *url.URL) string { return u.Host }
	}
	return &breakers{site: site, limits: limits, host: host, all: map[string]*breaker{}}
}

// of returns the breaker of the host that a URL leads to.
func (all *breakers) of(u *url.URL) *breaker {
	host := all.host(u)
	all.mu.RLock()
	found := all.all[host]
	all.mu.RUnlock()
	if found != nil {
		return found
	}
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.all[host] == nil && len(all.all) >= maxBreakers {
		host = other
	}
	if all.all[host] == nil {
		all.all[host] = all.make(host)
	}
	return all.all[host]
}

// make returns a closed breaker, whose state the site's metrics show from now on.
func (all *breakers) make(host string) *breaker {
	shown := all.site.breakersOf((&url.URL{Host: host}).Hostname())
	shown.enter(circuitbreaker.ClosedState)
	b := &breaker{change: make(chan struct{})}
	b.circuit = circuitbreaker.NewBuilder[any]().
		WithFailureRateThreshold(0.5, uint(all.limits.BreakerCalls), all.limits.BreakerWithin).
		WithDelay(all.limits.BreakerPause).
		WithJitterFactor(0.2).
		WithSuccessThreshold(1).
		OnStateChanged(func(e circuitbreaker.StateChangedEvent) { shown.change(e.OldState, e.NewState); b.changed() }).
		Build()
	return b
}

var errBreakerOpen = errors.New("the host failed too often and is not called for a while")

// IsWithheld reports whether a call failed without being sent, as its host had failed too often.
func IsWithheld(err error) bool { return errors.Is(err, errBreakerOpen) }

// A breaker keeps calls from a host that fails. A nil one takes note of nothing.
type breaker struct {
	circuit circuitbreaker.CircuitBreaker[any]

	mu     sync.Mutex
	change chan struct{} // closed when the state is another; guarded by mu
}

// trialWait is how long a call waits for what comes of the one by which its host is tried.
const trialWait = time.Second

// admits reports whether a call may be sent. While the host is tried by another it waits a moment: of calls side
// by side, all of which are needed, the first would succeed in vain.
func (b *breaker) admits(ctx context.Context) bool {
	if b.circuit.TryAcquirePermit() {
		return true
	}
	patience := time.NewTimer(trialWait)
	defer patience.Stop()
	for b.circuit.IsHalfOpen() {
		change := b.next()
		if b.circuit.TryAcquirePermit() { // since the last look
			return true
		}
		select {
		case <-change:
		case <-patience.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
	return b.circuit.TryAcquirePermit() // it is closed, or open again
}

// next returns what is closed with the next change of the state.
func (b *breaker) next() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.change
}

func (b *breaker) changed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.change)
	b.change = make(chan struct{})
}

// heard tells the breaker how an attempt ended: with a status, or without an answer, for a reason. Every
// call that was let through must be told, or the host would not be tried again.
//
// Against a host speaks that it gives no answer, or none in time, or says that it cannot (5xx). That it
// refuses a call does not, nor what answered is told of. A caller who left, or whose own time was over, says
// nothing of it.
func (b *breaker) heard(caller context.Context, status int, why reason) {
	switch {
	case b == nil:
	case why != "" && caller.Err() != nil:
		b.forget()
	case why != "" && why != reasonBody || status >= http.StatusInternalServerError:
		b.circuit.RecordFailure()
	default:
		b.circuit.RecordSuccess()
	}
}

// answered is heard for a host that answered, whatever the status.
func (b *breaker) answered() {
	if b != nil {
		b.circuit.RecordSuccess()
	}
}

// heardThrough is heard for what is passed through, where callers choose what is asked and how, some of
// them strangers. That they broke off, or that the host fails at their request (500), says nothing of
// others' calls; that there is no host to answer (502 to 504) does. One that says so itself, in JSON as its API does,
// may lack only what this call needs.
func (b *breaker) heardThrough(caller context.Context, head *http.Response, why reason) {
	status := 0
	if head != nil {
		status = head.StatusCode
	}
	switch {
	case why == reasonCanceled, status >= http.StatusInternalServerError && (!absent(status) || isJSON(head.Header)):
		b.forget()
	default:
		b.heard(caller, status, why)
	}
}

// absent reports the status of a host that takes no calls, or of what stands before one that does not answer.
func absent(status int) bool {
	return status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout
}

// forget gives back the leave of an attempt that says nothing. The library knows no other way than to
// let the host be tried anew.
func (b *breaker) forget() {
	if b != nil && b.circuit.IsHalfOpen() {
		b.circuit.Open()
		b.circuit.HalfOpen()
	}
}
