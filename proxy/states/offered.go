package states

import (
	"slices"
	"strings"

	"portico/translate/htccapi"
)

// Offered returns the states of all sites, each once: an id stands in the list once, since that is
// what applications find a state by. Those that the table names come first, by that name alone if they are
// custom ones, though their own is still understood; then the others, of one name the first.
func (t Table) Offered(sites []Site) []State {
	type key struct{ site, id string }
	renamed := map[key]bool{}
	taken := map[string]bool{}
	var list []State
	add := func(one State) {
		name := strings.ToLower(string(one.OperationName))
		if !taken[name] {
			taken[name] = true
			list = append(list, one)
		}
	}
	for _, name := range t.names() {
		for _, at := range sites {
			one, found := t.Find(name, at)
			if !found {
				continue
			}
			if !IsSystem(one.OperationName) {
				renamed[key{at.Name, one.ID}] = true
			}
			one.OperationName = name
			one.Body = one.AgentStateSetting
			add(one) // of several sites the first
		}
	}
	for _, at := range sites {
		for _, one := range at.States {
			if !renamed[key{at.Name, one.ID}] {
				add(one)
			}
		}
	}
	return list
}

// Operations lists what an agent of the sites may post, for the text of a refusal: the states
// offered, those that the table gave another name, and do-not-disturb.
func (t Table) Operations(sites []Site) []string {
	var names []string
	add := func(op htccapi.Operation) {
		if !slices.Contains(names, string(op)) {
			names = append(names, string(op))
		}
	}
	for _, one := range t.Offered(sites) {
		add(one.OperationName)
	}
	for _, at := range sites {
		for _, one := range at.States {
			add(one.OperationName)
		}
	}
	add(htccapi.DoNotDisturbOn)
	add(htccapi.DoNotDisturbOff)
	return names
}
