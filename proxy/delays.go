package proxy

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"portico/proxy/fault"
	"portico/proxy/throttle"
)

// Delays keep back the answers to wrong log-ins, once an address has had some of them at once. Who guesses
// then asks no more often than their connections are many, and while they wait they cost next to nothing.
// Nobody who is let in waits, whatever their neighbours at the address do, and nobody who brings a cookie
// that has ended, or nothing.
//
// Who waits keeps a connection and some memory, so that there are no more of them than mostDelayed. Others
// are then answered at once, as they would be without delays: a new connection for each guess would be dearer.
//
// Source: OpenSSH, sshd_config: PerSourcePenalties; Dovecot, Authentication penalty.
//
// Any number of goroutines may use them.
type Delays struct {
	refused *throttle.Memory // log-ins, by address
	of      atomic.Pointer[delay]
	waiting atomic.Int64
	over    chan struct{} // closed when nobody is to wait any more
	end     sync.Once
}

// A delay is how long the answer is kept back that comes after so many wrong log-ins within a while.
type delay struct {
	wait  time.Duration
	after throttle.Limit
}

const (
	// refusedAtOnce is how many of an address are refused at once: people mistype.
	refusedAtOnce = 5
	// mostDelayed wait, with some 60 KiB of memory each, most of it their connection's.
	mostDelayed = 1000
)

// NewDelays returns delays of no time, until Set says otherwise.
func NewDelays() *Delays {
	d := &Delays{refused: throttle.NewMemory(), over: make(chan struct{})}
	d.Set(0, 0)
	return d
}

// Set has answers wait for so long, 0 not at all, and log-ins count for a while. Who waits goes on.
func (d *Delays) Set(wait, within time.Duration) {
	d.of.Store(&delay{wait, throttle.Limit{Failures: refusedAtOnce, Within: within}})
}

// End has nobody wait any more.
func (d *Delays) End() { d.end.Do(func() { close(d.over) }) }

// refuse counts a wrong log-in, and waits if there were too many of its address, until ctx ends at the
// latest. It returns how long it waited.
func (d *Delays) refuse(ctx context.Context, address netip.Prefix) time.Duration {
	of := d.of.Load()
	if of.wait <= 0 || !d.often(ctx, address.String(), of.after) {
		return 0
	}
	defer d.waiting.Add(-1)
	if d.waiting.Add(1) > mostDelayed {
		return 0
	}
	began := time.Now()
	timer := time.NewTimer(of.wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-d.over:
	}
	return time.Since(began)
}

// often counts a wrong log-in and reports whether too many came before it. A store in memory never fails.
func (d *Delays) often(ctx context.Context, address string, limit throttle.Limit) bool {
	until, _ := d.refused.Wait(ctx, address, limit)
	_ = d.refused.Fail(ctx, address, limit)
	return until > 0
}

// delay keeps the answer to a wrong log-in back. Who waits is no work.
func (c *call) delay(err error) {
	if !errors.Is(err, fault.Unauthenticated) && !errors.Is(err, fault.Throttled) {
		return
	}
	c.place.leave()
	m := c.door.metrics
	m.requestsInFlight.Dec()
	m.delayedInFlight.Inc()
	c.delayed = c.door.settings.Delays.refuse(c.context(), network(c.address()))
	m.delayedInFlight.Dec()
	m.requestsInFlight.Inc()
	if c.door.settings.Draining() { // which may be why the wait is over
		c.Header("Connection", "close")
	}
}
