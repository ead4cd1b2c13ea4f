package main

import "net/netip"

// A queue is connections that wait, the one that does so longest first: in all, and of each to whom they belong. Its
// links are the connections' own, so that who comes and goes for each request leaves no garbage.
type queue struct {
	all row
	by  map[whose]row // none is empty
}

// A whose is to whom connections belong: an address or a session. The zero one is everybody, or nobody.
type whose struct {
	address netip.Addr
	session string
}

// A place is that of a connection in a queue; the zero one is in none.
type place struct {
	of    *queue
	by    whose
	links [2]link // in the row of all, and of whose
}

// A link is a connection's to its neighbours in a row.
type link struct{ before, after *stranger }

const (
	amongAll = iota
	amongTheirs
)

func newQueue() *queue { return &queue{by: map[whose]row{}} }

func (q *queue) len() int { return q.all.n }

// of returns how many connections there are of somebody.
func (q *queue) of(by whose) int { return q.by[by].n }

// add puts one, who is in none, at the end.
func (q *queue) add(one *stranger, by whose) {
	one.place = place{of: q, by: by}
	q.all.add(one, amongAll)
	theirs := q.by[by]
	theirs.add(one, amongTheirs)
	q.by[by] = theirs
}

// dismiss takes the first out, of somebody or of all, for good.
func (q *queue) dismiss(by whose) *stranger {
	theirs := q.all
	if by != (whose{}) {
		theirs = q.by[by]
	}
	one := theirs.first
	one.leave()
	one.gone = true
	return one
}

// leave takes one out of its queue, if it is in any.
func (one *stranger) leave() {
	q, by := one.place.of, one.place.by
	if q == nil {
		return
	}
	q.all.remove(one, amongAll)
	theirs := q.by[by]
	theirs.remove(one, amongTheirs)
	if theirs.n > 0 {
		q.by[by] = theirs
	} else {
		delete(q.by, by)
	}
	one.place = place{}
}

// A row is connections in order, which are linked by those of their links that the calls name.
type row struct {
	first, last *stranger
	n           int
}

func (r *row) add(one *stranger, in int) {
	one.place.links[in] = link{before: r.last}
	if r.last == nil {
		r.first = one
	} else {
		r.last.place.links[in].after = one
	}
	r.last = one
	r.n++
}

func (r *row) remove(one *stranger, in int) {
	at := one.place.links[in]
	if at.before == nil {
		r.first = at.after
	} else {
		at.before.place.links[in].after = at.after
	}
	if at.after == nil {
		r.last = at.before
	} else {
		at.after.place.links[in].before = at.before
	}
	r.n--
}
