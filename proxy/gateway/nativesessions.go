package gateway

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

	// maxNativeSessions bounds what is kept of them.
	maxNativeSessions = 100_000
)

// nativeSessions are the native sessions that were opened through us. Any number of goroutines may
// call its methods.
type nativeSessions struct {
	key session.Key

	mu      sync.Mutex
	known   map[nativeID]*nativeSession // guarded by mu
	streams map[*nativeStream]bool      // that are open; guarded by mu
	over    bool                        // streams are let go; guarded by mu
}

// A nativeID is a session's id and the host it is at: hosts number their sessions by themselves.
type nativeID struct{ base, session string }

func newNativeSessions(key session.Key) *nativeSessions {
	return &nativeSessions{key: key, known: map[nativeID]*nativeSession{}, streams: map[*nativeStream]bool{}}
}

// opened takes note of a session that the site opened. One that no cookie or token proves cannot be
// anybody's own.
func (s *nativeSessions) opened(conn icws.Conn) {
	cookie, ok := nativeCookie(conn.Cookie, conn.SessionID)
	if !ok || cookie == "" || conn.CSRFToken == "" {
		return
	}
	one := newNativeSession(s, cookie, conn)
	id := nativeID{conn.Base, conn.SessionID}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, again := s.known[id]
	if again || len(s.known) < maxNativeSessions {
		s.known[id] = one
	}
}

// find returns a session, nil if it is not known.
func (s *nativeSessions) find(base, session string) *nativeSession {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known[nativeID{base, session}]
}

// drop forgets a session, unless a new one has its id by now.
func (s *nativeSessions) drop(base, session string, one *nativeSession) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := nativeID{base, session}
	if s.known[id] == one {
		delete(s.known, id)
	}
}

// sweep forgets sessions that were not heard of for long.
func (s *nativeSessions) sweep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, one := range s.known {
		if one.forgotten() {
			delete(s.known, id)
		}
	}
}

// letGo ends the streams that are open, and those that open from now on.
func (s *nativeSessions) letGo() {
	s.mu.Lock()
	s.over = true
	open := make([]*nativeStream, 0, len(s.streams))
	for one := range s.streams {
		open = append(open, one)
	}
	s.mu.Unlock()
	for _, one := range open {
		one.letGo()
	}
}
