package upstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"time"

	"portico/proxy/fault"
	"portico/proxy/tracing"
)

// A Caller makes the calls of one site. Any number of goroutines may use it.
type Caller struct {
	Site      *Site
	Transport http.RoundTripper
	Calls     *Calls            // of Do and DoLong; nil = Transport
	Streams   http.RoundTripper // of Open; nil = Transport
	Timeout   time.Duration     // of one attempt, to the end of the body; of a stream, to its head
	Guard     *Guard            // of the site; nil = nothing is bounded
	Trace     tracing.Outgoing  // of the site; the zero one records nothing

	// Elsewhere reports an answer of 5xx by which a host sends a call elsewhere, which says nothing of how it
	// serves others; nil: there is none.
	Elsewhere func(operation string, r Reply) bool

	// Answers reports a 500 that is an answer of the site's API. The host is well then, and says that this call
	// failed, as those of one agent may; nil: every 500 is a host's that cannot.
	Answers func(r Reply) bool
}

// maxHead is how long the headers of an answer may be together, in bytes.
const maxHead = 256 << 10

var (
	errHeadTooLong = errors.New("headers too long")
	errBodyTooLong = errors.New("body too long")
)

// Do makes one attempt and counts it under operation and the cause that the request's context
// carries. An answer whose body is longer than maxBody bytes is none, nor is one whose headers are
// endless.
//
// It fails with fault.Unreachable when no answer came, fault.Timeout when it did not come in time,
// fault.BadUpstream when it is too long or cut short, and with context.Canceled when the request's
// context was cancelled. What the Guard does not let through is not sent, and fails with
// fault.Unreachable or fault.Overloaded, and when to try again. The transport is asked directly: a
// http.Client would follow redirects, and put the URL, which may hold a session id, into its errors.
func (c *Caller) Do(req *http.Request, operation string, maxBody int64) (Reply, error) {
	op := c.Site.of(operation)
	breaker, err := c.Guard.host(req, op) // before the place: who waits while one host is tried takes none from calls of another
	if err != nil {
		return Reply{}, err
	}
	placed, err := c.Guard.place(req.Context(), op)
	if err != nil {
		breaker.forget()
		return Reply{}, err
	}
	if placed {
		defer c.Guard.leave()
	}
	c.Site.inFlight.Inc()
	defer c.Site.inFlight.Dec()
	reply, err := c.attempt(req, op, breaker, maxBody, c.Timeout, sending.took)
	if err != nil {
		return Reply{}, err
	}
	return reply, nil
}

// DoRepeatable is Do for a call that does the same when it is made twice, and has no body or one that
// can be had again. If nobody answers it is made once more, as far as the budget of retries goes.
func (c *Caller) DoRepeatable(req *http.Request, operation string, maxBody int64) (Reply, error) {
	if c.Guard == nil || c.Guard.retries == nil || req.Body != nil && req.GetBody == nil {
		return c.Do(req, operation, maxBody)
	}
	return c.Guard.retries.run(req.Context(), func(ctx context.Context) (Reply, error) {
		again := req.WithContext(ctx)
		if req.GetBody != nil {
			again.Body, _ = req.GetBody() // of a body in memory, which is always to be had
		}
		return c.Do(again, operation, maxBody)
	})
}

// DoLong makes one attempt that the other side is asked to hold until it has something to say, for
// at most the given time. It is counted like Do, and fails like Do, but has no duration, needs no
// place and is not in flight: a reader always has one such attempt outstanding, and has a gauge of its
// own.
func (c *Caller) DoLong(req *http.Request, operation string, maxBody int64, timeout time.Duration) (Reply, error) {
	op := c.Site.of(operation)
	breaker, err := c.Guard.host(req, op)
	if err != nil {
		return Reply{}, err
	}
	reply, err := c.attempt(req, op, breaker, maxBody, timeout, func(sending, int) {})
	if err != nil {
		return Reply{}, err
	}
	return reply, nil
}

