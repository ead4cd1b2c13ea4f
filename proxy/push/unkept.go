package push

import (
	"context"
	"maps"
	"slices"
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
	had   map[string]bool // the clients here that were offered it, by id
}

// A doubt is about an event that some clients here have had, and that may be in the journal too.
type doubt struct {
	since time.Time
	had   map[string]bool // by id
}

// putOffLocked has e wait for the journal, and offers it to owner's clients here.
func (s *Server) putOffLocked(owner string, entry Entry, e *event) {
	had := map[string]bool{}
	for _, c := range s.owners[owner] {
		had[c.id] = true
	}
	s.shared.doubtful[entry.ID] = doubt{time.Now(), had}
	waiting := append(s.shared.unkept[owner], unkept{entry, e, had})
	s.shared.unkept[owner] = waiting[max(0, len(waiting)-unkeptMost):]
	s.offerAllLocked(owner, entry.Channel, e)
}

// keepLate puts what waits for the journal there, unless it still does not answer or somebody else does so.
func (s *Server) keepLate(ctx context.Context) {
	if !s.shared.late.TryLock() {
		return
	}
	defer s.shared.late.Unlock()
	s.mu.Lock()
	owners := slices.Collect(maps.Keys(s.shared.unkept))
	s.mu.Unlock()
	for _, owner := range owners {
		err := s.keepLateOf(ctx, owner)
		if err != nil {
			return
		}
	}
}

func (s *Server) keepLateOf(ctx context.Context, owner string) error {
	for {
		one, waits := s.nextUnkept(owner)
		if !waits {
			return nil
		}
		position, err := s.shared.Append(ctx, owner, one.entry)
		if err != nil {
			return err
		}
		s.keptLate(owner, one, position)
	}
}

// nextUnkept returns the first of owner's events that wait.
func (s *Server) nextUnkept(owner string) (unkept, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting := s.shared.unkept[owner]
	if len(waiting) == 0 {
		return unkept{}, false
	}
	s.shared.doubtful[waiting[0].entry.ID] = doubt{time.Now(), waiting[0].had}
	return waiting[0], true
}

// keptLate notes that the journal has an event, unless it does not wait any more.
func (s *Server) keptLate(owner string, one unkept, position uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
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
