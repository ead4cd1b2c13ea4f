package htccsim

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"portico/translate/htccapi"
)

// maxLog is how many entries the log holds; the older half goes when it is full.
const maxLog = 100_000

// hidden stands in the log for what nobody may read there.
const hidden = "***"

// Entry is one call in the log, which stands in the order in which calls took effect. Passwords,
// tokens and cookies are not in it.
type Entry struct {
	Number  int       `json:"n"` // from 1, counting on until Reset
	Time    time.Time `json:"time"`
	Route   string    `json:"route"` // METHOD and path template
	Method  string    `json:"method"`
	Path    string    `json:"path"`            // the template
	Query   string    `json:"query,omitempty"` // as it came
	User    string    `json:"user"`            // whose session, or who tried to log in
	Host    string    `json:"host"`            // dialled
	Status  int       `json:"status"`          // 0: no answer was sent
	Outcome string    `json:"outcome"`         // ok, the statusCode, or what the fault was

	// Header is what the call came with, values of Authorization, Cookie and the CSRF token hidden;
	// of cookies the names are left.
	Header map[string]string `json:"header"`

	// Target is the user that a write is about, Written what it sets, and Was what held until then.
	Target  string         `json:"target,omitempty"`
	Written map[string]any `json:"written,omitempty"`
	Was     *Was           `json:"was,omitempty"`
}

// Was is the state of a user when a write about them took effect: that of voice and of each other
// channel, as userState.state says it.
type Was struct {
	Channels map[htccapi.MediaChannel]string `json:"channels"`
}

// snapshot returns the states of the agent now.
func (s *Server) snapshot(a *agent) *Was {
	was := &Was{Channels: make(map[htccapi.MediaChannel]string)}
	for _, shown := range s.channelsOf(a) {
		was.Channels[shown.Channel] = shown.UserState.State
	}
	return was
}

// record logs a call that was carried out. The caller holds s.mu.
func (s *Server) record(c *call, answer reply, was *Was) {
	entry := s.entry(c, answer.status, "ok")
	if answer.status >= 400 || answer.code != codeOK {
		entry.Outcome = "statusCode " + codeText(answer.code)
	}
	entry.Written = c.written
	if c.target != nil {
		entry.Target, entry.Was = c.target.UserName, was
	}
	s.log = append(s.log, entry)
}

func codeText(code int) string { return string(encode(code)) }

// recordFault logs a call that a fault answered, or left without answer.
func (s *Server) recordFault(c *call, status int, outcome string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, s.entry(c, status, outcome))
}

func (s *Server) entry(c *call, status int, outcome string) Entry {
	if len(s.log) >= maxLog {
		s.log = slices.Delete(s.log, 0, maxLog/2)
	}
	s.logged++
	return Entry{
		Number: s.logged, Time: s.now().UTC(), Route: c.route(), Method: c.request.Method, Path: c.template(),
		Query: c.request.URL.RawQuery, User: c.userName, Host: c.host, Status: status, Outcome: outcome,
		Header: headerOf(c.request),
	}
}

func headerOf(r *http.Request) map[string]string {
	shown := make(map[string]string)
	for name, values := range r.Header {
		switch {
		case name == "Cookie":
			names := []string{}
			for _, cookie := range r.Cookies() {
				names = append(names, cookie.Name)
			}
			shown[name] = strings.Join(names, "; ")
		case name == "Authorization" || strings.EqualFold(name, htccapi.HeaderCSRFToken):
			shown[name] = hidden
		default:
			shown[name] = strings.Join(values, ", ")
		}
	}
	return shown
}

// masked is what a write sets, without passwords.
func masked(members map[string]json.RawMessage) map[string]any {
	shown := make(map[string]any)
	for name, raw := range members {
		if strings.Contains(strings.ToLower(name), "password") {
			shown[name] = hidden
		} else {
			shown[name] = raw
		}
	}
	return shown
}

// Calls returns how often each route was called since the start or Reset, by METHOD and path
// template, such as "GET /api/v2/me/devices/{deviceId}". It is a copy.
func (s *Server) Calls() map[string]int {
	s.start.Do(s.init)
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.calls)
}

// Log returns the calls since the start or Reset in order; of very many, the last ones.
func (s *Server) Log() []Entry {
	s.start.Do(s.init)
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}

// Reset sets the counters to zero, empties the log and takes back all faults and scenarios that
// last; servers that were lost are back. Users, their states and sessions stay as they are.
func (s *Server) Reset() {
	s.start.Do(s.init)
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.calls)
	s.log, s.logged, s.faults = nil, 0, nil
	s.setBackends(backends{voice: true, media: true}, false)
}
