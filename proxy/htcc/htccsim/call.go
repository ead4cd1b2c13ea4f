package htccsim

import (
	"io"
	"net/http"
	"slices"
	"time"

	"portico/proxy/simulation"
	"portico/translate/htccapi"
)

// maxBody is what is read of the body of an operation; what goes beyond is refused.
const maxBody = 1 << 20 // bytes

// call is one HTCC request on its way.
type call struct {
	request  *http.Request
	resource *resource // nil: no such path
	params   map[string]string
	body     []byte
	unfit    refusal // why there is nothing to act on in the body
	base     string  // scheme and host as dialled
	host     string  // name that was dialled, without port
	userName string  // whose session or credentials it has, as far as known
	session  *session
	cookie   string // of the session that the call opened

	// How the answer is to be written; faults change it.
	dialect     htccapi.Dialect
	stringCodes bool
	alter       alteration

	// For operations: how long the answer waits, and the notifications after it.
	hold, notifyIn time.Duration

	// For the log, set by handlers that write.
	target  *agent
	written map[string]any
}

// serveHTCC takes a request through routing, faults and its handler to the wire.
func (s *Server) serveHTCC(w http.ResponseWriter, r *http.Request, path []string) {
	crossOrigin(w.Header(), r)
	if isPreflight(r) {
		preflight(w, r)
		return
	}
	c := s.newCall(r, path)
	if c.resource == nil || !c.resource.isRaw {
		c.readBody()
	}
	f := s.admit(c)
	if f == nil {
		s.perform(w, c)
		return
	}
	s.performWith(w, c, f)
}

// newCall finds what is asked for. The pages that have the dialect "status" write paths without
// /api/v2, so in that dialect both are served.
//
// Source: vendor reference, Set agent states across all channels: POST on /me.
func (s *Server) newCall(r *http.Request, path []string) *call {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	c := &call{request: r, base: scheme + "://" + r.Host, host: simulation.HostOf(r), dialect: s.Dialect, stringCodes: s.StringCodes}
	c.resource, c.params = find(path)
	if c.resource == nil && s.Dialect == htccapi.DialectStatus {
		c.resource, c.params = find(slices.Concat(simulation.Segments(root), path))
	}
	return c
}

// unreadable refuses a request whose body breaks off, or whose chunks are none. Guess: the code.
var unreadable = refusal{codeInvalid, "The request body cannot be read"}

// readBody reads the body, without s.mu: the caller may take their time.
func (c *call) readBody() {
	body, err := io.ReadAll(io.LimitReader(c.request.Body, maxBody+1))
	switch {
	case err != nil:
		c.unfit = unreadable
	case len(body) > maxBody:
		c.unfit = refusal{codeInvalid, "The request is too long"}
	default:
		c.body = body
	}
}

// admit counts the call, finds out whose it is, and returns the fault that awaits it, if any.
func (s *Server) admit(c *call) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.record.Count(c.route())
	c.userName = s.callerOf(c.request)
	return s.faults.TakeFor(&repertoire, c.userName, c.host, c.request.Method, c.template())
}

// route is the call as METHOD and template; all unknown paths together are one.
func (c *call) route() string { return c.request.Method + " " + c.template() }

func (c *call) template() string {
	if c.resource == nil {
		return "(unknown path)"
	}
	return c.resource.template
}

// perform answers the call as a server in good health does.
func (s *Server) perform(w http.ResponseWriter, c *call) {
	s.send(w, c, s.carryOut(c))
}

// send writes the answer, after it was held for its time.
func (s *Server) send(w http.ResponseWriter, c *call, answer reply) {
	if answer.hold > 0 && !s.life.Wait(c.request, answer.hold) {
		panic(http.ErrAbortHandler)
	}
	if answer.serve == nil {
		answer.write(w)
		return
	}
	for name, values := range answer.header {
		w.Header()[name] = values
	}
	answer.serve(w, c.request)
}

// carryOut checks the call, does what it asks and logs it, all in one step, so that the log has the
// order in which things took effect.
func (s *Server) carryOut(c *call) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	refusal, refused := s.authenticate(c)
	var was *Was
	if c.session != nil {
		was = s.snapshot(c.session.agent)
	}
	answer := refusal
	if !refused {
		answer = s.dispatch(c)
	}
	s.addHeaders(c, &answer)
	s.recordCall(c, answer, was)
	return answer
}

// dispatch finds what carries the call out. Guess: another method on a path that exists is 405,
// forbidden.
func (s *Server) dispatch(c *call) reply {
	if c.resource == nil {
		return c.notFound()
	}
	if c.request.Method == http.MethodOptions {
		return reply{status: http.StatusOK, header: http.Header{"Allow": {c.resource.allow()}}}
	}
	method := c.request.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	handle := c.resource.methods[method]
	if handle == nil {
		refusal := c.refuse(codeForbidden, "Method "+c.request.Method+" is not allowed")
		refusal.status = http.StatusMethodNotAllowed
		refusal.header.Set("Allow", c.resource.allow())
		return refusal
	}
	if c.unfit.code != codeOK {
		return c.refuse(c.unfit.code, c.unfit.message)
	}
	answer := handle(s, c)
	answer.hold = c.hold
	return answer
}
