package push

import (
	"net"
	"time"
)

// restFor is how long a connection is kept for its next request, as by Portico's own http.Server.
const restFor = 2 * time.Minute

// A Line is a connection that was taken from the http.Server when a connect on it was held, and on which the
// client's next connects are held too. While it waits, for the end of a connect or for the next request, there
// is a goroutine with a small stack, and no buffer: 7 KB of memory where the http.Server uses 28
// (`make bench-push`). What comes is served by another goroutine, whose stack may be large, and what is no request
// for here goes back to the http.Server with its connection.
type Line struct {
	server *Server
	link   *link
	now    *parked // the connect that was held last; of the goroutine that serves

	rests time.Time // since when the next request is waited for; zero: one is served. Guarded by Server.mu
}

// newLine takes over a connection as a line, which serves once it runs.
func (s *Server) newLine(l *link) *Line {
	line := &Line{server: s, link: l}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines[line] = struct{}{}
	return line
}

// RemoteAddr returns the address of the peer.
func (l *Line) RemoteAddr() net.Addr { return l.link.RemoteAddr() }

// run serves what comes on the line, until that ends.
func (l *Line) run() {
	defer l.server.serving.Done()
	l.server.errands.Enter()
	defer l.server.errands.Leave()
	for l.next() {
	}
}

// next waits for a request and serves it, and reports whether the line goes on.
func (l *Line) next() (more bool) {
	came, err := l.link.receive()
	if err != nil {
		l.leave()
		return false
	}
	l.server.errands.Call(func() { more = l.take(came) })
	return more
}

// take serves a request, or leaves the connection to the http.Server. It reports whether the line goes on.
func (l *Line) take(came *catch) (more bool) {
	defer came.giveBack()
	if !l.over() {
		l.end()
		return false
	}
	served, panicked := false, true
	l.server.guard(func() {
		served = l.server.opts.Next != nil && l.server.opts.Next(l, came.bytes())
		panicked = false
	})
	switch {
	case panicked:
		l.end()
		return false
	case !served:
		l.give(came.bytes())
		return false
	}
	return true
}

// over waits until the connect before is answered, whose caller may have sent more meanwhile, and reports whether
// the line goes on then. Whether that caller leaves is not seen, as in net/http.
func (l *Line) over() bool {
	if l.now == nil {
		return true
	}
	<-l.now.done
	stays := l.now.stays
	l.now = nil
	return stays && l.busy()
}

// busy notes that a request has come, and reports whether it may be served.
func (l *Line) busy() bool {
	l.server.mu.Lock()
	defer l.server.mu.Unlock()
	l.rests = time.Time{}
	return !l.server.closed
}

// A Call is a request on a line, as far as its handler has read it.
type Call struct {
	Owner       string // on whose behalf it is answered
	Browser     string // the value of the browser's cookie, "" if there is none
	ContentType string
	Body        []byte // nobody keeps it
	Caller      Caller
}

// Serve answers a request that came on l as Server.ServeUntil does, or holds its connect. It reports false, and has
// done nothing, if that is no batch of messages.
func (l *Line) Serve(c Call) bool {
	s := l.server
	if len(c.Body) > s.opts.MaxMessageSize {
		return false
	}
	batch, err := decodeBody(c.ContentType, c.Body)
	if err != nil || s.check(batch) != nil {
		return false
	}
	x := &exchange{owner: c.Owner, transport: longPolling, browser: c.Browser, limit: s.opts.sessionsPerBrowser(false)}
	p := l.park(x, c.Caller)
	x.wake = p.wakeLocked
	s.handle(x, batch)
	if !x.parked {
		p.answer()
	}
	return true
}

// restLocked notes that the next request is waited for, and reports whether it is to be.
func (l *Line) restLocked() bool {
	l.rests = time.Now()
	return !l.server.closed
}

// leave ends a line whose caller has left, or whose time is over.
func (l *Line) leave() {
	if l.now != nil {
		l.now.abandon()
		<-l.now.done
	}
	l.end()
}

// give leaves the connection to the http.Server, with what came on it.
func (l *Line) give(came []byte) {
	l.forget()
	l.link.early = append([]byte(nil), came...)
	if !l.server.opts.Returns.give(l.link) {
		_ = l.link.Close()
	}
}

// end closes the connection.
func (l *Line) end() {
	l.forget()
	_ = l.link.Close()
}

func (l *Line) forget() {
	l.server.mu.Lock()
	defer l.server.mu.Unlock()
	delete(l.server.lines, l)
}
