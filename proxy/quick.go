package proxy

import (
	"bytes"
	"io"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"portico/proxy/fault"
	"portico/proxy/gateway"
	"portico/proxy/plainhttp"
	"portico/proxy/quick"
	"portico/translate/htccapi"
)

// A quickRoute is a path that reads may be answered at before net/http sees them: with what, and what they
// are counted as, the same as there.
type quickRoute struct {
	dialect   htccapi.Dialect
	operation operation
	numbers   *endpoint
	answer    func(*quickCall) bool
}

// quickly are the paths below a prefix that may be answered so.
var quickly = map[string]func(*quickCall) bool{
	"/me":                 (*quickCall).me,
	"/me/status-messages": (*quickCall).statusMessages,
}

// A quickCall is one request that is answered before net/http sees it. Whatever would take a call of somebody,
// a wait, or a decision that is not made here, is left to the call that the request becomes then: until then
// nothing was counted and nobody told. One goroutine uses it.
type quickCall struct {
	door   *door
	route  *quickRoute
	in     *quick.Request
	caller gateway.Caller
	agent  *gateway.Agent
	began  time.Time
	id     string
	looked string
	status int
	bytes  int    // of the body
	out    []byte // the answer
}

var quickCalls = sync.Pool{New: func() any { return new(quickCall) }}

// quickRequests are those that are read here.
var quickRequests = sync.Pool{New: func() any { return new(quick.Request) }}

// largestQuick is how large an answer's buffer is at most that is used again, in bytes.
const largestQuick = 64 << 10

// Quick is a quick.Answerer.
func (d *Door) Quick(w io.Writer, in *quick.Request) bool {
	route := d.door.quick[string(in.Path)]
	if route == nil {
		return false
	}
	c := quickCalls.Get().(*quickCall)
	c.door, c.route, c.in = d.door, route, in
	answered := c.serve(w)
	*c = quickCall{out: c.out[:0]}
	if cap(c.out) <= largestQuick {
		quickCalls.Put(c)
	}
	return answered
}

// Handles is of quick.Settings: changes of state are handled so, unless Portico is about to stop. What their
// handler waits for is a site, and their answers are whole and short.
func (d *Door) Handles(in *quick.Request) bool {
	changes := d.door.changes
	return (changes[string(in.Path)] || changes[string(in.Path[:1+bytes.LastIndexByte(in.Path, '/')])]) && !d.door.settings.Draining()
}

// serve gives a request the course that handle gives it.
func (c *quickCall) serve(w io.Writer) (answered bool) {
	c.began = time.Now()
	defer func() {
		panicked := recover()
		if panicked != nil {
			c.door.log.Error("a request could not be answered before net/http", "cause", fault.PanicText(panicked), "stack", string(debug.Stack()))
		}
	}()
	s := &c.door.settings
	if s.Draining() || c.in.URLLength() > s.MaxURL || c.in.Headers > s.MaxHeaders || !c.login() || !c.mayEnter() || !c.route.answer(c) {
		return false
	}
	c.door.metrics.requestsInFlight.Inc()
	defer c.door.metrics.requestsInFlight.Dec()
	c.agent.Use(c.caller)
	s.LoggedIn(c.in.Context(), c.agent.SessionID())
	ctx, span := s.Tracer.Quick(c.began)
	_, _ = w.Write(c.out) // that fails only if the caller is gone
	answered = true
	r := record{requestID: c.id, numbers: c.route.numbers, operation: c.route.operation, code: c.status, began: c.began, bytesOut: c.bytes,
		looked: c.looked, agent: c.agent, trace: ctx, span: span}
	if s.LogClientIP {
		r.clientIP = c.door.addressOf(c.in.Remote(), string(c.in.ForwardedFor)).String()
	}
	c.door.ended(r)
	return answered
}

// login finds the agent as call.login does, if they are at hand.
func (c *quickCall) login() bool {
	cookie, ok := sessionCookieIn(c.in.Cookie)
	if !ok {
		return false
	}
	authorization := string(c.in.Authorization)
	if !isBasic(authorization) {
		c.caller = gateway.Caller{SessionID: cookie}
		c.agent = c.door.gateway.AtHand(c.caller)
		return c.agent != nil
	}
	login, password, ok := basic(authorization)
	if !ok {
		return false
	}
	c.caller = gateway.Caller{SessionID: cookie, Basic: true, Login: login, Password: password,
		Address: c.door.addressOf(c.in.Remote(), string(c.in.ForwardedFor))}
	c.agent = c.door.gateway.AtHand(c.caller)
	return c.agent != nil
}

