package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"portico/proxy/fault"
)

// An EventStream is the body of an answer that goes on. One goroutine reads it; Close ends it.
type EventStream struct {
	Heard func() // is called by Read when bytes came; may be nil

	ctx     context.Context
	cancel  context.CancelCauseFunc
	body    io.ReadCloser
	silence time.Duration
	watch   *time.Timer
}

var errSilent = errors.New("the stream fell silent")

// Open makes one attempt to open a stream and counts it like Do, without a duration: a stream
// lasts as long as its session. The head must come within the Caller's Timeout. A stream that
// brings no byte for the time of silence is broken: a keep-alive that is missing may be the only
// sign of a host that is gone.
//
// It asks the breaker, and needs no place among the site's calls.
//
// On an answer of 2xx the stream is open, and the Reply has no body. On any other answer the
// stream is nil and the Reply has its body, of at most maxBody bytes. It fails as Do does.
func (c *Caller) Open(req *http.Request, operation string, maxBody int64, silence time.Duration) (Reply, *EventStream, error) {
	op := c.Site.of(operation)
	breaker, err := c.Guard.host(req, op)
	if err != nil {
		return Reply{}, nil, err
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	ctx, sent := c.begin(ctx, req, op)
	head := time.AfterFunc(c.Timeout, func() { cancel(context.DeadlineExceeded) })
	reply, body, why, err := c.open(ctx, req, maxBody)
	if err == nil && !head.Stop() && body != nil { // the time ran out as the head came in
		body.Close()
		why, err = reasonTimeout, fault.Timeout
	}
	if reply.Status >= http.StatusInternalServerError {
		// A host that opens no streams may answer calls all the same, and readers, who try again and
		// again, would outvote them.
		breaker.forget()
	} else {
		breaker.heard(req.Context(), reply.Status, why)
	}
	sent.over(reply.Status, why)
	if err != nil || body == nil {
		head.Stop()
		cancel(nil)
		return reply, nil, err
	}
	stream := &EventStream{ctx: ctx, cancel: cancel, body: body, silence: silence}
	stream.watch = time.AfterFunc(silence, func() { cancel(errSilent) })
	stream.watch.Stop() // armed only while somebody waits for a byte
	return reply, stream, nil
}

// open sends the request and returns the head, with the open body of a 2xx.
func (c *Caller) open(ctx context.Context, req *http.Request, maxBody int64) (Reply, io.ReadCloser, reason, error) {
	c.Site.inFlight.Inc()
	defer c.Site.inFlight.Dec()
	transport := c.Transport
	if c.Streams != nil {
		transport = c.Streams
	}
	res, err := transport.RoundTrip(req.WithContext(c.traced(ctx)))
	if err != nil {
		why, err := sendFailure(ctx, err)
		return Reply{}, nil, why, err
	}
	reply := Reply{Status: res.StatusCode, header: res.Header}
	if res.StatusCode/100 == 2 {
		return reply, res.Body, "", nil
	}
	defer res.Body.Close()
	reply.Body, err = readAll(res.Body, res.ContentLength, maxBody)
	if err != nil {
		why, err := bodyFailure(ctx, err)
		return reply, nil, why, err
	}
	return reply, nil, "", nil
}

// Read waits for bytes. It fails with fault.Timeout after the time of silence, with
// context.Canceled when the request's context was cancelled, with fault.BadUpstream when the
// stream broke, and with io.EOF when the other side ended it.
func (s *EventStream) Read(p []byte) (int, error) {
	s.watch.Reset(s.silence)
	n, err := s.body.Read(p)
	s.watch.Stop()
	if n > 0 && s.Heard != nil {
		s.Heard()
	}
	if err == nil || err == io.EOF {
		return n, err
	}
	if errors.Is(context.Cause(s.ctx), errSilent) {
		return n, fmt.Errorf("%w: %w: no byte for %v", fault.Timeout, errSilent, s.silence)
	}
	_, err = bodyFailure(s.ctx, err)
	return n, err
}

// Close ends the stream. It may be called more than once.
func (s *EventStream) Close() error {
	s.watch.Stop()
	s.cancel(nil)
	return s.body.Close()
}
