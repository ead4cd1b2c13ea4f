package quick

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// An Answerer answers a request with one call of w.Write, or reports false and has done nothing: then
// net/http is given it. The request is the connection's again when it returns.
type Answerer func(w io.Writer, r *Request) bool

// Settings say how connections are to behave that are answered here. All are required but Handles.
type Settings struct {
	Answer Answerer // of GET

	// Handler answers those POST that Handles wants answered so, nil: none. It can only give one whole answer, and
	// does not learn that its caller has left. The context is that of the connection.
	Handler http.Handler
	Handles func(*Request) bool

	Idle  time.Duration        // how long the next request is waited for: the server's IdleTimeout
	Write func() time.Duration // how long a caller may take nothing of an answer
}

// A Conn is a connection that an http.Server serves. Its methods may be called as those of any net.Conn,
// and Note by the server's ConnState alone.
type Conn struct {
	net.Conn
	of      *Listener
	context context.Context
	at      atomic.Int32 // one of the states
	remote  atomic.Pointer[named]

	// Of the goroutine that reads.
	whole  int  // length of what the server reads into when it holds nothing that was not read: its buffer
	posted bool // the last request was a POST, and was answered here
	failed error

	answered time.Time // when the last answer was written: as its write began, or last went on
	writeBy  time.Time // the deadline for writes that is set; zero: none
}

// States of a Conn. The server is between two requests, and has no byte of the next one, when it has called
// ConnState with StateIdle, then set the deadline for the next request once, and now reads into its whole
// buffer. If another Go went about it differently, all requests would be net/http's, and TestKeepAliveIsQuick
// fail.
const (
	busy      int32 = iota // net/http is at work, or nobody has logged in yet
	idled                  // StateIdle was called
	resting                // and the deadline was set
	answering              // a request has come that may be answered here
	closing                // and is the last: the connection is to be closed then
	off                    // it is closed
)

// Note is told what the server's ConnState is. Allowed reports whether what comes next on the connection
// may be answered here.
func (c *Conn) Note(state http.ConnState, allowed bool) {
	if state == http.StateIdle && allowed {
		c.at.CompareAndSwap(busy, idled)
	}
}

// Keep is told by the server's ConnContext what that returns.
func (c *Conn) Keep(ctx context.Context) { c.context = ctx }

// RemoteAddr implements net.Conn. Its text is made once: each POST is given it, and made it in three pieces.
func (c *Conn) RemoteAddr() net.Addr {
	remote := c.remote.Load()
	if remote == nil {
		addr := c.Conn.RemoteAddr()
		remote = &named{addr, addr.String()}
		c.remote.Store(remote)
	}
	return remote
}

// A named address knows its text.
type named struct {
	net.Addr
	text string
}

func (a *named) String() string { return a.text }

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error {
	if !c.at.CompareAndSwap(idled, resting) {
		c.at.CompareAndSwap(resting, busy)
	}
	return c.Conn.SetReadDeadline(t)
}

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	c.at.CompareAndSwap(idled, busy)
	c.at.CompareAndSwap(resting, busy)
	return c.Conn.SetDeadline(t)
}

// Read implements net.Conn. Between two requests it answers those that it can and returns what comes then.
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 1 { // the server watches the connection while a request is served, from another goroutine
		return c.Conn.Read(p)
	}
	if c.whole == 0 {
		c.whole = len(p)
	}
	if c.at.Load() != resting || len(p) != c.whole {
		c.at.CompareAndSwap(idled, busy)
		c.at.CompareAndSwap(resting, busy)
		return c.Conn.Read(p)
	}
	return c.rest(p)
}

