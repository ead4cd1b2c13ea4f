package gateway

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"portico/cache"
	"portico/proxy/icws"
	"portico/translate"
)

// commons is what the sessions of a site share under scope shared: the catalogue is the same for all
// who are at one host in one language. A session whose own subscription keeps its catalogue current
// proves it, and gives it to those that have no such proof, or none yet. Where nobody proves it, each
// session fetches its own. Any number of goroutines may use it; the nil commons shares nothing.
//
// Source: ICWS reference, status-messages: the list is server-wide.
type commons struct {
	news func() // is called when what is proven may have changed

	mu      sync.Mutex
	circles map[circleKey]*circle // guarded by mu, with all that is in them
}

// A circleKey is what a catalogue is common to: another host may have another, as during an update of
// the servers.
type circleKey struct{ base, language string }

// A circle is the sessions at one host in one language.
type circle struct {
	provers []*member        // by how long they prove, the remote one last
	remote  *member          // one of them, that stands for other replicas; nil if none does
	relying map[*member]bool // the others
	leader  *member          // one of the others, who fetches the catalogue and is about to prove it; nil if none
	news    chan struct{}    // closed when provers or leader change
}

// A member is a session in a circle.
type member struct {
	cell    *cache.Cell[translate.Catalogue]
	changed func() // is called after the cell was given another catalogue

	reads func() bool // this process receives what is told to it; nil: it always does

	// renew has the cell hold the catalogue as the site has it now, on an operator's word.
	renew func(context.Context) error

	polls atomic.Bool // what is told to it comes late: see icws.Receiver

	// What follows is guarded by commons.mu.

	circle *circle // nil while in none
	key    circleKey
	joined time.Time // the circle
	proves bool
}

func newCommons() *commons { return &commons{circles: map[circleKey]*circle{}, news: func() {}} }

// join makes m a member where its new upstream session is.
func (c *commons) join(m *member, conn icws.Conn) {
	if c == nil || conn.SessionID == "" {
		return
	}
	c.leave(m)
	c.mu.Lock()
	m.key, m.joined = circleKey{conn.Base, conn.Language}, time.Now()
	m.circle = c.circles[m.key]
	if m.circle == nil {
		m.circle = &circle{relying: map[*member]bool{}, news: make(chan struct{})}
		c.circles[m.key] = m.circle
	}
	m.circle.relying[m] = true
	given := m.circle.giveLocked(m)
	c.mu.Unlock()
	tell(given)
}

// leave takes m out of its circle, for as long as it has no upstream session.
func (c *commons) leave(m *member) {
	if c == nil {
		return
	}
	c.mu.Lock()
	of := m.circle
	if of == nil {
		c.mu.Unlock()
		return
	}
	given := of.doubtLocked(m)
	delete(of.relying, m)
	m.circle = nil
	m.cell.Unproven()
	if len(of.relying)+len(of.provers) == 0 {
		delete(c.circles, m.key)
	}
	c.mu.Unlock()
	tell(given)
}

// prove notes that the subscription of m has told the whole catalogue, and tells what changes from now
// on. It is called again for each change.
func (c *commons) prove(m *member) {
	if c == nil {
		return
	}
	c.mu.Lock()
	var given []*member
	if m.circle != nil {
		given = m.circle.proveLocked(m)
	}
	c.mu.Unlock()
	tell(given)
	c.news()
}

// doubt notes that the subscription of m has broken, that its fetch failed, or that it will not prove what it fetched.
func (c *commons) doubt(m *member) {
	if c == nil {
		return
	}
	c.mu.Lock()
	var given []*member
	if m.circle != nil {
		given = m.circle.doubtLocked(m)
	}
	c.mu.Unlock()
	tell(given)
}

