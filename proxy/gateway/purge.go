package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"portico/proxy/catalogues"
	"portico/proxy/fault"
)

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
	purged, err := g.fleet.catalogues.Purge(ctx, site, language)
	if errors.Is(err, catalogues.ErrUntold) {
		err = storeDown(err)
	}
	return purged, err
}

// inStep returns a site as the catalogues of replicas know it.
func (g *Gateway) inStep(at *icwsSite) catalogues.Site {
	is := catalogues.Site{Name: at.Name, Intern: at.interned.Of,
		Purge: func(ctx context.Context, language string) (int, error) { return g.purge(ctx, at, language) }}
	if at.ShareCatalogue {
		is.Groups = at.groups
	}
	return is
}

// purge is Purge in this process alone.
func (g *Gateway) purge(ctx context.Context, at *icwsSite, language string) (int, error) {
	defer g.forms.Purge()
	shared := at.groups.Proven(language)
	var first error
	purged := 0
	for _, group := range shared {
		err := group.Renew(ctx)
		if err == nil {
			purged += group.Size()
		} else if first == nil {
			first = err
		}
	}
	for _, agent := range g.all() {
		p := agent.icws()
		if p == nil || p.site != at || !catalogues.InLanguage(language, p.connection().Language) {
			continue
		}
		p.lists.access.Purge()
		if !slices.ContainsFunc(shared, func(one catalogues.ProvenGroup) bool { return one.Has(p.lists.member) }) {
			p.lists.catalogue.Purge()
			purged++
		}
	}
	return purged, first
}
