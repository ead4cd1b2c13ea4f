package catalogues

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"portico/cache"
	"portico/translate"
)

// Groups are the sessions of a site that share its catalogue, under scope shared: it is the same for all
// who are at one host in one language. A session whose own subscription keeps its catalogue current
// proves it, and gives it to those that have no such proof, or none yet. Where nobody proves it, each
// session fetches its own. Any number of goroutines may use it; the nil Groups share nothing.
//
// Source: ICWS reference, status-messages: the list is server-wide.
type Groups struct {
	news func() // is called when what is proven may have changed

	mu     sync.Mutex
	groups map[Place]*group // guarded by mu, with all that is in them
}

// A Place is where a catalogue is the same for all: another host may have another, as during an update of
// the servers.
//
// Base is the URL of the host and Language an id, as in icws.Conn.
type Place struct{ Base, Language string }

// A Member is a session that shares its catalogue.
type Member struct {
	Cell    *cache.Cell[translate.Catalogue]
	Changed func() // is called after the cell was given another catalogue

	Reads func() bool // this process receives what is told to it; nil: it always does

	// Renew has the cell hold the catalogue as the site has it now, on an operator's word.
	Renew func(context.Context) error

	Polls atomic.Bool // what is told to it comes late: see icws.Receiver

	// What follows is guarded by Groups.mu.

	group  *group // nil while in none
	key    Place
	joined time.Time // the group
	proves bool
}

// NewGroups returns those of a site, of which nobody is a member yet.
func NewGroups() *Groups { return &Groups{groups: map[Place]*group{}, news: func() {}} }

// Join makes m a member at the place of its new upstream session.
func (g *Groups) Join(m *Member, at Place) {
	if g == nil {
		return
	}
	g.mu.Lock()
	given := g.leaveLocked(m)
	given = append(given, g.joinLocked(m, at)...)
	g.mu.Unlock()
	tell(given)
}

// Return makes m a member at the place of its upstream session, which has outlived an outage, unless it is one.
func (g *Groups) Return(m *Member, at Place) {
	if g == nil {
		return
	}
	g.mu.Lock()
	var given []*Member
	if m.group == nil {
		given = g.joinLocked(m, at)
	}
	g.mu.Unlock()
	tell(given)
}

func (g *Groups) joinLocked(m *Member, at Place) []*Member {
	m.key, m.joined = at, time.Now()
	m.group = g.groups[m.key]
	if m.group == nil {
		m.group = &group{relying: map[*Member]bool{}, news: make(chan struct{})}
		g.groups[m.key] = m.group
	}
	m.group.relying[m] = true
	return m.group.giveLocked(m)
}

// Leave takes m out of its group, for as long as it has no upstream session or that knows nothing of the site.
func (g *Groups) Leave(m *Member) {
	if g == nil {
		return
	}
	g.mu.Lock()
	given := g.leaveLocked(m)
	g.mu.Unlock()
	tell(given)
}

func (g *Groups) leaveLocked(m *Member) []*Member {
	of := m.group
	if of == nil {
		return nil
	}
	given := of.doubtLocked(m)
	delete(of.relying, m)
	m.group = nil
	m.Cell.Unproven()
	if len(of.relying)+len(of.provers) == 0 {
		delete(g.groups, m.key)
	}
	return given
}

// Prove notes that the subscription of m has told the whole catalogue, and tells what changes from now
// on. It is called again for each change.
func (g *Groups) Prove(m *Member) {
	if g == nil {
		return
	}
	g.mu.Lock()
	var given []*Member
	if m.group != nil {
		given = m.group.proveLocked(m)
	}
	g.mu.Unlock()
	tell(given)
	g.news()
}

// Doubt notes that the subscription of m has broken, that its fetch failed, or that it will not prove what it fetched.
func (g *Groups) Doubt(m *Member) {
	if g == nil {
		return
	}
	g.mu.Lock()
	var given []*Member
	if m.group != nil {
		given = m.group.doubtLocked(m)
	}
	g.mu.Unlock()
	tell(given)
}

// Current returns the catalogue that is proven here at one host in one language by a session that is told of changes
// as they are made, nil if none is. By one that polls, an application that the site tells itself would be given the
// one before the change that it has just been told of.
func (g *Groups) Current(of Place) *translate.Catalogue {
	g.mu.Lock()
	defer g.mu.Unlock()
	group := g.groups[of]
	if group == nil {
		return nil
	}
	for _, m := range group.provers {
		held, _ := m.Cell.Snapshot()
		if m != group.remote && !m.Polls.Load() && !held.Stale() {
			return held.Value
		}
	}
	return nil
}

// ProofWithin is how long a session waits for another's proof before it fetches for itself.
const ProofWithin = 3 * time.Second

// Await returns when the cell of m holds a catalogue, or when m is to fetch it.
func (g *Groups) Await(ctx context.Context, m *Member) {
	if g == nil || m.holds() {
		return
	}
	overdue := time.NewTimer(ProofWithin)
	defer overdue.Stop()
	for {
		news := g.turn(m)
		if news == nil || m.holds() {
			return
		}
		select {
		case <-news:
		case <-overdue.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

func (m *Member) holds() bool {
	_, held := m.Cell.Snapshot()
	return held
}

// turn makes m the leader and returns nil if its group has none, and no proof either; else it returns
// what tells of news.
func (g *Groups) turn(m *Member) <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if m.group == nil || m.group.leader == m {
		return nil
	}
	if m.group.leader == nil && len(m.group.provers) == 0 {
		m.group.leader = m
		return nil
	}
	return m.group.news
}
