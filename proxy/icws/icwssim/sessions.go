package icwssim

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"portico/translate/icwsapi"
)

// firstSession makes ids of the size seen on real servers: 29113001, 29114001, ...
const firstSession = 29113

// session is one log-in. Server.mu guards it.
type session struct {
	id          string
	csrf        string
	cookie      string // the GUID, without what may follow it
	user        *user
	application string
	host        string // that was dialled at log-in
	language    *Language
	wantStation bool // log-in asked for effective-station

	idle     *time.Timer
	lastCall time.Time
	requests int // number of the last 202
	station  *icwsapi.StationInformation
	licences map[string]bool
	subs     subscriptions
	watched  map[*user]struct{} // whose watchers list this session

	queue  [][]byte      // encoded messages nobody has read yet
	wake   chan struct{} // tells the stream that the queue is not empty; room for one
	stream *stream       // the one open now, or nil
	over   chan struct{} // closed when the session has ended
	ended  bool
	reason string // why, if the user was told

	shouldReconnect *bool // the user was told that too; nil: they were told nothing
}

// newSession opens a session for u. The caller holds s.mu.
func (s *Server) newSession(u *user, c *call, application string) *session {
	session := &session{
		id: sessionID(s.issued), csrf: randomToken(), cookie: randomGUID(),
		user: u, application: application, host: c.host, language: c.language,
		licences: make(map[string]bool), watched: make(map[*user]struct{}),
		wake: make(chan struct{}, 1), over: make(chan struct{}),
	}
	s.issued++
	s.sessions[session.id] = session
	u.sessions[session] = struct{}{}
	session.idle = time.AfterFunc(s.idleTimeout(), func() { s.expire(session) })
	s.keepAlive(session)
	s.tellSession(session, nil, new(session.info()))
	if !s.KeepLoggedOut {
		s.setLoggedIn(u, true)
	}
	return session
}

func sessionID(n int) string { return strconv.Itoa(firstSession+n) + "001" }

// wasIssued tells an ended session's id from one that never was.
func (s *Server) wasIssued(id string) bool {
	digits, ok := strings.CutSuffix(id, "001")
	if !ok {
		return false
	}
	n, err := strconv.Atoi(digits)
	return err == nil && n >= firstSession && n < firstSession+s.issued
}

// checkSession finds the call's session and checks cookie and token, in this order. Guess: the
// order. The codes were seen on the wire.
func (s *Server) checkSession(c *call) (reply, bool) {
	session := s.sessions[c.params["sessionId"]]
	if session == nil {
		return s.noSession(c)
	}
	cookie := cookieIn(c.request, session)
	token := c.request.Header.Get(icwsapi.HeaderCSRFToken)
	if s.Lenient && (cookie == cookieRight || token == session.csrf) {
		cookie, token = cookieRight, session.csrf
	}
	switch {
	case cookie == cookieMissing:
		return unauthorized(4, "The request requires a session cookie."), true
	case cookie == cookieWrong:
		return wrongCookie(), true
	case token != session.csrf && !c.resource.noCSRF:
		return unauthorized(2, "An authentication token was expected in the request, but not found."), true
	}
	c.session = session
	s.keepAlive(session)
	return reply{}, false
}

// keepAlive begins the idle time anew.
func (s *Server) keepAlive(session *session) {
	session.lastCall = time.Now()
	s.armIdle(session)
}

// armIdle has the timer of a session ring when its idle time is over, as the setting is now.
func (s *Server) armIdle(session *session) {
	if s.IdleTimeout < 0 {
		session.idle.Stop()
		return
	}
	session.idle.Reset(max(s.idleTimeout()-time.Since(session.lastCall), 0))
}

// noSession answers for an id that is not, or no longer, a session. One that ended may still read
// the messages that say so, once.
func (s *Server) noSession(c *call) (reply, bool) {
	id := c.params["sessionId"]
	ended := s.ended[id]
	isLastWords := c.resource.noCSRF && ended != nil && len(ended.queue) > 0
	isQuestion := s.RememberEnded && ended != nil && strings.HasSuffix(c.resource.template, "/connection")
	if (isLastWords || isQuestion && c.request.Method == http.MethodGet) && cookieIn(c.request, ended) == cookieRight {
		c.session = ended
		return reply{}, false
	}
	if s.wasIssued(id) {
		return refuse(http.StatusUnauthorized, icwsapi.Error{
			ErrorID: icwsapi.ErrorAuthenticationFailure, ErrorCode: -2147221499,
			Message: "The session identifier is not valid.",
		}), true
	}
	return unauthorized(1, "This request requires a session ID!"), true
}

