package gateway

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"portico/proxy/fault"
	"portico/proxy/htcc"
	"portico/proxy/upstream"
	"portico/translate/htccapi"
)

// Me is an agent: the agent object, devices, channels and features of all sites, and what else was
// asked for and one of the sites has, by the name of the sub-resource. Unread says that one of
// two sites could not be asked for the rest.
type Me struct {
	User     any
	Devices  []Resource
	Channels []Resource
	Features []Resource
	More     map[string]any
	Unread   bool
	Age      time.Duration // of the devices and channels: since their sites last showed that nothing else holds
	Kept     *Kept         // for encoded forms of it; nil if none can be kept
}

// Me returns the agent with the named sub-resources. What the readers tell of takes no upstream
// call. A site that cannot be reached is not in view while another is; without another what is kept of it is shown, and
// to ask for what is to be read there fails.
//
// It fails with fault.Unauthenticated when the session is gone, else with the kind of the upstream
// failure.
func (g *Gateway) Me(ctx context.Context, a *Agent, subresources []string) (Me, error) {
	view, err := a.show(ctx)
	if err != nil {
		return Me{}, err
	}
	me := Me{Devices: view.devices, Channels: view.channels, More: map[string]any{}, Age: view.age, Kept: view.kept}
	for _, p := range a.parts {
		who, err := p.user(ctx, subresources)
		if err != nil && len(a.parts) == 1 {
			return Me{}, err
		}
		me.Unread = me.Unread || who.unread
		if who.object == nil {
			continue // the site is not in view
		}
		if me.User == nil {
			me.User = who.object
		}
		me.Features = withNew(me.Features, who.features)
		maps.Copy(me.More, who.more)
	}
	if me.User == nil {
		return Me{}, fmt.Errorf("gateway: no site tells who the agent is: %w", fault.Unreachable)
	}
	return me, nil
}

// withNew returns list and those of more whose id it does not have.
func withNew(list, more []Resource) []Resource {
	for _, one := range more {
		if !slices.ContainsFunc(list, func(r Resource) bool { return r.ID == one.ID }) {
			list = append(list, one)
		}
	}
	return list
}

// show returns the devices and channels of all parts, in the order of the route.
func (a *Agent) show(ctx context.Context) (shown, error) {
	if len(a.parts) == 1 {
		view, err := a.parts[0].show(ctx)
		a.gateway.settings.Metrics.served(a.parts[0].siteName(), view)
		return view, err
	}
	views := make([]shown, len(a.parts))
	errs := make([]error, len(a.parts))
	a.sideBySide(func(i int, p part) { views[i], errs[i] = p.show(ctx) })
	var all shown
	failed := 0
	for i, err := range errs {
		if err != nil && a.life.Err() != nil {
			return shown{}, err
		}
		if errors.Is(err, fault.Unauthenticated) || upstream.IsAway(err) {
			views[i] = a.parts[i].absent()
		}
		if err != nil {
			failed++
		}
		a.gateway.settings.Metrics.served(a.parts[i].siteName(), views[i])
		all.age = max(all.age, views[i].age)
		all.channels = append(all.channels, views[i].channels...)
		all.devices = append(all.devices, views[i].devices...)
	}
	if failed == len(errs) {
		return shown{}, errs[0]
	}
	return all, nil
}

// sideBySide runs do for each part and returns when all have come back.
func (a *Agent) sideBySide(do func(i int, p part)) {
	sideBySide(len(a.parts), func(i int) { do(i, a.parts[i]) })
}

// owner returns the part whose site owns a channel, nil if none does.
func (a *Agent) owner(channel htccapi.MediaChannel) part {
	if len(a.parts) == 1 {
		return a.parts[0]
	}
	for _, p := range a.parts {
		if p.siteName() == a.route.Channels[channel] {
			return p
		}
	}
	return nil
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
		return atHTCC.forward(ctx, htcc.DevicePath(id), ask.Body)
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
		results = each(covered(p, ask), err)
	}
	return results, err
}

// covered returns the channels that an operation covers at one site. Do-not-disturb is the agent's and the
// device's: it covers all if none counts.
func covered(p part, ask Ask) []htccapi.MediaChannel {
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
