package push

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"portico/proxy/aside"
)

// A Server is a Bayeux server. Any number of goroutines may call its methods.
//
// One mutex guards all of its state and that of its clients and sockets. It is held for looking at
// and changing fields alone: never while reading, writing or encoding, nor in a function of Options but
// Delivered.
type Server struct {
	opts    Options
	metrics *Metrics
	shared  *sharing // nil without a journal

	mu      sync.Mutex // guards what follows, and what says so in other types
	clients map[string]*client
	owners  map[string][]*client // never with an empty list; a list is replaced when a client leaves it
	held    map[string]int       // connects held per browser, of those that have a limit
	sockets map[*socket]struct{}
	lines   map[*Line]struct{}
	gathers bool    // who holds mu answers the connects that are woken; else each has a goroutine for it
	woken   *parked // the last of those, which leads to the others
	closed  bool

	serving sync.WaitGroup // the sockets and lines; none is added once closed
	errands aside.Pool     // of the lines
}

// New returns a server. It starts nothing: Run ends clients that stay away, Close lets go of
// those that are held.
func New(o Options) *Server {
	o = o.withDefaults()
	return &Server{
		opts:    o,
		metrics: o.Metrics,
		shared:  newSharing(o.Journal),
		clients: make(map[string]*client),
		owners:  make(map[string][]*client),
		held:    make(map[string]int),
		sockets: make(map[*socket]struct{}),
		lines:   make(map[*Line]struct{}),
	}
}

// Run ends clients that do not connect again in time, and keeps in step with the journal, until ctx ends.
// It returns nil.
func (s *Server) Run(ctx context.Context) error {
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return s.sweeping(ctx) })
	if s.shared != nil {
		work.Go(func() error { return s.listen(ctx) })
		work.Go(func() error { return s.renewing(ctx) })
	}
	return work.Wait()
}

func (s *Server) sweeping(ctx context.Context) error {
	ticker := time.NewTicker(s.opts.SweepPeriod)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.sweep()
		case <-ctx.Done():
			return nil
		}
	}
}

// sweep ends the clients whose time is over, and the sockets and lines that nobody speaks on.
func (s *Server) sweep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for _, c := range s.clients {
		if !c.expires.IsZero() && now.After(c.expires) {
			s.removeLocked(c, timedOut)
			s.forgetLocked(c)
		}
	}
	for k := range s.sockets {
		if k.idleLocked() && now.After(k.heard.Add(s.opts.MaxInterval)) {
			k.endLocked()
		}
	}
	for l := range s.lines {
		if !l.rests.IsZero() && now.After(l.rests.Add(restFor)) {
			_ = l.link.Close()
		}
	}
}

// Clients returns how many clients of owner this server has: one for each page that is open.
func (s *Server) Clients(owner string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.owners[owner])
}

// Reaches reports whether what is published to owner goes to anybody. With a journal other servers may have
// clients of theirs.
func (s *Server) Reaches(owner string) bool { return s.shared != nil || s.Clients(owner) > 0 }

// End ends all clients of owner and closes their sockets, whose right to speak ended with it. A
// connect that is held is answered with the advice: None tells the application to stop, Handshake
// to shake hands again. A client that is not held at this moment finds itself unknown when it
// connects, which asks for a handshake.
//
// With a journal it ends those at other servers too.
func (s *Server) End(owner string, a Advice) {
	s.Leave(owner, a)
	if s.shared != nil {
		_ = s.shared.End(context.Background(), owner, a) // what stays there is forgotten before long
	}
}

// Leave is End at this server alone, for an owner who goes on at others or has ended there.
func (s *Server) Leave(owner string, a Advice) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shared != nil {
		delete(s.shared.unkept, owner)
	}
	for len(s.owners[owner]) > 0 {
		c := s.owners[owner][0]
		c.parting = a
		s.removeLocked(c, closed)
	}
	for k := range s.sockets {
		if k.owner == owner {
			k.endLocked()
		}
	}
}

// Close answers every held connect with the advice to connect again, closes the sockets and waits
// for them. From then on no connect is held and HTTP connections are closed after their answer, so
// an http.Server can shut down.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	for _, c := range s.clients {
		s.releaseLocked(c.connect)
	}
	for k := range s.sockets {
		k.endLocked()
	}
	for l := range s.lines {
		if !l.rests.IsZero() {
			_ = l.link.Close()
		}
	}
	s.mu.Unlock()
	s.serving.Wait()
}

// takeOn notes that there is something more for Close to wait for, and reports whether there may be.
func (s *Server) takeOn() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.serving.Add(1)
	return true
}
