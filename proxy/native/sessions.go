package native

import (
	"sync"
	"time"

	"portico/proxy/icws"
	"portico/proxy/session"
)

const (
	// provenFor is how long after an answer of 2xx a native session is taken to live.
	provenFor = time.Minute

	// rememberedFor is how long after the last such answer what proves a session is kept. A session
	// that comes back later is served by the site alone.
	rememberedFor = 30 * time.Minute

	// maxSessions bounds what is kept of them.
	maxSessions = 100_000
)

// sessions are the native sessions that were opened through us. Any number of goroutines may
// call its methods.
type sessions struct {
	key session.Key

	mu      sync.Mutex
	known   map[sessionID]*proof // guarded by mu
	streams map[*stream]bool     // that are open; guarded by mu
	over    bool                 // streams are let go; guarded by mu
}

// A sessionID is a session's id and the host it is at: hosts number their sessions by themselves.
type sessionID struct{ base, session string }

func (id sessionID) String() string { return id.base + "/icws/" + id.session }

func newSessions(key session.Key) *sessions {
	return &sessions{key: key, known: map[sessionID]*proof{}, streams: map[*stream]bool{}}
}

// opened takes note of a session that the site opened. One that no cookie or token proves cannot be
// anybody's own.
func (s *sessions) opened(conn icws.Conn) {
	cookie, ok := cookieOf(conn.Cookie, conn.SessionID)
	if !ok || cookie == "" || conn.CSRFToken == "" {
		return
	}
	one := newProof(s, cookie, conn)
	id := sessionID{conn.Base, conn.SessionID}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, again := s.known[id]
	if again || len(s.known) < maxSessions {
		s.known[id] = one
	}
}

// find returns a session, nil if it is not known.
func (s *sessions) find(base, session string) *proof {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known[sessionID{base, session}]
}

// drop forgets a session, unless a new one has its id by now.
func (s *sessions) drop(base, session string, one *proof) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := sessionID{base, session}
	if s.known[id] == one {
		delete(s.known, id)
	}
}

// sweep forgets sessions that were not heard of for long.
func (s *sessions) sweep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, one := range s.known {
		if one.forgotten() {
			delete(s.known, id)
		}
	}
}

// letGo ends the streams that are open, and those that open from now on.
func (s *sessions) letGo() {
	s.mu.Lock()
	s.over = true
	open := make([]*stream, 0, len(s.streams))
	for one := range s.streams {
		open = append(open, one)
	}
	s.mu.Unlock()
	for _, one := range open {
		one.letGo()
	}
}
