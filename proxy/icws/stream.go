package icws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"portico/proxy/upstream"
)

const (
	maxEvent = 4 << 20 // bytes

	// headGrace is how long we wait for a stream's head before we subscribe all the same: a server
	// may not send the head before it has a first event to send with it.
	headGrace = time.Second

	// silentPings is how many keep-alives in a row may be missing.
	silentPings = 3
)

var errStreamEnded = errors.New("the stream ended")

// ErrNoStream is why a Receiver that wants a stream and no polls is told nothing more: something
// between us and the site does not stream.
var ErrNoStream = errors.New("the answer is no event stream")

// stream receives by an event stream until it falls quiet, which is no error, or breaks.
func (r *reader) stream(ctx context.Context) error {
	if r.events == nil {
		err := r.begin(ctx)
		if err != nil {
			return err
		}
	}
	return r.read()
}

// begin opens an event stream and subscribes. The stream is opened first: an older one that the site has
// not yet missed cannot then take the snapshots.
func (r *reader) begin(ctx context.Context) error {
	opening := r.open(ctx)
	err := opening.wait(headGrace)
	if err == nil {
		err = r.subscribe(ctx)
	}
	if err != nil {
		opening.giveUp()
		return err
	}
	<-opening.done
	if opening.err != nil {
		return opening.err
	}
	r.from = opening.stream
	r.from.Heard = r.alive
	r.events = &blocks{from: r.from, quiet: r.from.IsQuiet}
	r.opened()
	return nil
}

// An opening is a stream that is being opened.
type opening struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when the fields below are set
	stream *upstream.EventStream
	err    error
}

// open opens the stream in a goroutine of its own, which ends with ctx.
func (r *reader) open(ctx context.Context) *opening {
	patience, cancel := context.WithCancel(ctx)
	o := &opening{done: make(chan struct{}), cancel: cancel}
	go func() {
		defer close(o.done)
		defer cancel()
		o.stream, o.err = r.client.openStream(patience, ctx, r.conn)
	}()
	return o
}

// wait gives the opening some time. It returns the error of one that has failed by then.
func (o *opening) wait(d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-o.done:
		return o.err
	case <-timer.C:
		return nil
	}
}

// giveUp ends the opening, waits for that and closes the stream.
func (o *opening) giveUp() {
	o.cancel()
	<-o.done
	if o.stream != nil {
		_ = o.stream.Close()
	}
}

// openStream asks for the session's event stream, until the opening ends. The stream ends with ctx.
//
// Source: ICWS, Releases: 2016 R3; ICWS JavaScript library (same URL as a poll, told apart by
// Accept).
func (c *Client) openStream(opening, ctx context.Context, conn *Conn) (*upstream.EventStream, error) {
	req, err := request(upstream.Once(ctx), http.MethodGet, conn.url("/messaging/messages"), nil)
	if err != nil {
		return nil, err
	}
	authorize(req, *conn)
	req.Header.Set("Accept", mediaTypeEvents)
	req.Header.Set("Accept-Encoding", "identity") // else a proxy that compresses may hold events back
	reply, stream, err := c.caller.Open(opening, req, OpMessages, maxReply, silentPings*c.settings.Ping)
	if err != nil {
		return nil, fmt.Errorf("open stream: %w", err)
	}
	if stream == nil {
		refusal := refusalOf(reply)
		c.metrics.APIError(OpMessages, refusal.class())
		return nil, fmt.Errorf("open stream: %w: %w", refusal.kind(), refusal)
	}
	kind := mediaType(reply.Get("Content-Type"))
	if !strings.EqualFold(kind, mediaTypeEvents) {
		_ = stream.Close()
		return nil, c.garbage(OpMessages, fmt.Errorf("open stream: %w: type %q", ErrNoStream, kind))
	}
	return stream, nil
}

// read delivers the events that have come, until the stream breaks. Each event's data is one message; names and
// ids of events are not used, and keep-alives are comments.
//
// Source: ICWS JavaScript library; traffic of ICWS (":ping").
func (r *reader) read() error {
	for {
		block, err := r.events.next()
		switch {
		case errors.Is(err, errQuiet):
			return nil
		case errors.Is(err, io.EOF):
			return errStreamEnded
		case err != nil:
			return fmt.Errorf("read stream: %w", err)
		}
		data := eventData(block)
		if len(data) > 0 {
			r.deliver(data)
		}
	}
}

// hangUp closes the stream, if one is open.
func (r *reader) hangUp() {
	if r.from != nil {
		_ = r.from.Close()
	}
	r.from, r.events = nil, nil
}