// attempt is the one place where an attempt is made whose answer is read here: it sends, tells the host's
// breaker, which has let it through, and counts the attempt, its failure and, by timed, how long it took. The reply has a
// status as soon as one came, also together with an error.
func (c *Caller) attempt(req *http.Request, op *operation, breaker *breaker, maxBody int64, timeout time.Duration, timed func(sending, int)) (Reply, error) {
	limited := limit(req.Context(), timeout)
	defer limited.end()
	ctx, sent := c.begin(limited, req, op)
	reply, why, err := c.exchange(ctx, req, maxBody)
	switch {
	case c.sentElsewhere(op, reply):
		breaker.forget()
	case why == "" && c.answers(reply):
		breaker.answered()
	default:
		breaker.heard(req.Context(), reply.Status, why)
	}
	timed(sent, reply.Status)
	sent.over(reply.Status, why)
	return reply, err
}

func (c *Caller) sentElsewhere(op *operation, reply Reply) bool {
	return reply.Status >= http.StatusInternalServerError && c.Elsewhere != nil && c.Elsewhere(op.name, reply)
}

func (c *Caller) answers(reply Reply) bool {
	return reply.Status == http.StatusInternalServerError && c.Answers != nil && c.Answers(reply)
}

// exchange sends the request and reads the answer.
func (c *Caller) exchange(ctx context.Context, req *http.Request, maxBody int64) (Reply, reason, error) {
	if c.Calls != nil && c.Calls.takes(req) {
		return c.Calls.exchange(ctx, req, c.Site, maxBody)
	}
	res, err := c.Transport.RoundTrip(sentOnce(req.WithContext(c.traced(ctx))))
	return finish(ctx, res, err, maxBody)
}

// finish reads the rest of an answer whose head came, or explains why it did not.
func finish(ctx context.Context, res *http.Response, err error, maxBody int64) (Reply, reason, error) {
	if err != nil {
		why, err := sendFailure(ctx, err)
		return Reply{}, why, err
	}
	defer res.Body.Close()
	if tooLong(res.Header) {
		return Reply{Status: res.StatusCode}, reasonBody, fmt.Errorf("%w: %w: over %d bytes", fault.BadUpstream, errHeadTooLong, maxHead)
	}
	reply := Reply{Status: res.StatusCode, header: res.Header}
	reply.Body, err = readAll(res.Body, res.ContentLength, maxBody)
	if errors.Is(err, errBodyTooLong) {
		return reply, reasonBody, fmt.Errorf("%w: %w: over %d bytes", fault.BadUpstream, err, maxBody)
	}
	if err != nil {
		why, err := bodyFailure(ctx, err)
		return reply, why, err
	}
	return reply, "", nil
}

// traced returns ctx with a hook that counts the connection the attempt gets.
func (c *Caller) traced(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(got httptrace.GotConnInfo) { c.Site.got(got.Reused) },
	})
}

// tooLong reports headers of more than maxHead bytes. What an answer sets, such as cookies, is kept
// for as long as a session, and read with every answer.
func tooLong(h http.Header) bool {
	left := maxHead
	for name, values := range h {
		for _, value := range values {
			left -= len(name) + len(value)
		}
	}
	return left < 0
}

// mostExpected is for how much of a body there is room at once, in bytes, if that much is announced.
const mostExpected = 64 << 10

// readAll reads at most limit bytes and fails with errBodyTooLong when there are more. Length is what was
// announced, if anything was: short answers then need no more room than they take.
func readAll(r io.Reader, length, limit int64) ([]byte, error) {
	if length <= 0 {
		length = bytes.MinRead
	}
	body := make([]byte, 0, min(length, limit, mostExpected)+1) // and one, to see that there is no more
	for {
		n, err := r.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > limit:
			return nil, errBodyTooLong
		case err == io.EOF:
			return body, nil
		case err != nil:
			return nil, err
		case len(body) == cap(body):
			body = append(body, 0)[:len(body)]
		}
	}
}
