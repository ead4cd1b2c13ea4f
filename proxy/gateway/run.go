package gateway

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// sweepEvery is how often idle sessions and outdated entries are looked for.
const sweepEvery = 5 * time.Second

// Run ends idle sessions and probes the sites until ctx ends. It does not end the sessions that
// are left: Close does.
func (g *Gateway) Run(ctx context.Context) error {
	work, ctx := errgroup.WithContext(ctx)
	for _, one := range g.sites {
		work.Go(func() error { return one.run(ctx, g.tellServices) })
	}
	work.Go(func() error { return g.sweep(ctx) })
	if g.fleet != nil {
		work.Go(func() error { return g.fleet.mindStore(ctx) })
	}
	if g.fleet != nil && g.fleet.catalogues != nil {
		work.Go(func() error { return g.fleet.catalogues.Run(ctx) })
	}
	err := work.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (g *Gateway) sweep(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		for _, agent := range g.all() {
			held := g.settings.Push != nil && g.settings.Push.Clients(agent.session.ID) > 0
			if held || agent.passing.Load() > 0 {
				agent.use() // a held connect, or a socket, is activity, and so is what is passed through until it is over
			}
			g.endIfIdle(agent)
		}
		g.refused.Sweep()
		g.barred.Sweep()
		if g.native != nil {
			g.native.Sweep()
		}
	}
}

// idleMargin is how much longer a session is left alone that others may have used: the store knows of
// the last use a little late.
const idleMargin = time.Second

func (g *Gateway) endIfIdle(a *Agent) {
	idle := time.Since(a.lastUsed()) - g.policy().Idle
	switch {
	case g.fleet != nil && idle >= idleMargin:
		g.fleet.over(a)
	case g.fleet == nil && idle >= 0:
		g.end(a, endIdle)
	}
}

func (g *Gateway) all() []*Agent {
	g.mu.RLock()
	defer g.mu.RUnlock()
	agents := make([]*Agent, 0, len(g.agents))
	for _, agent := range g.agents {
		agents = append(agents, agent)
	}
	return agents
}

// endsAtOnce bounds how many sessions are ended side by side at a site, so that it is not stormed.
const endsAtOnce = 32

// Close ends all sessions, here and at the sites, as far as ctx gives time, and frees the caches. In a
// fleet sessions go on at the other replicas, or at this one when it comes back.
// No session can be opened any more; log-ins and writes under way are waited for, since what they
// open would be left at the site.
func (g *Gateway) Close(ctx context.Context) {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.stop()
	g.endAll(ctx)
	waitFor(ctx, &g.logins)
	if g.native != nil {
		g.native.Close()
	}
	g.forms.Close()
}

// endAll ends all sessions, those of each site side by side: one that hangs keeps nobody else's from
// being ended in time. An agent on two sites is counted to the first.
func (g *Gateway) endAll(ctx context.Context) {
	var ends sync.WaitGroup
	places := map[string]chan struct{}{}
	for name := range g.sites {
		places[name] = make(chan struct{}, endsAtOnce)
	}
	agents := g.all()
	g.mu.RLock()                   // after all: who is no more among them is here
	for agent := range g.leaving { // whose sessions ended a moment ago
		ends.Go(func() { agent.wait(ctx) })
	}
	g.mu.RUnlock()
	for _, agent := range agents {
		place := places[agent.parts[0].siteName()]
		ends.Go(func() {
			place <- struct{}{}
			read := agent.leased.Load()
			g.stopped(agent)
			agent.wait(ctx)
			<-place
			if read { // by this replica of a fleet, which has given up the lease by now
				agent.vacant(ctx)
			}
		})
	}
	ends.Wait()
}

// stopped ends an agent's session because the process does, or leaves it to the other replicas.
func (g *Gateway) stopped(a *Agent) {
	if g.fleet != nil {
		g.letGo(a)
		return
	}
	g.end(a, endStopped)
}
