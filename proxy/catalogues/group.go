package catalogues

import (
	"slices"

	"portico/translate"
)

// A group is the sessions at one host in one language.
type group struct {
	provers []*Member        // by how long they prove, the remote one last
	remote  *Member          // one of them, that stands for other replicas; nil if none does
	relying map[*Member]bool // the others
	leader  *Member          // one of the others, who fetches the catalogue and is about to prove it; nil if none
	news    chan struct{}    // closed when provers or leader change
}

// provenLocked returns the catalogue that a member proves here, nil if none does.
func (g *group) provenLocked() *translate.Catalogue {
	if !g.provesHereLocked() {
		return nil
	}
	held, _ := g.provers[0].Cell.Snapshot()
	if held.Stale() {
		return nil
	}
	return held.Value
}

func (g *group) provesHereLocked() bool { return len(g.provers) > 0 && g.provers[0] != g.remote }

func (g *group) proveLocked(m *Member) []*Member {
	if !m.proves {
		m.proves = true
		at := len(g.provers)
		if at > 0 && g.provers[at-1] == g.remote { // who is told here knows of changes sooner
			at--
		}
		g.provers = slices.Insert(g.provers, at, m)
		delete(g.relying, m)
		g.resignLocked(m)
		if len(g.provers) == 1 {
			g.announceLocked()
		}
	}
	if g.provers[0] != m {
		return nil // another gives, so that nobody is given an older one by a slower stream
	}
	return g.giveAllLocked()
}

// doubtLocked has m rely on the others, and those who relied on it on the next.
func (g *group) doubtLocked(m *Member) []*Member {
	g.resignLocked(m)
	if !m.proves {
		return g.giveLocked(m)
	}
	m.proves = false
	g.relying[m] = true
	at := slices.Index(g.provers, m)
	g.provers = slices.Delete(g.provers, at, at+1)
	if at > 0 {
		return g.giveLocked(m)
	}
	if len(g.provers) == 0 {
		g.announceLocked()
		for other := range g.relying {
			other.Cell.Unproven()
		}
	}
	return g.giveAllLocked()
}

// giveAllLocked gives the longest prover's catalogue to all who rely on it, and returns those for whom
// it is news.
func (g *group) giveAllLocked() []*Member {
	var given []*Member
	for m := range g.relying {
		given = append(given, g.giveLocked(m)...)
	}
	return given
}

// giveLocked gives it to one of them.
func (g *group) giveLocked(m *Member) []*Member {
	if len(g.provers) == 0 {
		return nil
	}
	proven, held := g.provers[0].Cell.Snapshot()
	before, known := m.Cell.Snapshot()
	if !held || proven.Stale() || known && before == proven {
		return nil
	}
	m.Cell.Replace(proven.Value)
	return []*Member{m}
}

func (g *group) resignLocked(m *Member) {
	if g.leader == m {
		g.leader = nil
		g.announceLocked()
	}
}

func (g *group) announceLocked() {
	close(g.news)
	g.news = make(chan struct{})
}

// tell tells members of what they were given. The groups must not be locked.
func tell(given []*Member) {
	for _, m := range given {
		m.Changed()
	}
}
