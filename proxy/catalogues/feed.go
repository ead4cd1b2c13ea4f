package catalogues

import (
	"slices"
	"sync"
	"time"

	"portico/cache"
	"portico/translate"
	"portico/translate/icwsapi"
)

// partsWithin is how long the parts of a full catalogue may take to come. A site splits one that is
// too long for a message: the first part says that it replaces what was known, the others look like
// changes, and nothing tells the last.
const partsWithin = 250 * time.Millisecond

// A Feed keeps a catalogue current by the messages of a subscription. A full one is put together
// before it replaces what is held: agents would lose the states of the parts that are still to come.
// Any number of goroutines may use it.
type Feed struct {
	maker   *Maker
	cell    *cache.Cell[translate.Catalogue]
	changed func()

	mu       sync.Mutex
	arriving *translate.Catalogue // a full one of which parts may be missing, guarded by mu; nil if none
	begun    int                  // full ones so far, guarded by mu
}

// NewFeed returns a feed of cell, which calls changed after each change.
func NewFeed(maker *Maker, cell *cache.Cell[translate.Catalogue], changed func()) *Feed {
	return &Feed{maker: maker, cell: cell, changed: changed}
}

// Take takes a message about the catalogue.
func (f *Feed) Take(m icwsapi.StatusMessagesMessage) {
	f.mu.Lock()
	part := f.arriving != nil || !m.IsDelta
	if !m.IsDelta {
		f.arriving = f.maker.Of(slices.Concat(m.StatusMessagesAdded, m.StatusMessagesChanged))
		f.begun++
		nth := f.begun
		time.AfterFunc(partsWithin, func() { f.waited(nth) })
	} else if part {
		f.arriving = f.arriving.Changed(f.maker.site, m)
	}
	f.mu.Unlock()
	if !part {
		f.cell.Update(func(c *translate.Catalogue) *translate.Catalogue { return c.Changed(f.maker.site, m) })
		f.changed()
	}
}

// Arrived takes the full catalogue that has come, if one has: another message has followed.
func (f *Feed) Arrived() {
	f.mu.Lock()
	whole := f.wholeLocked()
	f.mu.Unlock()
	f.replace(whole)
}

// waited takes the nth full catalogue, if none has followed it within partsWithin: of one that has begun since parts
// may be missing still.
func (f *Feed) waited(nth int) {
	var whole *translate.Catalogue
	f.mu.Lock()
	if nth == f.begun {
		whole = f.wholeLocked()
	}
	f.mu.Unlock()
	f.replace(whole)
}

func (f *Feed) wholeLocked() *translate.Catalogue {
	whole := f.arriving
	f.arriving = nil
	return whole
}

// replace has agents see a full catalogue. Of nil it does nothing.
func (f *Feed) replace(whole *translate.Catalogue) {
	if whole != nil {
		f.cell.Replace(whole)
		f.changed()
	}
}

// Reset forgets the parts of one that will not come to its end.
func (f *Feed) Reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.arriving = nil
}
