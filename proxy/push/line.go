package push

import (
	"bytes"
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
	server  *Server
	link    *link
	watcher Watcher
	now     *parked // what is answered; of the goroutine that serves
	served  bool    // a request was, of those that came on the line; of the same
	more    bool    // the line goes on; of the same

	rests time.Time // since when the next request is waited for; zero: one is served. Guarded by Server.mu
}

// newLine takes over a connection as a line, which serves once it runs.
func (s *Server) newLine(l *link, watcher Watcher) *Line {
	line := &Line{server: s, link: l, watcher: watcher}
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
	var came *catch
	serve := func() { l.more = l.take(request(came)) } // made once
	for came = l.next(); came != nil; came = l.next() {
		l.server.errands.Call(serve)
		came.giveBack()
		if !l.more {
			return
		}
	}
}

// next waits for a request, and returns nil if the line has ended instead.
func (l *Line) next() *catch {
	for {
		came, err := l.link.receive()
		if err != nil {
			l.leave()
			return nil
		}
		if len(request(came)) == 0 {
			came.giveBack()
			continue
		}
		if !l.over() {
			came.giveBack()
			l.end()
			return nil
		}
		return came
	}
}

// request returns what came without the empty line that old clients send after a body.
//
// Source: RFC 9112, 2.2.
func request(came *catch) []byte { return bytes.TrimLeft(came.bytes(), "\r\n") }

// take serves a request, or leaves the connection to the http.Server. It reports whether the line goes on.
func (l *Line) take(came []byte) bool {
	served, panicked := false, true
	l.server.guard(func() {
		served = l.server.opts.Next != nil && l.server.opts.Next(l, came)
		panicked = false
	})
	switch {
	case panicked:
		l.end()
	case !served:
		l.give(came)
	}
	l.served = served
	return served && !panicked
}

// over waits until the connect before is answered, whose caller may have sent more meanwhile, and reports whether
// the line goes on then. Whether that caller leaves is not seen, as in net/http.
func (l *Line) over() bool {
	<-l.now.done
	return l.now.stays && l.busy()
}

// busy notes that a request has come, and reports whether it may be served.
func (l *Line) busy() bool {
	l.watcher.Busy()
	l.server.mu.Lock()
	defer l.server.mu.Unlock()
	l.rests = time.Time{}
	return !l.server.closed
}

// A Batch is what came in a request on a line.
type Batch struct {
	line     *Line
	messages []message
}

// Read reads the body of a request that came on l; false if it is to be refused, which is left to the http.Server.
func (l *Line) Read(contentType string, body []byte) (Batch, bool) {
	if len(body) > l.server.opts.MaxMessageSize {
		return Batch{}, false
	}
	messages, err := decodeBody(contentType, body)
	return Batch{l, messages}, err == nil && l.server.check(messages) == nil
}

// Serve answers a batch on behalf of owner as Server.ServeUntil does, or holds its connect. Browser is the value of
// the browser's cookie, "" if there is none.
func (b Batch) Serve(owner, browser string, caller Caller) {
	s := b.line.server
	x := &exchange{owner: owner, transport: longPolling, browser: browser, limit: s.opts.sessionsPerBrowser(false)}
	p := b.line.park(x, caller)
	x.wake = p.wakeLocked
	s.handle(x, b.messages)
	if !x.parked {
		p.answer()
	}
}

// restLocked notes that the next request is waited for, and reports whether it is to be.
func (l *Line) restLocked() bool {
	l.rests = time.Now()
	return !l.server.closed
}

// leave ends a line whose caller has left, or whose time is over.
func (l *Line) leave() {
	l.now.abandon()
	<-l.now.done
	l.end()
}

// give leaves the connection to the http.Server, with what came on it.
func (l *Line) give(came []byte) {
	l.forget()
	l.noteWay()
	l.link.early = append([]byte(nil), came...)
	if !l.server.opts.Returns.give(l.link) {
		_ = l.link.Close()
	}
}

// noteWay notes of the client whether its connects are no requests for lines.
func (l *Line) noteWay() {
	l.server.mu.Lock()
	defer l.server.mu.Unlock()
	c := l.now.x.client
	if c != nil {
		c.roundWay = !l.served
	}
}

// end closes the connection.
func (l *Line) end() {
	l.forget()
	_ = l.link.Close()
}

func (l *Line) forget() {
	l.watcher.Gone()
	l.server.mu.Lock()
	defer l.server.mu.Unlock()
	delete(l.server.lines, l)
}
