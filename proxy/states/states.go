// Package states brings together what an agent of several sites may choose: which states there are, by
// which names, and which state of each site an operation means. It asks nobody, and knows no agent.
package states

import (
	"slices"
	"strings"

	"portico/translate/htccapi"
)

// A State is one that an agent may choose at one site: what is known of it, and the whole.
type State struct {
	htccapi.AgentStateSetting
	Body any
}

// A Site is what an agent may choose at one site, in the site's order.
type Site struct {
	Name   string
	States []State
}

// A Table gives one name to states of several sites: by name, then site, the operationName, id,
// reason or display name there. Nil gives none. Any number of goroutines may call its methods.
type Table map[htccapi.Operation]map[string]string

// Has reports whether the table gives an operation its name.
func (t Table) Has(op htccapi.Operation) bool { return t[op] != nil }

// IsSystem reports whether an operation has the same name everywhere.
func IsSystem(op htccapi.Operation) bool { return slices.Contains(htccapi.Reserved, op) }

// Find returns the state of a site that an operation means, by the name that the table gives it there if it has one:
// by operationName, else by id, else by reason, else by display name, ignoring case.
func (t Table) Find(op htccapi.Operation, at Site) (State, bool) {
	wanted := string(op)
	if t.Has(op) {
		wanted = t[op][at.Name]
	}
	if wanted == "" {
		return State{}, false
	}
	for _, value := range []func(State) string{
		func(s State) string { return string(s.OperationName) },
		func(s State) string { return s.ID },
		func(s State) string { return s.Reason },
		func(s State) string { return s.DisplayName },
	} {
		for _, one := range at.States {
			if strings.EqualFold(value(one), wanted) {
				return one, true
			}
		}
	}
	return State{}, false
}

// names returns the names of the table, in a fixed order.
func (t Table) names() []htccapi.Operation {
	var names []htccapi.Operation
	for name := range t {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
