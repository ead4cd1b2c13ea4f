package catalogues

import (
	"time"

	"portico/translate"
)

// proofs returns which catalogue is proven here, nil if none is, for each group that has members here.
func (g *Groups) proofs() map[Place]*translate.Catalogue {
	g.mu.Lock()
	defer g.mu.Unlock()
	proofs := map[Place]*translate.Catalogue{}
	for key, group := range g.groups {
		here := len(group.provers) + len(group.relying)
		if group.remote != nil {
			here--
		}
		if here > 0 {
			proofs[key] = group.provenLocked()
		}
	}
	return proofs
}

// proveElsewhere has m, which stands for another replica, prove what is in its cell.
func (g *Groups) proveElsewhere(of Place, m *Member) {
	g.mu.Lock()
	group := g.groups[of]
	var given []*Member
	if group != nil && (group.remote == nil || group.remote == m) {
		m.group, m.key, group.remote = group, of, m
		given = group.proveLocked(m)
	}
	g.mu.Unlock()
	tell(given)
}

// forget takes m out of its group, which stood for another replica there.
func (g *Groups) forget(m *Member) {
	g.mu.Lock()
	of := m.group
	g.mu.Unlock()
	if of == nil {
		return
	}
	g.Leave(m)
	g.mu.Lock()
	of.remote = nil
	g.mu.Unlock()
}

// doubtUnread has the catalogues be stale, in a group that nobody proves, of those whom nothing tells of
// changes, since another replica reads for them. Who has just come is about to find out who reads.
func (g *Groups) doubtUnread(of Place) {
	g.mu.Lock()
	defer g.mu.Unlock()
	group := g.groups[of]
	if group == nil || len(group.provers) > 0 {
		return
	}
	for m := range group.relying {
		if m.Reads != nil && !m.Reads() && time.Since(m.joined) >= ProofWithin {
			m.Cell.Unproven()
		}
	}
}
