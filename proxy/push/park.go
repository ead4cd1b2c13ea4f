package push

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"time"

	"portico/proxy/plainhttp"
)

// A parked is a connect that is answered on a line, mostly after it was held.
type parked struct {
	line   *Line
	x      *exchange
	caller Caller
	left   bool          // nobody is there to be answered; guarded by Server.mu
	stays  bool          // the connection does, once done is closed
	done   chan struct{} // is closed when it is answered

	alsoWoken *parked // guarded by Server.mu until it is answered
}

// A Caller is whoever is answered on a line.
type Caller interface {
	// Head appends the lines of the answer's header that are not push's own.
	Head(out []byte) []byte

	// Over is called once the request is answered.
	Over(Ending)
}

// An Ending is how a request ended that was answered after ServeUntil had returned. It is zero for others.
type Ending struct {
	Status int
	Bytes  int   // of the body
	Err    error // as Serve returns it
}

// A served is the Caller of a connect that came from the http.Server.
type served struct {
	head []byte
	over func(Ending)
}

func (c *served) Head(out []byte) []byte { return append(out, c.head...) }
func (c *served) Over(end Ending)        { c.over(end) }

// park makes the connection of x's connect a line, and reports whether it did: connections of TLS and HTTP/2, and
// those that end with their answer, are left to the http.Server. The way to a line and back leaves 12 KB of garbage,
// the buffers of two lives there, and takes a quarter of what an event costs then, so a client that goes it for each
// connect is left there too while it hears of something all the time.
func (s *Server) park(w http.ResponseWriter, r *http.Request, x *exchange, over func(Ending)) bool {
	plain := r.TLS == nil && r.ProtoMajor == 1 && r.ProtoMinor == 1
	if !plain || r.Close || w.Header().Get("Connection") != "" || s.staysAway(x.client) || !s.takeOn() {
		return false
	}
	var head bytes.Buffer
	_ = w.Header().Write(&head)
	link, _, err := take(w)
	if err != nil {
		s.serving.Done()
		return false
	}
	x.browser = strings.Clone(x.browser) // or all headers of the request are kept with it
	line := s.newLine(link, s.watch(r, link))
	p := line.park(x, &served{bytes.Clone(head.Bytes()), over})
	s.mu.Lock()
	defer s.mu.Unlock()
	x.connect.wake = p.wakeLocked
	if !x.connect.held {
		p.wakeLocked() // it was woken meanwhile
	}
	go line.run()
	return true
}

func (s *Server) staysAway(c *client) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return c.roundWay && c.lively
}

// park has l carry x.
func (l *Line) park(x *exchange, caller Caller) *parked {
	l.now = &parked{line: l, x: x, caller: caller, done: make(chan struct{})}
	return l.now
}

// wakeLocked has p answered, by whoever publishes what wakes it where that need not wait for anybody.
func (p *parked) wakeLocked() {
	s := p.line.server
	switch {
	case p.left:
	case s.gathers:
		p.alsoWoken, s.woken = s.woken, p
	default:
		go p.answer()
	}
}

// abandon gives up p if it is held: its caller has left.
func (p *parked) abandon() {
	s := p.line.server
	s.mu.Lock()
	held := p.x.connect != nil && p.x.connect.held
	if held {
		p.left = true
		s.abandonLocked(p.x.connect)
	}
	s.mu.Unlock()
	if held {
		p.caller.Over(Ending{Err: ErrLeft})
		close(p.done)
	}
}

// answer answers p, with the bytes that an http.Server would write. What its caller does not take at once is
// written by another goroutine.
func (p *parked) answer() {
	s := p.line.server
	answered := false
	s.guard(func() {
		a := p.compose()
		a.out.Next(p.line.link.writeNow(a.out.Bytes()))
		if a.out.Len() > 0 {
			go a.write()
		} else {
			a.finish(nil)
		}
		answered = true
	})
	if !answered {
		p.conclude(false)
	}
}

// conclude ends p. The connection is for the next request if it stays.
func (p *parked) conclude(stays bool) {
	p.stays = stays
	if stays {
		p.line.watcher.Idle(p.x.owner) // before the next request is looked at
	} else {
		_ = p.line.link.Close()
	}
	close(p.done)
}

// An answer is what is written for a parked connect.
type answer struct {
	*parked
	out *scratch // the rest of it
	end Ending
}

// compose returns the answer of p.
func (p *parked) compose() answer {
	a := answer{parked: p, out: borrow()}
	body, err := p.line.server.compose(p.x)
	switch {
	case errors.Is(err, errAsk):
		a.end = Ending{Status: http.StatusServiceUnavailable}
	case err != nil:
		a.end = Ending{Status: http.StatusInternalServerError, Err: err}
	default:
		a.end = Ending{Status: http.StatusOK, Bytes: len(body)}
	}
	a.out.Write(a.appendHead(a.out.AvailableBuffer()))
	a.out.Write(body)
	return a
}

// appendHead appends all that comes before the body.
func (a *answer) appendHead(text []byte) []byte {
	text = a.caller.Head(plainhttp.AppendStatus(text, a.end.Status))
	switch a.end.Status {
	case http.StatusOK:
		text = a.appendFields(text)
	case http.StatusServiceUnavailable:
		text = plainhttp.AppendField(text, "Retry-After", retryAfter)
	}
	if a.x.last {
		text = plainhttp.AppendField(text, "Connection", "close")
	}
	text = plainhttp.AppendLength(text, int64(a.end.Bytes))
	return append(plainhttp.AppendDate(text, time.Now()), plainhttp.LineEnd...)
}

// appendFields appends those that only an answer with replies has.
func (a *answer) appendFields(text []byte) []byte {
	text = plainhttp.AppendField(text, "Content-Type", jsonType)
	if a.x.newBrowser {
		text = plainhttp.AppendField(text, "Set-Cookie", a.line.server.cookie(a.x.browser).String())
	}
	return text
}

// write writes what is left of the answer.
func (a answer) write() {
	answered := false
	a.line.server.guard(func() {
		link := a.line.link
		_ = link.SetWriteDeadline(time.Now().Add(writeWait))
		_, err := link.Write(a.out.Bytes())
		_ = link.SetWriteDeadline(time.Time{})
		a.finish(err)
		answered = true
	})
	if !answered {
		a.conclude(false)
	}
}

// finish notes what became of the answer.
func (a answer) finish(err error) {
	if err != nil {
		a.end.Err = ErrLeft
	} else {
		a.out.giveBack()
	}
	s := a.line.server
	if a.end.Status == http.StatusOK {
		s.settle(a.x, err == nil)
	}
	s.mu.Lock()
	open := a.line.restLocked()
	s.mu.Unlock()
	a.caller.Over(a.end)
	a.conclude(open && !a.x.last && !errors.Is(a.end.Err, ErrLeft))
}