// current returns the catalogue that is proven here at one host in one language by a session that is told of changes
// as they are made, nil if none is. By one that polls, an application that the site tells itself would be given the
// one before the change that it has just been told of.
func (c *commons) current(of circleKey) *translate.Catalogue {
	c.mu.Lock()
	defer c.mu.Unlock()
	circle := c.circles[of]
	if circle == nil {
		return nil
	}
	for _, m := range circle.provers {
		held, _ := m.cell.Snapshot()
		if m != circle.remote && !m.polls.Load() && !held.Stale() {
			return held.Value
		}
	}
	return nil
}

// provenLocked returns the catalogue that a member proves here, nil if none does.
func (c *circle) provenLocked() *translate.Catalogue {
	if !c.provesHereLocked() {
		return nil
	}
	held, _ := c.provers[0].cell.Snapshot()
	if held.Stale() {
		return nil
	}
	return held.Value
}

func (c *circle) provesHereLocked() bool { return len(c.provers) > 0 && c.provers[0] != c.remote }

// proofWithin is how long a session waits for another's proof before it fetches for itself.
const proofWithin = 3 * time.Second

// await returns when the cell of m holds a catalogue, or when m is to fetch it.
func (c *commons) await(ctx context.Context, m *member) {
	if c == nil || m.holds() {
		return
	}
	overdue := time.NewTimer(proofWithin)
	defer overdue.Stop()
	for {
		news := c.turn(m)
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

func (m *member) holds() bool {
	_, held := m.cell.Snapshot()
	return held
}

// turn makes m the leader and returns nil if its circle has none, and no proof either; else it returns
// what tells of news.
func (c *commons) turn(m *member) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.circle == nil || m.circle.leader == m {
		return nil
	}
	if m.circle.leader == nil && len(m.circle.provers) == 0 {
		m.circle.leader = m
		return nil
	}
	return m.circle.news
}

func (c *circle) proveLocked(m *member) []*member {
	if !m.proves {
		m.proves = true
		at := len(c.provers)
		if at > 0 && c.provers[at-1] == c.remote { // who is told here knows of changes sooner
			at--
		}
		c.provers = slices.Insert(c.provers, at, m)
		delete(c.relying, m)
		c.resignLocked(m)
		if len(c.provers) == 1 {
			c.announceLocked()
		}
	}
	if c.provers[0] != m {
		return nil // another gives, so that nobody is given an older one by a slower stream
	}
	return c.giveAllLocked()
}

// doubtLocked has m rely on the others, and those who relied on it on the next.
func (c *circle) doubtLocked(m *member) []*member {
	c.resignLocked(m)
	if !m.proves {
		return c.giveLocked(m)
	}
	m.proves = false
	c.relying[m] = true
	at := slices.Index(c.provers, m)
	c.provers = slices.Delete(c.provers, at, at+1)
	if at > 0 {
		return c.giveLocked(m)
	}
	if len(c.provers) == 0 {
		c.announceLocked()
		for other := range c.relying {
			other.cell.Unproven()
		}
	}
	return c.giveAllLocked()
}

// giveAllLocked gives the longest prover's catalogue to all who rely on it, and returns those for whom
// it is news.
func (c *circle) giveAllLocked() []*member {
	var given []*member
	for m := range c.relying {
		given = append(given, c.giveLocked(m)...)
	}
	return given
}

// giveLocked gives it to one of them.
func (c *circle) giveLocked(m *member) []*member {
	if len(c.provers) == 0 {
		return nil
	}
	proven, held := c.provers[0].cell.Snapshot()
	before, known := m.cell.Snapshot()
	if !held || proven.Stale() || known && before == proven {
		return nil
	}
	m.cell.Replace(proven.Value)
	return []*member{m}
}

func (c *circle) resignLocked(m *member) {
	if c.leader == m {
		c.leader = nil
		c.announceLocked()
	}
}

func (c *circle) announceLocked() {
	close(c.news)
	c.news = make(chan struct{})
}

// tell tells members of what they were given. The commons must not be locked.
func tell(given []*member) {
	for _, m := range given {
		m.changed()
	}
}
