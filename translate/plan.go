package translate

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

// A Request is one state operation as an agent asked for it.
type Request struct {
	Operation     htccapi.Operation
	Channel       htccapi.MediaChannel // "" for all channels
	Notes         string
	ForwardNumber string
	Until         *icwsapi.Time
}

// A Refusal is why an operation cannot be carried out. Text is for the caller: it says what was
// wrong and what would be right.
type Refusal struct {
	Reason Reason
	Text   string
}

// Error returns the text.
func (r *Refusal) Error() string { return r.Text }

// A Reason is the kind of a refusal.
type Reason int

// The reasons: a parameter is missing; not valid in this state, or unknown; the agent may not; there
// is no such thing.
const (
	Missing Reason = iota
	Invalid
	Forbidden
	NotFound
)

func refuse(reason Reason, format string, args ...any) error {
	return &Refusal{Reason: reason, Text: fmt.Sprintf(format, args...)}
}

// A Call is one ICWS call: exactly one of the two is set.
type Call struct {
	Activations map[string]bool           // PUT activations: those listed change
	Status      *icwsapi.UserStatusUpdate // PUT user status
}

// A Plan is how an operation is carried out. The calls are made in order, each after the one
// before was accepted; Next is the state to expect then. A plan without calls is done at once.
type Plan struct {
	Calls []Call
	Next  AgentState
	// Outcome of StartContactCenterSession: the channels it could not give.
	Refused []htccapi.ChannelResult
	// Warning is for the log: something in the settings could not be honoured.
	Warning string
}

// Plan works out how the operation is carried out. It returns a *Refusal if it cannot be.
//
// Source: vendor reference, Set agent states across all channels; the channel rules are Portico's.
func (r Rules) Plan(s AgentState, d *Directory, ask Request) (Plan, error) {
	switch ask.Operation {
	case htccapi.DoNotDisturbOn, htccapi.DoNotDisturbOff:
		return r.planDND(s, d, ask)
	case htccapi.Offline:
		return r.planOffline(s, d, ask)
	}
	from := Stance{} // setAll leaves nothing of it
	if ask.Channel != "" {
		from = r.stance(s, d)
	}
	p := r.draftFrom(from, s, d)
	err := p.known(ask.Channel)
	if err != nil {
		return Plan{}, err
	}
	choice, err := d.choice(ask)
	if err != nil {
		return Plan{}, err
	}
	ready := d.IsACD(choice.StatusID)
	err = p.mayChange(ask, ready)
	if err != nil {
		return Plan{}, err
	}
	switch {
	case ask.Channel == "":
		p.setAll(choice)
	case ready && len(p.shown) > 1:
		p.setReady(ask.Channel, choice)
	case ready:
		p.setAll(choice)
	default:
		p.setNotReady(ask.Channel, choice)
	}
	return p.plan(), nil
}

// known reports whether the agent has the channel; no channel stands for all.
func (p *draft) known(name htccapi.MediaChannel) error {
	if name == "" {
		return nil
	}
	var names []string
	for _, channel := range p.shown {
		if channel.Name == name {
			return nil
		}
		names = append(names, string(channel.Name))
	}
	return refuse(NotFound, "there is no channel %q; this agent has: %s", name, list(names))
}

// mayChange reports whether what was asked for can be brought into a Ready or a not-ready state.
func (p *draft) mayChange(ask Request, ready bool) error {
	switch {
	case len(p.shown) == 0:
		return refuse(Invalid, "no channel can take %q: the agent belongs to none of the workgroups of sites.%s.channels", ask.Operation, p.rules.Site)
	case ask.Channel == "" && len(p.counted()) == 0:
		return refuse(Invalid, "no channel can take %q: each is LoggedOut; bring one back with NotReady on the channel itself", ask.Operation)
	case ask.Channel == "":
		return nil
	}
	err := p.separable(ask.Channel)
	if err != nil || !ready {
		return err
	}
	if p.wishes[ask.Channel].LoggedOut {
		return refuse(Invalid, "channel %q is LoggedOut: it can become NotReady or take a not-ready state, not Ready", ask.Channel)
	}
	return p.alone(ask.Channel)
}

// alone reports whether the channel can become Ready without one that has no workgroups and would
// become Ready with it, wanted or not.
func (p *draft) alone(name htccapi.MediaChannel) error {
	if p.in.IsACD(p.to.Choice.StatusID) {
		return nil // they are Ready already
	}
	for _, other := range p.counted() {
		if other == name || p.wishes[other].Ready {
			continue
		}
		err := p.separable(other)
		if err != nil {
			return err
		}
	}
	return nil
}

