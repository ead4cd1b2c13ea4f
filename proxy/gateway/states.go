package gateway

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"portico/proxy/fault"
	"portico/translate/htccapi"
)

// AgentStates returns the states that the agent may choose: those to which the settings give one
// name at several sites, then the others of each site, of one name the first. It fails as Me does; a
// site that cannot be reached adds none while another does.
func (g *Gateway) AgentStates(ctx context.Context, a *Agent) ([]Resource, error) {
	sites, err := a.states(ctx)
	if err != nil {
		return nil, err
	}
	list := []Resource{}
	for _, one := range a.offered(sites) {
		list = append(list, Resource{ID: string(one.OperationName), Body: one.body})
	}
	return list, nil
}

// offered returns the states of all sites, each once: an id stands in the list once, since that is
// what applications find a state by. A custom state that the settings name goes by that name alone,
// though its own is still understood.
func (a *Agent) offered(sites [][]state) []state {
	type key struct{ site, id string }
	table := a.gateway.policy().States
	renamed := map[key]bool{}
	taken := map[string]bool{}
	var list []state
	add := func(one state) {
		name := strings.ToLower(string(one.OperationName))
		if !taken[name] {
			taken[name] = true
			list = append(list, one)
		}
	}
	for _, name := range table.names() {
		for i, p := range a.parts {
			one, found := table.find(name, p.siteName(), sites[i])
			if !found {
				continue
			}
			if !isSystem(one.OperationName) {
				renamed[key{p.siteName(), one.ID}] = true
			}
			one.OperationName = name
			one.body = one.AgentStateSetting
			add(one) // of several sites the first
		}
	}
	for i, p := range a.parts {
		for _, one := range sites[i] {
			if !renamed[key{p.siteName(), one.ID}] {
				add(one)
			}
		}
	}
	return list
}

// states returns the states of each part. It fails only if no site can tell.
func (a *Agent) states(ctx context.Context) ([][]state, error) {
	all := make([][]state, len(a.parts))
	errs := make([]error, len(a.parts))
	a.sideBySide(func(i int, p part) { all[i], errs[i] = p.states(ctx) })
	for _, err := range errs {
		if err == nil {
			return all, nil
		}
	}
	return nil, errs[0]
}

// A named ask is an ask by the name that a site has for the operation.
type namedAsk struct {
	ask         Ask
	substituted bool // the site has no such state: its plain one takes the place
}

// nameFor finds the name of an operation at each of the parts. System operations have the same name
// everywhere. A custom state is looked up as SharedStates.find does; a site that has none takes its plain state
// of the same kind, which another site's tells. An operation that no site knows goes on as it is, for the site to
// refuse; of one that a site would know, had the agent access to it, they are told so.
func (a *Agent) nameFor(ctx context.Context, parts []part, ask Ask) ([]namedAsk, error) {
	named := make([]namedAsk, len(parts))
	for i := range parts {
		named[i].ask = ask
	}
	table := a.gateway.policy().States
	if isSystem(ask.Operation) || len(a.parts) == 1 && !table.has(ask.Operation) {
		return named, nil
	}
	sites, err := a.states(ctx)
	if err != nil {
		return nil, err
	}
	found, kind := a.find(ask.Operation, sites)
	if len(found) == 0 && a.isBarred(ctx, parts, ask.Operation) {
		return nil, fault.New(fault.Forbidden, fmt.Sprintf("this agent has no access to %q; allowed are: %s", ask.Operation, listed(a.operations(sites))))
	}
	if len(found) == 0 && len(parts) > 1 {
		return nil, fault.New(fault.Invalid, fmt.Sprintf("unknown operation %q; this agent may use: %s", ask.Operation, listed(a.operations(sites))))
	}
	for i, p := range parts {
		op, ok := found[p.siteName()]
		switch {
		case ok:
			named[i].ask.Operation = op
		case len(found) > 0:
			named[i].ask.Operation = plainOf(kind)
			named[i].substituted = true
		}
	}
	return named, nil
}

