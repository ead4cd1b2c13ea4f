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

// stream opens an event stream, subscribes and delivers until the stream breaks. The stream is
// opened first: an older one that the site has not yet missed cannot then take the snapshots.
func (r *reader) stream(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	opening := r.open(ctx)
	defer opening.close()
	defer cancel()
	err := opening.wait(headGrace)
	if err != nil {
		return err
	}
	r.client.aside.call(func() { err = r.subscribe(ctx) })
	if err != nil {
		return err
	}
	<-opening.done
	if opening.err != nil {
		return opening.err
	}
	r.client.aside.call(r.opened)
	return r.read(opening.stream)
}

// An opening is a stream that is being opened.
type opening struct {
	done   chan struct{} // closed when the fields below are set
	stream *upstream.EventStream
	err    error
}

// open opens the stream in a goroutine of its own, which ends with ctx.
func (r *reader) open(ctx context.Context) *opening {
	o := &opening{done: make(chan struct{})}
	go func() {
		defer close(o.done)
		o.stream, o.err = r.client.openStream(ctx, r.conn)
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

// close waits for the opening, which the end of its context has ended, and closes the stream.
func (o *opening) close() {
	<-o.done
	if o.stream != nil {
		_ = o.stream.Close()
	}
}

// openStream asks for the session's event stream.
//
// Source: ICWS, Releases: 2016 R3; ICWS JavaScript library (same URL as a poll, told apart by
// Accept).
func (c *Client) openStream(ctx context.Context, conn Conn) (*upstream.EventStream, error) {
	req, err := request(ctx, http.MethodGet, conn.url("/messaging/messages"), nil)
	if err != nil {
		return nil, err
	}
	authorize(req, conn)
	req.Header.Set("Accept", mediaTypeEvents)
	req.Header.Set("Accept-Encoding", "identity") // else a proxy that compresses may hold events back
	reply, stream, err := c.caller.Open(req, OpMessages, maxReply, silentPings*c.settings.Ping)
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

// read delivers events until the stream breaks. Each event's data is one message; names and ids of
// events are not used, and keep-alives are comments.
//
// Source: ICWS JavaScript library; traffic of ICWS (":ping").
func (r *reader) read(stream *upstream.EventStream) error {
	stream.Heard = r.alive
	events := &blocks{from: stream}
	var data []byte
	deliver := func() { r.deliver(data) }
	for {
		block, err := events.next()
		if errors.Is(err, io.EOF) {
			return errStreamEnded
		}
		if err != nil {
			return fmt.Errorf("read stream: %w", err)
		}
		data = eventData(block)
		if len(data) > 0 {
			r.client.aside.call(deliver)
		}
	}
}
