package push

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
)

// A Memory is a journal in memory, for tests of servers in one process: a server alone needs none. Any number of
// goroutines may use it.
type Memory struct {
	Kept int // newest events of an owner that are kept; 0: all

	mu     sync.Mutex
	owners map[string]*keptOwner
	ends   []*MemoryEnd
}

type keptOwner struct {
	last    uint64
	newest  string // the id of the last entry
	mark    string
	entries []Entry
	clients map[string]*keptClient
}

type keptClient struct {
	record Record
	at     *MemoryEnd
}

// A MemoryEnd is the journal as one server has it.
type MemoryEnd struct {
	memory  *Memory
	notices chan Notice

	mu      sync.Mutex
	away    error // guarded by mu
	refused error // what Append fails with, guarded by mu
	unsaid  error // the same, once it was carried out; guarded by mu
}

// errAway is what an End answers while it is cut off.
var errAway = errors.New("push: the journal is away")

// NewMemory returns an empty journal.
func NewMemory() *Memory { return &Memory{owners: map[string]*keptOwner{}} }

// End returns the journal for one more server.
func (m *Memory) End() *MemoryEnd {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := &MemoryEnd{memory: m, notices: make(chan Notice, 10_000)}
	m.ends = append(m.ends, e)
	return e
}

// Flush forgets everything.
func (m *Memory) Flush() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.owners)
}

// Refuse has Append fail from now on: before it is carried out, or once it is. With nil it does not.
func (e *MemoryEnd) Refuse(before, once error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refused, e.unsaid = before, once
}

func (e *MemoryEnd) refuses() (before, once error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.refused, e.unsaid
}

// Cut has the End fail from now on, or answer again. What others tell it meanwhile is lost.
func (e *MemoryEnd) Cut(away bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	was := e.away
	e.away = nil
	if away {
		e.away = errAway
	}
	if was != nil && !away {
		e.notices <- Notice{Missed: true}
	}
}

func (e *MemoryEnd) cut() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.away
}

// in calls f with the owner's part of the journal.
func (e *MemoryEnd) in(name string, f func(*keptOwner) error) error {
	err := e.cut()
	if err != nil {
		return err
	}
	e.memory.mu.Lock()
	defer e.memory.mu.Unlock()
	o := e.memory.owners[name]
	if o == nil {
		o = &keptOwner{clients: map[string]*keptClient{}}
		e.memory.owners[name] = o
	}
	return f(o)
}

// tell tells another server.
func (e *MemoryEnd) tell(n Notice) {
	if e.cut() == nil {
		e.notices <- n
	}
}

// others returns the servers but e that serve clients of o.
func (o *keptOwner) others(e *MemoryEnd) []*MemoryEnd {
	var all []*MemoryEnd
	for _, c := range o.clients {
		if c.at != e && !slices.Contains(all, c.at) {
			all = append(all, c.at)
		}
	}
	return all
}

func (o *keptOwner) since(position uint64) Entries {
	found := Entries{Last: o.last}
	for _, entry := range o.entries {
		if entry.Position > position {
			found.All = append(found.All, entry)
		}
	}
	return found
}

// Append implements Journal.
func (e *MemoryEnd) Append(_ context.Context, name string, entry Entry) (position uint64, err error) {
	refused, unsaid := e.refuses()
	if refused != nil {
		return 0, refused
	}
	err = e.in(name, func(o *keptOwner) error {
		if entry.Mark != "" {
			o.mark = entry.Mark
		}
		if len(o.clients) == 0 {
			return nil
		}
		if o.newest == entry.ID {
			position = o.last
			return nil
		}
		o.newest = entry.ID
		o.last++
		entry.Position, position = o.last, o.last
		o.entries = append(o.entries, entry)
		if e.memory.Kept > 0 && len(o.entries) > e.memory.Kept {
			o.entries = o.entries[1:]
		}
		for _, other := range o.others(e) {
			other.tell(Notice{Owner: name, Event: &entry})
		}
		return nil
	})
	if err != nil || unsaid != nil {
		return 0, errors.Join(err, unsaid)
	}
	return position, nil
}

// Mark implements Journal.
func (e *MemoryEnd) Mark(_ context.Context, name, mark string) (before string, err error) {
	return before, e.in(name, func(o *keptOwner) error {
		before, o.mark = o.mark, cmp.Or(mark, o.mark)
		return nil
	})
}

// Since implements Journal.
func (e *MemoryEnd) Since(_ context.Context, name string, position uint64) (found Entries, err error) {
	return found, e.in(name, func(o *keptOwner) error {
		found = o.since(position)
		return nil
	})
}

// Create implements Journal.
func (e *MemoryEnd) Create(_ context.Context, name string, r Record, most int) (last uint64, err error) {
	return last, e.in(name, func(o *keptOwner) error {
		if len(o.clients) >= most {
			return ErrFull
		}
		r.Turn, last = 1, o.last
		r.Seen = o.last
		o.clients[r.ID] = &keptClient{r, e}
		return nil
	})
}

// Take implements Journal.
func (e *MemoryEnd) Take(_ context.Context, name, id string, connecting bool) (r Record, missed Entries, err error) {
	return r, missed, e.in(name, func(o *keptOwner) error {
		c := o.clients[id]
		if c == nil {
			return ErrUnknown
		}
		before := c.at
		c.record.Turn++
		c.record.Version = 0
		c.at, r, missed = e, c.record, o.since(c.record.Seen)
		if before != e {
			before.tell(Notice{Owner: name, Client: id, Turn: r.Turn, Connecting: connecting})
		}
		return nil
	})
}

// Save implements Journal.
func (e *MemoryEnd) Save(_ context.Context, name string, r Record) error {
	return e.in(name, func(o *keptOwner) error {
		c := o.clients[r.ID]
		if c == nil || c.record.Turn != r.Turn {
			return ErrUnknown
		}
		if r.Version > c.record.Version {
			c.record = r
		}
		return nil
	})
}

// Renew implements Journal.
func (e *MemoryEnd) Renew(_ context.Context, name string, turns map[string]uint64) (last uint64, lost []string, err error) {
	return last, lost, e.in(name, func(o *keptOwner) error {
		last = o.last
		for id, turn := range turns {
			c := o.clients[id]
			if c == nil || c.record.Turn != turn {
				lost = append(lost, id)
			}
		}
		return nil
	})
}

// Remove implements Journal.
func (e *MemoryEnd) Remove(_ context.Context, name, id string, turn uint64) error {
	return e.in(name, func(o *keptOwner) error {
		if c := o.clients[id]; c != nil && c.record.Turn == turn {
			delete(o.clients, id)
		}
		return nil
	})
}

// End implements Journal.
func (e *MemoryEnd) End(_ context.Context, name string, a Advice) error {
	return e.in(name, func(o *keptOwner) error {
		for _, other := range o.others(e) {
			other.tell(Notice{Owner: name, Ended: true, Advice: a})
		}
		delete(e.memory.owners, name)
		return nil
	})
}

// Listen implements Journal.
func (e *MemoryEnd) Listen(ctx context.Context, hear func(Notice)) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case n := <-e.notices:
			hear(n)
		}
	}
}
