package htccsim

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"math/big"
	"net/http"
	"strconv"
	"time"

	"portico/translate/htccapi"
)

// session is one HTTP session. Server.mu guards it.
type session struct {
	id       string // the cookie's value
	csrf     string
	agent    *agent
	idle     *time.Timer
	lastCall time.Time
	held     int // connects of CometD on hold
	isOver   bool
}

// newSession opens an HTTP session. A client that sends Basic with every request and keeps no
// cookie gets one each time. The caller holds s.mu.
func (s *Server) newSession(a *agent) *session {
	session := &session{id: jettyID(s.issued), csrf: randomUUID(), agent: a}
	s.issued++
	s.sessions[session.id] = session
	a.sessions[session] = struct{}{}
	session.idle = time.AfterFunc(s.idleTimeout(), func() { s.expire(session) })
	s.keepAlive(session)
	return session
}

// jettyID looks like what Jetty's session manager makes: the worker's name, random bits in base 36,
// and a counter.
func jettyID(n int) string {
	var b [20]byte
	_, _ = rand.Read(b[:]) // never fails
	return "node01" + new(big.Int).SetBytes(b[:]).Text(36) + strconv.Itoa(n)
}

func randomUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// sessionIn returns the live session that one of the request's cookies names, or nil.
func (s *Server) sessionIn(r *http.Request) *session {
	for _, cookie := range r.CookiesNamed(htccapi.CookieSession) {
		if session := s.sessions[cookie.Value]; session != nil {
			return session
		}
	}
	return nil
}

func (s *Server) idleTimeout() time.Duration {
	return cmp.Or(max(s.IdleTimeout, 0), 1800*time.Second)
}

// keepAlive begins the idle time anew.
func (s *Server) keepAlive(session *session) {
	session.lastCall = time.Now()
	if s.IdleTimeout < 0 {
		session.idle.Stop()
		return
	}
	session.idle.Reset(s.idleTimeout())
}

// expire ends a session whose idle timer rang, unless it was used meanwhile or holds a connect.
func (s *Server) expire(session *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if session.isOver || s.life.IsOver() {
		return
	}
	rest := s.idleTimeout() - time.Since(session.lastCall)
	if session.held > 0 {
		rest = s.idleTimeout()
	}
	if rest > 0 {
		session.idle.Reset(rest)
		return
	}
	s.end(session)
}

// end ends an HTTP session at once. The contact-centre session and the agent's state stay: the next
// log-in meets them. CometD sessions are the user's, and go with the last HTTP session. The caller
// holds s.mu.
//
// Source: GWS 8.5.2, RecoveringExistingState.
func (s *Server) end(session *session) {
	if session.isOver {
		return
	}
	session.isOver = true
	session.idle.Stop()
	delete(s.sessions, session.id)
	delete(session.agent.sessions, session)
	if len(session.agent.sessions) == 0 {
		s.dropCometD(session.agent)
	}
}
