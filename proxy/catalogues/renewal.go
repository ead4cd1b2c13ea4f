package catalogues

import (
	"context"
	"slices"
	"strings"
	"time"
)

// renewWithin bounds the reading of the catalogues that sessions share.
const renewWithin = 10 * time.Second

// A ProvenGroup is the members of a group of which somebody proves the catalogue.
type ProvenGroup struct {
	first *Member   // the longest prover
	all   []*Member // with first
}

// Size returns how many members the group has.
func (p ProvenGroup) Size() int { return len(p.all) }

// Has reports whether m is one of them.
func (p ProvenGroup) Has(m *Member) bool { return slices.Contains(p.all, m) }

// Proven returns the groups in a language, "" for all, of which somebody proves the catalogue here.
func (g *Groups) Proven(language string) []ProvenGroup {
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	var found []ProvenGroup
	for at, group := range g.groups {
		if !group.provesHereLocked() || !InLanguage(language, at.Language) {
			continue
		}
		one := ProvenGroup{first: group.provers[0], all: slices.Clone(group.provers)}
		for m := range group.relying {
			one.all = append(one.all, m)
		}
		found = append(found, one)
	}
	return found
}

// Renew has the longest prover read the catalogue anew, and gives it to the others. It fails as Member.Renew does.
func (p ProvenGroup) Renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, renewWithin)
	defer cancel()
	err := p.first.Renew(ctx)
	if err != nil {
		return err
	}
	renewed, held := p.first.Cell.Snapshot()
	if !held || renewed.Stale() {
		return nil // its stream broke meanwhile: who proves next gives
	}
	for _, m := range p.all {
		if m != p.first {
			m.Cell.Replace(renewed.Value)
		}
		m.Changed()
	}
	return nil
}

// InLanguage reports whether a language is the wanted one, "" for any.
func InLanguage(wanted, language string) bool {
	return wanted == "" || strings.EqualFold(wanted, language)
}
