package upstream

import (
	"bufio"
	"context"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
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
	body := &streamBody{conn: conn, release: context.AfterFunc(req.Context(), func() { _ = conn.Close() })}
	res, err := body.ask(req)
	if err != nil {
		_ = body.Close()
		return nil, err
	}
	return res, nil
}

// streamBuffer is what an open stream reads into, in bytes: an event is not much longer.
const streamBuffer = 512

// A streamBody is the body of an answer, and the connection it comes on.
type streamBody struct {
	body    io.Reader
	in      *bufio.Reader // below it
	waits   bool          // for in, before more of a body in chunks is read
	over    error         // that ended it
	conn    net.Conn
	release func() bool // from the request's context
}

// Read implements io.Reader. It waits for a chunk where that takes less stack than in the reader of chunks: of the
// stream's goroutine, which waits most of its life, 4 KB instead of 8.
func (b *streamBody) Read(p []byte) (int, error) {
	if b.over != nil {
		return 0, b.over
	}
	if b.waits && b.in.Buffered() == 0 {
		_, err := b.in.Peek(1)
		if err != nil {
			b.over = broken(err)
			return 0, b.over
		}
	}
	n, err := b.body.Read(p)
	b.over = err
	return n, err
}

// broken returns the error of a body in chunks whose connection failed with err before its last one.
func broken(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// ask sends the request and returns the answer, whose body b then is. Answers that announce another
// are passed over.
func (b *streamBody) ask(req *http.Request) (*http.Response, error) {
	err := req.Write(b.conn)
	if err != nil {
		return nil, err
	}
	limited := &io.LimitedReader{R: b.conn, N: maxHead}
	in := bufio.NewReaderSize(limited, streamBuffer)
	for {
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			return nil, err
		}
		if res.StatusCode/100 == 1 {
			continue
		}
		limited.N = math.MaxInt64
		answer := *res
		b.body, b.in, b.waits = res.Body, in, slices.Equal(res.TransferEncoding, []string{"chunked"})
		answer.Body = b
		res.Header = nil // its body keeps res for the trailer's sake, and would keep the headers
		return &answer, nil
	}
}

// Close closes the connection. The rest of the body is not waited for, as that of http.ReadResponse
// would.
func (b *streamBody) Close() error {
	b.release()
	return b.conn.Close()
}
