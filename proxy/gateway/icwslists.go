package gateway

import (
	"context"
	"strings"

	"portico/translate"
	"portico/translate/icwsapi"
)

// catalogueChanged follows a change of the catalogue that the part's own subscription told.
func (p *icwsPart) catalogueChanged() {
	p.site.groups.Prove(p.member)
	p.redirect()
}

// renew fetches the catalogue anew.
func (p *icwsPart) renew(ctx context.Context) error {
	p.catalogue.Purge()
	_, err := p.catalogue.Get(ctx)
	if err != nil {
		return p.kinded(err)
	}
	return nil
}

func (p *icwsPart) changeAccess(m icwsapi.UserAccessMessage) {
	user := p.connection().UserID
	for _, change := range m.StatusMessagesUserAccessChanges {
		if !strings.EqualFold(change.UserID, user) {
			continue
		}
		if m.IsDelta {
			p.access.Update(func(a *translate.Access) *translate.Access { return a.Changed(change, false) })
		} else {
			p.access.Replace(translate.NewAccess(change.StatusMessagesAdded))
		}
	}
	p.redirect()
}

// redirect makes the directory follow the catalogue and the access list. Names of states that are
// shown may change with them.
func (p *icwsPart) redirect() {
	defer p.agent.send()
	p.mu.Lock()
	defer p.mu.Unlock()
	catalogue, held := p.catalogue.Snapshot() // no earlier: one that two change at once must not go back
	access, allowed := p.access.Snapshot()
	if !held || !allowed {
		return
	}
	if !p.begun || p.closed || p.directory.Catalogue == catalogue.Value && p.directory.Access == access.Value {
		return
	}
	before, old := p.beforeLocked(), p.directory
	p.directory = p.site.directories.Of(p.site.Rules, catalogue.Value, access.Value)
	p.site.directories.Release(old)
	p.changedLocked()
	p.tellLocked(before, translate.Heard{})
}
