package native

import (
	"crypto/hmac"
	"net/http"
	"strings"
	"sync"
	"time"

	"portico/proxy/icws"
	"portico/translate/icwsapi"
)

// Purposes of the hashes that are kept of a session's secrets.
const (
	purposeCookie = "native cookie"
	purposeToken  = "native token"
)

// A proof tells whether a request is of one native session, and whether that lives.
// It was opened through us, so what proves it is known from the site itself. Methods may be called
// on nil, a session that is not known: nothing is proven of it. Any number of goroutines may call
// them.
type proof struct {
	all    *sessions
	cookie []byte // hash of its value
	token  []byte // hash
	accept string // Accept-Language of the log-in
	told   string // the language that the cookie names, "" if it names none

	mu      sync.Mutex
	heard   time.Time // when the site last answered 2xx; guarded by mu
	streams int       // event streams that are open; guarded by mu
	doubted bool      // there was a 401 or DELETE, and no 2xx since; guarded by mu
	doubts  int       // how many there were; guarded by mu
	ahead   ahead     // guarded by mu
}

func newProof(all *sessions, cookie string, conn icws.Conn) *proof {
	_, told, _ := strings.Cut(cookie, "|languageId=") // newer servers, over plain HTTP
	return &proof{
		all: all, cookie: all.key.Seal(purposeCookie, cookie), token: all.key.Seal(purposeToken, conn.CSRFToken),
		accept: conn.Language, told: told, heard: time.Now(),
	}
}

// cookieOf returns the value of a session's cookie in a Cookie header. Two cookies of its name
// are as good as none: which of them the site looks at is not known.
func cookieOf(header, session string) (string, bool) {
	request := http.Request{Header: http.Header{"Cookie": {header}}}
	named := request.CookiesNamed(icwsapi.CookiePrefix + session)
	if len(named) != 1 {
		return "", false
	}
	return named[0].Value, true
}

// owns reports whether a request proves to be of this session by cookie and token, and the session
// has been heard of within provenFor, or holds an event stream here.
func (p *proof) owns(req *http.Request, session string) bool {
	if p == nil || !p.sentBy(req, session) {
		return false
	}
	tokens := req.Header.Values(icwsapi.HeaderCSRFToken)
	if len(tokens) != 1 || !hmac.Equal(p.token, p.all.key.Seal(purposeToken, tokens[0])) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.doubted && (p.streams > 0 || time.Since(p.heard) < provenFor)
}

// sentBy reports whether a request carries the session's cookie: of a session that is not known, one of its name, which
// only the site can judge.
func (p *proof) sentBy(req *http.Request, session string) bool {
	value, ok := cookieOf(strings.Join(req.Header.Values("Cookie"), ";"), session)
	return ok && (p == nil || hmac.Equal(p.cookie, p.all.key.Seal(purposeCookie, value)))
}

func (p *proof) forgotten() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.streams == 0 && time.Since(p.heard) >= rememberedFor
}

// An asking is a request of a session on its way to the site.
type asking struct {
	session *proof // nil: it is not known
	proves  bool   // an answer of 2xx says that the session lives, and that its agent asked
	ends    bool   // an answer of 2xx says that it does not
	doubts  int    // that there were before
}

// ask notes that a request goes to the site. One that may end the session puts it in doubt at once.
func (p *proof) ask(req *http.Request, asked resource) asking {
	ends := req.Method == http.MethodDelete && strings.HasPrefix(asked.path, "connection")
	asking := asking{session: p, ends: ends && asked.path == "connection",
		proves: !ends && checked(req, asked) && p.sentBy(req, asked.session)}
	if p == nil {
		return asking
	}
	if ends {
		p.doubt()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	asking.doubts = p.doubts
	return asking
}

// checked reports a request that the site answers with 2xx only to a session that lives. What can
// be had without a session may be answered whatever the session is, or what stands in its place, and the state of the
// connection of one that has ended too.
//
// Source: ICWS reference, GET /icws/{sessionId}/connection: "the existing or a previous connection"; iconUri of a
// status: /icws/resources/...
func checked(req *http.Request, asked resource) bool {
	if req.Method == http.MethodOptions || asked.path == "connection" || strings.EqualFold(asked.session, "resources") {
		return false
	}
	for _, open := range []string{"connection/version", "connection/features", "connection/server-info", "connection/server-time"} {
		if strings.HasPrefix(asked.path, open) {
			return false
		}
	}
	return true
}

func (p *proof) doubt() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.doubted = true
	p.doubts++
}

// heard takes note of the status that the site answered with, and reports whether the session has
// ended. What was asked before the last doubt does not dispel it.
func (a asking) heard(status int) bool {
	switch {
	case a.session == nil:
		return false
	case status == http.StatusUnauthorized:
		a.session.doubt()
		return false
	case status/100 != 2:
		return false
	}
	if a.proves {
		a.session.prove(a.doubts)
	}
	return a.ends
}

func (p *proof) prove(doubts int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.doubts == doubts {
		p.heard, p.doubted = time.Now(), false
	}
}

// hold counts an event stream that the session has open, by 1 or -1.
func (p *proof) hold(by int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.streams += by
}
