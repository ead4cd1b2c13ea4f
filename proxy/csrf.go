package proxy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"

	"portico/proxy/fault"
)

// The pair of headers by which HTCC gives its token: the first tells the second's name.
//
// Source: GWS, CSRFProtection.
const (
	headerCSRFHeader = "X-Csrf-Header"
	headerCSRFToken  = "X-Csrf-Token"
	nameCSRFToken    = "X-CSRF-TOKEN" // as HTCC spells it
)

// origins returns what tells whether a browser sends a request for a page of another site.
func origins(publicURL string, listed []string) *http.CrossOriginProtection {
	protection := http.NewCrossOriginProtection()
	for _, origin := range trustedOrigins(publicURL, listed) {
		err := protection.AddTrustedOrigin(origin)
		if err != nil {
			panic(fmt.Sprintf("proxy: %q is no origin: %v", origin, err))
		}
	}
	return protection
}

// trustedOrigins returns those whose pages may call: that of the public URL, and those that the settings list.
func trustedOrigins(publicURL string, listed []string) []string {
	public, err := url.Parse(publicURL)
	if err == nil && public.Host != "" {
		return append([]string{public.Scheme + "://" + public.Host}, listed...)
	}
	return listed
}

// checkOrigin refuses a request that a page of another site made the browser send. A page can add
// the cookie that way. What comes without one is not the browser's doing, but that of somebody who has
// the password.
func (d *door) checkOrigin(r *http.Request, cookies []*http.Cookie) error {
	if len(cookies) == 0 {
		return nil
	}
	err := d.origins.Check(r)
	if err != nil {
		return &fault.Error{Kind: fault.CrossSite, Err: err,
			Public: "cross-site request refused: send it from a page of this origin, or with an Authorization header and no cookie"}
	}
	return nil
}

// checkUpgrade refuses a websocket, to us or to the site behind us, that a page of another site opens with
// the agent's cookie. It comes as a GET, which is let through elsewhere because it changes nothing and
// cannot be read across sites; a socket can. Browsers add no token to it, so its origin counts whatever the
// settings say.
func (d *door) checkUpgrade(r *http.Request, cookies []*http.Cookie) error {
	if r.Header.Get("Upgrade") == "" {
		return nil
	}
	asWrite := r.Clone(r.Context())
	asWrite.Method = http.MethodPost
	return d.checkOrigin(asWrite, cookies)
}

// checkToken refuses a request that changes something and comes with a cookie, unless it has the session's token, which only a page that may read our answers knows. All answers tell it.
//
// Source: GWS, CSRFProtection (403 with this text; CometD's requests need the token too).
func (c *call) checkToken() error {
	token := csrfToken(c.agent.SessionID())
	header := c.Writer.Header()
	header[headerCSRFHeader], header[headerCSRFToken] = []string{nameCSRFToken}, []string{token}
	switch c.Request.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return nil
	}
	if len(c.Request.CookiesNamed(cookieName)) == 0 {
		return nil
	}
	if !hmac.Equal([]byte(c.Request.Header.Get(headerCSRFToken)), []byte(token)) {
		return fault.New(fault.CrossSite, "Missing or invalid Csrf token: send "+nameCSRFToken+" with the value that answers to GET carry")
	}
	return nil
}

// csrfToken returns the token of a session. Whoever does not know the session's id cannot make it, and
// whoever knows the token learns nothing of the id; so it needs no place to be kept.
func csrfToken(sessionID string) string {
	mac := hmac.New(sha256.New, []byte(sessionID))
	mac.Write([]byte("csrf"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
