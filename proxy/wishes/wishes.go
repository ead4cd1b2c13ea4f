// Package wishes is the order of what an agent asks for at several replicas and no site knows: which of it a replica is
// to tell the store that they share, what it takes from there, and which of two wishes for one site is the later one. It
// asks nobody and reads no clock.
//
// Of two wishes for one site the later holds, whichever comes to the store first: one that was asked for while the store
// did not answer may come there after another of another replica. Which is later the store's clock says, since those of
// replicas differ. How long ago something was each knows by its own.
//
// What a wish is made of the sites' parts know; here it is bytes, which are the same or not.
package wishes

import (
	"bytes"
	"maps"
	"time"

	"portico/proxy/session"
)

// A Ledger is what one replica knows of an agent's wishes: what the store was last known to have, and of what it is still
// to be told. The zero value knows of none. Whoever calls its methods sees to it that nobody else does.
type Ledger struct {
	known record
	late  map[string]*lateWish // by site; never changed but replaced
	lost  bool                 // the store may have lost what is known
}

// A record is what a session says of wishes, as it does in Wishes, Asked and Wished.
type record struct {
	wishes map[string][]byte
	asked  map[string]int64
	wished int
}

func recordOf(s session.Session) record { return record{s.Wishes, s.Asked, s.Wished} }

// isBehind reports whether what the store said of a site's wishes is older than what is known of them: who asked came
// too early, or the store has lost something. Where it is not said when they were asked for, how often the session's
// were changed tells.
func (r record) isBehind(known record, site string) bool {
	asked, before := r.asked[site], known.asked[site]
	switch {
	case known.wishes[site] == nil:
		return false
	case r.wishes[site] == nil:
		return true
	case asked != 0 && before != 0:
		return asked < before
	}
	return r.wished != 0 && r.wished < known.wished
}

// A lateWish is that the agent asked for something at a site of which the store is still to be told.
type lateWish struct{ asked time.Time }

// when returns when it was asked for by the store's clock, which shows now while the one here shows at.
func (l *lateWish) when(now int64, at time.Time) int64 { return now - at.Sub(l.asked).Milliseconds() }

// Ask notes that what an operation has changed, since the wishes were as before, was asked for at a moment by the clock
// here. Both are by site. It holds also where the store was told otherwise meanwhile, as by a reader to whom the site
// showed the operation half done.
func (l *Ledger) Ask(before, mine map[string][]byte, at time.Time) {
	for site, wish := range mine {
		if !bytes.Equal(wish, before[site]) {
			l.late = session.With(l.late, site, &lateWish{at})
		}
	}
}

// Doubt has it looked into whether the store has lost what the agent asked for.
func (l *Ledger) Doubt() { l.lost = true }

// Owes reports whether the store is to be told of wishes that it could not be told of, or may have lost.
func (l *Ledger) Owes() bool { return len(l.late) > 0 || l.lost }

// Forget leaves what the store is still to be told, as of a session that has ended.
func (l *Ledger) Forget() { l.late, l.lost = nil, false }

// Has reports whether the store was last known to have this of a site's wishes.
func (l *Ledger) Has(site string, wish []byte) bool { return bytes.Equal(l.known.wishes[site], wish) }

// Learn notes what the store has of the wishes for the agent's sites, and returns the sites where it is new, in that order.
// What is not in the store yet goes before it, and so does an operation until it is over. If the store is behind what is
// known it may have lost that, which is doubted then.
func (l *Ledger) Learn(s session.Session, sites []string, operating bool) (news []string, behind bool) {
	is := recordOf(s)
	for _, site := range sites {
		wish := is.wishes[site]
		switch {
		case is.isBehind(l.known, site):
			behind = true
		case wish != nil && l.late[site] == nil && !operating:
			if !l.Has(site, wish) {
				news = append(news, site)
			}
			l.note(site, is)
		}
	}
	if behind {
		l.Doubt()
	} else {
		l.known.wished = is.wished
	}
	return news, behind
}

// note notes what the store has of a site's wishes.
func (l *Ledger) note(site string, is record) {
	if l.known.asked[site] == is.asked[site] && l.Has(site, is.wishes[site]) {
		return
	}
	l.known.wishes = session.With(l.known.wishes, site, is.wishes[site])
	l.known.asked = session.With(l.known.asked, site, is.asked[site])
}

// A Report is what the store is to be told of an agent's wishes, as they are here at one moment. It stays what it is,
// whatever becomes of the ledger.
type Report struct {
	mine  map[string][]byte // by site
	known record
	late  map[string]*lateWish
	lost  bool
}

// Report returns what the store is to be told where the wishes are mine, by site; false if it has all that is to be there.
func (l *Ledger) Report(mine map[string][]byte) (Report, bool) {
	return Report{mine, l.known, l.late, l.lost}, l.Owes() || !maps.EqualFunc(mine, l.known.wishes, bytes.Equal)
}

// Put has a session say what is later than what it says, and reports whether it had lost what was known. It is called by
// what a session.Store is given to Update, also more than once; at is when, by the clock here.
func (r Report) Put(s *session.Session, at time.Time) (restored bool) {
	changed := false
	set := func(site string, wish []byte, asked int64) {
		s.Wishes, s.Asked, changed = session.With(s.Wishes, site, wish), session.With(s.Asked, site, asked), true
	}
	for site, wish := range r.known.wishes {
		if recordOf(*s).isBehind(r.known, site) {
			set(site, wish, r.known.asked[site])
			restored = true
		}
	}
	for site, wish := range r.mine {
		known, first := r.known.wishes[site], r.known.asked[site]+1 // it was asked for after what was known
		late := r.late[site]
		switch {
		case late != nil:
			asked := max(late.when(s.Now, at), first)
			if s.Asked[site] <= asked {
				set(site, wish, asked)
			}
		case !bytes.Equal(wish, known) && bytes.Equal(s.Wishes[site], known): // nobody else changed it since
			set(site, wish, first) // nobody asked for it now, or it were late: it goes before no operation
		}
	}
	if changed {
		s.Wished = max(s.Wished, r.known.wished) + 1
	}
	return restored
}

// Told notes what the store has once it was told. What was asked for meanwhile it is still to be told; what it had later
// of others is for Learn.
func (l *Ledger) Told(r Report, s session.Session) {
	left := maps.Clone(l.late)
	maps.DeleteFunc(left, func(site string, late *lateWish) bool { return r.late[site] == late })
	l.late = left
	is := recordOf(s)
	for site, wish := range r.mine {
		if bytes.Equal(is.wishes[site], wish) && !is.isBehind(l.known, site) {
			l.note(site, is)
		}
	}
	if r.lost {
		l.lost = false
	}
}
