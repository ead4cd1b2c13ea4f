package simulation

import (
	"maps"
	"slices"
	"time"
)

// maxLog is how many entries the log holds; the older half goes when it is full.
const maxLog = 100_000

// Hidden stands in the log for what nobody may read there.
const Hidden = "***"

// Entry is one call in the log, which stands in the order in which calls took effect. Passwords,
// tokens and cookies are not in it. W is what a simulator tells of the state of a user.
type Entry[W any] struct {
	Number  int       `json:"n"` // from 1, counting on until Reset
	Time    time.Time `json:"time"`
	Route   string    `json:"route"` // METHOD and path template
	Method  string    `json:"method"`
	Path    string    `json:"path"`            // the template
	Query   string    `json:"query,omitempty"` // as it came; HTCC only
	User    string    `json:"user"`            // whose session, or who tried to log in
	Host    string    `json:"host"`            // dialled
	Status  int       `json:"status"`          // 0: no answer was sent
	Outcome string    `json:"outcome"`         // ok, how the API names the refusal, or what the fault was

	// Header is what the call came with, the values of secrets hidden; of cookies the names are
	// left. HTCC only.
	Header map[string]string `json:"header,omitzero"`

	// Target is the user that a write is about, Written what it sets, and Was what held until then.
	Target  string         `json:"target,omitempty"`
	Written map[string]any `json:"written,omitempty"`
	Was     *W             `json:"was,omitempty"`
}

// Record is what a simulator remembers of the calls since its start or Reset. The simulator's lock
// guards it.
type Record[W any] struct {
	calls  map[string]int
	log    []Entry[W]
	logged int // entries so far, those dropped from log included
}

// Count counts a call to route.
func (r *Record[W]) Count(route string) {
	if r.calls == nil {
		r.calls = make(map[string]int)
	}
	r.calls[route]++
}

// Add numbers the entry and keeps it.
func (r *Record[W]) Add(entry Entry[W]) {
	if len(r.log) >= maxLog {
		r.log = slices.Delete(r.log, 0, maxLog/2)
	}
	r.logged++
	entry.Number = r.logged
	r.log = append(r.log, entry)
}

// Calls returns how often each route was called. It is a copy.
func (r *Record[W]) Calls() map[string]int {
	calls := make(map[string]int)
	maps.Copy(calls, r.calls)
	return calls
}

// Log returns the entries in order; of very many, the last ones. It is a copy.
func (r *Record[W]) Log() []Entry[W] { return append([]Entry[W]{}, r.log...) }

// Reset forgets everything.
func (r *Record[W]) Reset() { r.calls, r.log, r.logged = nil, nil, 0 }
