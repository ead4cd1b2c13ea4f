// Package memhttp is HTTP without sockets, for tests under testing/synctest: a RoundTripper that
// runs a handler. Bodies stream, a request whose context ends ends for both sides, and a handler's
// output is seen when it is flushed, as on a real connection.
package memhttp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"
)

// A Network is a RoundTripper that finds handlers by the host and port of the URL, or under "" for
// any other host. A host without a handler refuses connections. A handler that panics with
// http.ErrAbortHandler breaks the connection. The map is not to be changed while it is used.
//
// It knows no connections, so httptrace hooks are not called, and no Hijacker.
type Network map[string]http.Handler

var errRefused = &net.OpError{Op: "dial", Net: "memory", Err: syscall.ECONNREFUSED}

// RoundTrip runs the handler of the request's host in a goroutine that ends soon after the request
// does: when the handler returns, and no earlier.
func (n Network) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	handler, ok := n[req.URL.Host]
	if !ok {
		handler, ok = n[""]
	}
	if !ok {
		return nil, fmt.Errorf("memhttp: %s: %w", req.URL.Host, errRefused)
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	received, err := receive(ctx, req)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	e := newExchange(ctx, cancel)
	go e.serve(handler, received)
	select {
	case <-e.headSent:
		return e.response(req), nil
	case <-e.broken:
		cancel(nil)
		return nil, fmt.Errorf("memhttp: %s: %w", req.URL.Host, io.EOF)
	case <-ctx.Done():
		cause := context.Cause(ctx)
		cancel(nil)
		return nil, cause
	}
}

// receive makes of a client's request what a server sees of it.
func receive(ctx context.Context, req *http.Request) (*http.Request, error) {
	target, err := url.ParseRequestURI(req.URL.RequestURI())
	if err != nil {
		return nil, fmt.Errorf("memhttp: %w", err)
	}
	received := req.Clone(ctx)
	received.URL = target
	received.RequestURI = req.URL.RequestURI()
	received.RemoteAddr = "127.0.0.1:1"
	received.Proto, received.ProtoMajor, received.ProtoMinor = "HTTP/1.1", 1, 1
	if received.Host == "" {
		received.Host = req.URL.Host
	}
	received.Body = http.NoBody
	if req.Body != nil {
		// Read whole, so that the client's body may be closed when RoundTrip returns.
		content, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, fmt.Errorf("memhttp: read request: %w", err)
		}
		received.Body = io.NopCloser(bytes.NewReader(content))
		received.ContentLength = int64(len(content))
	}
	return received, nil
}

var errClosed = errors.New("memhttp: read on closed body")
