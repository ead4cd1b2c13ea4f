package gateway

import (
	"context"
	"fmt"
	"slices"

	"portico/proxy/fault"
	"portico/translate/htccapi"
)

// StartContactCenterSession makes the channels asked for the agent's, and the others LoggedOut.
// Each site hears of its own channels only. Where the agent's part had ended it begins again. It fails
// as SetAgentState does; with fault.NotFound when the agent has none of the channels.
func (g *Gateway) StartContactCenterSession(ctx context.Context, a *Agent, channels []htccapi.MediaChannel, ask Ask) (Outcome, error) {
	endTurn := a.writeTurn(ctx)
	defer endTurn()
	sole := a.soleHTCC()
	if sole != nil {
		return sole.startAll(ctx, channels, ask.Body)
	}
	var results []result
	for _, name := range channels {
		if len(a.parts) > 1 && a.owner(name) == nil {
			results = append(results, result{name, fault.New(fault.NotFound, fmt.Sprintf("there is no channel %q", name))})
		}
	}
	all := make([][]result, len(a.parts))
	a.sideBySide(func(i int, p part) {
		mine := slices.DeleteFunc(slices.Clone(channels), func(name htccapi.MediaChannel) bool { return a.owner(name) != p })
		all[i] = a.startAt(ctx, p, mine, ask)
	})
	return outcomeOf(slices.Concat(append(all, results)...), nil)
}

// startAt makes channels the agent's at one site, on a new upstream session if the part had ended. If that fails, so
// it does for those too that the agent was to be taken from.
func (a *Agent) startAt(ctx context.Context, p part, channels []htccapi.MediaChannel, ask Ask) []result {
	err := p.reopen(ctx, ask.Password)
	var started []result
	if err == nil {
		a.tellFleet()
		started, err = p.start(ctx, channels, ask)
	} else {
		p.oweStart(channels, ask)
	}
	if err == nil {
		return started
	}
	concerned := slices.Clone(channels)
	if len(a.parts) > 1 {
		for _, name := range p.covered("") {
			if !slices.Contains(concerned, name) {
				concerned = append(concerned, name)
			}
		}
	}
	return each(concerned, a.denied(err))
}

// EndContactCenterSession takes the agent out of work at each site and ends the session, for all
// who share it. If a site refuses that, the session goes on and the error says why. A site that
// cannot be reached keeps nobody logged in: it is asked again for a while after the end (lateend.go).
func (g *Gateway) EndContactCenterSession(ctx context.Context, a *Agent) error {
	endTurn := a.writeTurn(ctx)
	defer endTurn()
	endLastTurn := a.lastTurn(ctx)
	defer endLastTurn()
	resume := a.pause() // a held connect is to be answered with the end, not with what leads to it
	defer resume()
	errs := make([]error, len(a.parts))
	releases := make([]func(), len(a.parts))
	a.sideBySide(func(i int, p part) { releases[i], errs[i] = p.finish(ctx) })
	defer func() {
		for _, release := range releases {
			if release != nil {
				release()
			}
		}
	}()
	err := firstOr(errs, nil)
	if err != nil {
		return err
	}
	g.end(a, endByAgent)
	return nil
}
