package proxy

import (
	"context"
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

// unserved answers what no route has: what is ICWS goes to the site for that; it is passed through to
// the agent's HTCC site if it stands under one of the prefixes for that, else nobody serves it.
func unserved(c *call) (any, error) {
	if isNative(c.Request.URL.Path) {
		return passNative(c)
	}
	if !c.door.passes(c.Request.URL.Path) {
		return unknownPath(c)
	}
	c.numbers = c.door.passed[methodLabel(c.Request.Method)]
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
	if passage == nil || !passage.Owns(strings.TrimPrefix(c.Request.URL.Path, prefixV2)) {
		return wrongMethod(c)
	}
	c.numbers = c.door.passed[methodLabel(c.Request.Method)]
	return c.pass(toHTCC(c, passage))
}

func passThrough(c *call) (any, error) {
	passage := c.door.gateway.PassThrough(c.agent)
	if passage == nil {
		return nil, fault.New(fault.NotFound, fmt.Sprintf("there is no %q here, and this agent has no HTCC site that could have it",
			shorten(c.Request.URL.Path)))
	}
	return c.pass(toHTCC(c, passage))
}

// toHTCC passes a request on as one of the agent's.
func toHTCC(c *call, passage *gateway.Passage) passing {
	return passing{RoundTripper: passage, upgrades: passage.Upgrades, begin: passage.Begin, answered: func(*http.Response) { c.setCookie() }}
}

// pathNotifications is not passed through: one upstream reader serves all windows of an agent.
const pathNotifications = prefixV2 + "/notifications"

// passes reports whether a path stands under one of the prefixes that are passed through, and stays
// there whatever the site makes of it.
func (d *door) passes(path string) bool {
	if path == pathNotifications || strings.HasPrefix(path, pathNotifications+"/") || climbs(path) {
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

// climbs reports whether a decoded path has a segment . or .., which would lead out of its prefix.
// Servers are known that take a backslash for a slash, and that leave out what follows a semicolon.
func climbs(path string) bool {
	for segment := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '/' || r == '\\' }) {
		name, _, _ := strings.Cut(segment, ";")
		if name == "." || name == ".." {
			return true
		}
	}
	return false
}

// streamed is the answer of a handler that has written it.
var streamed = raw{sent: true}

// A passing is where a request is passed on to: what sends it, and what is to be done on the way.
type passing struct {
	http.RoundTripper
	upgrades bool                 // it takes requests for another protocol
	sending  func(*http.Request)  // takes off the request what is ours; nil where RoundTripper does
	answered func(*http.Response) // before the answer's head is sent

	// begin returns the context for the request and its answer, and what is called when that is over. nil: it is the
	// caller's own.
	begin func(context.Context) (context.Context, func())
}

// pass sends the request on as it came and streams the answer back. Our cookie and the caller's
// password stay here.
func (c *call) pass(to passing) (any, error) {
	header := c.Writer.Header()
	header.Del("Allow") // the router's: the site may know more methods
	err := c.checkPassable(to.upgrades)
	if err != nil {
		return nil, err
	}
	c.unprotect()
	c.lasting = header.Clone()
	// Without it the server would read the rest of a body before the answer is begun.
	_ = http.NewResponseController(c.Writer).EnableFullDuplex() // HTTP/2 is so anyway
	request, body := watched(c.Request)
	if to.begin != nil {
		ctx, over := to.begin(request.Context())
		defer over()
		request = request.WithContext(ctx)
	}
	answer := &watchedAnswer{of: request.Context()}
	defer c.endBrokenOff(answer, body)
	var failed error
	proxy := httputil.ReverseProxy{
		Transport:      to,
		FlushInterval:  -1, // as it comes
		ErrorLog:       slog.NewLogLogger(c.door.log.Handler(), slog.LevelDebug),
		Rewrite:        func(r *httputil.ProxyRequest) { c.rewrite(r, to) },
		ModifyResponse: func(res *http.Response) error { return c.sign(res, to, body, answer) },
		ErrorHandler:   func(_ http.ResponseWriter, _ *http.Request, err error) { failed = err },
	}
	proxy.ServeHTTP(c.Writer, request)
	if failed != nil {
		c.identify() // interim answers clear the headers
		body.closeUnread(header)
		return nil, body.blamed(fmt.Errorf("proxy: pass through: %w", failed))
	}
	c.Writer.WriteHeaderNow() // or the router would answer a 404 without body in its own words
	return streamed, nil
}

// checkPassable refuses what must not reach the site: requests for another protocol that it does not
// take, and a method that has it repeat the upstream cookie to the caller.
//
// Source: RFC 9110, 9.3.8 (TRACE).
func (c *call) checkPassable(upgrades bool) error {
	switch {
	case c.Request.Method == http.MethodTrace, c.Request.Method == http.MethodConnect:
		c.Header("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
		return fault.New(fault.WrongMethod, c.Request.Method+" is not passed through")
	case strings.EqualFold(c.Request.Header.Get("Upgrade"), "websocket") && !upgrades:
		return fault.New(fault.Invalid, "the contact centre takes no request for another protocol")
	}
	return nil
}

// rewrite makes the request that the site gets of the caller's.
func (c *call) rewrite(r *httputil.ProxyRequest, to passing) {
	*r.Out.URL = *sentURL(c.Request)
	r.Out.Trailer = r.In.Trailer // the one that the server fills when the body has been read
	if to.sending != nil {
		to.sending(r.Out)
	}
	if !to.upgrades { // who asks for another protocol must be content with this one
		r.Out.Header.Del("Connection")
		r.Out.Header.Del("Upgrade")
	}
	if r.Out.Header.Get("Accept-Encoding") == "" { // or the transport would ask for gzip, and unpack it
		r.Out.Header.Set("Accept-Encoding", "identity")
	}
	before := c.trustedBefore(r.In)
	r.Out.Header["X-Forwarded-For"] = before["X-Forwarded-For"]
	r.SetXForwarded()
	for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Proto"} {
		if before.Get(name) != "" {
			r.Out.Header[name] = before[name]
		}
	}
}

// sign puts into an answer what is ours. It comes after interim answers, each of which clears the
// headers.
func (c *call) sign(res *http.Response, to passing, body *watchedBody, answer *watchedAnswer) error {
	c.place.leave() // the site has done its work: what is left takes as long as the caller wants it to
	res.Header.Del("X-Request-Id")
	c.keepPolicies(res.Header)
	c.identify()
	to.answered(res)
	if !c.numbers.held {
		c.headCame()
	}
	if res.StatusCode == http.StatusSwitchingProtocols {
		c.Status(res.StatusCode) // which is not written by way of the router
		return nil
	}
	if c.door.settings.Draining() {
		c.Header("Connection", "close")
	}
	body.closeUnread(c.Writer.Header())
	answer.ReadCloser, res.Body = res.Body, answer
	return nil
}

// keepPolicies takes off a site's answer what we say ourselves: that the host is for https alone, and,
// if pages of other origins are listed, that those may read it.
func (c *call) keepPolicies(header http.Header) {
	if c.door.secure {
		header.Del("Strict-Transport-Security")
	}
	if c.door.cors == nil {
		return
	}
	for name := range header {
		if strings.HasPrefix(name, "Access-Control-") {
			delete(header, name)
		}
	}
}

// identify puts into the answer what was there before it was begun, first of all the request's id.
func (c *call) identify() {
	header := c.Writer.Header()
	for name, values := range c.lasting {
		header[name] = values
	}
	header["X-Request-Id"] = []string{c.id}
}

// endBrokenOff counts and logs a call whose answer broke off, on its way out of the handler: the
// connection is to be broken off too.
func (c *call) endBrokenOff(answer *watchedAnswer, body *watchedBody) {
	panicked := recover()
	if panicked == nil {
		return
	}
	if panicked == http.ErrAbortHandler {
		c.left = answer.failed == nil && !c.paced().gaveUp() // it came, and could not be handed on
		c.end(c.stopping(body.blamed(answer.brokenOff())))
	}
	panic(panicked)
}

func hasCredentials(r *http.Request) bool {
	return r.Header.Get("Authorization") != "" || len(r.CookiesNamed(cookieName)) > 0
}
