package htcc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"portico/proxy/upstream"
)

// A Receiver is who a session's notifications are for. Its functions are called from the goroutine
// that called Receive, one at a time, but for Resync, which is called beside the others, and Pause.
// After Receive has returned none is under way. Those that are nil are not called.
type Receiver struct {
	// Message takes each notification, in the order the server sent them and none twice. Data is
	// what it carries, of any type.
	Message func(topic string, data json.RawMessage)

	// Resync reads the agent's state anew. It is called whenever notifications may have been lost:
	// at first, since the log-in's answer was made before the subscriptions stood, and after
	// breaks. What happens from its call on is notified, also before it returns, so that a
	// notification since its call may tell of what it has read already, or of what is newer. After
	// an error, of which Problem is not told, it is called again when Pause has waited;
	// notifications go on meanwhile. ErrSessionGone ends Receive. Calls made with its context count
	// as the reader's.
	Resync func(ctx context.Context) error

	// Live is told true when the subscriptions stand and Resync has read the state; false when
	// that ends. It is told changes only: at first, nothing is live.
	Live func(bool)

	// Pause waits before reception begins anew after a break, or before the state is read again, for the time given at
	// most; by default for that time. One pause at a time is made, of the latter kind beside the other functions.
	Pause func(context.Context, time.Duration) error

	// Alive is told whenever the server shows that reception works: by each answer to a connect.
	Alive func()

	// Problem is told, for the log, why reception broke, of subscriptions that were refused, and
	// of messages that could not be read. Reception goes on.
	Problem func(error)
}

// farewell is how long the end of a reader may take to tell the server of it.
const farewell = 2 * time.Second

// Receive receives a session's notifications until the session or ctx ends; it then returns
// ErrSessionGone or ctx's error, and nothing of it is left, unless the server was not there to be
// told. One Receive serves a session: the server would take two for two windows of one browser, and
// let the second wait. The connects it holds are activity that keeps the session alive.
//
// A host that is gone does not end it, since only the site's refusal says that the session is gone;
// whether to log in elsewhere instead of waiting is for the caller, who learns of it by Problem.
// Nor does the server's advice to stop: it is asked whether the session lives, and if so reception
// begins anew after a long pause.
//
// Source: GWS 8.5.2, Asynchronous events; Bayeux 1.0.
func (c *Client) Receive(ctx context.Context, s *Session, r Receiver) error {
	ctx = upstream.WithCause(ctx, upstream.Stream)
	if r.Pause == nil {
		r.Pause = upstream.Sleep
	}
	reader := &reader{client: c, session: s, to: r, gauge: c.metrics.Reader(), lost: true}
	reader.gauge.Set(upstream.CometD, false)
	defer reader.gauge.Close()
	err := reader.run(ctx)
	reader.leave(ctx, err)
	return fmt.Errorf("htcc: receive: %w", err)
}

// A reader is one Receive.
type reader struct {
	client  *Client
	session *Session
	to      Receiver
	gauge   *upstream.ReaderState
	link    link

	live   bool
	lost   bool // notifications may have been, since the last Resync
	broken bool // since the reader was last live
	breaks int  // in a row
	away   bool // the last break was not the server's word that the Bayeux session is lost
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
		if time.Since(began) >= upstream.LongestPause {
			r.breaks = 0
		}
		err = r.broke(ctx, err)
		if err != nil {
			return err
		}
		err = r.pause(ctx)
		if err != nil {
			return err
		}
		r.breaks++
	}
}

// pause waits before reception begins anew. What the server advises it waits in any case.
func (r *reader) pause(ctx context.Context) error {
	pause := upstream.Pause(r.breaks)
	if r.link.rest >= pause {
		return upstream.Sleep(ctx, r.link.rest)
	}
	return r.to.Pause(ctx, pause)
}

// broke notes a break. A connect that merely failed may be repeated on the same Bayeux session,
// which has kept what it did not deliver; only where the server numbers its deliveries is nothing
// lost then. It fails when the HTTP session has turned out to be gone.
func (r *reader) broke(ctx context.Context, why error) error {
	r.broken = true
	r.client.metrics.Event(upstream.Broken)
	r.problem(why)
	lost := errors.Is(why, errHandshake)
	if lost && r.away { // a server that is back is not to wait for as long as it was away
		r.breaks = 0
	}
	r.away = !lost
	if lost || errors.Is(why, errStopped) {
		r.link.lose()
	}
	if !r.link.acks || r.link.clientID == "" {
		r.lost = true
	}
	if !errors.Is(why, errStopped) {
		return nil
	}
	r.breaks = upstream.ManyBreaks
	_, err := r.client.Me(ctx, r.session)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, ErrSessionGone) {
		return err
	}
	return nil
}

// leave ends the Bayeux session, so that the server does not keep its queue for us.
func (r *reader) leave(ctx context.Context, why error) {
	if r.link.clientID == "" || errors.Is(why, ErrSessionGone) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	// A server that is not told finds out by itself.
	_ = r.exchange(ctx, OpDisconnect, 0, r.link.disconnect())
}

func (r *reader) setLive(live bool) {
	if live == r.live {
		return
	}
	r.gauge.Set(upstream.CometD, live)
	r.live = live
	if r.to.Live != nil {
		r.to.Live(live)
	}
}

func (r *reader) problem(err error) {
	if r.to.Problem != nil {
		r.to.Problem(err)
	}
}
