package push

import (
	"errors"
	"slices"
	"time"
)

// An exchange is one HTTP request or one frame of a socket, from its messages to what is written
// back. One goroutine works on it at a time.
type exchange struct {
	owner      string
	transport  transport
	browser    string  // the cookie that came, or was made for a handshake
	newBrowser bool    // it was made
	limit      int     // connects of the browser that may be held; negative: any number
	socket     *socket // nil over HTTP
	wake       func()  // resumes it when its connect is let go

	client  *client // that speaks; nil = unknown
	away    bool    // and the journal could not be asked for it
	replies []reply
	connect *connect  // the connect among its messages
	at      int       // where its reply stands
	parked  bool      // it was held, so whoever is woken goes on with it
	carries bool      // events may go with the replies
	events  []waiting // that do
	batch   int64     // of the acknowledgement extension
	last    bool      // on its connection: the server is closing, or about to
	out     *scratch  // what is written, from compose to settle
}

// Errors that Serve returns.
var (
	ErrReplaced = errors.New("push: connect was replaced by a newer one")
	ErrLeft     = errors.New("push: caller left")
	ErrParked   = errors.New("push: connect is answered later")
)

// errAsk is what composing fails with where the caller is to ask again before long.
var errAsk = errors.New("push: the journal does not answer")

// askAgain is after how long.
const askAgain = time.Second

// unknown returns the reply to a message whose client is not here. Only the journal knows that it is nowhere.
func (x *exchange) unknown(m *message) reply {
	if x.away {
		return m.reply().later()
	}
	return m.reply().unknown()
}

// putsOff reports whether x as a whole is to come again: of what came nothing was carried out, for want of the
// journal. On a socket each reply says so.
func (x *exchange) putsOff() bool {
	return x.away && x.socket == nil && !slices.ContainsFunc(x.replies, func(r reply) bool { return r.Successful })
}

// speaksLocked reports whether m comes from x's client.
func (x *exchange) speaksLocked(m *message) bool {
	return x.client != nil && !x.client.gone && (m.ClientID == "" || m.ClientID == x.client.id)
}

// compose returns what is to be written for x: a JSON array, or nil if there is nothing to say. It
// fails with ErrReplaced when a newer connect has come, and with errAsk. Whoever composes must settle, and may use
// what is returned until then.
//
// Source: CometD 3.1, AbstractStreamHttpTransport.write: a handshake's reply comes first, then
// events, then the other replies.
func (s *Server) compose(x *exchange) ([]byte, error) {
	s.mu.Lock()
	err := s.sealLocked(x)
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if len(x.events) > 0 && !s.save(x.client) {
		x.disown() // another server writes them
	}
	if len(x.events)+len(x.replies) == 0 {
		return nil, nil
	}
	x.out = borrow()
	for _, e := range x.events {
		x.out.separate()
		x.out.Write(e.text)
	}
	for i := range x.replies {
		x.out.separate()
		err := x.out.encodeReply(&x.replies[i])
		if err != nil {
			panic("push: a reply holds what came as JSON, so it encodes: " + err.Error())
		}
	}
	x.out.WriteByte(']')
	return x.out.Bytes(), nil
}

// sealLocked brings x's replies up to date and takes the events that go with them.
func (s *Server) sealLocked(x *exchange) error {
	x.last = s.closed || s.opts.Draining()
	c := x.client
	if c == nil && x.putsOff() {
		return errAsk
	}
	if c == nil {
		return nil
	}
	if x.connect != nil && (c.connect != x.connect || c.replaced) {
		return ErrReplaced
	}
	if c.gone {
		x.part()
		return nil
	}
	if s.closed && x.connect != nil && x.replies[x.at].Advice == nil {
		x.replies[x.at].Advice = s.retryLocked(c)
	}
	if !x.carries {
		return nil
	}
	c.queue.take(x)
	if c.queue.ack {
		x.replies[x.at].Ext = &ext{Ack: x.batch}
	} else {
		s.metrics.backlog.Sub(float64(len(x.events)))
	}
	return nil
}

// disown takes back the events that were to go with x.
func (x *exchange) disown() {
	x.events = nil
	if x.connect != nil {
		x.replies[x.at].Ext = nil
	}
}

// part turns the reply to a connect into the last word to a client that has ended. One that goes on at another
// server is to connect again, and gets there.
func (x *exchange) part() {
	if x.connect == nil || x.client.moved {
		return
	}
	r := &x.replies[x.at]
	if x.client.parting == None {
		r.Advice = &advice{Reconnect: None}
		return
	}
	*r = r.unknown()
}

// settle notes whether what compose returned was written. If not, somebody may be writing it still: the
// HTTP/2 server of net/http does not wait when a stream ends.
func (s *Server) settle(x *exchange, written bool) {
	if written && x.out != nil {
		x.out.giveBack()
		x.out = nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := x.client
	if c == nil {
		return
	}
	for _, e := range c.queue.settle(x, written) {
		s.metrics.delivered(e.event, s.opts.Delivered(e.topic, e.received))
	}
	if !written && !c.queue.ack {
		s.restoredLocked(x)
		c.unsaved = true
	}
	s.concludeLocked(x.connect)
	if !c.gone {
		s.wakeLocked(c)
	}
}

// restoredLocked counts x's events where they are now: back in the queue, or dropped with a client that was too slow.
func (s *Server) restoredLocked(x *exchange) {
	if !x.client.gone {
		s.metrics.backlog.Add(float64(len(x.events)))
		return
	}
	for _, e := range x.events {
		if x.client.slow {
			s.metrics.dropped(e.event)
		}
	}
}
