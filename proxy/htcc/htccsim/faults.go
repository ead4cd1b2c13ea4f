package htccsim

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Fault is something to go wrong: an answer other than the right one for some calls, or one of the
// scenarios. Members left out do not narrow it down.
type Fault struct {
	// Scenario is one of those that Scenarios lists; empty means what Status, Delay and Body say.
	Scenario string

	// Route is "METHOD /path/template", "/path/template" for every method, or "*". What the
	// parameters in braces are called does not matter.
	Route string

	User string // whose calls: those of their sessions, and those with their name in Authorization
	Host string // calls to this host name, as dialled, without port

	Status      int           // of the answer; 0 means the right answer, only later
	Delay       time.Duration // before the call is carried out; a caller who leaves meanwhile undoes it
	Times       int           // how many calls; 0 means until Reset
	Body        string        // instead of a refusal
	ContentType string        // of Body; empty means JSON
	Location    string        // of the scenario redirect; empty means a foreign host
	After       bool          // the call is carried out first, then delayed and its answer replaced
}

// fault is a Fault that awaits calls. Server.mu guards it.
type fault struct {
	Fault
	left int // calls; negative means no limit
}

// reaches says whether the fault is for calls of this user to this host. What is no call has no
// host, and is reached by any.
func (f *fault) reaches(user, host string) bool {
	return (f.User == "" || strings.EqualFold(f.User, user)) && (f.Host == "" || host == "" || strings.EqualFold(f.Host, host))
}

// hits says whether the fault is for this route, and one of those that change answers.
func (f *fault) hits(c *call) bool {
	if f.Scenario != "" && !slices.Contains(answerScenarios, f.Scenario) {
		return false
	}
	if f.Route == "" || f.Route == "*" {
		return true
	}
	method, template := splitRoute(f.Route)
	return (method == "" || method == c.request.Method) && sameTemplate(template, c.template())
}

// takeFault returns the first fault that awaits the call, or nil.
func (s *Server) takeFault(c *call) *fault {
	return s.takeFirst(func(f *fault) bool { return f.hits(c) && f.reaches(c.userName, c.host) })
}

// take returns the fault of that scenario that awaits this user at this host, or nil.
func (s *Server) take(scenario, user, host string) *fault {
	if len(s.faults) == 0 {
		return nil
	}
	return s.takeFirst(func(f *fault) bool { return f.Scenario == scenario && f.reaches(user, host) })
}

func (s *Server) takeFirst(matches func(*fault) bool) *fault {
	i := slices.IndexFunc(s.faults, matches)
	if i < 0 {
		return nil
	}
	f := s.faults[i]
	f.left--
	if f.left == 0 {
		s.faults = slices.Delete(s.faults, i, i+1)
	}
	return f
}

// performWith answers the call the way the fault wants it.
func (s *Server) performWith(w http.ResponseWriter, c *call, f *fault) {
	if f.Scenario == hang {
		s.recordFault(c, 0, "no answer")
		s.hold(c.request, f.Delay)
		panic(http.ErrAbortHandler)
	}
	if !f.After && f.Delay > 0 && f.Scenario != hangBody && !s.wait(c.request, f.Delay) {
		s.recordFault(c, 0, "the caller left")
		panic(http.ErrAbortHandler)
	}
	if f.alters(c) {
		s.perform(w, c)
		return
	}
	if f.Scenario == hangBody || f.Scenario == truncateBody {
		s.breakOff(w, c, f)
	}
	if f.Status == 0 && f.Scenario == "" && f.Body == "" && !f.After {
		s.perform(w, c)
		return
	}
	s.replaceAnswer(w, c, f)
}

// breakOff carries the call out and answers with half of its body, then silence for hangBody, and
// the end of the connection.
func (s *Server) breakOff(w http.ResponseWriter, c *call, f *fault) {
	whole := &captured{header: w.Header()}
	s.perform(whole, c)
	whole.header.Set("Content-Length", fmt.Sprint(whole.body.Len()))
	w.WriteHeader(cmp.Or(whole.status, http.StatusOK))
	_, _ = w.Write(whole.body.Bytes()[:whole.body.Len()/2]) // fails only if the caller is gone
	_ = http.NewResponseController(w).Flush()
	if f.Scenario == hangBody {
		s.hold(c.request, f.Delay)
	}
	panic(http.ErrAbortHandler)
}