func unauthorized(code int, message string) reply {
	return refuse(http.StatusUnauthorized, icwsapi.Error{ErrorCode: code, Message: message})
}

// wrongCookie is the one refusal that has a list of hosts without being a 503.
func wrongCookie() reply {
	r := refuseAs(http.StatusUnauthorized, icwsapi.ErrorCookieInvalid, "The session cookie is not valid.", func(message string) any {
		return icwsapi.AlternateHosts{
			ErrorID: icwsapi.ErrorCookieInvalid, ErrorCode: 5, Message: message, AlternateHostList: []string{},
		}
	})
	challenge(r.header)
	return r
}

// What a request's cookie can be.
const (
	cookieMissing = iota
	cookieWrong
	cookieRight
)

// cookieIn looks for the session's cookie among whatever the client sends: several clients echo
// whole Set-Cookie lines, joined by semicolons or commas, and with or without the part after the
// GUID.
func cookieIn(r *http.Request, session *session) int {
	found := cookieMissing
	for _, header := range r.Header.Values("Cookie") {
		for part := range strings.FieldsFuncSeq(header, func(r rune) bool { return r == ';' || r == ',' }) {
			name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
			if !strings.HasPrefix(name, icwsapi.CookiePrefix) {
				continue
			}
			if name == icwsapi.CookiePrefix+session.id && guidOf(value) == session.cookie {
				return cookieRight
			}
			found = cookieWrong
		}
	}
	return found
}

func guidOf(cookie string) string {
	cookie = strings.Trim(strings.TrimSpace(cookie), `"`)
	guid, _, _ := strings.Cut(strings.Replace(cookie, "%7C", "|", 1), "|")
	return guid
}

func (s *Server) idleTimeout() time.Duration {
	return cmp.Or(max(s.IdleTimeout, 0), 120*time.Second)
}

// expire ends a session whose idle timer rang, unless it was used meanwhile, or the setting changed.
func (s *Server) expire(session *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if session.ended || s.IdleTimeout < 0 || s.life.IsOver() {
		return
	}
	if session.stream != nil {
		session.idle.Reset(s.idleTimeout())
		return
	}
	rest := s.idleTimeout() - time.Since(session.lastCall)
	if rest > 0 {
		session.idle.Reset(rest)
		return
	}
	s.end(session, "")
}

// end ends a session at once. Messages already queued can still be read once if a reason is given;
// otherwise they are lost. The caller holds s.mu.
func (s *Server) end(session *session, reason string) {
	if session.ended {
		return
	}
	session.ended, session.reason = true, reason
	session.idle.Stop()
	close(session.over)
	delete(s.sessions, session.id)
	if reason == "" {
		session.queue = nil
	}
	if reason != "" || s.RememberEnded {
		s.ended[session.id] = session
	}
	u := session.user
	delete(u.sessions, session)
	for watched := range session.watched {
		delete(watched.watchers, session)
	}
	delete(s.groupWatchers, session)
	delete(s.stationWatchers, session)
	s.tellSession(session, new(session.info()), nil)
	if session.station != nil {
		s.leaveStation(session)
	}
	if len(u.sessions) == 0 && !s.KeepLoggedOut {
		s.setLoggedIn(u, false)
	}
}

// logOut answers DELETE .../connection.
func logOut(s *Server, c *call) reply {
	s.end(c.session, "")
	s.leaveStatus(c.session.user)
	return empty(http.StatusOK)
}

// getConnection answers GET .../connection.
func getConnection(s *Server, c *call) reply {
	if c.session.ended {
		return success(icwsapi.ConnectionSettings{
			ConnectionState: icwsapi.ConnectionDown, Reason: c.session.reason, ShouldReconnect: c.session.shouldReconnect,
		})
	}
	if s.down {
		return success(icwsapi.ConnectionSettings{
			ConnectionState: icwsapi.ConnectionDown, Reason: c.session.language.say(icDownReason), ShouldReconnect: new(true),
		})
	}
	return success(icwsapi.ConnectionSettings{ConnectionState: icwsapi.ConnectionUp})
}

// randomToken returns 24 random bytes in base64: the size and look of a CSRF token.
func randomToken() string {
	token := make([]byte, 24)
	_, _ = rand.Read(token) // never fails
	return base64.StdEncoding.EncodeToString(token)
}

func randomGUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