// isBarred reports whether an operation means a state of one of the parts that the agent may not choose. HTCC says so
// itself.
func (a *Agent) isBarred(ctx context.Context, parts []part, op htccapi.Operation) bool {
	for _, p := range parts {
		atICWS, isICWS := p.(*icwsPart)
		if !isICWS {
			continue
		}
		barred, err := atICWS.barred(ctx)
		if err != nil {
			continue // the site is to say
		}
		_, found := a.gateway.policy().States.find(op, p.siteName(), barred)
		if found {
			return true
		}
	}
	return false
}

// find returns the operationName that each site has for a custom state, by site, and the kind of the
// state. A site that knows the name itself is asked by it; one that does not takes the state that
// the settings' table ties to that of another site.
func (a *Agent) find(op htccapi.Operation, sites [][]state) (map[string]htccapi.Operation, string) {
	table := a.gateway.policy().States
	known := map[string]state{} // by site
	for i, p := range a.parts {
		one, ok := table.find(op, p.siteName(), sites[i])
		if ok {
			known[p.siteName()] = one
		}
	}
	kind := ""
	found := map[string]htccapi.Operation{}
	for i, p := range a.parts {
		one, ok := known[p.siteName()]
		if !ok {
			one, ok = a.tied(known, sites, i)
		}
		if ok {
			found[p.siteName()] = one.OperationName
			kind = one.State
		}
	}
	return found, kind
}

// tied returns the state of the part at an index that stands in the settings' table beside one of the
// known states of other sites.
func (a *Agent) tied(known map[string]state, sites [][]state, at int) (state, bool) {
	table := a.gateway.policy().States
	for _, name := range table.names() {
		for i, p := range a.parts {
			one, ok := table.find(name, p.siteName(), sites[i])
			other, isKnown := known[p.siteName()]
			if ok && isKnown && one.ID == other.ID {
				return table.find(name, a.parts[at].siteName(), sites[at])
			}
		}
	}
	return state{}, false
}

func isSystem(op htccapi.Operation) bool { return slices.Contains(htccapi.Reserved, op) }

// plainOf returns the plain state of the same kind.
func plainOf(kind string) htccapi.Operation {
	if kind == htccapi.StateReady {
		return htccapi.Ready
	}
	return htccapi.NotReady
}

// operations lists what an agent of several sites may post, for the text of a refusal: the states
// offered, those that the settings gave another name, and do-not-disturb.
func (a *Agent) operations(sites [][]state) []string {
	var names []string
	add := func(op htccapi.Operation) {
		if !slices.Contains(names, string(op)) {
			names = append(names, string(op))
		}
	}
	for _, states := range append([][]state{a.offered(sites)}, sites...) {
		for _, one := range states {
			add(one.OperationName)
		}
	}
	add(htccapi.DoNotDisturbOn)
	add(htccapi.DoNotDisturbOff)
	return names
}

// SharedStates gives one name to states of several sites: by name, then site, the operationName, id,
// reason or display name there.
type SharedStates map[htccapi.Operation]map[string]string

func (t SharedStates) has(op htccapi.Operation) bool { return t[op] != nil }

// find returns the state at a site that an operation means, by the name that the table gives it there if it has one:
// by operationName, else by id, else by reason, else by display name, ignoring case.
func (t SharedStates) find(op htccapi.Operation, site string, states []state) (state, bool) {
	wanted := string(op)
	if t.has(op) {
		wanted = t[op][site]
	}
	if wanted == "" {
		return state{}, false
	}
	for _, value := range []func(state) string{
		func(s state) string { return string(s.OperationName) },
		func(s state) string { return s.ID },
		func(s state) string { return s.Reason },
		func(s state) string { return s.DisplayName },
	} {
		for _, one := range states {
			if strings.EqualFold(value(one), wanted) {
				return one, true
			}
		}
	}
	return state{}, false
}

// names returns the names of the table, in a fixed order.
func (t SharedStates) names() []htccapi.Operation {
	var names []htccapi.Operation
	for name := range t {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
