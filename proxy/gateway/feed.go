package gateway

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

// A feed keeps a catalogue current by the messages of a subscription. A full one is put together
// before it replaces what is held: agents would lose the states of the parts that are still to come.
// Any number of goroutines may use it.
type feed struct {
	lists   *wholeLists
	cell    *cache.Cell[translate.Catalogue]
	changed func() // is called after each change

	mu       sync.Mutex
	arriving *translate.Catalogue // a full one of which parts may be missing, guarded by mu; nil if none
	begun    int                  // full ones so far, guarded by mu
}

// take takes a message about the catalogue.
func (f *feed) take(m icwsapi.StatusMessagesMessage) {
	f.mu.Lock()
	part := f.arriving != nil || !m.IsDelta
	if !m.IsDelta {
		f.arriving = f.lists.of(slices.Concat(m.StatusMessagesAdded, m.StatusMessagesChanged))
		f.begun++
		nth := f.begun
		time.AfterFunc(partsWithin, func() { f.waited(nth) })
	} else if part {
		f.arriving = f.arriving.Changed(f.lists.site, m)
	}
	f.mu.Unlock()
	if !part {
		f.cell.Update(func(c *translate.Catalogue) *translate.Catalogue { return c.Changed(f.lists.site, m) })
		f.changed()
	}
}

// arrived takes the full catalogue that has come, if one has: another message has followed.
func (f *feed) arrived() {
	f.mu.Lock()
	whole := f.wholeLocked()
	f.mu.Unlock()
	f.replace(whole)
}

// waited takes the nth full catalogue, if none has followed it within partsWithin: of one that has begun since parts
// may be missing still.
func (f *feed) waited(nth int) {
	var whole *translate.Catalogue
	f.mu.Lock()
	if nth == f.begun {
		whole = f.wholeLocked()
	}
	f.mu.Unlock()
	f.replace(whole)
}

func (f *feed) wholeLocked() *translate.Catalogue {
	whole := f.arriving
	f.arriving = nil
	return whole
}

// replace has agents see a full catalogue. Of nil it does nothing.
func (f *feed) replace(whole *translate.Catalogue) {
	if whole != nil {
		f.cell.Replace(whole)
		f.changed()
	}
}

// reset forgets the parts of one that will not come to its end.
func (f *feed) reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.arriving = nil
}
