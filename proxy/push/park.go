package push

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"
)

// restFor is how long a connection is kept for its next request, as by Portico's own http.Server.
const restFor = 2 * time.Minute

// A parked is a connect that is held on a connection taken from the http.Server, which goes back there
// with the next request. While it is held, a goroutine with a small stack waits for the end of the
// connection, and there is no buffer: 7 KB of memory where the http.Server uses 28 (`make bench-push`).
//
// The way there and back leaves 12 KB of garbage, the buffers of two lives in the http.Server. Events come
// in bursts, so clients are parked that have been quiet for as long as a connect is held.
type parked struct {
	server *Server
	link   *link
	x      *exchange
	head   []byte        // lines of the answer's header that are known
	woken  chan struct{} // is closed when the connect is to be answered
	over   func(Ending)
}

// An Ending is how a request ended that was answered after ServeUntil had returned. It is zero for others.
type Ending struct {
	Status int
	Bytes  int   // of the body
	Err    error // as Serve returns it
}

// park parks the connect of x if its client is quiet, and reports whether it did: connections of TLS and
// HTTP/2, and those that end with their answer, are left to the http.Server.
func (s *Server) park(w http.ResponseWriter, r *http.Request, x *exchange, woken chan struct{}, over func(Ending)) bool {
	plain := r.TLS == nil && r.ProtoMajor == 1 && r.ProtoMinor == 1
	if !plain || r.Close || w.Header().Get("Connection") != "" || s.lively(x.client) || !s.takeOn() {
		return false
	}
	var head bytes.Buffer
	_ = w.Header().Write(&head)
	link, _, err := take(w)
	if err != nil {
		s.serving.Done()
		return false
	}
	p := &parked{server: s, link: link, x: x, head: bytes.Clone(head.Bytes()), woken: woken, over: over}
	s.mu.Lock()
	defer s.mu.Unlock()
	if x.connect.held {
		x.connect.wake = p.wake
	} else {
		p.link.interrupt() // it was woken meanwhile
	}
	go p.run()
	return true
}

func (s *Server) lively(c *client) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return c.lively
}

// wake has p answered.
func (p *parked) wake() {
	close(p.woken)
	p.link.interrupt()
}

// run waits until p is to be answered, answers it and hands the connection on.
func (p *parked) run() {
	defer p.server.serving.Done()
	stays := false
	p.server.guard(func() { stays = p.serve() })
	if !stays || !p.rest() {
		_ = p.link.Close()
	}
}

// serve answers p, and reports whether the connection stays open.
func (p *parked) serve() bool {
	end := Ending{Err: ErrLeft}
	defer func() { p.over(end) }()
	if !p.wait() {
		p.server.mu.Lock()
		p.server.abandonLocked(p.x.connect)
		p.server.mu.Unlock()
		return false
	}
	end = p.answer()
	return !p.x.last && !errors.Is(end.Err, ErrLeft)
}

// wait waits until p is to be answered, and reports whether its caller is still there.
func (p *parked) wait() bool {
	err := p.link.await()
	if err == nil {
		<-p.woken // the next request has come; whether its caller leaves is not seen, as in net/http
		return true
	}
	return errors.Is(err, os.ErrDeadlineExceeded)
}

// answer writes the answer, with the bytes that an http.Server would write.
func (p *parked) answer() Ending {
	body, err := p.server.compose(p.x)
	if err != nil {
		end := Ending{Status: http.StatusInternalServerError, Err: err}
		if p.write(end.Status, "", nil) != nil {
			end.Err = ErrLeft
		}
		return end
	}
	more := "Content-Type: application/json;charset=UTF-8\r\n"
	if p.x.last {
		more += "Connection: close\r\n"
	}
	end := Ending{Status: http.StatusOK, Bytes: len(body)}
	err = p.write(end.Status, more, body)
	if err != nil {
		end.Err = ErrLeft
	}
	p.server.settle(p.x, err == nil)
	return end
}

// write writes an answer with more lines in its header.
func (p *parked) write(status int, more string, body []byte) error {
	out := fmt.Appendf(make([]byte, 0, len(p.head)+len(body)+256), "HTTP/1.1 %d %s\r\n%s%sContent-Length: %d\r\nDate: %s\r\n\r\n%s",
		status, http.StatusText(status), p.head, more, len(body), time.Now().UTC().Format(http.TimeFormat), body)
	_ = p.link.SetWriteDeadline(time.Now().Add(writeWait))
	_, err := p.link.Write(out)
	_ = p.link.SetDeadline(time.Time{})
	return err
}

// rest waits for the next request, which the http.Server answers, and reports whether one has come.
func (p *parked) rest() bool {
	s := p.server
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return false
	}
	s.resting[p.link] = struct{}{}
	_ = p.link.SetReadDeadline(time.Now().Add(restFor))
	s.mu.Unlock()
	err := p.link.await()
	s.mu.Lock()
	delete(s.resting, p.link)
	s.mu.Unlock()
	if err != nil {
		return false
	}
	_ = p.link.SetReadDeadline(time.Time{})
	return s.opts.Returns.give(p.link)
}
