package states

import "portico/translate/htccapi"

// A Name is that of an operation at one site.
type Name struct {
	Operation   htccapi.Operation
	Substituted bool // the site has no such state: its plain one takes the place
}

// Named returns the name that each site has for a custom state, by site; none if no site knows it. A site that knows
// the name itself is asked by it; one that does not takes the state that the table ties to that of another site, or else
// its plain state of the same kind, which another site's tells.
func (t Table) Named(op htccapi.Operation, sites []Site) map[string]Name {
	known := map[string]State{} // by site
	for _, at := range sites {
		one, ok := t.Find(op, at)
		if ok {
			known[at.Name] = one
		}
	}
	kind := ""
	named := map[string]Name{}
	for _, at := range sites {
		one, ok := known[at.Name]
		if !ok {
			one, ok = t.tied(known, sites, at)
		}
		if ok {
			named[at.Name] = Name{Operation: one.OperationName}
			kind = one.State
		}
	}
	if len(named) == 0 {
		return nil
	}
	for _, at := range sites {
		_, ok := named[at.Name]
		if !ok {
			named[at.Name] = Name{plainOf(kind), true}
		}
	}
	return named
}

// tied returns the state of a site that stands in the table beside one of the known states of others.
func (t Table) tied(known map[string]State, sites []Site, of Site) (State, bool) {
	for _, name := range t.names() {
		for _, at := range sites {
			one, ok := t.Find(name, at)
			other, isKnown := known[at.Name]
			if ok && isKnown && one.ID == other.ID {
				return t.Find(name, of)
			}
		}
	}
	return State{}, false
}

// plainOf returns the plain state of the same kind.
func plainOf(kind string) htccapi.Operation {
	if kind == htccapi.StateReady {
		return htccapi.Ready
	}
	return htccapi.NotReady
}
