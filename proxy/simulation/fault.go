package simulation

import (
	"slices"
	"strings"
	"time"
)

// Fault is something to go wrong: an answer other than the right one for some calls, or one of the
// simulator's scenarios. Members left out do not narrow it down.
type Fault struct {
	// Scenario is one of the simulator's; empty means what Status, Delay and Body say.
	Scenario string

	// Route is "METHOD /path/template", "/path/template" for every method, or "*". What the
	// parameters in braces are called does not matter.
	Route string

	User string // whose calls: those of their sessions, and their log-ins
	Host string // calls to this host name, as dialled, without port

	Status      int           // of the answer; 0 means the right answer, only later
	Delay       time.Duration // before the call is carried out; a caller who leaves meanwhile undoes it
	Times       int           // how many calls; 0 means until Reset
	Body        string        // instead of a refusal in the API's own form
	ContentType string        // of Body; empty means the API's own
	After       bool          // the call is carried out first, then delayed and its answer replaced

	// For scenarios of one simulator; the other takes no notice of them.
	Location     string   // HTCC, redirect: where to; empty means a foreign host
	Hosts        []string // ICWS, switchover: the alternateHostList, which may be empty; nil means the server's
	KeepSessions bool     // ICWS, switchover: sessions live on
	Reason       string   // ICWS, force-logoff and switchover: what the users are told
}

// Reaches says whether the fault is for what this user does at this host. What is no call has no
// host, and is reached by any.
func (f *Fault) Reaches(user, host string) bool {
	return (f.User == "" || strings.EqualFold(f.User, user)) && (f.Host == "" || host == "" || strings.EqualFold(f.Host, host))
}

// replaces says whether another answer takes the place of the right one.
func (f *Fault) replaces() bool { return f.Status != 0 || f.Body != "" || f.Scenario != "" }

// Faults are those that await calls, in the order in which they were armed. The lock of the
// simulator guards them.
type Faults struct{ armed []*armed }

type armed struct {
	Fault
	left int // calls; negative means no limit
}

// Arm lets f await its calls: so many as Times says, or all until Clear.
func (q *Faults) Arm(f Fault) {
	left := -1
	if f.Times > 0 {
		left = f.Times
	}
	q.armed = append(q.armed, &armed{Fault: f, left: left})
}

// Clear takes all faults back.
func (q *Faults) Clear() { q.armed = nil }

// Take returns the first fault of that scenario that awaits this user at this host, or nil.
func (q *Faults) Take(scenario, user, host string) *Fault {
	return q.take(func(f *Fault) bool { return f.Scenario == scenario && f.Reaches(user, host) })
}

// TakeFor returns the first fault that is to change the answer to this call, or nil. The call is
// by user, to host, and asks for method and path template.
func (q *Faults) TakeFor(r *Repertoire, user, host, method, template string) *Fault {
	return q.take(func(f *Fault) bool { return r.hits(f, method, template) && f.Reaches(user, host) })
}

// take counts the call that the fault is taken for.
func (q *Faults) take(matches func(*Fault) bool) *Fault {
	i := slices.IndexFunc(q.armed, func(one *armed) bool { return matches(&one.Fault) })
	if i < 0 {
		return nil
	}
	one := q.armed[i]
	one.left--
	if one.left == 0 {
		q.armed = slices.Delete(q.armed, i, i+1)
	}
	return &one.Fault
}
