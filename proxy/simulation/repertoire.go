package simulation

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Repertoire is what a simulator can be told to do wrong. It does not change once faults are armed.
type Repertoire struct {
	Scenarios []string // all names that Fault.Scenario can have
	Answering []string // those of them that wait for a call and change its answer
	Routes    []string // "METHOD /path/template" of all that is served

	// IgnoreCase compares path templates without regard to case.
	IgnoreCase bool
}

// Check says what is wrong with a fault before it is taken on, and what would be right.
func (r *Repertoire) Check(f Fault) error {
	if f.Scenario != "" && !slices.Contains(r.Scenarios, f.Scenario) {
		return fmt.Errorf("unknown scenario %q: want one of %s", f.Scenario, strings.Join(r.Scenarios, ", "))
	}
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		return fmt.Errorf("fault status %d: want 200 to 599", f.Status)
	}
	if f.Delay < 0 || f.Times < 0 {
		return fmt.Errorf("fault delay %v, times %d: want no negative numbers", f.Delay, f.Times)
	}
	if f.Delay == 0 && !f.replaces() {
		return fmt.Errorf("the fault changes nothing: want status, delay, body or scenario")
	}
	isServed := func(known string) bool {
		method, template := splitRoute(known)
		return r.covers(f.Route, method, template)
	}
	if !slices.ContainsFunc(r.Routes, isServed) {
		known := slices.Compact(slices.Sorted(slices.Values(r.Routes)))
		return fmt.Errorf("unknown route %q: want *, or one of\n%s", f.Route, strings.Join(known, "\n"))
	}
	return nil
}

// hits says whether the fault changes the answer to a call of this method and path template.
func (r *Repertoire) hits(f *Fault, method, template string) bool {
	return (f.Scenario == "" || slices.Contains(r.Answering, f.Scenario)) && r.covers(f.Route, method, template)
}

// covers says whether the route of a fault, which may leave things open, stands for this one.
func (r *Repertoire) covers(route, method, template string) bool {
	if route == "" || route == "*" {
		return true
	}
	wantMethod, wantTemplate := splitRoute(route)
	return (wantMethod == "" || wantMethod == method) && r.sameTemplate(wantTemplate, template)
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
func (r *Repertoire) sameTemplate(a, b string) bool {
	a, b = parameter.ReplaceAllString(a, "{}"), parameter.ReplaceAllString(b, "{}")
	return a == b || r.IgnoreCase && strings.EqualFold(a, b)
}
