package gateway

import (
	"context"
	"fmt"
	"strings"
	"time"

	"portico/proxy/fault"
)

// purgeWithin bounds the reading of the catalogues that sessions share.
const purgeWithin = 10 * time.Second

// Purge forgets what is cached of a site in a language, "" for all, on an operator's word: catalogues,
// access lists and encoded forms. Where each session has a catalogue of its own, the next need of it
// fetches it. Where sessions share one it is read anew once, now, and given to all. It returns how many
// sessions lost or got one.
//
// The other replicas of a fleet do the same within seconds, with what this one has read.
//
// It fails with fault.NotFound for a site that there is not or that has no catalogues, with
// fault.Overloaded if the other replicas could not be told, else with the
// kind of the upstream failure; what could not be read anew stays.
func (g *Gateway) Purge(ctx context.Context, site, language string) (int, error) {
	at, ok := g.sites[site].(*icwsSite)
	if !ok {
		return 0, fault.New(fault.NotFound, fmt.Sprintf("no site %q has a catalogue", site))
	}
	if g.fleet == nil || g.fleet.catalogues == nil {
		return g.purge(ctx, at, language)
	}
	return g.fleet.catalogues.purgeAll(ctx, at, language)
}

// purge is Purge in this process alone.
func (g *Gateway) purge(ctx context.Context, at *icwsSite, language string) (int, error) {
	defer g.forms.Purge()
	circles := at.commons.members(language)
	var first error
	purged := 0
	for _, circle := range circles {
		err := circle.renew(ctx)
		if err == nil {
			purged += len(circle.all)
		} else if first == nil {
			first = err
		}
	}
	for _, agent := range g.all() {
		p := agent.icws()
		if p == nil || p.site != at || !inLanguage(language, p.connection().Language) {
			continue
		}
		p.access.Purge()
		if !circles.has(p.common) {
			p.catalogue.Purge()
			purged++
		}
	}
	return purged, first
}

func inLanguage(wanted, language string) bool {
	return wanted == "" || strings.EqualFold(wanted, language)
}

// A provenCircle is the members of a circle of which somebody proves the catalogue.
type provenCircle struct {
	first *member   // the longest prover
	all   []*member // with first
}

type provenCircles []provenCircle

func (s provenCircles) has(m *member) bool {
	for _, one := range s {
		for _, member := range one.all {
			if member == m {
				return true
			}
		}
	}
	return false
}

// members returns the circles in a language, "" for all, of which somebody proves the catalogue.
func (c *commons) members(language string) provenCircles {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var found provenCircles
	for key, circle := range c.circles {
		if !circle.provesHereLocked() || !inLanguage(language, key.language) {
			continue
		}
		one := provenCircle{first: circle.provers[0], all: append([]*member(nil), circle.provers...)}
		for m := range circle.relying {
			one.all = append(one.all, m)
		}
		found = append(found, one)
	}
	return found
}

// renew has the longest prover read the catalogue anew, and gives it to the others.
func (s provenCircle) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, purgeWithin)
	defer cancel()
	err := s.first.renew(ctx)
	if err != nil {
		return err
	}
	renewed, held := s.first.cell.Snapshot()
	if !held || renewed.Stale() {
		return nil // its stream broke meanwhile: who proves next gives
	}
	for _, m := range s.all {
		if m != s.first {
			m.cell.Replace(renewed.Value)
		}
		m.changed()
	}
	return nil
}
