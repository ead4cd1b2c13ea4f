package htcc

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// What one agent's cookies may grow to. Browsers keep as much.
const (
	maxCookies = 50
	maxCookie  = 4096 // bytes, name and value
)

// withCookies returns the Cookie header that follows from an earlier one and the Set-Cookie lines
// of an answer of host. Of two cookies with one name the later counts, and a deletion deletes. A
// cookie of another domain is not ours. One that is overlong, or lacks a name or value, is left out,
// and so are those that would be too many: to forget a session for an empty value would end it,
// and if the server has forgotten it, it will say so.
//
// Path, Secure and a lifetime that is not over are ignored: all cookies go to the one host that set
// them, which may stand behind a proxy that changes paths or ends TLS, and a session without its
// balancer's cookie is lost whatever the cookie's age.
func withCookies(cookie, host string, lines []string, now time.Time) string {
	var pairs []string
	if cookie != "" {
		pairs = strings.Split(cookie, "; ")
	}
	for _, line := range lines {
		pair, attributes := parseSetCookie(line)
		if attributes == nil || !domainFits(host, attributes.Domain) {
			continue
		}
		at := slices.IndexFunc(pairs, func(p string) bool { return nameOf(p) == nameOf(pair) })
		switch {
		case expired(attributes, now) && at >= 0:
			pairs = slices.Delete(pairs, at, at+1)
		case expired(attributes, now), pair == nameOf(pair)+"=":
		case at >= 0:
			pairs[at] = pair
		case len(pairs) < maxCookies:
			pairs = append(pairs, pair)
		}
	}
	return strings.Join(pairs, "; ")
}

// nameOf returns the name in a name=value pair.
func nameOf(pair string) string {
	name, _, _ := strings.Cut(pair, "=")
	return name
}

// parseSetCookie returns the name=value pair of a Set-Cookie line as it came, and its attributes;
// those are nil when the line sets no cookie. The value is not parsed with the rest, since servers
// send values that strict parsers refuse.
func parseSetCookie(line string) (string, *http.Cookie) {
	pair, rest, _ := strings.Cut(line, ";")
	name, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if !ok || len(name)+len(value) > maxCookie || !sendable(value) {
		return "", nil
	}
	attributes, err := http.ParseSetCookie(name + "=;" + rest)
	if err != nil { // the name is none
		return "", nil
	}
	return name + "=" + value, attributes
}

// expired reports a cookie that was set in order to delete it.
func expired(c *http.Cookie, now time.Time) bool {
	if c.MaxAge != 0 {
		return c.MaxAge < 0
	}
	return !c.Expires.IsZero() && !c.Expires.After(now)
}

// domainFits reports whether host may set a cookie for a domain.
//
// Source: RFC 6265, section 5.1.3.
func domainFits(host, domain string) bool {
	domain = strings.ToLower(strings.TrimPrefix(domain, "."))
	return domain == "" || host == domain || strings.HasSuffix(host, "."+domain) && !isAddress(host)
}

// isAddress reports an IP address, which has no parent domains.
func isAddress(host string) bool {
	return strings.Contains(host, ":") || !strings.ContainsFunc(host, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
}
