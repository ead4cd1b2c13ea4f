package htccsim

import (
	"encoding/json"
	"net/http"
	"strings"

	"portico/proxy/simulation"
	"portico/translate/htccapi"
)

// Entry is one call in the log. Its Outcome is ok, the statusCode, or what the fault was; of its
// Header the values of Authorization, Cookie and the CSRF token are hidden.
type Entry = simulation.Entry[Was]

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

// recordCall logs a call that was carried out. The caller holds s.mu.
func (s *Server) recordCall(c *call, answer reply, was *Was) {
	entry := s.entry(c, answer.status, "ok")
	if answer.status >= 400 || answer.code != codeOK {
		entry.Outcome = "statusCode " + codeText(answer.code)
	}
	entry.Written = c.written
	if c.target != nil {
		entry.Target, entry.Was = c.target.UserName, was
	}
	s.record.Add(entry)
}

func codeText(code int) string { return string(simulation.Encode(code)) }

// recordFault logs a call that a fault answered, or left without answer.
func (s *Server) recordFault(c *call, status int, outcome string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.record.Add(s.entry(c, status, outcome))
}

func (s *Server) entry(c *call, status int, outcome string) Entry {
	return Entry{
		Time: s.now().UTC(), Route: c.route(), Method: c.request.Method, Path: c.template(),
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
			shown[name] = simulation.Hidden
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
			shown[name] = simulation.Hidden
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
	return s.record.Calls()
}

// Log returns the calls since the start or Reset in order; of very many, the last ones.
func (s *Server) Log() []Entry {
	s.start.Do(s.init)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.record.Log()
}

// Reset sets the counters to zero, empties the log and takes back all faults and scenarios that
// last; servers that were lost are back. Users, their states and sessions stay as they are.
func (s *Server) Reset() {
	s.start.Do(s.init)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.record.Reset()
	s.faults.Clear()
	s.setBackends(backends{voice: true, media: true}, false)
}
