package upstream

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"portico/proxy/fault"
)

// An EventStream is the body of an answer that goes on. One goroutine reads it; Close ends it.
type EventStream struct {
	Heard func() // is called by Read when bytes came; may be nil

	ctx   context.Context // the request's
	body  io.ReadCloser
	own   *streamBody // body, if its connection is the stream's own
	end   func()      // fails the Read under way
	quiet *quiet
}

// Open makes one attempt to open a stream and counts it like Do, without a duration: a stream
// lasts as long as its session. The head must come within the Caller's Timeout, and before the opening
// ends. Then it is the request's context alone that ends the stream. A stream that
// brings no byte for the time of silence is broken: a keep-alive that is missing may be the only
// sign of a host that is gone.
//
// It asks the breaker, and needs no place among the site's calls.
//
// On an answer of 2xx the stream is open, and the Reply has no body. On any other answer the
// stream is nil and the Reply has its body, of at most maxBody bytes. It fails as Do does.
func (c *Caller) Open(opening context.Context, req *http.Request, operation string, maxBody int64, silence time.Duration) (Reply, *EventStream, error) {
	op := c.Site.of(operation)
	breaker, err := c.Guard.host(req, op)
	if err != nil {
		return Reply{}, nil, err
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	ctx, sent := c.begin(ctx, req, op)
	head := time.AfterFunc(c.Timeout, func() { cancel(context.DeadlineExceeded) })
	given := context.AfterFunc(opening, func() { cancel(context.Cause(opening)) })
	reply, body, why, err := c.open(ctx, req, maxBody)
	inTime := given() && head.Stop()
	if err == nil && !inTime && body != nil { // the head came as the time ran out
		body.Close()
		why, err = late(opening)
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
	return reply, newEventStream(req.Context(), body, cancel, silence), nil
}

// late says why an opening that succeeded did not in time.
func late(opening context.Context) (reason, error) {
	why, err := ending(opening, context.Cause(opening))
	if err == nil {
		return reasonTimeout, fault.Timeout
	}
	return why, err
}

// newEventStream returns the stream of an open body. Where the body can do without the context of the attempt,
// which cancel ends, nothing is kept of that: it was a tenth of what an idle agent cost.
func newEventStream(ctx context.Context, body io.ReadCloser, cancel context.CancelCauseFunc, silence time.Duration) *EventStream {
	s := &EventStream{ctx: ctx, body: body, end: func() { cancel(errSilent) }}
	own, ok := body.(*streamBody)
	if ok {
		s.own, s.end = own, own.hangUp
		own.endWith(ctx)
		cancel(nil)
	}
	s.quiet = newQuiet(silence, s.end)
	return s
}

// open sends the request and returns the head, with the open body of a 2xx.
func (c *Caller) open(ctx context.Context, req *http.Request, maxBody int64) (Reply, io.ReadCloser, reason, error) {
	c.Site.inFlight.Inc()
	defer c.Site.inFlight.Dec()
	transport := c.Transport
	if c.Streams != nil {
		transport = c.Streams
	}
	res, err := transport.RoundTrip(sentOnce(req.WithContext(c.traced(ctx))))
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

// Wait returns when there is something to read, or when Read is to say how the stream ended. It needs no
// buffer and little stack, for those who wait for most of their life: a goroutine that did nothing deep
// before has 2 KB in place of 8. Streams of which IsQuiet says that they are not need not be waited for.
func (s *EventStream) Wait() {
	s.quiet.begin()
	s.own.wait()
	s.quiet.over()
}

// IsQuiet reports whether nothing is there to be read, as far as that can be told without waiting.
func (s *EventStream) IsQuiet() bool { return s.own != nil && s.own.isQuiet() }

// Read waits for bytes. It fails with fault.Timeout after the time of silence, with
// context.Canceled when the request's context was cancelled, with fault.BadUpstream when the
// stream broke, and with io.EOF when the other side ended it.
func (s *EventStream) Read(p []byte) (int, error) {
	s.quiet.begin()
	n, err := s.body.Read(p)
	s.quiet.over()
	if n > 0 && s.Heard != nil {
		s.Heard()
	}
	if err == nil || err == io.EOF {
		return n, err
	}
	if s.quiet.broken.Load() {
		return n, fmt.Errorf("%w: %w: no byte for %v", fault.Timeout, errSilent, s.quiet.limit)
	}
	_, err = bodyFailure(s.ctx, err)
	return n, err
}

// Close ends the stream. It may be called more than once.
func (s *EventStream) Close() error {
	s.quiet.stop()
	s.end()
	return s.body.Close()
}
