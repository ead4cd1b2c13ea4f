package upstream

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
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
	bare  bool            // conn is the socket itself
	since time.Time       // when it began to wait for the next call

	kept  bool      // it has served a call
	wrote bool      // something of the call under way
	until time.Time // that the call may take
	set   time.Time // the deadline of the connection
	turn  turn
}

// newLine returns the line that a new connection is.
func newLine(of *Calls, to host, conn net.Conn) *line {
	l := &line{of: of, to: to, conn: conn}
	_, l.bare = conn.(*net.TCPConn)
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

// errStale is why a call is not made on a connection that was kept. Of one sent to a host that has closed it nobody
// could say whether it was carried out.
var errStale = errors.New("the connection was closed while it waited")

// exchange sends a request as text and reads the answer. The connection is kept for the next call then, or closed:
// in any case after an error.
func (l *line) exchange(ctx context.Context, req *http.Request, text []byte, maxBody int64) (Reply, reason, error) {
	in := answers.Get().(*[shortAnswer]byte)
	defer answers.Put(in)
	release := l.limit(ctx)
	n, err := l.askAndWait(text, in[:])
	if err != nil {
		release()
		_ = l.conn.Close()
		why, err := sendFailure(ctx, err)
		return Reply{}, why, err
	}
	reply, n, err := l.short(in[:], n, maxBody)
	if reply.Status != 0 {
		l.over(release(), true)
		return reply, "", nil
	}
	res, err := l.long(req, release, io.MultiReader(bytes.NewReader(in[:n]), after{l.conn, err}))
	return finish(ctx, res, err, maxBody)
}

// over keeps the connection for the next call if it may serve one, and else closes it.
func (l *line) over(live, clean bool) error {
	if live && clean {
		l.kept = true
		l.of.keep(l)
		return nil
	}
	return l.conn.Close()
}

// limit ends what is done on the connection with a context, until release is called, which reports whether it
// has not.
func (l *line) limit(ctx context.Context) (release func() bool) {
	ctx, l.until = halves(ctx)
	if l.set.IsZero() || l.until.Before(l.set) {
		l.setDeadline()
	}
	if ctx.Done() == nil {
		return func() bool { return true }
	}
	return context.AfterFunc(ctx, func() { _ = l.conn.Close() })
}

// setDeadline has the connection end when the call may take no longer.
func (l *line) setDeadline() {
	if !l.set.Equal(l.until) {
		l.set = l.until
		_ = l.conn.SetDeadline(l.until)
	}
}

// askAndWait writes a request and returns how much came as soon as something does.
func (l *line) askAndWait(text, in []byte) (int, error) {
	l.wrote = false
	if l.bare {
		return l.turnAround(text, in)
	}
	l.setDeadline()
	if l.kept && !l.isQuiet() {
		return 0, errStale
	}
	return l.writeAndWait(text, in)
}

// writeAndWait writes what is left of a request and waits for the answer.
func (l *line) writeAndWait(text, in []byte) (int, error) {
	l.setDeadline()
	n, err := l.conn.Write(text)
	l.wrote = l.wrote || n > 0
	if err != nil {
		return 0, err
	}
	n, err = l.conn.Read(in)
	if n > 0 {
		err = nil // the next read will tell
	}
	return n, err
}

// shortAnswer is how long an answer may be that is read at once, in bytes.
const shortAnswer = 4 << 10

// answers are buffers to read answers into. A connection that waits has none.
var answers = sync.Pool{New: func() any { return new([shortAnswer]byte) }}

// short returns an answer that is plain and fits into in, of which n bytes came; else the zero Reply, how much has
// come by then, and what kept more from coming.
func (l *line) short(in []byte, n int, maxBody int64) (Reply, int, error) {
	a, ok := parseAnswer(in[:n])
	whole := a.head + a.body
	if !ok || whole > len(in) || int64(a.body) > maxBody {
		return Reply{}, n, nil
	}
	for n < whole { // some hosts send the body in a packet of its own
		l.setDeadline()
		more, err := l.conn.Read(in[n:])
		n += more
		if err != nil {
			return Reply{}, n, err
		}
	}
	if n > whole {
		return Reply{}, n, nil
	}
	copied := bytes.Clone(in[:whole])
	return Reply{Status: a.status, Body: copied[a.head:], lines: copied[a.lines:a.head:a.head]}, n, nil
}

// long has net/http read the head of an answer, whose body gives the connection back. Answers that announce another
// are passed over. After an error the connection is closed.
func (l *line) long(req *http.Request, release func() bool, from io.Reader) (*http.Response, error) {
	l.setDeadline()
	body := &lineBody{line: l, in: readers.Get().(*bufio.Reader), release: release, limited: io.LimitedReader{R: from, N: maxHead}}
	body.in.Reset(&body.limited)
	for {
		res, err := http.ReadResponse(body.in, req)
		if err != nil {
			_ = body.Close()
			return nil, err
		}
		if res.StatusCode/100 != 1 {
			body.limited.N = math.MaxInt64
			body.Reader, body.last = res.Body, res.Close
			res.Body = body
			return res, nil
		}
	}
}

// An after is the rest of an answer: what still comes, or why nothing does.
type after struct {
	conn net.Conn
	err  error
}

// Read implements io.Reader.
func (a after) Read(p []byte) (int, error) {
	if a.err != nil {
		return 0, a.err
	}
	return a.conn.Read(p)
}

// readers are buffers for net/http to read answers into.
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
	return b.line.over(b.release(), b.ended && !b.last && !more)
}
