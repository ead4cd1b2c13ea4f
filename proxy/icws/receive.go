package icws

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"portico/proxy/upstream"
	"portico/translate/icwsapi"
)

// A Receiver is who a session's messages are for. All its functions are called from the goroutine
// that called Receive, one at a time; while one runs nothing is received. Those that are nil are
// not called.
type Receiver struct {
	// Subscribe puts the session's subscriptions. It is called whenever reception begins anew: at
	// first, and after every break, since messages may have been lost in it; the snapshots that
	// the subscriptions bring (isDelta false) make good for them. An error of it counts as a
	// break, and ErrSessionGone ends Receive. Calls made with its context count as the reader's.
	Subscribe func(ctx context.Context) error

	// Message takes each message, in the order the site sent them, and changes none: another session may be told
	// the same.
	Message func(icwsapi.Message)

	// Live is told true when messages flow and the subscriptions stand, their snapshots still to
	// come; false when that ends. It is told changes only: at first, nothing is live.
	Live func(bool)

	// Problem is told, for the log, why reception broke, and of messages that could not be read.
	// Reception goes on.
	Problem func(error)

	// Alive is told whenever the site shows that reception works: by a message, a keep-alive or the
	// answer to a poll.
	Alive func()

	// Nudge says that a write was made, whose completion will come soon. Only polling needs it,
	// and a nudge it is not ready to take need not be waited for.
	Nudge <-chan struct{}

	// NoPolls ends Receive with ErrNoStream where it would go on by polling.
	NoPolls bool
}

// Pauses before reception begins anew after breaks.
const (
	firstPause = 250 * time.Millisecond
	longPause  = 30 * time.Second
)

// steady is how long reception must have lasted for a break to be the first of a series: a stream
// that opens and ends at once is no recovery.
const steady = longPause

// Receive receives a session's messages until the session or ctx ends; it then returns
// ErrSessionGone or ctx's error, and nothing of it is left. It reads an event stream where the
// site has them, else it polls. One Receive serves a session: two would take each other's
// messages. A message that the connection is down is delivered like any other, and Receive goes on,
// since only the site's refusal says that the session is gone. Nor does a host that is gone end it:
// whether to log in elsewhere instead of waiting is for the caller, who learns of it by Problem.
//
// Source: ICWS, Getting started: Messaging; ICWS, Releases: 2016 R3 (event streams).
func (c *Client) Receive(ctx context.Context, conn Conn, r Receiver) error {
	return c.Reception(conn, r).Run(ctx)
}

// Reception returns what receives a session's messages when it is run, as Receive does. A caller who
// keeps its values off the stack that waits thousands of times over takes this one.
func (c *Client) Reception(conn Conn, r Receiver) *Reception {
	reader := &reader{client: c, conn: conn, to: r, transport: upstream.Poll}
	if conn.Streams() {
		reader.transport = upstream.SSE
	}
	return &Reception{reader}
}

// A Reception is one Receive.
type Reception struct{ reader *reader }

// Run is Receive. It is called once.
func (r *Reception) Run(ctx context.Context) error {
	r.reader.gauge = r.reader.client.metrics.Reader()
	r.reader.gauge.Set(r.reader.transport, false)
	defer r.reader.gauge.Close()
	r.reader.client.aside.enter()
	defer r.reader.client.aside.leave()
	return r.reader.failed(r.reader.run(upstream.WithCause(ctx, upstream.Stream)))
}

func (r *reader) failed(err error) error {
	return fmt.Errorf("icws: receive for user %q: %w", r.conn.UserID, err)
}

// A reader is one Receive.
type reader struct {
	client    *Client
	conn      Conn
	to        Receiver
	gauge     *upstream.ReaderState
	transport upstream.Transport

	live   bool
	broken bool // since the last time the subscriptions stood
	breaks int  // in a row
}

// run receives again and again until the session or ctx ends.
func (r *reader) run(ctx context.Context) error {
	for {
		began := time.Now()
		err := r.receive(ctx)
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		r.setLive(false)
		if ctx.Err() != nil || errors.Is(err, ErrSessionGone) {
			return err
		}
		if errors.Is(err, ErrNoStream) {
			if r.to.NoPolls {
				return err
			}
			r.transport = upstream.Poll
		}
		r.broken = true
		r.client.metrics.Event(upstream.Broken)
		r.problem(err)
		if time.Since(began) >= steady {
			r.breaks = 0
		}
		err = sleep(ctx, pause(r.breaks))
		if err != nil {
			return err
		}
		r.breaks++
	}
}

// receive receives until something breaks.
func (r *reader) receive(ctx context.Context) error {
	if r.transport == upstream.SSE {
		return r.stream(ctx)
	}
	return r.poll(ctx)
}

// subscribe puts the subscriptions.
func (r *reader) subscribe(ctx context.Context) error {
	if r.to.Subscribe == nil {
		return nil
	}
	return r.to.Subscribe(ctx)
}

// opened is called once messages flow and the subscriptions stand.
func (r *reader) opened() {
	r.client.metrics.Event(upstream.Opened)
	if r.broken {
		r.client.metrics.Event(upstream.Resynced)
	}
	r.broken = false
	r.setLive(true)
}

func (r *reader) setLive(live bool) {
	r.gauge.Set(r.transport, live)
	if live == r.live {
		return
	}
	r.live = live
	if r.to.Live != nil {
		r.to.Live(live)
	}
}

// deliver hands over what one event or one poll brought, and reports whether that was anything.
func (r *reader) deliver(body []byte) bool {
	message, ok := plainMessage(body)
	if ok { // as nearly always, and needs no lists
		r.message(message)
		return true
	}
	messages, failures := r.client.lists.decode(body)
	for _, failure := range failures {
		r.client.metrics.APIError(OpMessages, classGarbage)
		r.problem(failure)
	}
	for _, message := range messages {
		r.message(message)
	}
	return len(messages) > 0
}

func (r *reader) message(m icwsapi.Message) {
	if r.to.Message != nil {
		r.to.Message(m)
	}
}

func (r *reader) alive() {
	if r.to.Alive != nil {
		r.to.Alive()
	}
}

func (r *reader) problem(err error) {
	if r.to.Problem != nil {
		r.to.Problem(err)
	}
}

// pause returns how long to wait after a number of earlier breaks in a row: twice as long each
// time, and spread, so that the readers of a site that comes back do not all come at once.
func pause(breaks int) time.Duration {
	longest := longPause
	if breaks < 7 { // 250 ms << 7 is over 30 s
		longest = firstPause << breaks
	}
	return longest/2 + rand.N(longest/2)
}

// sleep waits, or returns ctx's error.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
