package icwssim

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"portico/translate/icwsapi"
)

// Fault is something to go wrong: an answer other than the right one for some calls, or one of the
// scenarios. Members left out do not narrow it down.
type Fault struct {
	// Scenario is one of those that Scenarios lists; empty means what Status, Delay and Body say.
	Scenario string

	// Route is "METHOD /path/template", "/path/template" for every method, or "*". What the
	// parameters in braces are called does not matter.
	Route string

	User string // whose calls: those of their sessions, and their log-ins
	Host string // calls to this host name, as dialled, without port

	Status      int           // of the answer; 0 means the right answer, only later
	Delay       time.Duration // before the call is carried out; a caller who leaves meanwhile undoes it
	Times       int           // how many calls; 0 means until Reset
	Body        string        // instead of an ICWS error
	ContentType string        // of Body; empty means the ICWS one
	After       bool          // the call is carried out first, then delayed and its answer replaced

	// For the scenarios.
	Hosts        []string // switchover: the alternateHostList, which may be empty; nil means the server's
	KeepSessions bool     // switchover: sessions live on
	Reason       string   // force-logoff, switchover: what the users are told
}

// fault is a Fault that awaits calls. Server.mu guards it.
type fault struct {
	Fault
	left int // calls; negative means no limit
}

// reaches says whether the fault is for calls of this user to this host.
func (f *fault) reaches(user, host string) bool {
	return (f.User == "" || strings.EqualFold(f.User, user)) && (f.Host == "" || strings.EqualFold(f.Host, host))
}

// hits says whether the fault is for this route, and one of those that replace answers.
func (f *fault) hits(c *call) bool {
	switch f.Scenario {
	case "", garbage, hang, resetConnection:
	default:
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
	if !f.After && f.Delay > 0 && !s.wait(c.request, f.Delay) {
		s.recordFault(c, 0, "the caller left")
		panic(http.ErrAbortHandler)
	}
	if f.Status == 0 && f.Scenario == "" && f.Body == "" && !f.After {
		s.perform(w, c)
		return
	}
	s.replaceAnswer(w, c, f)
}

// replaceAnswer sends the fault's answer, or none, and carries the call out before if it is to be.
func (s *Server) replaceAnswer(w http.ResponseWriter, c *call, f *fault) {
	// A poll whose connection breaks has emptied the queue: its messages are lost.
	isLostPoll := f.Scenario == resetConnection && c.resource != nil && c.resource.noCSRF
	var right reply
	if f.After || isLostPoll {
		right = s.answer(c)
	}
	if f.After && f.Delay > 0 && !s.wait(c.request, f.Delay) {
		panic(http.ErrAbortHandler)
	}
	if f.Scenario == resetConnection {
		s.recordFault(c, 0, "connection broken off")
		panic(http.ErrAbortHandler)
	}
	if f.Status == 0 && f.Body == "" && f.Scenario == "" {
		if right.stream != nil {
			s.serveStream(w, c.request, right.stream)
			return
		}
		right.write(w)
		return
	}
	s.recordFault(c, f.answer().status, "fault")
	f.answer().write(w)
}

// answer is what the fault says instead of the server.
func (f *fault) answer() reply {
	switch {
	case f.Scenario == garbage:
		r := empty(cmp.Or(f.Status, http.StatusOK))
		r.contentType = cmp.Or(f.ContentType, "text/html; charset=utf-8")
		r.body = []byte(cmp.Or(f.Body, "<html><body><h1>It works!</h1></body></html>"))
		return r
	case f.Body != "":
		r := empty(cmp.Or(f.Status, http.StatusOK))
		r.contentType, r.body = f.ContentType, []byte(f.Body)
		return r
	case f.Status < 400:
		r := empty(f.Status)
		r.contentType = f.ContentType
		return r
	case f.Status == http.StatusServiceUnavailable:
		return unavailable(f.Hosts)
	case f.Status == http.StatusUnauthorized:
		return refuse(f.Status, icwsapi.Error{
			ErrorID: icwsapi.ErrorAuthenticationFailure, ErrorCode: -2147221499, Message: "The session identifier is not valid.",
		})
	case f.Status == http.StatusBadRequest:
		return badRequest("The request could not be carried out.")
	case f.Status == http.StatusForbidden:
		return forbidden("The user may not do this.")
	case f.Status == http.StatusNotFound:
		return notFound()
	}
	return refuse(f.Status, icwsapi.Error{ErrorCode: -2147467259, Message: "An unexpected error occurred while processing the request."})
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
	return strings.EqualFold(parameter.ReplaceAllString(a, "{}"), parameter.ReplaceAllString(b, "{}"))
}

// check says what is wrong with a fault before it is taken on.
func (f *Fault) check() error {
	if f.Scenario != "" && !slices.Contains(Scenarios(), f.Scenario) {
		return fmt.Errorf("icwssim: unknown scenario %q: want one of %s", f.Scenario, strings.Join(Scenarios(), ", "))
	}
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		return fmt.Errorf("icwssim: fault status %d: want 200 to 599", f.Status)
	}
	if f.Delay < 0 || f.Times < 0 {
		return fmt.Errorf("icwssim: fault delay %v, times %d: want no negative numbers", f.Delay, f.Times)
	}
	if f.Scenario == "" && f.Status == 0 && f.Delay == 0 && f.Body == "" {
		return fmt.Errorf("icwssim: the fault changes nothing: want status, delay, body or scenario")
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
	return fmt.Errorf("icwssim: unknown route %q: want *, or one of\n%s", route, strings.Join(known, "\n"))
}
