package htcc

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	"portico/proxy/fault"
	"portico/proxy/upstream"
)

// The longest answers, in bytes.
const (
	maxReply = 1 << 20
	maxMe    = 4 << 20 // with settings and work under way
)

// root is where the API stands below a base.
//
// Source: GWS 8.5.2, API: /api/v2.
const root = "/api/v2"

// A call is one resource and what is done with it.
type call struct {
	operation string
	method    string
	path      string // after /api/v2
	body      []byte // JSON, nil for none
	maxReply  int64  // default maxReply
	asked     []string

	// held is how long a call may take that the server holds; 0 for a call that it does not.
	held time.Duration
}

// do makes a call and reads its answer. It fails with ErrSessionGone when the session is gone;
// with the kind of a refusal; with fault.Unreachable or fault.Timeout when there was no answer; and
// with fault.BadUpstream when the answer is none.
func (c *Client) do(ctx context.Context, s *Session, k call) (Object, error) {
	reply, err := c.send(ctx, s, k)
	if err != nil {
		return Object{}, err
	}
	return c.answer(k.operation, reply, k.asked...)
}

// send makes a call. If the token was refused it fetches another and makes the call once more: a
// call that is refused so has done nothing.
func (c *Client) send(ctx context.Context, s *Session, k call) (upstream.Reply, error) {
	reply, err := c.attempt(ctx, s, k)
	if err != nil || safe(k.method) || !refusesToken(reply) {
		return reply, err
	}
	c.metrics.APIError(k.operation, classCSRF)
	err = c.refreshToken(ctx, s)
	if err != nil {
		return upstream.Reply{}, err
	}
	return c.attempt(upstream.WithCause(ctx, upstream.Retry), s, k)
}

// attempt sends a call once, and takes what the answer sets.
func (c *Client) attempt(ctx context.Context, s *Session, k call) (upstream.Reply, error) {
	req, err := request(ctx, k.method, s.Snapshot().Base+root+k.path, k.body)
	if err != nil {
		return upstream.Reply{}, err
	}
	token := s.authorize(req)
	reply, err := c.roundTrip(req, k)
	if err != nil {
		return upstream.Reply{}, err
	}
	s.observe(reply.Header(), token)
	return reply, nil
}

func (c *Client) roundTrip(req *http.Request, k call) (upstream.Reply, error) {
	limit := k.maxReply
	if limit == 0 {
		limit = maxReply
	}
	switch {
	case k.held > 0:
		return c.caller.DoLong(req, k.operation, limit, k.held)
	case safe(k.method):
		return c.caller.DoRepeatable(req, k.operation, limit)
	}
	return c.caller.Do(req, k.operation, limit)
}

// RefreshToken fetches the token against cross-site requests anew, which every answer to a GET
// shows where the server uses one. Calls of this Client do so by themselves; it is for requests
// that are passed through. It fails as Me does.
//
// Source: GWS, CSRFProtection.
func (c *Client) RefreshToken(ctx context.Context, s *Session) error {
	err := c.refreshToken(ctx, s)
	if err != nil {
		return fmt.Errorf("htcc: %w", err)
	}
	return nil
}

func (c *Client) refreshToken(ctx context.Context, s *Session) error {
	_, err := c.me(upstream.WithCause(ctx, upstream.Session), s, nil)
	if err != nil {
		return fmt.Errorf("fetch a CSRF token: %w", err)
	}
	return nil
}

// request returns a request as the vendor's desktop sends it.
//
// Source: captured traffic of GWS 8.5.202.96.
func request(ctx context.Context, method, url string, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%w: cannot make a %s request", fault.Internal, method)
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json;charset=UTF-8")
	}
	return req, nil
}
