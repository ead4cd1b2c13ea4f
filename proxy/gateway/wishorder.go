package gateway

import (
	"bytes"
	"maps"
	"time"

	"portico/proxy/session"
)

// A ledger is what is known here of one agent's wishes: what the store was last known to have of them, and of which it is
// still to be told. The zero value knows of none. Whoever calls its methods sees to it that nobody else does.
type ledger struct {
	known record
	late  map[string]*lateWish // by site; never changed but replaced
	lost  bool                 // the store may have lost what is known
}

// A record is what a session says of wishes.
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

// ask notes that what an operation has changed, since the wishes were as before, was asked for at a moment: it holds also
// where the store was told otherwise meanwhile, as by a reader to whom the site showed the operation half done.
func (l *ledger) ask(before, mine map[string][]byte, at time.Time) {
	for site, wish := range mine {
		if !bytes.Equal(wish, before[site]) {
			l.late = session.With(l.late, site, &lateWish{at})
		}
	}
}

// doubt has it looked into whether the store has lost what the agent asked for.
func (l *ledger) doubt() { l.lost = true }

// owes reports whether the store is to be told of wishes that it could not be told of, or may have lost.
func (l *ledger) owes() bool { return len(l.late) > 0 || l.lost }

// forget leaves what the store is still to be told, as of a session that has ended.
func (l *ledger) forget() { l.late, l.lost = nil, false }

// has reports whether the store was last known to have this of a site's wishes.
func (l *ledger) has(site string, wish []byte) bool { return bytes.Equal(l.known.wishes[site], wish) }

// learn notes what the store has of the wishes at the agent's sites, and returns the sites where it is new. What is not in
// the store yet goes before it, and so does an operation until it is over. If the store is behind what is known it may
// have lost that, which is doubted.
func (l *ledger) learn(s session.Session, sites []string, operating bool) (news []string, behind bool) {
	is := recordOf(s)
	for _, site := range sites {
		wish := is.wishes[site]
		switch {
		case is.isBehind(l.known, site):
			behind = true
		case wish != nil && l.late[site] == nil && !operating:
			if !l.has(site, wish) {
				news = append(news, site)
			}
			l.note(site, is)
		}
	}
	if behind {
		l.doubt()
	} else {
		l.known.wished = is.wished
	}
	return news, behind
}

// note notes what the store has of a site's wishes.
func (l *ledger) note(site string, is record) {
	if l.known.asked[site] == is.asked[site] && l.has(site, is.wishes[site]) {
		return
	}
	l.known.wishes = session.With(l.known.wishes, site, is.wishes[site])
	l.known.asked = session.With(l.known.asked, site, is.asked[site])
}

// A report is what the store is to be told of an agent's wishes, as they are here at one moment.
type report struct {
	mine  map[string][]byte // by site
	known record
	late  map[string]*lateWish
	lost  bool
}

// report returns what the store is to be told where the wishes are mine; false if it has all that is to be there.
func (l *ledger) report(mine map[string][]byte) (report, bool) {
	return report{mine, l.known, l.late, l.lost}, l.owes() || !maps.EqualFunc(mine, l.known.wishes, bytes.Equal)
}

// put has a session, which the store changes at a moment, say what is later than what it says, and reports whether it had
// lost what was known.
func (r report) put(s *session.Session, at time.Time) (restored bool) {
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

// told notes what the store has since it was told. What was asked for meanwhile it is still to be told.
func (l *ledger) told(r report, s session.Session) {
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
