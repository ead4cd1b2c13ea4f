package proxy

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"portico/proxy/fault"
	"portico/proxy/gateway"
)

// cookieName is the name a real server's session cookie has, which applications look for.
//
// Source: GWS, CSRFProtection.
const cookieName = "JSESSIONID"

// Longest parts of a log-in, in bytes. What is longer is no agent's; a caller with more cookies than
// that of the session has them from elsewhere.
const (
	maxLogin    = 256
	maxPassword = 1 << 10
	maxLanguage = 256
	maxCookies  = 8
)

// A sessionCookie is what an answer does to the session's cookie.
type sessionCookie int

const (
	keepCookie sessionCookie = iota
	giveCookie
	expireCookie
)

// loggedIn finds out which agent the caller is before h answers, if there is a place for the request.
func (d *door) loggedIn(h handler) handler {
	return func(c *call) (any, error) {
		cookies := c.Request.CookiesNamed(cookieName)
		var err error
		if !d.settings.CSRFToken {
			err = d.checkOrigin(c.Request, cookies)
		}
		if err == nil {
			err = d.checkUpgrade(c.Request, cookies)
		}
		if err != nil {
			return nil, err
		}
		err = c.enter(cookies)
		if err != nil {
			return nil, err
		}
		c.agent, err = c.login(cookies)
		if err != nil {
			return nil, err
		}
		if d.settings.CSRFToken {
			err = c.checkToken()
			if err != nil {
				return nil, err
			}
		}
		sessionID := c.agent.SessionID()
		d.settings.LoggedIn(c.context(), sessionID)
		if !slices.ContainsFunc(cookies, func(cookie *http.Cookie) bool { return cookie.Value == sessionID }) {
			c.cookie = giveCookie
		}
		err = c.place.move(holder{session: sessionID})
		if err != nil {
			return nil, err
		}
		return h(c)
	}
}

// login returns the agent that the caller's name and password, or else cookie, belong to. An
// Authorization of another scheme, which may be for a proxy in between, counts for nothing.
//
// Source: GWS, Web Services Authentication Flow: a step that lacks its headers falls through.
func (c *call) login(cookies []*http.Cookie) (*gateway.Agent, error) {
	authorization := strings.TrimSpace(c.Request.Header.Get("Authorization"))
	if !isBasic(authorization) {
		return c.loginByCookie(cookies)
	}
	login, password, ok := basic(authorization)
	if !ok {
		return nil, fmt.Errorf("proxy: the Authorization header is not one of HTTP Basic: %w", fault.Unauthenticated)
	}
	c.presented = login
	agent, err := c.door.gateway.Login(c.context(), gateway.Caller{Basic: true, Login: login, Password: password,
		Language: c.language(), Address: c.address()})
	if err != nil {
		c.sites = c.door.gateway.SitesOf(login)
		c.delay(err)
	}
	return agent, err
}

// language returns what the caller would like to read; nothing if that is longer than a list of
// languages, since it is kept.
func (c *call) language() string {
	asked := strings.Join(c.Request.Header["Accept-Language"], ",")
	if len(asked) > maxLanguage {
		return ""
	}
	return asked
}

// password returns the one that came with the request of an agent who is logged in, "" if none did.
func (c *call) password() string {
	authorization := strings.TrimSpace(c.Request.Header.Get("Authorization"))
	if !isBasic(authorization) {
		return ""
	}
	_, password, _ := basic(authorization)
	return password
}

// loginByCookie tries each of the caller's cookies: other applications on the same host may have
// set theirs for another path.
func (c *call) loginByCookie(cookies []*http.Cookie) (*gateway.Agent, error) {
	for _, cookie := range cookies[:min(len(cookies), maxCookies)] {
		agent, err := c.door.gateway.Login(c.context(), gateway.Caller{SessionID: cookie.Value})
		if err == nil || !errors.Is(err, fault.Unauthenticated) {
			return agent, err
		}
	}
	if len(cookies) > 0 {
		return nil, fmt.Errorf("proxy: no cookie is that of a session: %w", fault.Unauthenticated)
	}
	return nil, fmt.Errorf("proxy: no credentials and no cookie: %w", fault.Unauthenticated)
}

func isBasic(authorization string) bool {
	scheme, _, _ := strings.Cut(authorization, " ")
	return strings.EqualFold(scheme, "Basic")
}

// basic reads the Authorization header of HTTP Basic. Applications send the name and password in UTF-8 or in
// Latin-1; what is not valid in the first is taken for the second. It returns false where the header says something
// else, or more than any agent's name and password are.
func basic(authorization string) (login, password string, ok bool) {
	_, encoded, _ := strings.Cut(authorization, " ")
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return "", "", false
	}
	text := string(decoded)
	if !utf8.Valid(decoded) {
		text = fromLatin1(decoded)
	}
	login, password, ok = strings.Cut(text, ":")
	return login, password, ok && len(login) <= maxLogin && len(password) <= maxPassword
}

func fromLatin1(text []byte) string {
	runes := make([]rune, len(text))
	for i, b := range text {
		runes[i] = rune(b)
	}
	return string(runes)
}

// setCookie gives the caller the session's cookie, also where a log-in succeeded and what it came with did not: its next
// request would else act for whoever is in the cookie jar. Or it takes the cookie away.
func (c *call) setCookie() {
	switch c.cookie {
	case giveCookie:
		http.SetCookie(c.Writer, c.door.cookie(c.agent.SessionID()))
	case expireCookie:
		cookie := c.door.cookie("")
		cookie.MaxAge = -1
		http.SetCookie(c.Writer, cookie)
	}
}

// cookie returns the cookie of a session.
func (d *door) cookie(id string) *http.Cookie {
	cookie := &http.Cookie{Name: cookieName, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: d.secure}
	if d.cors != nil { // pages of other origins send it too; origin or token decides what counts
		cookie.SameSite, cookie.Secure = http.SameSiteNoneMode, true
	}
	return cookie
}
