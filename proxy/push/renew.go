package push

import (
	"context"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// renewEvery is how often clients are kept in the journal, and missed notices made up for.
const renewEvery = 5 * time.Second

// lateEvery is how often that is done for owners of whose events some wait for the journal. While they do, a client that
// goes on elsewhere is there without them.
const lateEvery = 500 * time.Millisecond

// RenewAtOnce is for how many owners that is done at once, at most. All at once would keep a slow journal from other
// work; one after the other, it would forget clients before it is their turn.
const RenewAtOnce = 16

// renewSoon has all clients renewed by the goroutine that does so.
func (s *Server) renewSoon() {
	select {
	case s.shared.missed <- struct{}{}:
	default: // it is about to
	}
}

// renewing keeps the clients in the journal until ctx ends.
func (s *Server) renewing(ctx context.Context) error {
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	late := time.NewTicker(lateEvery)
	defer late.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-late.C:
			s.renewAll(ctx, s.haveLate())
			continue
		case <-s.shared.missed:
		case <-tick.C:
		}
		s.renewAll(ctx, s.toRenew())
	}
}

// renewAll renews the clients of owners, and puts into the journal what it did not take. Where one owner's fail
// the others still have their turn: a journal that is known to be away fails at once.
func (s *Server) renewAll(ctx context.Context, owners []string) {
	var work errgroup.Group
	work.SetLimit(RenewAtOnce)
	for _, owner := range owners {
		work.Go(func() error {
			if ctx.Err() == nil && s.renew(ctx, owner) == nil {
				s.keepLate(ctx, owner)
			}
			return nil
		})
	}
	_ = work.Wait() // never fails
}

// toRenew returns all owners, in the same order each time, so that none waits longer than a round takes.
func (s *Server) toRenew() []string {
	s.mu.Lock()
	maps.DeleteFunc(s.shared.doubtful, func(_ string, d doubt) bool { return time.Since(d.since) > s.opts.MaxInterval+s.opts.Timeout })
	owners := slices.AppendSeq(slices.Collect(maps.Keys(s.owners)), maps.Keys(s.shared.unkept))
	s.mu.Unlock()
	slices.Sort(owners)
	return slices.Compact(owners)
}

// haveLate returns the owners of whose events some wait for the journal.
func (s *Server) haveLate() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.shared.unkept))
}

// renew keeps owner's clients, has events read that were missed, and lets clients go that are served
// elsewhere. It fails if the journal does not answer.
func (s *Server) renew(ctx context.Context, owner string) error {
	turns, behind := s.turns(owner)
	tail := s.tail(owner)
	last, lost, err := s.shared.Renew(ctx, owner, turns)
	if err != nil {
		return err
	}
	if s.ahead(owner, tail, last) {
		s.End(owner, Handshake)
		return nil
	}
	for _, c := range behind {
		s.save(c)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range lost {
		c := s.clients[id]
		if c != nil && c.owner == owner && c.turn == turns[id] {
			s.moveAwayLocked(c, false)
		}
	}
	from, any := s.behindLocked(owner)
	if any && from < last {
		s.catchUpLocked(owner)
	}
	return nil
}

// turns returns which turn of each of owner's clients this server has, and those of which the journal does not
// know all.
func (s *Server) turns(owner string) (map[string]uint64, []*client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	turns, behind := map[string]uint64{}, []*client(nil)
	for _, c := range s.owners[owner] {
		if c.turn > 0 {
			turns[c.id] = c.turn
		}
		if c.unsaved || c.saved != c.queue.seen(c.tail) {
			behind = append(behind, c)
		}
	}
	return turns, behind
}

// tail returns the position of the newest event that a client of owner here was offered.
func (s *Server) tail(owner string) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tailLocked(owner)
}

func (s *Server) tailLocked(owner string) (tail uint64) {
	for _, c := range s.owners[owner] {
		tail = max(tail, c.tail)
	}
	return tail
}

// ahead reports whether owner's clients here were offered events after last, which the journal then named as its newest:
// it has lost those and gives their numbers to others, which the clients would take for old. Tail is from before
// it was asked. If the clients have ended since, they are none of those.
func (s *Server) ahead(owner string, tail, last uint64) bool {
	return min(tail, s.tail(owner)) > last
}
