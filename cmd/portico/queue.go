package main

import (
	"container/list"
	"net/netip"
)

// A queue is connections that wait, the one that does so longest first: in all, and of each to whom they belong.
type queue struct {
	all *list.List           // of *stranger
	by  map[whose]*list.List // of the same
}

// A whose is to whom connections belong: an address or a session. The zero one is everybody, or nobody.
type whose struct {
	address netip.Addr
	session string
}

// A place is that of a connection in a queue; the zero one is in none.
type place struct {
	of          *queue
	by          whose
	inAll, inBy *list.Element
}

func newQueue() *queue { return &queue{list.New(), map[whose]*list.List{}} }

func (q *queue) len() int { return q.all.Len() }

// of returns how many connections there are of somebody.
func (q *queue) of(by whose) int {
	theirs := q.by[by]
	if theirs == nil {
		return 0
	}
	return theirs.Len()
}

// add puts one, who is in none, at the end.
func (q *queue) add(one *stranger, by whose) {
	theirs := q.by[by]
	if theirs == nil {
		theirs = list.New()
		q.by[by] = theirs
	}
	one.place = place{q, by, q.all.PushBack(one), theirs.PushBack(one)}
}

// dismiss takes the first out, of somebody or of all, for good.
func (q *queue) dismiss(by whose) *stranger {
	theirs := q.all
	if by != (whose{}) {
		theirs = q.by[by]
	}
	one := theirs.Front().Value.(*stranger)
	one.place.leave()
	one.gone = true
	return one
}

// leave takes who has the place out of its queue.
func (p *place) leave() {
	if p.of == nil {
		return
	}
	p.of.all.Remove(p.inAll)
	theirs := p.of.by[p.by]
	theirs.Remove(p.inBy)
	if theirs.Len() == 0 {
		delete(p.of.by, p.by)
	}
	*p = place{}
}
