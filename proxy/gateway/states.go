package gateway

import (
	"context"
	"fmt"

	"portico/proxy/fault"
	"portico/proxy/states"
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
	for _, one := range g.policy().States.Offered(sites) {
		list = append(list, Resource{ID: string(one.OperationName), Body: one.Body})
	}
	return list, nil
}

// states returns the states of each part. It fails only if no site can tell.
func (a *Agent) states(ctx context.Context) ([]states.Site, error) {
	all := make([]states.Site, len(a.parts))
	errs := make([]error, len(a.parts))
	a.sideBySide(func(i int, p part) {
		all[i].Name = p.siteName()
		all[i].States, errs[i] = p.states(ctx)
	})
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

// substitutions tells of the channels that took another state than the one asked for.
func (n namedAsk) substitutions(results []result) []Substitution {
	if !n.substituted {
		return nil
	}
	var substituted []Substitution
	for _, r := range results {
		if r.err == nil {
			substituted = append(substituted, Substitution{Channel: r.channel, OperationName: n.ask.Operation})
		}
	}
	return substituted
}

// nameFor finds the name of an operation at each of the parts. System operations have the same name
// everywhere. An operation that no site knows goes on as it is, for the site to refuse; of one that a site would know,
// had the agent access to it, they are told so.
func (a *Agent) nameFor(ctx context.Context, parts []part, ask Ask) ([]namedAsk, error) {
	named := make([]namedAsk, len(parts))
	for i := range parts {
		named[i].ask = ask
	}
	table := a.gateway.policy().States
	if states.IsSystem(ask.Operation) || len(a.parts) == 1 && !table.Has(ask.Operation) {
		return named, nil
	}
	sites, err := a.states(ctx)
	if err != nil {
		return nil, err
	}
	names := table.Named(ask.Operation, sites)
	if len(names) == 0 && a.isBarred(ctx, parts, ask.Operation) {
		return nil, fault.New(fault.Forbidden, fmt.Sprintf("this agent has no access to %q; allowed are: %s", ask.Operation, listed(table.Operations(sites))))
	}
	if len(names) == 0 && len(parts) > 1 {
		return nil, fault.New(fault.Invalid, fmt.Sprintf("unknown operation %q; this agent may use: %s", ask.Operation, listed(table.Operations(sites))))
	}
	for i, p := range parts {
		name, ok := names[p.siteName()]
		if ok {
			named[i].ask.Operation, named[i].substituted = name.Operation, name.Substituted
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
		_, found := a.gateway.policy().States.Find(op, states.Site{Name: p.siteName(), States: barred})
		if found {
			return true
		}
	}
	return false
}
