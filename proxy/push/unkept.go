package push

import (
	"context"
	"time"
)

// What the journal did not take in time is put there once it does again, in order, so that clients at other servers
// have it too. Clients here had it meanwhile.

// unkeptMost is how many events of an owner wait for the journal at most: it is the newest that tell what is.
const unkeptMost = 100

// An unkept event waits for the journal.
type unkept struct {
	entry Entry
	event *event
	had   map[string]int64 // as doubt.had
	after uint64           // the position of what owner's clients here had been offered before

	// anew says that the journal has an event before this one without those who had it: who is given that again
	// elsewhere is to have this one again too, or the older one would be their last.
	anew bool
}

// A doubt is about an event that some clients here have had, and that may be in the journal too.
type doubt struct {
	since time.Time

	// had are the clients, by id, that were offered it here, but those that left without it: with the batch that it went
	// out with, if they left before they acknowledged that, else 0.
	had map[string]int64
}

// putOffLocked has e wait for the journal, and offers it to owner's clients here, which had been offered what is there up
// to a position.
func (s *Server) putOffLocked(owner string, entry Entry, e *event, after uint64) {
	had := s.offerDoubtfulLocked(owner, entry, e)
	waiting := s.shared.unkept[owner]
	anew := len(waiting) > 0 && waiting[len(waiting)-1].anew
	waiting = append(waiting, unkept{entry, e, had, after, anew})
	s.shared.unkept[owner] = waiting[max(0, len(waiting)-unkeptMost):]
}

// offerDoubtfulLocked offers e, which the journal may have taken or not, to owner's clients here, and returns who they are.
func (s *Server) offerDoubtfulLocked(owner string, entry Entry, e *event) (had map[string]int64) {
	s.offerAllLocked(owner, entry.Channel, e)
	had = map[string]int64{} // not who was ended for want of room
	for _, c := range s.owners[owner] {
		had[c.id] = 0
	}
	s.shared.doubtful[entry.ID] = doubt{time.Now(), had}
	return had
}

// keepLate puts what of owner's events waits for the journal there, unless it still does not answer. Only renewing does
// so: two would change the order.
func (s *Server) keepLate(ctx context.Context, owner string) {
	if !s.lookLate(ctx, owner) {
		return
	}
	for s.keepNext(ctx, owner) {
	}
}

// lookLate looks in the journal for what it took without an answer, and reports false if nothing waits, or it does not
// answer. Of those events it does not know who had them, so a client that left since is given them again elsewhere.
func (s *Server) lookLate(ctx context.Context, owner string) bool {
	one, waits := s.nextUnkept(owner)
	if !waits {
		return false
	}
	found, err := s.shared.Since(ctx, owner, one.after)
	if err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, entry := range found.All {
		_, ours := s.shared.doubtful[entry.ID]
		if ours && len(entry.Had) == 0 {
			s.anewLocked(owner)
		}
		waiting := s.shared.unkept[owner]
		if len(waiting) > 0 && waiting[0].entry.ID == entry.ID {
			s.keptLateLocked(owner, waiting[0], entry.Position)
		}
	}
	return true
}

// anewLocked has all that waits of owner's events be given also to who had it.
func (s *Server) anewLocked(owner string) {
	waiting := s.shared.unkept[owner]
	for i := range waiting {
		waiting[i].anew = true
	}
}

// keepNext puts the first of them there, and reports whether that worked.
func (s *Server) keepNext(ctx context.Context, owner string) bool {
	s.shared.late.RLock()
	defer s.shared.late.RUnlock()
	one, waits := s.nextUnkept(owner)
	if !waits {
		return false
	}
	position, err := s.shared.Append(ctx, owner, one.entry)
	if err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keptLateLocked(owner, one, position)
	return true
}

// nextUnkept returns the first of owner's events that wait.
func (s *Server) nextUnkept(owner string) (unkept, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting := s.shared.unkept[owner]
	if len(waiting) == 0 {
		return unkept{}, false
	}
	one := waiting[0]
	s.shared.doubtful[one.entry.ID] = doubt{time.Now(), one.had}
	one.entry.Had = s.hadLocked(one)
	return one, true
}

// hadLocked returns who need not be given an event elsewhere.
func (s *Server) hadLocked(one unkept) []Had {
	if one.anew {
		return nil
	}
	var all []Had
	for id, batch := range one.had {
		had := true
		if c := s.clients[id]; c != nil {
			now, has := c.queue.had(one.event)
			batch, had = max(batch, now), has
		}
		if had {
			all = append(all, Had{id, batch})
		}
	}
	return all
}

// leaveUnkeptLocked notes which of the events that wait for the journal c has had, which leaves. It gets the others
// from whoever serves it next.
func (s *Server) leaveUnkeptLocked(c *client) {
	for _, one := range s.shared.unkept[c.owner] {
		batch, had := c.queue.had(one.event)
		switch _, offered := one.had[c.id]; {
		case !had:
			delete(one.had, c.id)
		case offered && batch > 0:
			one.had[c.id] = batch
		}
	}
}

// keptLateLocked notes that the journal has an event, unless it does not wait any more.
func (s *Server) keptLateLocked(owner string, one unkept, position uint64) {
	waiting := s.shared.unkept[owner]
	if len(waiting) == 0 || waiting[0].event != one.event {
		return
	}
	s.shared.unkept[owner] = waiting[1:]
	if len(waiting) == 1 {
		delete(s.shared.unkept, owner)
	}
	one.event.position = position
	from, any := s.behindLocked(owner)
	if any && from < position {
		s.catchUpLocked(owner)
	}
}

// Forsake lets go of owner's events that wait for the journal, and returns once none is on its way there. Who
// publishes them elsewhere from then on knows by the last mark what is still to be told.
func (s *Server) Forsake(owner string) {
	if s.shared == nil {
		return
	}
	s.shared.late.Lock()
	defer s.shared.late.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.shared.unkept, owner)
}
