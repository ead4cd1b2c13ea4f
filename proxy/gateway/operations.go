package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"portico/proxy/fault"
	"portico/proxy/htcc"
	"portico/translate/htccapi"
)

// An Outcome is what became of an operation on several channels. Without Failed all succeeded.
type Outcome struct {
	Succeeded   []htccapi.ChannelResult
	Failed      []htccapi.ChannelResult
	Substituted []Substitution
	Answer      json.RawMessage // of the only site, if that is an HTCC one: as it came
}

// A Substitution says that a site had no state of the name asked for, and which took its place.
type Substitution struct {
	Channel       htccapi.MediaChannel `json:"channel"`
	OperationName htccapi.Operation    `json:"operationName"`
}

// outcomeOf sorts results. When nothing succeeded, the first error is that of the whole.
func outcomeOf(results []result, substituted []Substitution) (Outcome, error) {
	outcome := Outcome{Succeeded: make([]htccapi.ChannelResult, 0, len(results)), Substituted: substituted}
	var first error
	for _, r := range results {
		if r.err == nil {
			outcome.Succeeded = append(outcome.Succeeded, htccapi.ChannelResult{Channel: r.channel})
			continue
		}
		if first == nil {
			first = r.err
		}
		outcome.Failed = append(outcome.Failed, htccapi.ChannelResult{
			StatusCode: fault.Code(r.err), StatusMessage: fault.Public(r.err), Channel: r.channel})
	}
	if len(outcome.Succeeded) == 0 {
		return Outcome{}, first
	}
	return outcome, nil
}

// SetAgentState carries out a state operation on all channels or on one. It returns once each site
// concerned has accepted it or, where the settings say so, completed it. Sites work side by side,
// and what one of them refuses is not undone on the other: the Outcome tells.
//
// It fails with fault.Missing, fault.Invalid, fault.Forbidden or fault.NotFound when the operation
// cannot be carried out, with a text that says what would be right; else with the kind of the
// upstream failure, and then nothing that offers work was left changed.
func (g *Gateway) SetAgentState(ctx context.Context, a *Agent, ask Ask) (Outcome, error) {
	endTurn := a.writeTurn(ctx)
	defer endTurn()
	sole := a.soleHTCC()
	if sole != nil {
		path := htcc.PathMe
		if ask.Channel != "" {
			path = htcc.ChannelPath(ask.Channel)
		}
		return sole.forward(ctx, path, ask.Body)
	}
	if ask.Channel != "" {
		p := a.owner(ask.Channel)
		if p == nil {
			return Outcome{}, fault.New(fault.NotFound, fmt.Sprintf("there is no channel %q", ask.Channel))
		}
		return a.set(ctx, []part{p}, ask)
	}
	return a.set(ctx, a.parts, ask)
}

// SetDeviceState carries out an operation on one device. At an ICWS site that is do-not-disturb,
// which is the agent's own there; an HTCC site takes what it takes. It fails as SetAgentState does.
func (g *Gateway) SetDeviceState(ctx context.Context, a *Agent, id string, ask Ask) (Outcome, error) {
	endTurn := a.writeTurn(ctx)
	defer endTurn()
	p := a.owner(htccapi.Voice)
	atHTCC, isHTCC := p.(*htccPart)
	switch {
	case isHTCC:
		return atHTCC.setDevice(ctx, id, ask)
	case p == nil:
		return Outcome{}, fault.New(fault.NotFound, fmt.Sprintf("there is no device %q", id))
	case !isDND(ask.Operation):
		return Outcome{}, fault.New(fault.Invalid, fmt.Sprintf("unknown operation %q; a device takes %s and %s",
			ask.Operation, htccapi.DoNotDisturbOn, htccapi.DoNotDisturbOff))
	}
	return a.set(ctx, []part{p}, ask)
}

// soleHTCC returns the part of an agent who works on an HTCC site alone, nil for all others.
func (a *Agent) soleHTCC() *htccPart {
	p, _ := a.parts[0].(*htccPart)
	if len(a.parts) > 1 {
		return nil
	}
	return p
}

// set asks some parts to carry out an operation, each by the name it has for it.
func (a *Agent) set(ctx context.Context, parts []part, ask Ask) (Outcome, error) {
	named, err := a.nameFor(ctx, parts, ask)
	if err != nil {
		return Outcome{}, err
	}
	if len(parts) == 1 {
		results, err := a.setAt(ctx, parts[0], named[0].ask)
		if len(results) == 0 {
			return Outcome{}, err // do-not-disturb needs no channel
		}
		return outcomeOf(results, named[0].substitutions(results))
	}
	all := make([][]result, len(parts))
	errs := make([]error, len(parts))
	sideBySide(len(parts), func(i int) { all[i], errs[i] = a.setAt(ctx, parts[i], named[i].ask) })
	results := slices.Concat(all...)
	if len(results) == 0 {
		return Outcome{}, firstOr(errs, fault.New(fault.Invalid, "no channel can take the operation: each is LoggedOut"))
	}
	var substituted []Substitution
	for i := range parts {
		substituted = append(substituted, named[i].substitutions(all[i])...)
	}
	return outcomeOf(results, substituted)
}

// setAt asks one part to carry out an operation. What it refuses is refused for each channel, and is the error.
func (a *Agent) setAt(ctx context.Context, p part, ask Ask) ([]result, error) {
	results, err := p.set(ctx, ask)
	if err != nil {
		err = a.denied(err)
		results = each(coveredBy(p, ask), err)
	}
	return results, err
}

// coveredBy returns the channels that an operation covers at one site. Do-not-disturb is the agent's and the
// device's: it covers all if none counts.
func coveredBy(p part, ask Ask) []htccapi.MediaChannel {
	channels := p.covered(ask.Channel)
	if len(channels) == 0 && isDND(ask.Operation) {
		return p.has()
	}
	return channels
}

func isDND(op htccapi.Operation) bool {
	return op == htccapi.DoNotDisturbOn || op == htccapi.DoNotDisturbOff
}

// CheckChannel fails with fault.NotFound unless the agent has the channel, whether or not its site
// can be reached.
func (g *Gateway) CheckChannel(a *Agent, channel htccapi.MediaChannel) error {
	var has []string
	for _, p := range a.parts {
		here := p.has()
		if here == nil || slices.Contains(here, channel) {
			return nil // nil: the site is to say
		}
		for _, name := range here {
			has = append(has, string(name))
		}
	}
	return fault.New(fault.NotFound, fmt.Sprintf("there is no channel %q; this agent has: %s", channel, listed(has)))
}

// CheckDevice fails with fault.NotFound unless the agent has the device; else as Me does.
func (g *Gateway) CheckDevice(ctx context.Context, a *Agent, id string) error {
	view, err := a.show(ctx)
	if err != nil {
		return err
	}
	var has []string
	for _, device := range view.devices {
		if device.ID == id {
			return nil
		}
		has = append(has, device.ID)
	}
	return fault.New(fault.NotFound, fmt.Sprintf("there is no device %q; this agent has: %s", id, listed(has)))
}

func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
