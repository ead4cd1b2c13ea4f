package gateway

import (
	"time"

	"portico/translate"
)

// proofs returns which catalogue is proven here, nil if none is, for each circle that has members here.
func (c *commons) proofs() map[circleKey]*translate.Catalogue {
	c.mu.Lock()
	defer c.mu.Unlock()
	proofs := map[circleKey]*translate.Catalogue{}
	for key, circle := range c.circles {
		here := len(circle.provers) + len(circle.relying)
		if circle.remote != nil {
			here--
		}
		if here > 0 {
			proofs[key] = circle.provenLocked()
		}
	}
	return proofs
}

// proveElsewhere has m, which stands for another replica, prove what is in its cell.
func (c *commons) proveElsewhere(of circleKey, m *member) {
	c.mu.Lock()
	circle := c.circles[of]
	var given []*member
	if circle != nil && (circle.remote == nil || circle.remote == m) {
		m.circle, m.key, circle.remote = circle, of, m
		given = circle.proveLocked(m)
	}
	c.mu.Unlock()
	tell(given)
}

// forget takes m out of its circle, which stood for another replica there.
func (c *commons) forget(m *member) {
	c.mu.Lock()
	of := m.circle
	c.mu.Unlock()
	if of == nil {
		return
	}
	c.leave(m)
	c.mu.Lock()
	of.remote = nil
	c.mu.Unlock()
}

// doubtUnread has the catalogues be stale, in a circle that nobody proves, of those whom nothing tells of
// changes, since another replica reads for them. Who has just come is about to find out who reads.
func (c *commons) doubtUnread(of circleKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	circle := c.circles[of]
	if circle == nil || len(circle.provers) > 0 {
		return
	}
	for m := range circle.relying {
		if m.reads != nil && !m.reads() && time.Since(m.joined) >= proofWithin {
			m.cell.Unproven()
		}
	}
}
