package cache

import "time"

// Update applies a change that the upstream pushed. change gets a value it must not touch and
// returns a new one, or nil if there is nothing to change. It must bear being applied to a value
// that has the change already, since a fetch may return what a message also tells. It runs under
// the cell's lock and must not call the cell.
//
// If a value is held, change is applied to it before Update returns. If a fetch is under way,
// change is also kept and applied to what it brings, in the order of the calls. With neither it is
// dropped, as the first need will fetch it all. A fetch on which more than 1,024 changes come in
// is thrown away and fails; the next need fetches anew.
func (c *Cell[T]) Update(change func(*T) *T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	if c.flight != nil {
		c.flight.keep(change)
	}
	held := c.now.Load()
	if held == nil {
		return
	}
	next := changed(held.Value, change)
	if next != held.Value {
		c.holdLocked(c.opts.Intern(next), held.Since)
	}
}

// Replace takes a full list that the upstream pushed, not nil. It proves the cell anew. A fetch
// under way is older news: its callers get the list.
func (c *Cell[T]) Replace(list *T) {
	if list == nil {
		panic("cache: Replace with a nil list, by its caller")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	if c.flight != nil {
		c.flight.replaced = true
		c.flight.pending = nil
	}
	c.broken = time.Time{}
	c.holdLocked(c.opts.Intern(list), time.Time{})
}

// Unproven says that nothing tells the cell of changes any more, as after a break of the stream.
// From now on what it holds, or fetches, is served as stale, and no longer than StaleIfError. Only
// the first call after a proof counts.
func (c *Cell[T]) Unproven() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.broken.IsZero() {
		return
	}
	c.broken = time.Now()
	held := c.now.Load()
	if held != nil {
		c.holdLocked(held.Value, c.broken)
	}
}

// Proven says that the stream is back and that nothing was missed. One that cannot know asks for
// the full list and calls Replace instead.
func (c *Cell[T]) Proven() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broken = time.Time{}
	held := c.now.Load()
	if held != nil {
		c.holdLocked(held.Value, time.Time{})
	}
}

// Purge forgets the value on an operator's word: the next need fetches it again, which counts as a
// refresh and breaks no promise. While a fetch is under way it does nothing, as what that brings
// is new.
func (c *Cell[T]) Purge() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flight != nil || c.now.Load() == nil {
		return
	}
	c.purged = true
	c.letGoLocked()
}

// Drop ends the cell with its session: the fetch under way is cancelled, those who wait for it and
// all who come later get ErrClosed, and the value is forgotten before Drop returns.
func (c *Cell[T]) Drop() {
	if c.idle != nil {
		c.idle()
	}
	c.forget()
}

// forget lets the value go once life has ended, and sees to it that no other is kept.
func (c *Cell[T]) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.flight != nil {
		c.flight.end()
	}
	c.letGoLocked()
}

// holdLocked makes value what the cell holds, unproven since then, and proven if that is zero.
// The cell must not be closed.
func (c *Cell[T]) holdLocked(value *T, since time.Time) {
	c.purged = false
	c.failure = nil
	c.now.Store(&Snapshot[T]{Value: value, Since: since})
	c.counts.entries.add(c)
}

func (c *Cell[T]) letGoLocked() {
	c.now.Store(nil)
	c.counts.entries.remove(c)
}

// unprovenSince returns since when what the cell holds is unproven, zero if it is proven.
func (c *Cell[T]) unprovenSince() time.Time {
	held, _ := c.Snapshot()
	return held.Since
}

// keep adds a change to apply once the fetch is back, unless a list that came in since has it.
func (f *flight[T]) keep(change func(*T) *T) {
	switch {
	case f.replaced:
	case len(f.pending) >= maxPending:
		f.overrun = true
		f.pending = nil
	case !f.overrun:
		f.pending = append(f.pending, change)
	}
}

// changed returns value with change applied; a change that returns nil changes nothing.
func changed[T any](value *T, change func(*T) *T) *T {
	next := change(value)
	if next == nil {
		return value
	}
	return next
}