// sessionCookieIn returns the value of the only session's cookie, "" if there is none; false if net/http is to
// read them: there are several, or one that is none of ours.
func sessionCookieIn(header []byte) (string, bool) {
	var value []byte
	for len(header) > 0 {
		var part []byte
		part, header, _ = bytes.Cut(header, []byte(";"))
		name, text, _ := bytes.Cut(bytes.Trim(part, " "), []byte("="))
		if string(bytes.Trim(name, " ")) != cookieName {
			continue
		}
		if value != nil || !isRequestID(text) {
			return "", false
		}
		value = text
	}
	return string(value), true
}

// mayEnter reports whether there is a place for the request, as enter and loggedIn ask for one: it is over
// before it would have to be given back.
func (c *quickCall) mayEnter() bool {
	places := c.door.settings.Places
	if c.caller.Basic && !places.has(holder{address: network(c.caller.Address)}) {
		return false
	}
	return places.has(holder{session: c.agent.SessionID()})
}

// statusMessages is getStatusMessages.
func (c *quickCall) statusMessages() bool {
	zip := len(c.in.AcceptEncoding) > 0 && acceptsGzip([]string{string(c.in.AcceptEncoding)})
	doc, ok := c.door.gateway.StatusMessagesAtHand(c.agent, c.route.dialect, zip, func(etag string) bool {
		return string(c.in.IfNoneMatch) == etag || matches([]string{string(c.in.IfNoneMatch)}, etag)
	})
	if !ok {
		return false
	}
	c.looked = doc.Looked.String()
	switch {
	case doc.Body == nil:
		c.begin(http.StatusNotModified, c.door.heads.notModified)
	case doc.Gzip:
		c.begin(http.StatusOK, c.door.heads.zipped)
	default:
		c.begin(http.StatusOK, c.door.heads.catalogue)
	}
	c.add("Etag", doc.ETag)
	c.end(doc.Body)
	return true
}

// me is getMe.
func (c *quickCall) me() bool {
	var name [256]byte
	me, body, ok := c.door.gateway.MeAtHand(c.agent, appendForm(name[:0], c.route.dialect, c.in.Query))
	if !ok {
		return false
	}
	c.begin(http.StatusOK, c.door.heads.me)
	c.out = append(c.out, headerStateAge+": "...)
	c.out = append(appendAge(c.out, me.Age), plainhttp.LineEnd...)
	c.end(body)
	return true
}

// begin writes the lines that are known.
func (c *quickCall) begin(status int, head []byte) {
	c.status = status
	c.id = requestID(c.in.RequestID)
	c.out = append(c.out[:0], head...)
	c.out = plainhttp.AppendDate(c.out, c.began)
	c.add("X-Request-Id", c.id)
	id := c.agent.SessionID()
	if c.caller.SessionID != id {
		c.add("Set-Cookie", c.door.cookie(id).String())
	}
}

func (c *quickCall) add(name, value string) {
	c.out = plainhttp.AppendField(c.out, name, value)
}

// end writes the body, if there is one.
func (c *quickCall) end(body []byte) {
	if body != nil {
		c.out = plainhttp.AppendLength(c.out, int64(len(body)))
	}
	c.bytes = len(body)
	c.out = append(append(c.out, plainhttp.LineEnd...), body...)
}

// quickHeads are the beginnings of answers: the status, and the headers that are always the same.
type quickHeads struct{ catalogue, zipped, notModified, me []byte }

// newQuickHeads makes them with the functions that set the headers elsewhere.
func (d *door) newQuickHeads() quickHeads {
	head := func(status int, more ...func(http.Header)) []byte {
		return append(plainhttp.AppendStatus(nil, status), d.headLines(http.MethodGet, "", more...)...)
	}
	isJSON := func(header http.Header) { header["Content-Type"] = headerJSON }
	isZipped := func(header http.Header) { header["Content-Encoding"] = headerGzip }
	return quickHeads{
		catalogue:   head(http.StatusOK, revalidated, isJSON),
		zipped:      head(http.StatusOK, revalidated, isJSON, isZipped),
		notModified: head(http.StatusNotModified, revalidated),
		me:          head(http.StatusOK, isJSON),
	}
}

// headLines returns the headers that all answers have to a method and the page's origin, "" for none, and more.
func (d *door) headLines(method, origin string, more ...func(http.Header)) []byte {
	header := http.Header{}
	d.protect(header)
	if d.cors != nil {
		request := &http.Request{Method: method, Header: http.Header{}}
		if origin != "" {
			request.Header.Set("Origin", origin)
		}
		d.cors.HandlerFunc(headerAlone{header: header}, request)
	}
	for _, set := range more {
		set(header)
	}
	var text bytes.Buffer
	_ = header.Write(&text)
	return text.Bytes()
}

// headerAlone is an answer of which only the headers count.
type headerAlone struct {
	http.ResponseWriter
	header http.Header
}

func (h headerAlone) Header() http.Header { return h.header }
