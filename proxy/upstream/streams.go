package upstream

import (
	"net/http"
	"net/http/httptrace"
)

// Streams is a http.RoundTripper for answers that go on, each over a HTTP/1.1 connection of its own.
// Any number of goroutines may use it.
//
// Beside the goroutine that reads a stream, http.Transport keeps two more and two buffers of 4 KB.
// Over 5,000 idle streams that was half of what a logged-in agent cost; `make bench-push` measures it.
type Streams struct {
	// Transport says how to dial, what TLS to speak and which proxy to use; requests that go through
	// a proxy are its own.
	Transport *http.Transport
}

// RoundTrip implements http.RoundTripper. The connection is closed with the answer's body, or when the
// request's context ends.
func (s *Streams) RoundTrip(req *http.Request) (*http.Response, error) {
	if proxied(s.Transport, req) {
		return s.Transport.RoundTrip(req)
	}
	conn, err := dial(req.Context(), s.Transport, req.URL)
	if err != nil {
		return nil, err
	}
	trace := httptrace.ContextClientTrace(req.Context())
	if trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{Conn: conn})
	}
	body := newStreamBody(req.Context(), conn)
	res, err := body.ask(req)
	if err != nil {
		_ = body.Close()
		return nil, err
	}
	return res, nil
}
