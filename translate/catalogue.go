package translate

import (
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"portico/translate/icwsapi"
)

// A Catalogue is a site's list of status messages in one language, in server order. It is
// immutable: any number of goroutines may read it.
type Catalogue struct {
	messages []icwsapi.StatusMessage
	byID     map[string]int // by folded id, and by ids as they are spelled, which need no folding then
	names    map[string]Named

	digesting sync.Once
	digest    [sha256.Size]byte
}

// NewCatalogue returns the catalogue of site. The site's name is part of the ids of custom states,
// so that two sites never share one. Of two entries with one id the later counts.
func NewCatalogue(site string, messages []icwsapi.StatusMessage) *Catalogue {
	c := &Catalogue{byID: make(map[string]int, len(messages))}
	for _, message := range messages {
		c.put(message)
	}
	c.names = nameAll(site, c.messages)
	return c
}

func (c *Catalogue) put(message icwsapi.StatusMessage) {
	id := fold(message.StatusID)
	at, known := c.byID[id]
	if !known {
		at = len(c.messages)
		c.messages = append(c.messages, message)
	}
	c.messages[at] = message
	c.byID[id], c.byID[message.StatusID] = at, at
}

// Messages returns the entries in server order. The caller must not change them.
func (c *Catalogue) Messages() []icwsapi.StatusMessage { return c.messages }

// ByID returns the entry with that id, ignoring case.
//
// Source: ICWS reference, status-messages: statusId is case-insensitive.
func (c *Catalogue) ByID(statusID string) (icwsapi.StatusMessage, bool) {
	at, known := c.byID[statusID]
	if !known {
		at, known = c.byID[fold(statusID)]
	}
	if !known {
		return icwsapi.StatusMessage{}, false
	}
	return c.messages[at], true
}

// Changed returns the catalogue of site after message: whole if the message is not a delta, else a
// changed copy. Removing or changing what is not there is no error; a change then adds.
func (c *Catalogue) Changed(site string, message icwsapi.StatusMessagesMessage) *Catalogue {
	if !message.IsDelta {
		return NewCatalogue(site, slices.Concat(message.StatusMessagesAdded, message.StatusMessagesChanged))
	}
	removed := make(map[string]bool, len(message.StatusMessagesRemoved))
	for _, id := range message.StatusMessagesRemoved {
		removed[fold(id)] = true
	}
	kept := slices.DeleteFunc(slices.Clone(c.messages), func(m icwsapi.StatusMessage) bool { return removed[fold(m.StatusID)] })
	return NewCatalogue(site, slices.Concat(kept, message.StatusMessagesChanged, message.StatusMessagesAdded))
}

// Digest returns a digest of everything the catalogue holds: equal catalogues have equal ones. It is made
// when it is asked for first.
func (c *Catalogue) Digest() [sha256.Size]byte {
	c.digesting.Do(func() {
		encoded, err := json.Marshal(c.messages)
		if err != nil {
			panic("translate: a catalogue of strings and booleans cannot fail to encode: " + err.Error())
		}
		c.digest = sha256.Sum256(encoded)
	})
	return c.digest
}

// Access is the set of statuses that one agent may be given. It is immutable. The nil Access holds
// nothing.
type Access struct {
	ids    []string // as the server spells them, sorted
	folded map[string]bool
}

// NewAccess returns the set of those ids.
func NewAccess(ids []string) *Access {
	a := &Access{folded: make(map[string]bool, len(ids))}
	for _, id := range ids {
		if !a.folded[fold(id)] {
			a.folded[fold(id)] = true
			a.ids = append(a.ids, id)
		}
	}
	slices.SortFunc(a.ids, func(x, y string) int { return strings.Compare(fold(x), fold(y)) })
	return a
}

// Has reports whether the agent may be given that status, ignoring case.
func (a *Access) Has(statusID string) bool { return a != nil && a.folded[fold(statusID)] }

// IDs returns the ids as the server spells them, sorted. The caller must not change them.
func (a *Access) IDs() []string { return a.list() }

func (a *Access) list() []string {
	if a == nil {
		return nil
	}
	return a.ids
}

// Changed returns the set after a change of it. full says that the change is all there is.
func (a *Access) Changed(change icwsapi.UserAccessChange, full bool) *Access {
	if full {
		return NewAccess(change.StatusMessagesAdded)
	}
	removed := NewAccess(change.StatusMessagesRemoved)
	kept := slices.DeleteFunc(slices.Clone(a.list()), removed.Has)
	return NewAccess(slices.Concat(kept, change.StatusMessagesAdded))
}

// Digest returns a digest of the set: equal sets have equal ones.
func (a *Access) Digest() [sha256.Size]byte {
	return sha256.Sum256([]byte(fold(strings.Join(a.list(), "\x00"))))
}

// fold returns the form in which ids of statuses, users and workgroups compare.
func fold(id string) string { return strings.ToLower(id) }

// same reports whether two ids compare equal. It makes no folded form of either.
func same(id, other string) bool { return strings.EqualFold(id, other) }
