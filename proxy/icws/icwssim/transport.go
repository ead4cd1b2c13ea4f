package icwssim

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
)

// Transport returns a RoundTripper that calls the server without a network, for tests under
// testing/synctest, where sockets would stop the clock. Streams arrive as they are written; an
// answer that breaks off ends in io.ErrUnexpectedEOF. A request ends with its context, or when the
// body of its answer is closed, which the caller must do.
func (s *Server) Transport() http.RoundTripper { return transport{s} }

type transport struct{ handler http.Handler }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	reader, writer := io.Pipe()
	out := &pipeResponse{header: make(http.Header), body: writer, started: make(chan struct{})}
	stop := context.AfterFunc(r.Context(), func() { _ = writer.CloseWithError(r.Context().Err()) })
	go func() {
		defer cancel()
		defer stop()
		_ = writer.CloseWithError(out.run(t.handler, serverRequest(ctx, r)))
	}()
	select {
	case <-out.started:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	if out.broken != nil {
		return nil, out.broken
	}
	return &http.Response{
		Status: strconv.Itoa(out.status) + " " + http.StatusText(out.status), StatusCode: out.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: out.sent, ContentLength: -1, Request: r,
		Body: pipeBody{reader, cancel},
	}, nil
}

// serverRequest is the request as a server sees it.
func serverRequest(ctx context.Context, r *http.Request) *http.Request {
	in := r.Clone(ctx)
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	in.RequestURI = r.URL.RequestURI()
	in.RemoteAddr = "192.0.2.1:1234"
	return in
}

// pipeResponse is a ResponseWriter whose body is read as it is written.
type pipeResponse struct {
	header  http.Header
	body    *io.PipeWriter
	once    sync.Once
	started chan struct{} // closed when status and sent, or broken, are set
	status  int
	sent    http.Header
	broken  error // the handler aborted before it answered
}

// run calls the handler and returns the error in which the answer's body is to end, nil for EOF.
func (out *pipeResponse) run(h http.Handler, r *http.Request) error {
	defer r.Body.Close()
	if !aborts(func() { h.ServeHTTP(out, r) }) {
		out.WriteHeader(http.StatusOK)
		return nil
	}
	out.once.Do(func() {
		out.broken = io.ErrUnexpectedEOF
		close(out.started)
	})
	return io.ErrUnexpectedEOF
}

// aborts calls f and says whether it ended by breaking its connection off.
func aborts(f func()) (aborted bool) {
	defer func() {
		p := recover()
		if p != nil && p != http.ErrAbortHandler {
			panic(p)
		}
		aborted = p != nil
	}()
	f()
	return false
}

// Header returns the header to be sent.
func (out *pipeResponse) Header() http.Header { return out.header }

// WriteHeader lets the caller have the answer, whose body is to come.
func (out *pipeResponse) WriteHeader(status int) {
	out.once.Do(func() {
		out.status, out.sent = status, make(http.Header)
		for name, values := range out.header {
			out.sent[http.CanonicalHeaderKey(name)] = slices.Clone(values) // as a real client reads them
		}
		close(out.started)
	})
}

// Write waits until the caller has read b, or closed the body.
func (out *pipeResponse) Write(b []byte) (int, error) {
	out.WriteHeader(http.StatusOK)
	return out.body.Write(b)
}

// Flush does nothing: every write arrives at once.
func (out *pipeResponse) Flush() {}

// pipeBody is the body of an answer; closing it ends the request.
type pipeBody struct {
	*io.PipeReader
	cancel context.CancelFunc
}

// Close makes the handler's next write fail and ends its context.
func (b pipeBody) Close() error {
	b.cancel()
	return b.PipeReader.Close()
}
