package push

import "time"

// A connect is a /meta/connect that is being answered. While it is held nothing runs for it but a
// timer and whoever waits to be woken: a parked connection would do as well as a goroutine.
type connect struct {
	client *client
	socket *socket // it came on; nil over HTTP
	wake   func()  // called with Server.mu held, once, when a held connect is to be answered

	// Guarded by Server.mu.
	held    bool
	counted bool // among those of its browser
	timer   *time.Timer
}

// connect answers m, and holds x if there is nothing to tell its client yet. alone says that x
// carries no other message. Once x is held it belongs to whoever is woken.
func (s *Server) connect(x *exchange, m *message, alone bool) {
	wish := m.wishes(s.opts.Timeout)
	speaks := s.lockSpeaker(x, m)
	defer s.mu.Unlock()
	if !speaks {
		x.replies = append(x.replies, x.unknown(m))
		return
	}
	r, hold := s.admitLocked(x, m.reply(), wish, alone)
	x.replies = append(x.replies, r)
	if hold > 0 {
		s.holdLocked(x, hold)
	}
}

// admitLocked notes that x's client is there, and returns the reply to its connect, begun as r, and how long to
// hold it; 0 means not at all.
//
// Source: CometD 3.1, AbstractHttpTransport.processMetaConnect and BayeuxServerImpl.ConnectHandler.
func (s *Server) admitLocked(x *exchange, r reply, wish wishes, alone bool) (reply, time.Duration) {
	c := x.client
	s.releaseLocked(c.connect) // the older one, which finds that it was replaced
	first := !c.connected
	s.adoptLocked(c, x, wish)
	if c.queue.ack && wish.acks {
		s.metrics.backlog.Sub(float64(c.queue.acknowledge(wish.acked)))
	}
	r.Successful = true
	if !c.advised || first || wish.given || s.closed {
		r.Advice = s.retryLocked(c)
	}
	pending := c.queue.ready() || wish.acks && c.queue.unacknowledged()
	switch {
	case !alone || pending || s.closed:
		return r, 0
	case !s.roomLocked(x):
		return s.pollLocked(c, r), 0
	case first:
		return r, 0
	case wish.timeout >= 0:
		return r, wish.timeout
	}
	return r, s.opts.Timeout
}

// adoptLocked makes x the exchange that carries c's newest connect.
func (s *Server) adoptLocked(c *client, x *exchange, wish wishes) {
	x.connect = &connect{client: c, socket: x.socket, wake: x.wake}
	x.at, x.carries = len(x.replies), true
	c.connect, c.connected, c.expires = x.connect, true, time.Time{}
	c.interval = s.opts.Interval
	if wish.interval >= 0 {
		c.interval = wish.interval
	}
	s.speakLocked(c, x.socket)
	s.moveLocked(c, x.transport)
}

// speakLocked has k speak for c from now on, and no other socket; nil: none does.
func (s *Server) speakLocked(c *client, k *socket) {
	before := c.socket
	c.socket, c.kicked = k, false
	if k != nil {
		k.watchLocked()
	}
	if before != nil {
		before.watchLocked()
	}
}

// retryLocked returns the advice of a client for which all is well, and notes that it has it.
func (s *Server) retryLocked(c *client) *advice {
	c.advised = true
	return &advice{Reconnect: retry, Interval: milliseconds(c.interval), Timeout: milliseconds(s.opts.Timeout)}
}

// roomLocked reports whether one more connect of x's browser may be held. Browsers open few
// connections to a server, and other requests of their pages need some.
func (s *Server) roomLocked(x *exchange) bool {
	return x.transport == webSocket || x.limit < 0 || s.held[x.client.browser] < x.limit
}

// pollLocked answers a connect that is not held because another of its browser is.
func (s *Server) pollLocked(c *client, r reply) reply {
	c.advised = false // what it is told here must be taken back
	if r.Advice == nil {
		r.Advice = &advice{}
	}
	r.Advice.MultipleClients = true
	if s.opts.MultiSessionInterval < 0 {
		r.Successful, r.Advice.Reconnect = false, None
		return r
	}
	r.Advice.Reconnect, r.Advice.Interval = retry, milliseconds(s.opts.MultiSessionInterval)
	return r
}

// holdLocked keeps x's connect until something happens, at most for the given time.
func (s *Server) holdLocked(x *exchange, longest time.Duration) {
	t := x.connect
	t.held, x.parked = true, true
	if x.transport == longPolling && x.limit >= 0 {
		t.counted = true
		s.held[t.client.browser]++
	}
	t.timer = time.AfterFunc(longest, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		t.client.lively = false
		s.releaseLocked(t)
	})
}

// releaseLocked has t answered if it is held. nil is allowed.
func (s *Server) releaseLocked(t *connect) {
	if t == nil || !t.held {
		return
	}
	t.held = false
	t.timer.Stop()
	if t.counted {
		s.held[t.client.browser]--
		if s.held[t.client.browser] == 0 {
			delete(s.held, t.client.browser)
		}
	}
	t.wake()
}

// abandonLocked gives up t, whose caller left. Nothing is taken from the queue; the client has the
// usual time to connect again. nil is allowed.
func (s *Server) abandonLocked(t *connect) {
	s.releaseLocked(t)
	s.concludeLocked(t)
}

// concludeLocked starts the time in which t's client has to connect again, unless a newer connect
// has come already. nil is allowed.
func (s *Server) concludeLocked(t *connect) {
	if t == nil || t.client.connect != t {
		return
	}
	c := t.client
	c.connect = nil
	c.expires = time.Now().Add(c.interval + s.opts.MaxInterval)
}
