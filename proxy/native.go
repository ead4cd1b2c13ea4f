package proxy

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"portico/proxy/fault"
	"portico/proxy/native"
)

// isNative reports whether a path is one of ICWS, which servers spell /ICWS as well.
//
// Source: ICWS reference, WWW-Authenticate of a 401.
func isNative(path string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return strings.EqualFold(first, "icws")
}

// nativeHostCookie tells at which host of the site a native session is. It comes after the session's
// own cookie, since there are clients that keep only the first.
const nativeHostCookie = "PORTICO_ICWS_HOST"

// nativeEndpoints count what native applications ask for, by method. Streams have endpoints of
// their own, which count no times.
type nativeEndpoints struct{ answered, held map[string]*endpoint }

func newNativeEndpoints(m *Metrics) nativeEndpoints {
	all := nativeEndpoints{answered: map[string]*endpoint{}, held: map[string]*endpoint{}}
	for _, method := range methods {
		all.answered[method] = m.endpoint(apiICWS, routePassthrough, method)
		all.held[method] = m.endpoint(apiICWS, routePassthrough, method)
		all.held[method].held = true
	}
	return all
}

// passNative passes the request of an ICWS application on to the site for that. ICWS has a token of
// its own against cross-site requests, so ours is not asked for; nor do our own sessions count.
func passNative(c *call) (any, error) {
	c.native = true
	c.numbers = c.door.native.answered[methodLabel(c.Request.Method)]
	passage := c.door.gateway.Native(hostCookies(c.Request.Header["Cookie"]))
	if passage == nil {
		return nil, fault.New(fault.NotFound, "there is no /icws here: no site is open to applications that speak ICWS")
	}
	if climbs(c.Request.URL.Path) {
		return unknownPath(c)
	}
	passage.From, c.sites = c.address(), passage.Site()
	err := c.enter(nil)
	if err != nil {
		return nil, err
	}
	release := func() {}
	defer func() { release() }()
	reply, err := c.pass(passing{RoundTripper: passage, sending: withoutOurs, answered: func(res *http.Response) {
		c.looked, c.errorID = passage.Looked, passage.ErrorID
		keepOurs(res)
		c.giveNativeCookie(res, passage)
		if passage.Proven != "" {
			c.door.settings.LoggedIn(c.context(), passage.Proven)
		}
		if passage.Stream {
			c.numbers = c.door.native.held[methodLabel(c.Request.Method)]
			release = c.hold()
		}
	}})
	if errors.Is(err, fault.Throttled) { // what the site refuses, it answers itself
		c.delay(err)
	}
	return reply, err
}

// hostCookies returns the values of nativeHostCookie. Clients are known that send whole Set-Cookie lines, also joined by
// commas, as withoutOurCookies says.
func hostCookies(lines []string) []string {
	var values []string
	for _, line := range lines {
		for part := range strings.FieldsFuncSeq(line, func(r rune) bool { return r == ';' || r == ',' }) {
			value, found := strings.CutPrefix(strings.TrimSpace(part), nativeHostCookie+"=")
			if found {
				values = append(values, strings.Trim(value, `"`))
			}
		}
	}
	return values
}

// giveNativeCookie gives the caller the cookie of a session that was opened, for that session's paths. Browsers are to
// send it from the same pages as the session's own: alone that finds the session only while log-ins go to its host.
func (c *call) giveNativeCookie(res *http.Response, passage *native.Passage) {
	if passage.Session == "" {
		return
	}
	like := attributesOf(res, passage.Cookie)
	cookie := http.Cookie{Name: nativeHostCookie, Value: passage.Host, Path: "/icws/" + url.PathEscape(passage.Session),
		HttpOnly: true, Secure: c.door.secure, SameSite: like.SameSite, Partitioned: like.Partitioned}
	res.Header.Add("Set-Cookie", cookie.String())
}

// attributesOf returns how an answer sets a cookie, whatever its value is. Of a cookie that it does not set, that is
// nothing.
func attributesOf(res *http.Response, name string) http.Cookie {
	var found http.Cookie
	for _, line := range res.Header["Set-Cookie"] {
		pair, attributes, _ := strings.Cut(line, ";")
		named, _, _ := strings.Cut(strings.TrimSpace(pair), "=")
		if named != name {
			continue
		}
		parsed, err := http.ParseSetCookie("x=;" + attributes)
		if err == nil {
			found = *parsed
		}
	}
	return found
}

// keepOurs lets no cookie of the site take the place of one of ours.
func keepOurs(res *http.Response) {
	lines := slices.DeleteFunc(res.Header["Set-Cookie"], isOurs)
	if len(lines) == 0 {
		res.Header.Del("Set-Cookie")
		return
	}
	res.Header["Set-Cookie"] = lines
}

// isOurs reports whether a cookie, name=value and what may follow, has the name of one of ours.
func isOurs(cookie string) bool {
	name, _, _ := strings.Cut(strings.TrimSpace(cookie), "=")
	return name == cookieName || name == nativeHostCookie
}

// withoutOurs takes off a request what is for us: our cookies, and the name and password of /me.
func withoutOurs(r *http.Request) {
	r.Header.Del("Authorization")
	for i, line := range r.Header["Cookie"] {
		r.Header["Cookie"][i] = withoutOurCookies(line)
	}
	r.Header["Cookie"] = slices.DeleteFunc(r.Header["Cookie"], func(line string) bool { return line == "" })
	if len(r.Header["Cookie"]) == 0 {
		r.Header.Del("Cookie")
	}
}

// withoutOurCookies takes ours out of a Cookie header. All else in it stays letter by letter: clients
// are known that send whole Set-Cookie lines, also joined by commas.
func withoutOurCookies(line string) string {
	var kept []string
	for part := range strings.SplitSeq(line, ";") {
		left := slices.DeleteFunc(strings.Split(part, ","), isOurs)
		if len(left) > 0 {
			kept = append(kept, strings.Join(left, ","))
		}
	}
	return strings.TrimSpace(strings.Join(kept, ";"))
}
