package upstream

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"math"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// A line is a connection of Calls. One call at a time uses it.
type line struct {
	of    *Calls
	to    host
	conn  net.Conn
	raw   syscall.RawConn // nil if it has none, as in memory
	since time.Time       // when it began to wait for the next call

	wrote bool // something of the call under way

	// What isQuiet works with.
	look  func(socket uintptr) bool
	seen  [1]byte
	quiet bool
}

// newLine returns the line that a new connection is.
func newLine(of *Calls, to host, conn net.Conn) *line {
	l := &line{of: of, to: to, conn: conn}
	secured, ok := conn.(*tls.Conn)
	if ok {
		conn = secured.NetConn()
	}
	socket, ok := conn.(syscall.Conn)
	if ok {
		l.raw, _ = socket.SyscallConn() // without, it is found out later that the other side is gone
	}
	return l
}

// ask sends a request as text and returns the answer, whose body gives the connection back. After an error
// the connection is closed.
func (l *line) ask(ctx context.Context, req *http.Request, text []byte) (*http.Response, error) {
	body := &lineBody{line: l, in: readers.Get().(*bufio.Reader)}
	body.limited = io.LimitedReader{R: l.conn, N: maxHead}
	body.in.Reset(&body.limited)
	body.release = l.limit(ctx)
	res, err := l.exchange(body, req, text)
	if err != nil {
		_ = body.Close()
		return nil, err
	}
	body.limited.N = math.MaxInt64
	body.Reader, body.last = res.Body, res.Close
	res.Body = body
	return res, nil
}

// limit ends what is done on the connection with a context, until release is called, which reports whether it
// has not.
func (l *line) limit(ctx context.Context) (release func() bool) {
	ctx, until := halves(ctx)
	_ = l.conn.SetDeadline(until)
	if ctx.Done() == nil {
		return func() bool { return true }
	}
	return context.AfterFunc(ctx, func() { _ = l.conn.Close() })
}

// exchange writes the request and reads the head of the answer. Answers that announce another are passed over.
func (l *line) exchange(body *lineBody, req *http.Request, text []byte) (*http.Response, error) {
	n, err := l.conn.Write(text)
	l.wrote = n > 0
	if err != nil {
		return nil, err
	}
	for {
		res, err := http.ReadResponse(body.in, req)
		if err != nil {
			return nil, err
		}
		if res.StatusCode/100 != 1 {
			return res, nil
		}
	}
}

// readers are buffers to read answers into. A connection that waits has none.
var readers = sync.Pool{New: func() any { return bufio.NewReader(nil) }}

// A lineBody is the body of an answer. One goroutine uses it.
type lineBody struct {
	io.Reader // nil before the head has come
	line      *line
	in        *bufio.Reader
	limited   io.LimitedReader // what in reads from
	release   func() bool      // from the request's context; false if that has ended
	last      bool             // nothing can follow on the connection
	ended     bool             // read to its end
}

// Read implements io.Reader.
func (b *lineBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.ended = b.ended || err == io.EOF
	return n, err
}

// Close gives the connection back if the body was read to its end, and else closes it. It is called once.
func (b *lineBody) Close() error {
	more := b.in.Buffered() > 0 // than the answer
	b.in.Reset(nil)
	readers.Put(b.in)
	if b.release() && b.ended && !b.last && !more {
		b.line.of.keep(b.line)
		return nil
	}
	return b.line.conn.Close()
}
