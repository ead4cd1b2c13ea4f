package push

import (
	"slices"
	"time"
)

// An event is what was published once, encoded once, and shared by the clients it is for.
type event struct {
	text     []byte // {"data":...,"channel":...}
	topic    string // the label it is counted under
	received time.Time
	position uint64 // in its owner's journal; 0 if it is not there
	had      []Had  // as Entry.Had
}

// A waiting is an event in a client's queue.
type waiting struct {
	*event
	batch   int64 // the answer it goes, or went, out with; counted with the acknowledgement extension only
	written bool  // and is kept until the client says so
}

// A queue holds a client's events in the order they were published. With the acknowledgement
// extension an event stays until its batch is acknowledged, and goes out again with every connect
// until then. Without, it leaves when it is taken and comes back if it could not be written.
//
// It is guarded by Server.mu.
type queue struct {
	events []waiting
	bytes  int
	ack    bool
	batch  int64     // the next answer's
	acked  int64     // the last batch that the client said it has, of any server; 0: none
	writer *exchange // has taken events and not written them yet; without the extension only
}

// start readies q for a new client. Source: CometD 3.1, BatchArrayQueue: batches count from 1.
func (q *queue) start(ack bool) { q.ack, q.batch = ack, 1 }

// add puts e at the end, and reports whether it finds room.
func (q *queue) add(e *event, maxEvents, maxBytes int) bool {
	if len(q.events) >= maxEvents || !q.hasRoom(len(e.text), maxBytes) {
		return false
	}
	if q.events == nil {
		q.events = make([]waiting, 0, 2) // a change of state is told by two
	}
	q.events = append(q.events, waiting{event: e, batch: q.batch})
	q.bytes += len(e.text)
	return true
}

// hasRoom reports whether so many bytes more may be queued. One event that alone is longer than a queue may be finds room
// where nothing waits to be sent, and counts for nothing then: its client is not slow, and would be lost with all others
// that are to have it.
func (q *queue) hasRoom(length, maxBytes int) bool {
	if q.bytes+length <= maxBytes {
		return true
	}
	if length > maxBytes {
		return q.bytes <= maxBytes && !q.waits()
	}
	longest := 0
	for _, e := range q.events {
		longest = max(longest, len(e.text))
	}
	return longest > maxBytes && q.bytes-longest+length <= maxBytes
}

// waits reports whether there is an event that has not gone out.
func (q *queue) waits() bool {
	return len(q.events) > 0 && q.events[len(q.events)-1].batch == q.batch
}

// ready reports whether there is something to write now. While an answer with events is under way,
// later ones wait, or a failure would put them out of order.
func (q *queue) ready() bool {
	return q.writer == nil && len(q.events) > 0 && !q.events[len(q.events)-1].written
}

// unacknowledged reports whether a client that acknowledges has something to be sent, be it again.
func (q *queue) unacknowledged() bool { return q.ack && len(q.events) > 0 }

// acknowledge forgets what the client has seen: all batches up to last, and returns how many events
// those were. A batch that was never sent cannot be acknowledged.
func (q *queue) acknowledge(last int64) int {
	q.acked = max(q.acked, last)
	last = min(last, q.batch-1)
	seen := 0
	for seen < len(q.events) && q.events[seen].batch <= last {
		q.bytes -= len(q.events[seen].text)
		seen++
	}
	q.cut(seen)
	return seen
}

// cut drops the first n events. An empty queue gives its memory back: most clients are idle.
func (q *queue) cut(n int) {
	clear(q.events[:n])
	q.events = q.events[n:]
	if len(q.events) == 0 {
		q.events = nil
	}
}

// take gives x the events that it is to write.
func (q *queue) take(x *exchange) {
	if q.ack {
		x.batch = q.batch
		q.batch++
		x.events = append([]waiting(nil), q.events...)
		return
	}
	if q.writer != nil || len(q.events) == 0 {
		return
	}
	q.writer, x.events = x, q.events
	q.events, q.bytes = nil, 0
}

// settle notes whether x's events were written, and returns those that the client has now, or may
// have, for the first time.
func (q *queue) settle(x *exchange, written bool) []waiting {
	if q.ack {
		return q.mark(x, written)
	}
	if q.writer != x {
		return nil
	}
	q.writer = nil
	if written {
		return x.events
	}
	for _, e := range x.events {
		q.bytes += len(e.text)
	}
	q.events = append(x.events, q.events...)
	return nil
}

// mark notes that the batches up to x's were written.
func (q *queue) mark(x *exchange, written bool) []waiting {
	var first []waiting
	for i := range q.events {
		e := &q.events[i]
		if written && e.batch <= x.batch && !e.written {
			e.written = true
			first = append(first, *e)
		}
	}
	return first
}

// clear empties q and returns what was in it.
func (q *queue) clear() []waiting {
	rest := q.events
	q.events, q.bytes = nil, 0
	return rest
}

// seen returns the position of the last event that the client has had, or has been sent without having to
// acknowledge it, with all before. tail is that of the last one it was offered.
func (q *queue) seen(tail uint64) uint64 {
	for _, e := range q.events {
		if e.position > 0 {
			return e.position - 1
		}
	}
	return tail
}

// sent returns the batches that went out and were not acknowledged.
func (q *queue) sent() []Sent {
	var all []Sent
	for _, e := range q.events {
		switch last := len(all) - 1; {
		case e.batch >= q.batch || e.position == 0:
		case last >= 0 && all[last].Batch == e.batch:
			all[last].Upto = e.position
		default:
			all = append(all, Sent{e.batch, e.position})
		}
	}
	return all
}

// batchesUnsaved is more than a server sends between two times that it saves a record. The numbers of batches that
// the next server gives are further on by so many for each turn, and never those of a server before, be it one
// that saved nothing.
const batchesUnsaved = 100

// had reports whether the client has had e, which it was offered: with a batch that it has not acknowledged, or, if that
// is 0, for good. What is being written counts.
func (q *queue) had(e *event) (batch int64, had bool) {
	for _, one := range q.events {
		if one.event == e {
			return one.batch, one.batch < q.batch
		}
	}
	return 0, true
}

// resume has q go on where that of another server was.
func (q *queue) resume(batch int64, sent []Sent) {
	q.batch = batch
	for i := range q.events {
		e := &q.events[i]
		at := slices.IndexFunc(sent, func(one Sent) bool { return e.position <= one.Upto })
		e.batch, e.written = q.batch, at >= 0
		if at >= 0 {
			e.batch = sent[at].Batch
		}
	}
}
