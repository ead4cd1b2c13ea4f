package htcc

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"portico/translate/htccapi"
)

// maxToken is how long a token or the name of its header may be, in bytes.
const maxToken = 1024

// A Session holds an agent's Conn and changes it by what each answer sets: cookies and the token
// against cross-site requests. All calls of one agent go through one Session. Any number of
// goroutines may use it.
type Session struct {
	mu   sync.Mutex // guards conn
	conn Conn
}

// Resume returns a Session that goes on with a Conn, such as one that was stored.
func Resume(conn Conn) *Session { return &Session{conn: conn} }

// Snapshot returns the Conn as it is now.
func (s *Session) Snapshot() Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn
}

// Format prints what Conn prints, and no secret.
func (s *Session) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.Snapshot().String()) }

// LogValue is what slog writes of a Session.
func (s *Session) LogValue() slog.Value { return s.Snapshot().LogValue() }

// MarshalJSON refuses: what is stored is a Conn.
func (s *Session) MarshalJSON() ([]byte, error) {
	return nil, fmt.Errorf("htcc: %v is stored by its Snapshot", s)
}

// authorize puts what proves the session on a request, in place of what stood there. It returns the
// token that is known as the request goes out, for observe.
//
// Source: GWS, CSRFProtection: POST, PUT and DELETE need the token.
func (s *Session) authorize(req *http.Request) string {
	conn := s.Snapshot()
	req.Header.Del("Cookie")
	req.Header.Del("Authorization")
	req.Header.Del(htccapi.HeaderCSRFName)
	req.Header.Del(htccapi.HeaderCSRFToken)
	if conn.Cookie != "" {
		req.Header.Set("Cookie", conn.Cookie)
	}
	if conn.CSRFToken != "" && !safe(req.Method) {
		req.Header.Set(conn.CSRFHeader, conn.CSRFToken)
	}
	return conn.CSRFToken
}

// safe reports a method that needs no token.
func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// observe takes what an answer sets. Before is the token that was known when its request went out: an
// answer that shows no other may be older than the one that is known now.
func (s *Session) observe(h http.Header, before string) {
	lines := h.Values("Set-Cookie")
	name, token, ok := csrfPair(h)
	if len(lines) == 0 && !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn.Cookie = withCookies(s.conn.Cookie, hostOf(s.conn.Base), lines, time.Now())
	if ok && token != before {
		s.conn.CSRFHeader, s.conn.CSRFToken = name, token
	}
}

// csrfPair returns the token that an answer shows and the header to send it in.
func csrfPair(h http.Header) (name, token string, ok bool) {
	name = h.Get(htccapi.HeaderCSRFName)
	if name == "" {
		name = htccapi.HeaderCSRFToken
	}
	token = h.Get(htccapi.HeaderCSRFToken)
	if token == "" {
		token = h.Get(name)
	}
	ok = token != "" && len(token) <= maxToken && sendable(token) && carriesToken(name)
	return name, token, ok
}

// carriesToken reports whether a header may carry a token. A name that is none would make every
// later request fail, and one that means something else would change what they say.
func carriesToken(name string) bool {
	if name == "" || len(name) > maxToken || strings.ContainsFunc(name, notInName) {
		return false
	}
	switch http.CanonicalHeaderKey(name) {
	case "Cookie", "Host", "Authorization", "Connection", "Content-Length", "Content-Type", "Transfer-Encoding", "Upgrade", "Te", "Trailer":
		return false
	}
	return true
}

// notInName reports what may not stand in the name of a header or cookie.
//
// Source: RFC 9110, section 5.6.2.
func notInName(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	default:
		return !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	}
}

// sendable reports whether a value may stand in a header of a request.
func sendable(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f })
}