// rest answers what comes on a connection that rests, and returns what it cannot.
func (c *Conn) rest(p []byte) (int, error) {
	c.answered, c.posted = time.Time{}, false
	for {
		n, err := c.Conn.Read(p)
		if n > 0 && err == nil && c.posted {
			n = copy(p, withoutEmptyLines(p[:n]))
			if n == 0 {
				continue
			}
		}
		if errors.Is(err, os.ErrDeadlineExceeded) && n == 0 && c.awaits() {
			continue
		}
		if n == 0 || err != nil || !c.at.CompareAndSwap(resting, answering) {
			c.leave(resting)
			return n, err
		}
		if !c.answer(p[:n]) {
			c.leave(answering)
			return n, nil
		}
		if c.failed != nil {
			c.leave(answering)
			return 0, c.failed
		}
		if !c.at.CompareAndSwap(answering, resting) { // the server has closed it meanwhile
			c.leave(answering)
			return 0, net.ErrClosed
		}
	}
}

// withoutEmptyLines returns what follows the line ends that old clients send after the body of a POST, as net/http
// reads it.
//
// Source: RFC 9112, 2.2.
func withoutEmptyLines(came []byte) []byte { return bytes.TrimLeft(came, "\r\n") }

// answer answers a request, if it is one for here.
func (c *Conn) answer(head []byte) bool {
	r := requests.Get().(*Request)
	defer requests.Put(r)
	if !r.Parse(head, c) {
		return false
	}
	c.posted = r.Method == http.MethodPost
	if c.posted {
		return c.of.Handles != nil && c.handle(r)
	}
	return c.of.Answer((*paced)(c), r)
}

// handle has a request handled, if it is to be here.
func (c *Conn) handle(r *Request) bool {
	c.of.handling.begin() // before a handler is chosen: Wait waits for those that are
	defer c.of.handling.end()
	if !c.of.Handles(r) {
		return false
	}
	ctx, cancel := context.WithCancel(c.context)
	defer cancel()
	defer c.panicking()
	w := NewResponse((*paced)(c))
	c.of.Handler.ServeHTTP(w, r.HTTP(ctx))
	if c.at.Load() == closing { // or the caller might send the next request on it
		w.Header().Set("Connection", "close")
	}
	c.failed = w.End()
	return true
}

// panicking ends the connection after a panic, which is the server's to tell of.
func (c *Conn) panicking() {
	panicked := recover()
	if panicked != nil {
		c.leave(answering)
		panic(panicked)
	}
}

// requests are for those who have one: most connections have none, for a poll is held on them.
var requests = sync.Pool{New: func() any { return new(Request) }}

// awaits reports whether the next request may still come, and waits on for it: the server set its deadline
// when it read last, and setting it anew for each request would be the dearest part of waiting.
func (c *Conn) awaits() bool {
	until := c.answered.Add(c.of.Idle)
	if c.answered.IsZero() || !time.Now().Before(until) {
		return false
	}
	_ = c.Conn.SetReadDeadline(until)
	return true
}

// leave gives the connection back to net/http, with the deadlines that it would have set, or closes it if that
// wanted it closed.
func (c *Conn) leave(from int32) {
	if !c.answered.IsZero() {
		_ = c.Conn.SetReadDeadline(c.answered.Add(c.of.Idle)) // the rest of a request may be to come
	}
	if !c.writeBy.IsZero() {
		c.writeBy = time.Time{}
		_ = c.Conn.SetWriteDeadline(time.Time{})
	}
	if !c.at.CompareAndSwap(from, busy) && c.at.CompareAndSwap(closing, off) {
		_ = c.Conn.Close()
	}
}

// Close implements net.Conn. A server that stops closes connections that rest; an answer that has begun is
// written before.
func (c *Conn) Close() error {
	if c.at.CompareAndSwap(answering, closing) {
		return nil
	}
	c.at.Store(off)
	return c.Conn.Close()
}

// Uncovered returns the connection itself, for who has taken it over: nothing is answered here any more.
func (c *Conn) Uncovered() net.Conn {
	covered, ok := c.Conn.(interface{ Uncovered() net.Conn })
	if ok {
		return covered.Uncovered()
	}
	return c.Conn
}

// CloseWrite ends our half, if the connection has halves.
func (c *Conn) CloseWrite() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}