// replaceAnswer sends the fault's answer, or none, and carries the call out before if it is to be.
func (s *Server) replaceAnswer(w http.ResponseWriter, c *call, f *fault) {
	var right reply
	if f.After {
		right = s.carryOut(c)
	}
	if f.After && f.Delay > 0 && !s.wait(c.request, f.Delay) {
		panic(http.ErrAbortHandler)
	}
	if f.Scenario == resetConnection {
		s.recordFault(c, 0, "connection broken off")
		panic(http.ErrAbortHandler)
	}
	if f.Status == 0 && f.Body == "" && f.Scenario == "" {
		s.send(w, c, right)
		return
	}
	answer := f.answer(c)
	s.recordFault(c, answer.status, "fault")
	answer.write(w)
}

// answer is what the fault says instead of the server.
func (f *fault) answer(c *call) reply {
	switch {
	case f.Scenario == redirect:
		return reply{status: cmp.Or(f.Status, http.StatusFound), header: http.Header{
			"Location": {cmp.Or(f.Location, "http://foreign.example"+c.request.URL.RequestURI())}}}
	case f.Scenario == garbage:
		return reply{
			status: cmp.Or(f.Status, http.StatusOK), contentType: cmp.Or(f.ContentType, "text/html;charset=UTF-8"),
			body: []byte(cmp.Or(f.Body, "<html><body><h1>It works!</h1></body></html>")),
		}
	case f.Body != "" || f.Status < 400:
		return reply{status: cmp.Or(f.Status, http.StatusOK), contentType: f.ContentType, body: []byte(f.Body)}
	case f.Status == http.StatusForbidden:
		return c.denied()
	}
	refused := c.refuse(codeOf(f.Status), "An internal error occurred")
	refused.status = f.Status
	return refused
}

// codeOf is the statusCode that goes best with an HTTP status.
func codeOf(status int) int {
	switch status {
	case http.StatusBadRequest:
		return codeInvalid
	case http.StatusNotFound:
		return codeNotFound
	}
	return codeInternal
}

// splitRoute takes "METHOD /template" or "/template" apart.
func splitRoute(route string) (method, template string) {
	before, after, found := strings.Cut(strings.TrimSpace(route), " ")
	if !found {
		return "", before
	}
	return strings.ToUpper(before), strings.TrimSpace(after)
}

var parameter = regexp.MustCompile(`\{[^/{}]*\}`)

// sameTemplate compares templates without regard to the names of parameters.
func sameTemplate(a, b string) bool {
	return parameter.ReplaceAllString(a, "{}") == parameter.ReplaceAllString(b, "{}")
}

// check says what is wrong with a fault before it is taken on.
func (f *Fault) check() error {
	if f.Scenario != "" && !slices.Contains(Scenarios(), f.Scenario) {
		return fmt.Errorf("htccsim: unknown scenario %q: want one of %s", f.Scenario, strings.Join(Scenarios(), ", "))
	}
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		return fmt.Errorf("htccsim: fault status %d: want 200 to 599", f.Status)
	}
	if f.Delay < 0 || f.Times < 0 {
		return fmt.Errorf("htccsim: fault delay %v, times %d: want no negative numbers", f.Delay, f.Times)
	}
	if f.Scenario == "" && f.Status == 0 && f.Delay == 0 && f.Body == "" {
		return fmt.Errorf("htccsim: the fault changes nothing: want status, delay, body or scenario")
	}
	if f.Route == "" || f.Route == "*" {
		return nil
	}
	return checkRoute(f.Route)
}

func checkRoute(route string) error {
	method, template := splitRoute(route)
	var known []string
	for i := range resources {
		if sameTemplate(template, resources[i].template) && (method == "" || resources[i].methods[method] != nil) {
			return nil
		}
		for m := range resources[i].methods {
			known = append(known, m+" "+resources[i].template)
		}
	}
	slices.Sort(known)
	return fmt.Errorf("htccsim: unknown route %q: want *, or one of\n%s", route, strings.Join(slices.Compact(known), "\n"))
}
