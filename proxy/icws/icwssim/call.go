package icwssim

import (
	"cmp"
	"io"
	"net/http"
	"strings"

	"portico/proxy/simulation"
	"portico/translate/icwsapi"
)

// maxBody is what is read of a request's body; what goes beyond is refused.
const maxBody = 1 << 20 // bytes

// call is one ICWS request on its way.
type call struct {
	request  *http.Request
	resource *resource // nil: no such path
	params   map[string]string
	body     []byte
	flaw     string // why the body is none that counts
	base     string // what stands before /icws on the path, as dialled
	host     string // name that was dialled, without port
	userName string // whose session or log-in it is, as far as known
	session  *session
	language *Language // of the answer

	// For the log, set by handlers that write.
	target  *user
	written map[string]any
}

// serveICWS takes a request through routing, faults and its handler to the wire.
func (s *Server) serveICWS(w http.ResponseWriter, r *http.Request, path []string) {
	c, ok := s.newCall(r, path)
	commonHeaders(w.Header(), r)
	if !ok {
		notFound().write(w)
		return
	}
	if r.Method == http.MethodOptions {
		preflight(w, r)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	c.body = body
	switch {
	case err != nil:
		c.flaw = "The request body could not be read."
	case len(body) > maxBody:
		c.flaw = "The request is too long."
	}

	f := s.admit(c)
	if f == nil {
		s.perform(w, c)
		return
	}
	s.performWith(w, c, f)
}

// newCall says what is asked for; false means the path does not begin with BasePath.
func (s *Server) newCall(r *http.Request, path []string) (*call, bool) {
	base, host, path, ok := s.cutBase(path)
	if !ok {
		return nil, false
	}
	if host == "" {
		host = simulation.HostOf(r)
	}
	c := &call{request: r, base: base, host: host}
	c.resource, c.params = find(path)
	return c, true
}

// cutBase takes BasePath off the front of path. It returns what it took, and the host named in it.
func (s *Server) cutBase(path []string) (base, host string, rest []string, ok bool) {
	want := simulation.Segments(s.BasePath)
	if len(path) < len(want) {
		return "", "", nil, false
	}
	for i, segment := range want {
		if segment == "{host}" {
			host = path[i]
		} else if segment != path[i] {
			return "", "", nil, false
		}
		base += "/" + path[i]
	}
	return base, host, path[len(want):], true
}

// admit counts the call, finds out whose it is and in which language, and returns the fault that awaits it, if any.
func (s *Server) admit(c *call) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.record.Count(c.route())
	c.userName, c.language = s.callerOf(c), s.languageOf(c)
	return s.faults.TakeFor(&repertoire, c.userName, c.host, c.request.Method, c.template())
}

// callerOf names the user without checking anything: for faults and the log.
func (s *Server) callerOf(c *call) string {
	if session := s.sessions[c.params["sessionId"]]; session != nil {
		return session.user.id
	}
	if c.resource != nil && c.resource.methods[http.MethodPost] != nil && c.resource.open {
		return s.canonical(userIDOf(c.body))
	}
	return ""
}

// route is the call as METHOD and template; all unknown paths together are one.
func (c *call) route() string {
	return c.request.Method + " " + c.template()
}

func (c *call) template() string {
	if c.resource == nil {
		return "(unknown path)"
	}
	return c.resource.template
}

// perform answers the call as a server in good health does.
func (s *Server) perform(w http.ResponseWriter, c *call) {
	s.send(w, c, s.answer(c))
}

func (s *Server) send(w http.ResponseWriter, c *call, answer reply) {
	if answer.stream != nil {
		s.serveStream(w, c.request, answer.stream)
		return
	}
	answer.write(w)
}

// answer checks the call, carries it out and logs it, all in one step, so that the log has the
// order in which things took effect.
func (s *Server) answer(c *call) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.snapshotFor(c)
	answer := s.dispatch(c).in(c.language)
	s.recordCall(c, answer, was)
	return answer
}

func (s *Server) dispatch(c *call) reply {
	if c.resource == nil {
		return notFound()
	}
	if !c.resource.open {
		refusal, refused := s.checkSession(c)
		if refused {
			return refusal
		}
	}
	handle := c.resource.methods[c.request.Method]
	if handle == nil {
		refusal := refuse(http.StatusMethodNotAllowed, icwsapi.Error{
			ErrorID: icwsapi.ErrorMethodNotAllowed,
			Message: "The HTTP method is not allowed for this resource.",
		})
		refusal.header.Set("Allow", c.resource.allow())
		return refusal
	}
	if c.flaw != "" {
		return badRequest(c.flaw)
	}
	if s.down && !c.resource.open && !strings.Contains(c.resource.template, "/messaging/messages") &&
		!strings.HasSuffix(c.resource.template, "/connection") {
		return unavailable(nil)
	}
	return handle(s, c)
}

// languageOf is the language of the answer: the session's, else what the header asks for.
func (s *Server) languageOf(c *call) *Language {
	id := c.params["sessionId"]
	if session := cmp.Or(s.sessions[id], s.ended[id]); session != nil {
		return session.language
	}
	return s.negotiate(c.request.Header.Values("Accept-Language"))
}
