package gateway

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"portico/proxy/fault"
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