// separable reports whether the channel can be changed without the agent's others.
func (p *draft) separable(name htccapi.MediaChannel) error {
	if len(p.shown) == 1 || len(p.channel(name).Workgroups) > 0 {
		return nil
	}
	return refuse(Invalid, "channel %q cannot be changed alone: no workgroups are set for it (sites.%s.channels.%s.workgroups); change all channels instead",
		name, p.rules.Site, name)
}

// choice returns the status that carries out an operation other than Offline and do-not-disturb.
func (d *Directory) choice(ask Request) (Choice, error) {
	status, err := d.status(ask.Operation)
	if err != nil {
		return Choice{}, err
	}
	return chosen(status, ask)
}

func (d *Directory) status(op htccapi.Operation) (icwsapi.StatusMessage, error) {
	status, found := d.StatusFor(op)
	if found && op != htccapi.DoNotDisturbOn {
		return status, nil
	}
	_, exists := d.site[op]
	if exists {
		return status, refuse(Forbidden, "this agent has no access to a status for %q; allowed are: %s", op, d.operations())
	}
	status, found = d.custom(op)
	if !found {
		return status, refuse(Invalid, "unknown operation %q; this agent may use: %s", op, d.operations())
	}
	if !d.Choosable(status) {
		return status, refuse(Forbidden, "this agent has no access to %q; allowed are: %s", op, d.operations())
	}
	return status, nil
}

// chosen completes a status with what the caller gave, as far as the status takes it.
func chosen(status icwsapi.StatusMessage, ask Request) (Choice, error) {
	choice := Choice{StatusID: status.StatusID, Notes: ask.Notes, ForwardNumber: ask.ForwardNumber}
	if status.IsForwardStatus && ask.ForwardNumber == "" {
		return choice, refuse(Missing, "operation %q needs forwardNumber", ask.Operation)
	}
	if ask.Until == nil {
		return choice, nil
	}
	if !status.CanHaveDate && !status.CanHaveTime {
		return choice, refuse(Invalid, "operation %q takes no until: the status has no end", ask.Operation)
	}
	choice.Until = &icwsapi.Until{UntilDateTime: *ask.Until, HasDate: status.CanHaveDate, HasTime: status.CanHaveTime}
	return choice, nil
}

// operations lists what the agent may post, for the text of a refusal, but for some that would be refused too.
func (d *Directory) operations(but ...htccapi.Operation) string {
	var names []string
	for _, state := range d.states {
		if !slices.Contains(but, state.OperationName) {
			names = append(names, string(state.OperationName))
		}
	}
	_, found := d.StatusFor(htccapi.DoNotDisturbOn)
	if found {
		names = append(names, string(htccapi.DoNotDisturbOn), string(htccapi.DoNotDisturbOff))
	}
	return list(names)
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// plainNotReady returns the choice of the plain not-ready status.
func (d *Directory) plainNotReady() (Choice, error) {
	return d.choice(Request{Operation: htccapi.NotReady})
}

// offWorkBy returns plainNotReady for an operation that sends channels Offline. What refuses it does not name Offline as
// allowed: that would be refused too.
func (d *Directory) offWorkBy(op htccapi.Operation) func() (Choice, error) {
	return func() (Choice, error) {
		choice, err := d.plainNotReady()
		refusal, refused := errors.AsType[*Refusal](err)
		if refused {
			err = refuse(refusal.Reason, "this agent has no access to a status for %q, which %q needs here; allowed are: %s",
				htccapi.NotReady, op, d.operations(htccapi.Offline))
		}
		return choice, err
	}
}

func (r Rules) planOffline(s AgentState, d *Directory, ask Request) (Plan, error) {
	p := r.draft(s, d)
	names := p.counted()
	err := p.known(ask.Channel)
	if err != nil {
		return Plan{}, err
	}
	if ask.Channel != "" {
		err = p.separable(ask.Channel)
		if err != nil {
			return Plan{}, err
		}
		names = slices.DeleteFunc(names, func(name htccapi.MediaChannel) bool { return name != ask.Channel })
	}
	err = p.setOffline(names, d.offWorkBy(ask.Operation))
	if err != nil {
		return Plan{}, err
	}
	return p.plan(), nil
}
