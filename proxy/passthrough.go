package proxy

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"strings"

	"portico/proxy/fault"
	"portico/proxy/gateway"
)

// routePassthrough is the route of everything that is passed through: its paths are the callers'.
const routePassthrough = "passthrough"

// unserved answers what no route has: it is passed through to the agent's HTCC site if it stands
// under one of the prefixes for that, else nobody serves it.
func unserved(c *call) (any, error) {
	if !c.door.passes(c.Request.URL.Path) {
		return unknownPath(c)
	}
	return c.door.loggedIn(passThrough)(c)
}

// otherMethod answers a method that a path does not have. What an HTCC site owns it may take all the
// same.
func otherMethod(c *call) (any, error) {
	if c.door.passes(c.Request.URL.Path) && hasCredentials(c.Request) {
		return c.door.loggedIn(passOther)(c)
	}
	return wrongMethod(c)
}

func passOther(c *call) (any, error) {
	passage := c.door.gateway.PassThrough(c.agent)
	if passage == nil || !passage.OwnsAll() {
		return wrongMethod(c)
	}
	return c.pass(passage)
}

func passThrough(c *call) (any, error) {
	passage := c.door.gateway.PassThrough(c.agent)
	if passage == nil {
		return nil, fault.New(fault.NotFound, fmt.Sprintf("there is no %q here, and this agent has no HTCC site that could have it",
			shorten(c.Request.URL.Path)))
	}
	return c.pass(passage)
}

// pathNotifications is not passed through: one upstream reader serves all windows of an agent.
const pathNotifications = prefixV2 + "/notifications"

// passes reports whether a path stands under one of the prefixes that are passed through.
func (d *door) passes(path string) bool {
	if path == pathNotifications || strings.HasPrefix(path, pathNotifications+"/") {
		return false
	}
	for _, prefix := range d.settings.Passthrough {
		rest, found := strings.CutPrefix(path, prefix)
		if found && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return false
}

// streamed is the answer of a handler that has written it.
var streamed = raw{sent: true}

// pass sends the request on as it came and streams the answer back. Our cookie and the caller's
// password stay here: what proves the agent to the site is the passage's to add.
func (c *call) pass(passage *gateway.Passage) (any, error) {
	if c.Request.Header.Get("Upgrade") != "" && !passage.Upgrades {
		return nil, fault.New(fault.Invalid, "the contact centre takes no request for another protocol")
	}
	c.numbers = c.door.passed[methodLabel(c.Request.Method)]
	c.setCookie()
	header := c.Writer.Header()
	header.Del("Cache-Control") // that of the site counts
	header.Del("X-Content-Type-Options")
	var failed error
	proxy := httputil.ReverseProxy{
		Transport:     passage,
		FlushInterval: -1, // as it comes
		ErrorLog:      slog.NewLogLogger(c.door.log.Handler(), slog.LevelDebug),
		Rewrite: func(r *httputil.ProxyRequest) {
			*r.Out.URL = *sentURL(c.Request)
			r.SetXForwarded()
		},
		ErrorHandler: func(_ http.ResponseWriter, _ *http.Request, err error) { failed = err },
	}
	proxy.ServeHTTP(c.Writer, c.Request)
	if failed != nil {
		return nil, fmt.Errorf("proxy: pass through: %w", failed)
	}
	return streamed, nil
}

func hasCredentials(r *http.Request) bool {
	return r.Header.Get("Authorization") != "" || len(r.CookiesNamed(cookieName)) > 0
}
