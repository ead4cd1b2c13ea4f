package icwssim

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxLog is how many entries the log holds; the older half goes when it is full.
const maxLog = 100_000

// masked stands in the log for what nobody may read there.
const masked = "***"

// Entry is one call in the log, which stands in the order in which calls took effect. Passwords,
// tokens and cookies are not in it.
type Entry struct {
	Number  int       `json:"n"` // from 1, counting on until Reset
	Time    time.Time `json:"time"`
	Route   string    `json:"route"` // METHOD and path template
	Method  string    `json:"method"`
	Path    string    `json:"path"`    // the template
	User    string    `json:"user"`    // whose session, or who tried to log in
	Host    string    `json:"host"`    // dialled
	Status  int       `json:"status"`  // 0: no answer was sent
	Outcome string    `json:"outcome"` // ok, the errorId, or what the fault was

	// Target is the user that a write is about, Written what it sets, and Was what held until then.
	Target  string         `json:"target,omitempty"`
	Written map[string]any `json:"written,omitempty"`
	Was     *Was           `json:"was,omitempty"`
}

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

// record logs a call that was carried out. The caller holds s.mu.
func (s *Server) record(c *call, answer reply, was *Was) {
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
	s.log = append(s.log, entry)
}

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
		User: c.userName, Host: c.host, Status: status, Outcome: outcome,
	}
}

// Calls returns how often each route was called since the start or Reset, by METHOD and path
// template, such as "GET /icws/{sessionId}/status/status-messages". It is a copy.
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
// last. Users, their statuses, sessions and the catalogue stay as they are.
func (s *Server) Reset() {
	s.start.Do(s.init)
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.calls)
	s.log, s.logged, s.faults = nil, 0, nil
	s.tellDown(false)
}
