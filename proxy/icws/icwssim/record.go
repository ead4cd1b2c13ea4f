package icwssim

import (
	"maps"
	"net/http"
	"strings"

	"portico/proxy/simulation"
)

// Entry is one call in the log. Its Outcome is ok, the errorId, or what the fault was.
type Entry = simulation.Entry[Was]

// Was is the state of a user when a write about them took effect. A status accepted with 202 and
// not yet set does not count.
type Was struct {
	StatusID    string          `json:"statusId"`
	IsACD       bool            `json:"isAcd"`
	Activations map[string]bool `json:"activations"`
}

// snapshotFor returns the state of the user that the path names, before the call; nil if it names
// none that exists.
func (s *Server) snapshotFor(c *call) *Was {
	u := s.users[strings.ToLower(c.params["userId"])]
	if u == nil || c.request.Method == http.MethodGet {
		return nil
	}
	was := &Was{StatusID: u.now.StatusID, Activations: maps.Clone(u.activations)}
	if entry := s.status(u.now.StatusID); entry != nil {
		was.IsACD = entry.IsACDStatus
	}
	return was
}

// recordCall logs a call that was carried out. The caller holds s.mu.
func (s *Server) recordCall(c *call, answer reply, was *Was) {
	entry := s.entry(c, answer.status, "ok")
	if answer.status >= 400 {
		entry.Outcome = "error"
	}
	if answer.errorID != "" {
		entry.Outcome = answer.errorID
	}
	entry.Written = c.written
	if c.target != nil {
		entry.Target, entry.Was = c.target.id, was
	}
	s.record.Add(entry)
}

// recordFault logs a call that a fault answered, or left without answer.
func (s *Server) recordFault(c *call, status int, outcome string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.record.Add(s.entry(c, status, outcome))
}

func (s *Server) entry(c *call, status int, outcome string) Entry {
	return Entry{
		Time: s.now().UTC(), Route: c.route(), Method: c.request.Method, Path: c.template(),
		User: c.userName, Host: c.host, Status: status, Outcome: outcome,
	}
}

// Calls returns how often each route was called since the start or Reset, by METHOD and path
// template, such as "GET /icws/{sessionId}/status/status-messages". It is a copy.
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
// last. Users, their statuses, sessions, settings and the catalogue stay as they are.
func (s *Server) Reset() {
	s.start.Do(s.init)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.record.Reset()
	s.faults.Clear()
	s.tellDown(false)
}
