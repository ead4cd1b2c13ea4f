package icws

import (
	"context"
	"errors"
	"fmt"
	"time"

	"portico/proxy/upstream"
	"portico/translate/icwsapi"
)

// A Receiver is who a session's messages are for. All its functions are called from the goroutine
// that called Receive, or Work, one at a time; while one runs nothing is received. Those that are nil are
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

	// Polls is told, before Live is told true, whether messages are polled for from now on: they come late then, and
	// another session may have been told of the same before.
	Polls func(bool)

	// Problem is told, for the log, why reception broke, and of messages that could not be read.
	// Reception goes on.
	Problem func(error)

	// Pause waits before reception begins anew after a break, for the time given at most; by default for that time.
	Pause func(context.Context, time.Duration) error

	// Alive is told whenever the site shows that reception works: by a message, a keep-alive or the
	// answer to a poll.
	Alive func()

	// Nudge says that a write was made, whose completion will come soon. Only polling needs it,
	// and a nudge it is not ready to take need not be waited for.
	Nudge <-chan struct{}

	// NoPolls ends Receive with ErrNoStream where it would go on by polling.
	NoPolls bool
}

// Receive receives a session's messages until the session or ctx ends; it then returns
// ErrSessionGone or ctx's error, and nothing of it is left. It reads an event stream where the
// site has them, else it polls. One Receive serves a session: two would take each other's
// messages. A message that the connection is down is delivered like any other, and Receive goes on,
// since only the site's refusal says that the session is gone. Nor does a host that is gone end it:
// whether to log in elsewhere instead of waiting is for the caller, who learns of it by Problem.
//
// Source: ICWS, Getting started: Messaging; ICWS, Releases: 2016 R3 (event streams).
func (c *Client) Receive(ctx context.Context, conn Conn, r Receiver) error {
	reception := c.Reception(ctx, &conn, r)
	for {
		quiet, err := reception.Work()
		if !quiet {
			return err
		}
		reception.Wait()
	}
}

// Reception returns what receives a session's messages by and by, as Receive does. It is for those who wait
// thousands of times over: between messages they need neither a buffer nor more than a little stack.
func (c *Client) Reception(ctx context.Context, conn *Conn, r Receiver) *Reception {
	if r.Pause == nil {
		r.Pause = upstream.Sleep
	}
	reader := reader{ctx: upstream.WithCause(ctx, upstream.Stream), client: c, conn: conn, to: r, transport: upstream.Poll}
	if conn.Streams() {
		reader.transport = upstream.SSE
	}
	return &Reception{reader}
}

// A Reception is one Receive, in pieces. One goroutine at a time uses it.
type Reception struct{ reader reader }

// Work receives until nothing has come that it could take, and Wait is to wait for more: then it returns true. Else
// the reception is over, with the error that Receive would return.
func (r *Reception) Work() (quiet bool, err error) {
	defer func() {
		if !quiet { // also after a panic
			r.end()
		}
	}()
	if r.reader.gauge == nil {
		r.begin()
	}
	err = r.reader.run(r.reader.ctx)
	if err != nil {
		return false, fmt.Errorf("icws: receive: %w", err)
	}
	return true, nil
}

// Wait waits for something to come, or for the end of the reception's context.
func (r *Reception) Wait() { r.reader.from.Wait() }

func (r *Reception) begin() {
	r.reader.gauge = r.reader.client.metrics.Reader()
	r.reader.gauge.Set(r.reader.transport, false)
}

func (r *Reception) end() {
	r.reader.hangUp()
	r.reader.gauge.Close()
}

// A reader is one Receive.
type reader struct {
	ctx       context.Context
	client    *Client
	conn      *Conn
	to        Receiver
	gauge     *upstream.ReaderState
	transport upstream.Transport
	from      *upstream.EventStream // nil while none is open
	events    *blocks               // of from

	began  time.Time // when reception did, after the last break
	live   bool
	broken bool // since the last time the subscriptions stood
	breaks int  // in a row
}

// run receives again and again until nothing has come, which is no error, or the session or ctx ends.
func (r *reader) run(ctx context.Context) error {
	for {
		if r.events == nil {
			r.began = time.Now()
		}
		err := r.receive(ctx)
		if err == nil {
			return nil
		}
		r.hangUp()
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
		if time.Since(r.began) >= upstream.LongestPause {
			r.breaks = 0
		}
		err = r.to.Pause(ctx, upstream.Pause(r.breaks))
		if err != nil {
			return err
		}
		r.breaks++
	}
}

// receive receives until something breaks, or until nothing has come.
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
	if live && r.to.Polls != nil {
		r.to.Polls(r.transport == upstream.Poll)
	}
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
