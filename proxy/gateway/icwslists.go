package gateway

import (
	"strings"
	"time"

	"portico/translate"
	"portico/translate/icwsapi"
)

// partsWithin is how long the parts of a full catalogue may take to come. A site splits one that is
// too long for a message: the first part says that it replaces what was known, the others look like
// changes, and nothing tells the last.
const partsWithin = 250 * time.Millisecond

// changeCatalogue takes a message about the catalogue. A full one is put together before it replaces
// what is held: agents would lose the states of the parts that are still to come.
func (p *icwsPart) changeCatalogue(m icwsapi.StatusMessagesMessage) {
	p.mu.Lock()
	before := p.arriving
	if !m.IsDelta {
		before = &translate.Catalogue{}
		time.AfterFunc(partsWithin, p.catalogueArrived)
	}
	if before != nil {
		p.arriving = before.Changed(p.site.Name, m)
	}
	p.mu.Unlock()
	if before == nil {
		p.catalogue.Update(func(c *translate.Catalogue) *translate.Catalogue { return c.Changed(p.site.Name, m) })
		p.site.commons.prove(p.common)
		p.redirect()
	}
}

// catalogueArrived takes the full catalogue that has come, if one has.
func (p *icwsPart) catalogueArrived() {
	p.mu.Lock()
	whole := p.arriving
	p.arriving = nil
	p.mu.Unlock()
	if whole != nil {
		p.catalogue.Replace(whole)
		p.site.commons.prove(p.common)
		p.redirect()
	}
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
	catalogue, held := p.catalogue.Snapshot()
	access, allowed := p.access.Snapshot()
	if !held || !allowed {
		return
	}
	defer p.agent.send()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.begun || p.closed || p.directory.Catalogue == catalogue.Value && p.directory.Access == access.Value {
		return
	}
	old := p.directory
	p.directory = p.site.directories.of(p.site.Rules, catalogue.Value, access.Value)
	p.site.directories.release(old)
	before := p.view
	p.showLocked()
	p.tellLocked(before, translate.Heard{})
}
