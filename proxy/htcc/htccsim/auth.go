package htccsim

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"portico/translate/htccapi"
)

// authenticate finds the call's session, or opens one for right credentials. Credentials beside a
// session of somebody else beat it; wrong ones fall through to the end, where everybody is
// anonymous, as does a cookie that is none. Only paths open to anybody serve the anonymous.
//
// Source: GWS deployment guide, Web Services Authentication Flow.
func (s *Server) authenticate(c *call) (reply, bool) {
	session := s.sessionIn(c.request)
	if s.isForged(c, session) {
		return forged(), true
	}
	name, password, hasBasic := c.request.BasicAuth()
	if hasBasic {
		a := s.agent(name)
		if a == nil || !samePassword(a.Password, password) {
			session = nil
		} else if session == nil || session.agent != a {
			session = s.newSession(a)
			c.cookie = session.id
		}
	}
	if session == nil {
		if c.resource != nil && c.resource.isOpen {
			return reply{}, false
		}
		return c.denied(), true
	}
	c.session, c.userName = session, session.agent.UserName
	session.agent.base = c.base
	s.keepAlive(session)
	return reply{}, false
}

// samePassword compares as clients send: in UTF-8 or in ISO 8859-1.
func samePassword(want, got string) bool {
	if utf8.ValidString(got) {
		return got == want
	}
	var text strings.Builder
	for i := range len(got) {
		text.WriteRune(rune(got[i]))
	}
	return text.String() == want
}

// isForged says whether the call lacks the token that its session's answers show. A call without
// session lacks it too.
//
// Source: GWS 8.5.2, CSRFProtection.
func (s *Server) isForged(c *call, session *session) bool {
	switch c.request.Method {
	case http.MethodPost, http.MethodPut, http.MethodDelete:
		return s.CSRF && (session == nil || c.request.Header.Get(htccapi.HeaderCSRFToken) != session.csrf)
	}
	return false
}

// forged is the one refusal without statusCode.
func forged() reply {
	return reply{
		status: http.StatusForbidden, code: codeForbidden, header: http.Header{},
		contentType: "text/plain;charset=UTF-8", body: []byte("Missing or invalid Csrf token"),
	}
}

// addHeaders gives the caller the cookie of a session that the call opened, and with every GET the
// token of its session.
func (s *Server) addHeaders(c *call, answer *reply) {
	if answer.header == nil {
		answer.header = http.Header{}
	}
	if c.cookie != "" {
		answer.header.Add("Set-Cookie", htccapi.CookieSession+"="+c.cookie+"; Path=/; HttpOnly")
	}
	if s.CSRF && c.session != nil && c.request.Method == http.MethodGet {
		answer.header.Set(htccapi.HeaderCSRFName, htccapi.HeaderCSRFToken)
		answer.header.Set(htccapi.HeaderCSRFToken, c.session.csrf)
	}
	c.alter.headers(answer)
}

// callerOf names the user without checking anything: for faults and the log.
func (s *Server) callerOf(r *http.Request) string {
	name, _, hasBasic := r.BasicAuth()
	if hasBasic {
		if a := s.agent(name); a != nil {
			return a.UserName
		}
		return name
	}
	if session := s.sessionIn(r); session != nil {
		return session.agent.UserName
	}
	return ""
}
