package gateway

import (
	"bytes"
	"maps"
	"time"

	"portico/proxy/session"
)

// Of two wishes at one site the later holds, whichever comes to the store first: one that was asked for while it did not
// answer may come there after another of another replica. Which is later its clock says, since those of replicas differ.
// How long ago something was each knows by its own.

// An unsavedWish is that the agent asked for something at a site of which the store is still to be told.
type unsavedWish struct{ asked time.Time }

// when returns when it was asked for by the store's clock, which shows now.
func (u *unsavedWish) when(now int64) int64 { return now - time.Since(u.asked).Milliseconds() }

// unsave notes that what an operation has changed here, since the wishes were as before, was asked for now: it holds also
// where the store was told otherwise meanwhile, as by a reader to whom the site showed the operation half done.
func (a *Agent) unsave(before map[string][]byte) {
	mine := a.wishes()
	a.mu.Lock()
	defer a.mu.Unlock()
	for site, wish := range mine {
		if !bytes.Equal(wish, before[site]) {
			a.unsaved = session.With(a.unsaved, site, &unsavedWish{time.Now()})
		}
	}
}

// doubt has it looked into whether the store has lost what the agent asked for.
func (a *Agent) doubt() {
	f := a.gateway.fleet
	if f != nil {
		a.lost.Store(true)
		f.unstored.owe(a)
	}
}

// owes reports whether the store is to be told of wishes that it could not be told of, or may have lost.
func (a *Agent) owes() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.unsaved) > 0 || a.lost.Load()
}

// forgetUnsaved leaves the wishes of a session that has ended.
func (a *Agent) forgetUnsaved() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.unsaved = nil
	a.lost.Store(false)
}

// A wishing is what an agent's wishes are here, by site, at the moment when the store is told of them.
type wishing struct {
	mine    map[string][]byte
	known   session.Session // what the store was last known to have
	unsaved map[string]*unsavedWish
	lost    bool // the store may have lost what is known
}

func (a *Agent) wishing(mine map[string][]byte) wishing {
	a.mu.Lock()
	defer a.mu.Unlock()
	return wishing{mine, a.session, a.unsaved, a.lost.Load()}
}

// stands reports whether the store has all that is to be there.
func (w wishing) stands() bool {
	return !w.lost && len(w.unsaved) == 0 && maps.EqualFunc(w.mine, w.known.Wishes, bytes.Equal)
}

// put has the record of a session say what is later than what it says, and reports whether it had lost what was known.
func (w wishing) put(s *session.Session) (restored bool) {
	changed := false
	set := func(site string, wish []byte, asked int64) {
		s.Wishes, s.Asked, changed = session.With(s.Wishes, site, wish), session.With(s.Asked, site, asked), true
	}
	for site, wish := range w.known.Wishes {
		if isBehind(*s, w.known, site) {
			set(site, wish, w.known.Asked[site])
			restored = true
		}
	}
	for site, wish := range w.mine {
		known, first := w.known.Wishes[site], w.known.Asked[site]+1 // it was asked for after what was known
		late := w.unsaved[site]
		switch {
		case late != nil:
			asked := max(late.when(s.Now), first)
			if s.Asked[site] <= asked {
				set(site, wish, asked)
			}
		case !bytes.Equal(wish, known) && bytes.Equal(s.Wishes[site], known): // nobody else changed it since
			set(site, wish, first) // nobody asked for it now, or it were late: it goes before no operation
		}
	}
	if changed {
		s.Wished = max(s.Wished, w.known.Wished) + 1
	}
	return restored
}

// saved notes what the store has of the wishes that it was told of. What was asked for meanwhile it is still to be told.
func (a *Agent) saved(w wishing, is session.Session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	left := maps.Clone(a.unsaved)
	maps.DeleteFunc(left, func(site string, late *unsavedWish) bool { return w.unsaved[site] == late })
	a.unsaved = left
	for site, wish := range w.mine {
		if bytes.Equal(is.Wishes[site], wish) && !isBehind(is, a.session, site) {
			a.noteWishLocked(site, is)
		}
	}
	if w.lost {
		a.lost.Store(false)
	}
}
