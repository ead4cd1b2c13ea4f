package push

import (
	"context"
	"crypto/rand"
	"slices"
	"sync"
	"time"
)

// A sharing is what a server needs to share its clients with others through a journal.
type sharing struct {
	Journal
	missed chan struct{} // holds one where notices may have been lost since renewing looked
	late   sync.RWMutex  // held for reading by who puts into the journal what waits for it

	// Guarded by Server.mu.

	flights  map[string]*flight  // owners of which a client is under way to us
	catching map[string]bool     // owners whose events are being caught up with; true: once more
	doubtful map[string]doubt    // by the ids of entries
	unkept   map[string][]unkept // by owner, in order: events that the journal did not take yet
}

// A flight is the time in which the journal has been asked for a client of an owner, and may have told us
// already of events that the answer does not contain.
type flight struct {
	clients int
	newest  uint64
}

func newSharing(j Journal) *sharing {
	if j == nil {
		return nil
	}
	return &sharing{Journal: j, missed: make(chan struct{}, 1), flights: map[string]*flight{}, catching: map[string]bool{}, doubtful: map[string]doubt{}, unkept: map[string][]unkept{}}
}

// append publishes e, which is p's, through the journal, and to the clients here. Those have it at once even if the
// journal does not answer; others have it once that does, within renewEvery. By then it would come after newer ones of
// other servers, so what says nothing new they do not get, nor do clients here that were offered a newer one meanwhile.
func (s *Server) append(owner string, p Publication, e *event) {
	entry := Entry{ID: rand.Text(), Channel: p.Channel, Text: e.text, Mark: p.Mark}
	tail := s.tail(owner)
	position, kept := s.keep(owner, entry)
	if kept && position > 0 && s.ahead(owner, tail, position-1) {
		s.End(owner, Handshake)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !kept && !p.Again:
		s.putOffLocked(owner, entry, e, tail)
	case !kept && s.tailLocked(owner) == tail:
		s.offerDoubtfulLocked(owner, entry, e)
	case kept && position > 0:
		e.position = position
		s.arriveLocked(owner, p.Channel, e)
	}
}

// keep puts an entry into the journal, and reports whether that took it. Behind others that wait none is.
func (s *Server) keep(owner string, entry Entry) (position uint64, kept bool) {
	s.mu.Lock()
	waits := len(s.shared.unkept[owner]) > 0
	s.mu.Unlock()
	if waits {
		return 0, false
	}
	position, err := s.shared.Append(context.Background(), owner, entry)
	if err == nil && position == 0 && s.serves(owner) { // which the journal forgot: they were not renewed in time
		err = s.renew(context.Background(), owner)
		if err == nil {
			position, err = s.shared.Append(context.Background(), owner, entry)
		}
	}
	return position, err == nil
}

// serves reports whether owner has clients here that the journal should know.
func (s *Server) serves(owner string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, any := s.behindLocked(owner)
	return any
}

// Mark notes in the journal, if there is one, what owner's applications know, and returns what was noted before:
// "" if that is not known. It fails as the journal does.
func (s *Server) Mark(owner, mark string) (before string, err error) {
	if s.shared == nil {
		return "", nil
	}
	return s.shared.Journal.Mark(context.Background(), owner, mark)
}

// arriveLocked offers e to owner's clients here, or has what came before it looked for first.
func (s *Server) arriveLocked(owner, channel string, e *event) {
	under := s.shared.flights[owner]
	if under != nil {
		under.newest = max(under.newest, e.position)
	}
	behind := false
	for _, c := range s.owners[owner] {
		behind = s.advanceLocked(c, channel, e) || behind
	}
	if behind {
		s.catchUpLocked(owner)
	}
}

// advanceLocked offers e to c if it is the next one, and reports whether others are missing before it.
func (s *Server) advanceLocked(c *client, channel string, e *event) (behind bool) {
	if c.turn == 0 || e.position != c.tail+1 {
		return c.turn > 0 && e.position > c.tail
	}
	c.tail = e.position
	if !c.had(e.had) {
		s.offerLocked(c, channel, e)
	}
	return false
}

// had reports whether c is among those who had an event.
func (c *client) had(all []Had) bool {
	return slices.ContainsFunc(all, func(one Had) bool { return one.Client == c.id && one.Batch <= c.queue.acked })
}

// catchUpLocked has the events read that owner's clients here have not been offered. One does at a time.
func (s *Server) catchUpLocked(owner string) {
	_, under := s.shared.catching[owner]
	s.shared.catching[owner] = true
	if !under && !s.closed {
		s.serving.Go(func() { s.catchUp(owner) })
	}
}

func (s *Server) catchUp(owner string) {
	for {
		s.mu.Lock()
		from, any := s.behindLocked(owner)
		if !any || !s.shared.catching[owner] {
			delete(s.shared.catching, owner)
			s.mu.Unlock()
			return
		}
		s.shared.catching[owner] = false
		s.mu.Unlock()
		found, err := s.shared.Since(context.Background(), owner, from)
		if err == nil { // else the next renewal tries again
			s.mu.Lock()
			s.bringLocked(owner, found)
			s.mu.Unlock()
		}
	}
}

// behindLocked returns the position up to which all of owner's clients here have been offered events, and
// false if there are none.
func (s *Server) behindLocked(owner string) (from uint64, any bool) {
	for _, c := range s.owners[owner] {
		if c.turn > 0 && (!any || c.tail < from) {
			from, any = c.tail, true
		}
	}
	return from, any
}

// bringLocked offers what was found to owner's clients here. One who misses what is not kept any more is
// ended, and shakes hands when it connects.
func (s *Server) bringLocked(owner string, found Entries) {
	for _, entry := range found.All {
		e := entry.event()
		for _, c := range s.owners[owner] {
			s.makeUpLocked(c, entry, e)
		}
	}
	for _, c := range s.owners[owner] {
		if c.turn > 0 && c.tail < found.Last {
			s.removeLocked(c, overflowed)
		}
	}
}

// makeUpLocked offers an entry to c, which may have had it while the journal did not answer.
func (s *Server) makeUpLocked(c *client, entry Entry, e *event) {
	batch, had := s.shared.doubtful[entry.ID].had[c.id]
	if had && batch <= c.queue.acked && c.tail+1 == entry.Position {
		c.tail = entry.Position
		return
	}
	s.advanceLocked(c, entry.Channel, e)
}

// event returns what e is for clients. When it was received at another server is by another clock.
func (e Entry) event() *event {
	return &event{text: e.Text, topic: topic(e.Channel), received: time.Now(), position: e.Position, had: e.Had}
}

// listen acts upon what other servers tell, until ctx ends.
func (s *Server) listen(ctx context.Context) error {
	return s.shared.Listen(ctx, func(n Notice) {
		switch {
		case n.Missed:
			s.renewSoon()
		case n.Ended:
			s.Leave(n.Owner, n.Advice)
		case n.Event != nil:
			s.mu.Lock()
			defer s.mu.Unlock()
			s.arriveLocked(n.Owner, n.Event.Channel, n.Event.event())
		default:
			s.mu.Lock()
			defer s.mu.Unlock()
			c := s.clients[n.Client]
			if c != nil && c.owner == n.Owner && c.turn < n.Turn {
				s.moveAwayLocked(c, n.Connecting)
			}
		}
	})
}

// moveAwayLocked forgets c, which another server serves. Its held connect is answered, for c may wait for it
// though it sent another message there; connecting says that it does not.
func (s *Server) moveAwayLocked(c *client, connecting bool) {
	c.moved, c.replaced = true, connecting
	s.removeLocked(c, movedAway)
}
