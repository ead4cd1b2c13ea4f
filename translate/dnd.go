package translate

import (
	"portico/translate/htccapi"
)

// planDND switches do-not-disturb. HTCC's is a flag that hides the state; ICWS has a status that
// replaces it. So On remembers what the status replaces, operations meanwhile change only that (and
// deactivate what goes Offline), and Off plans the way there anew. Switching to what already is makes no call and succeeds.
//
// Source: HTCC 8.5.1, DoNotDisturbOn: userState keeps its value.
func (r Rules) planDND(s AgentState, d *Directory, ask Request) (Plan, error) {
	if ask.Channel != "" {
		return Plan{}, refuse(Invalid, "%q is for all channels: post it to /me or to the device", ask.Operation)
	}
	on := ask.Operation == htccapi.DoNotDisturbOn
	switch {
	case on == s.DND():
		return Plan{Next: s}, nil
	case on:
		return r.planDNDOn(s, d, ask)
	}
	return r.planDNDOff(s, d)
}

func (r Rules) planDNDOn(s AgentState, d *Directory, ask Request) (Plan, error) {
	status, found := d.StatusFor(htccapi.DoNotDisturbOn)
	if !found {
		return Plan{}, refuse(Forbidden, "this agent has no access to a do-not-disturb status; allowed are: %s", d.operations())
	}
	choice, err := chosen(status, ask)
	if err != nil {
		return Plan{}, err
	}
	p := r.draft(s, d)
	p.hide = &choice
	return p.plan(), nil
}

// planDNDOff returns to what is remembered. The catalogue or the agent's access may have changed
// meanwhile, and a state set by the system cannot be chosen: then the plain status of the same
// kind takes its place. A Ready state in which no channel is left Ready becomes plain not-ready.
func (r Rules) planDNDOff(s AgentState, d *Directory) (Plan, error) {
	p := r.draft(s, d)
	p.state.Memory = nil
	choice, err := d.still(p.to.Choice)
	if err != nil {
		return Plan{}, err
	}
	p.to.Choice = choice
	p.moved = true
	for _, channel := range p.shown {
		if p.wishes[channel.Name].LoggedOut {
			put(&p.off, channel.Name, true)
		}
	}
	if d.IsACD(choice.StatusID) && !p.isReady("") {
		choice, err = d.plainNotReady()
		if err != nil {
			return Plan{}, err
		}
		p.setAll(choice)
	}
	return p.plan(), nil
}

// still returns the choice if the agent can make it, else that of the plain status of its kind.
func (d *Directory) still(choice Choice) (Choice, error) {
	status, known := d.Catalogue.ByID(choice.StatusID)
	if known && d.Choosable(status) {
		return choice, nil
	}
	if known && status.IsACDStatus {
		ready, err := d.choice(Request{Operation: htccapi.Ready})
		if err == nil {
			return ready, nil
		}
	}
	return d.plainNotReady()
}

// settle brings what Portico remembers in line with a status that someone else set, or that was
// found at log-in. before is what was shown until then.
func (s AgentState) settle(before Stance, d *Directory) AgentState {
	if d.IsDND(s.Status.StatusID) {
		switch {
		case s.Memory != nil:
		case s.Hides != nil:
			return s.hiding(*s.Hides, d)
		default:
			s.Memory = memoryOf(before, d)
		}
		return s
	}
	s.Memory = nil
	if s.isWishing() && d.endsWish(s.Status.StatusID) {
		s = s.withoutWishes()
	}
	return s
}

// memoryOf returns what do-not-disturb hides when it was entered from outside: the state last seen,
// NotReady if none was.
func memoryOf(before Stance, d *Directory) *Stance {
	if before.Choice.StatusID != "" && !d.IsDND(before.Choice.StatusID) {
		return &before
	}
	plain := d.site[htccapi.NotReady]
	return &Stance{Choice: Choice{StatusID: plain.StatusID}}
}
