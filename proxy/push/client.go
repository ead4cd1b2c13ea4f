package push

import (
	"crypto/rand"
	"slices"
	"strings"
	"time"
)

// A client is one Bayeux session: a page that shook hands.
type client struct {
	id      string
	owner   string
	browser string // the browser's cookie

	// What follows is guarded by Server.mu.

	transport transport
	patterns  []Subscription // exact names among them
	queue     queue
	connected bool          // a connect has come
	advised   bool          // has the advice that holds now
	lively    bool          // an event has come since a connect was last held to its end
	roundWay  bool          // its next connect was no request for the line it came on
	interval  time.Duration // pause it makes between connects
	connect   *connect      // the newest, until it is answered
	socket    *socket       // where events are written without waiting for a connect; nil over HTTP
	kicked    bool          // a goroutine is on its way to write events there
	expires   time.Time     // when it is ended; zero while a connect is being answered or held
	gone      bool
	slow      bool   // is gone because it did not take its events in time: they are dropped
	parting   Advice // what a connect that was held at the end is told; "" means it timed out or overflowed

	// Of a client that a journal shares.

	turn     uint64 // ours; 0 until the journal knows the client
	version  uint64 // of what was saved last
	tail     uint64 // position of the last event that it was offered
	saved    uint64 // Record.Seen as the journal has it
	unsaved  bool   // the journal knows less than it should
	moved    bool   // is gone because another server serves it
	replaced bool   // and there it has connected
}

// browserCookie tells the pages of one browser from those of another.
//
// Source: CometD reference, option browserCookieName.
const browserCookie = "BAYEUX_BROWSER"

// newClientID returns 130 random bits in lower case, as CometD writes them.
func newClientID() string { return strings.ToLower(rand.Text()) }

// newBrowserID returns 80 random bits in 16 characters.
func newBrowserID() string { return newClientID()[:16] }

// add makes a client for x's owner. It fails with ErrFull if there are as many as may be, and without the journal: the
// client's next message may come to a server that knows of it from there alone.
func (s *Server) add(x *exchange, ack bool) (*client, error) {
	c := s.addHere(x, ack)
	if c == nil {
		return nil, ErrFull
	}
	err := s.register(c)
	if err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.removeLocked(c, closed)
		return nil, err
	}
	return c, nil
}

func (s *Server) addHere(x *exchange, ack bool) *client {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.owners[x.owner]) >= s.opts.MaxClients {
		return nil
	}
	c := &client{id: newClientID(), owner: x.owner, browser: x.browser, transport: x.transport, interval: s.opts.Interval}
	c.queue.start(ack)
	s.metrics.life[c.transport][opened].Inc()
	s.enterLocked(c)
	return c
}

// enterLocked makes c one of the server's clients.
func (s *Server) enterLocked(c *client) {
	c.expires = time.Now().Add(c.interval + s.opts.MaxInterval)
	s.clients[c.id] = c
	s.owners[c.owner] = append(s.owners[c.owner], c)
	s.metrics.capacity.Add(float64(s.opts.MaxQueue))
	s.metrics.connections[c.transport].Inc()
}

// removeLocked ends c. A held connect is let go and answered by what c.parting says.
func (s *Server) removeLocked(c *client, why lifeEvent) {
	if c.gone {
		return
	}
	c.gone, c.slow = true, why == overflowed
	if c.socket != nil {
		c.socket.watchLocked()
	}
	delete(s.clients, c.id)
	others := slices.Clone(s.owners[c.owner]) // somebody may be going through the list
	others = slices.DeleteFunc(others, func(other *client) bool { return other == c })
	s.owners[c.owner] = others
	if len(others) == 0 {
		delete(s.owners, c.owner)
	}
	if s.shared != nil {
		s.leaveUnkeptLocked(c)
	}
	for _, e := range c.queue.clear() {
		s.metrics.backlog.Dec()
		if !e.written && c.slow { // what a client has left behind is for nobody
			s.metrics.dropped(e.event)
		}
	}
	s.metrics.capacity.Sub(float64(s.opts.MaxQueue))
	s.metrics.connections[c.transport].Dec()
	s.metrics.life[c.transport][why].Inc()
	s.releaseLocked(c.connect)
}

// findLocked returns the client that a request speaks for, nil if there is none: another owner's
// client is as unknown as one that never was.
func (s *Server) findLocked(x *exchange, id string) *client {
	c := s.clients[id]
	if c == nil || c.owner != x.owner {
		return nil
	}
	// A socket proves nothing about the browser. CometD does not ask it to either.
	if x.transport == longPolling && !s.opts.TrustClientSession && c.browser != x.browser {
		return nil
	}
	return c
}

// extendLocked puts off c's end, for any message but a connect shows that it is there.
func (s *Server) extendLocked(c *client) {
	if !c.expires.IsZero() {
		c.expires = time.Now().Add(c.interval + s.opts.MaxInterval)
	}
}

// moveLocked notes which transport c uses now.
func (s *Server) moveLocked(c *client, to transport) {
	if c.transport != to {
		s.metrics.connections[c.transport].Dec()
		s.metrics.connections[to].Inc()
		c.transport = to
	}
}
