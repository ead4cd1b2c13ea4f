package main

import (
	"context"
	"net"
	"time"

	"portico/proxy/push"
)

// restingPerAgent is how many connections of one agent may rest between two requests: many times what a browser or an
// application keeps, and few enough that one which leaks them does not use up the files. A trusted proxy's are nobody's.
const restingPerAgent = 100

// useAgain is how long a connection counts as used just now: within it nobody notes that it was.
const useAgain = time.Second

// A use is a request of an agent's on a connection.
type use struct {
	session string
	at      time.Time
}

// know is told the context of a request that turned out to be an agent's, and the session. A connection is that
// agent's until it serves another: a load balancer sends many agents' requests on each.
func know(ctx context.Context, session string) {
	one, ok := ctx.Value(strangerKey{}).(*stranger)
	if !ok {
		return
	}
	now, last := time.Now(), one.last.Load()
	if last != nil && last.session == session && now.Sub(last.at) < useAgain {
		return
	}
	one.last.Store(&use{session, now})
	s := one.of
	s.mu.Lock()
	one.known.Store(true)
	one.leave() // it may rest all the while: see package quick
	longest := s.placeLocked(one)
	s.mu.Unlock()
	longest.close()
}

// watchTaken is told the context of an agent's request whose connection package push has taken over from the server: it
// goes on as conn, and may rest there as well.
func watchTaken(ctx context.Context, conn net.Conn) push.Watcher {
	met, ok := ctx.Value(strangerKey{}).(*stranger)
	if !ok {
		return nil
	}
	one := &stranger{conn: conn, address: met.address, of: met.of}
	one.known.Store(true)
	return one
}

// Idle implements push.Watcher.
func (one *stranger) Idle(session string) {
	last := one.last.Load()
	if last == nil || last.session != session {
		one.last.Store(&use{session: session})
	}
	one.turn(func() { one.idle = true })
}

// Busy implements push.Watcher.
func (one *stranger) Busy() { one.turn(func() { one.idle = false }) }

// Gone implements push.Watcher.
func (one *stranger) Gone() { one.turn(func() { one.gone = true }) }

// turn notes a change of a connection that the server does not tell of.
func (one *stranger) turn(change func()) {
	s := one.of
	s.mu.Lock()
	change()
	longest := s.placeLocked(one)
	s.mu.Unlock()
	longest.close()
}

// restLocked has an agent's connection rest, and returns which is to go for it, nil if there is room.
func (s *strangers) restLocked(one *stranger) *stranger {
	by, last := whose{}, one.last.Load()
	if last != nil && one.address.IsValid() {
		by.session = last.session
	}
	s.resting.add(one, by)
	if by != (whose{}) && s.resting.of(by) > restingPerAgent {
		return s.resting.dismiss(by)
	}
	return s.fitLocked()
}

// fitLocked returns who is to go if there are too many in all: of agents' connections and strangers those who are
// more than half, so that neither keep the others out.
func (s *strangers) fitLocked() *stranger {
	switch {
	case s.waiting.len()+s.resting.len() <= s.inAll:
		return nil
	case s.resting.len() > s.inAll/2:
		return s.resting.dismiss(whose{})
	}
	return s.waiting.dismiss(whose{})
}
