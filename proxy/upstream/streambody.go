package upstream

import (
	"bufio"
	"context"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httputil"
	"slices"
	"sync"
)

// A streamBody is the body of an answer, and the connection it comes on. While it waits for more it has no
// buffer. One goroutine reads it.
type streamBody struct {
	from    source
	in      bufio.Reader  // over from; empty but for what lent brings
	lent    *bufio.Reader // what in is a copy of; nil while it has no buffer
	body    io.Reader     // over in
	over    error         // that ended it
	release func() bool   // from the context that ends it
}

// newStreamBody returns the body of an answer that is to come on conn, which the end of ctx closes.
func newStreamBody(ctx context.Context, conn net.Conn) *streamBody {
	b := &streamBody{from: source{conn: conn, left: maxHead}}
	b.release = context.AfterFunc(ctx, b.hangUp)
	return b
}

// endWith has the end of another context close the connection, and no longer that of the first.
func (b *streamBody) endWith(ctx context.Context) {
	b.release()
	b.release = context.AfterFunc(ctx, b.hangUp)
}

// hangUp closes the connection, so that a Read under way fails.
func (b *streamBody) hangUp() { _ = b.from.conn.Close() }

// ask sends the request and returns the answer, whose body b then is. Answers that announce another
// are passed over.
func (b *streamBody) ask(req *http.Request) (*http.Response, error) {
	err := req.Write(b.from.conn)
	if err != nil {
		return nil, err
	}
	b.borrow()
	defer b.giveBack()
	for {
		res, err := http.ReadResponse(&b.in, nil)
		if err != nil {
			return nil, err
		}
		if res.StatusCode/100 == 1 {
			continue
		}
		b.from.left = math.MaxInt64
		b.body = res.Body
		if slices.Equal(res.TransferEncoding, []string{"chunked"}) {
			b.body = httputil.NewChunkedReader(&b.in) // res.Body would keep all of res, for the trailer's sake
		}
		res.Body = b
		return res, nil
	}
}

// wait returns when there is something to read.
func (b *streamBody) wait() {
	if b.isQuiet() {
		b.from.wait()
	}
}

// isQuiet reports whether nothing is known to be there to be read.
func (b *streamBody) isQuiet() bool {
	return b.over == nil && b.in.Buffered() == 0 && !b.from.waited
}

// Read implements io.Reader.
func (b *streamBody) Read(p []byte) (int, error) {
	if b.over != nil {
		return 0, b.over
	}
	b.borrow()
	n, err := b.body.Read(p)
	b.over = err
	b.giveBack()
	return n, err
}

// streamBuffers are what open streams read with. An event is not much longer.
var streamBuffers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 512) }}

// borrow gives in a buffer.
func (b *streamBody) borrow() {
	if b.lent != nil {
		return
	}
	b.lent = streamBuffers.Get().(*bufio.Reader)
	b.lent.Reset(&b.from)
	b.in = *b.lent
}

// giveBack takes it away, unless something is in it. Nobody but in knows the buffer: who reads from in has copied
// what was there.
func (b *streamBody) giveBack() {
	if b.lent == nil || b.in.Buffered() > 0 {
		return
	}
	b.lent.Reset(nil)
	streamBuffers.Put(b.lent)
	b.lent, b.in = nil, bufio.Reader{}
}

// Close closes the connection. The rest of the body is not waited for, as that of http.ReadResponse
// would.
func (b *streamBody) Close() error {
	b.release()
	return b.from.conn.Close()
}

// A source is a connection that can be waited for: by a Read of one byte, which is the first of the next one.
type source struct {
	conn   net.Conn
	left   int64 // that may be read, in bytes
	first  [1]byte
	waited bool // first is to be read, or failed
	failed error
}

// wait returns when there is something to read.
func (s *source) wait() {
	letGoOfBuffer(s.conn)
	n, err := s.conn.Read(s.first[:])
	if n == 0 {
		s.failed = err
	}
	s.waited = n > 0 || err != nil
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	if s.left <= 0 {
		return 0, io.EOF
	}
	if s.waited && s.failed != nil {
		return 0, s.failed
	}
	if s.waited && len(p) > 0 {
		p[0], s.waited = s.first[0], false
		s.left--
		return 1, nil
	}
	n, err := s.conn.Read(p[:min(int64(len(p)), s.left)])
	s.left -= int64(n)
	return n, err
}
