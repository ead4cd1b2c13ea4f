// Package session is what Portico knows of a logged-in agent, and the Store it is kept in. What
// belongs to this process alone (streams, caches, locks) is the gateway's.
package session

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"time"
)

// ErrNotFound is what a Store answers for a session it does not have.
var ErrNotFound = errors.New("session: not found")

// A Session is a logged-in agent. One login name has at most one.
type Session struct {
	ID       string // value of the cookie: 256 random bits
	Login    string // lower-cased
	Language string // as the first log-in asked for it, an Accept-Language value
	Proof    []byte // keyed hash of login name and password
	Created  time.Time

	// Upstreams are what another process needs to go on with the upstream session at each site, by
	// the site's name, where replicas share sessions. They hold secrets, but never a password.
	Upstreams map[string][]byte

	// Catalogues say which catalogue the session has at each site, by the site's name, where each session
	// has its own: so no process fetches one that another has fetched for it.
	Catalogues map[string]Catalogue

	// Access says which statuses the agent may be given at each site, by the site's name.
	Access map[string]Access

	// Wishes are what the agent asked for and a site does not know, by the site's name, where replicas
	// share sessions. Wished is how often they were changed: a session that was read from the store may be older than
	// what is known of it. One that a process wrote which does not count has 0.
	Wishes map[string][]byte
	Wished int

	// Asked is when each of the Wishes was asked for, in milliseconds of the store's own clock, since those of processes
	// differ. One that a process put there which does not say so is not among them.
	Asked map[string]int64 `json:",omitempty"`

	// Vanished is how often another replica than the one that reads for the agent has shown a site, by its name, as away that
	// is there again: the applications are to be told so.
	Vanished map[string]int `json:",omitempty"`

	// Now is that clock while Update changes the session, else 0.
	Now int64 `json:"-"`
}

// An Access is what replicas tell each other of an access list.
type Access struct {
	Known bool
	IDs   string // one a line
	Epoch int64  // since the purge that it was fetched after
	Stale bool   // nothing tells the replica that reads for the session of changes
}

// A Catalogue is what replicas tell each other of a catalogue. What it holds is kept elsewhere.
type Catalogue struct {
	Version string // of its content
	Epoch   int64  // since the purge that it was fetched after
	Stale   bool   // nothing tells the replica that reads for the session of changes
}

// String names the agent, never a secret.
func (s Session) String() string { return fmt.Sprintf("session of %q", s.Login) }

// Format prints String for every verb, since %+v and %#v would print the fields.
func (s Session) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue is what slog writes of a Session.
func (s Session) LogValue() slog.Value { return slog.StringValue(s.String()) }

// A Store keeps sessions, in this process or for all replicas. Any number of goroutines may call its
// methods. What they are given is copied; what they return nobody changes.
//
// A session is kept for its life, which Touch begins anew; a life of 0 has no end. One whose life is
// over is not found any more.
type Store interface {
	// Get returns the session with that id, or ErrNotFound.
	Get(ctx context.Context, id string) (Session, error)
	// ByLogin returns the session of that login name, or ErrNotFound.
	ByLogin(ctx context.Context, login string) (Session, error)
	// Put keeps the session, in place of any other of its login name. An id has one login name for good.
	Put(ctx context.Context, s Session, life time.Duration) error
	// Create keeps the session unless its login name has one. It returns the one that is kept.
	Create(ctx context.Context, s Session, life time.Duration) (Session, error)
	// Update changes the session with that id in one step and returns it, or ErrNotFound. change may be
	// called more than once; it leaves id and login name as they are, and finds the store's clock in Now.
	Update(ctx context.Context, id string, change func(*Session)) (Session, error)
	// Touch begins the life of the session anew, or returns ErrNotFound.
	Touch(ctx context.Context, id string, life time.Duration) error
	// Expire forgets the session if its life is over, and reports whether this call did: of several
	// processes that find it idle one closes what it has at the sites.
	Expire(ctx context.Context, id string) (bool, error)
	// Delete forgets the session. That there is none is no error.
	Delete(ctx context.Context, id string) error
	// Len returns how many sessions there are, about.
	Len(ctx context.Context) (int, error)
}

// With returns a copy of what a session has by site, with one more: others may be reading what is given.
func With[V any](all map[string]V, site string, one V) map[string]V {
	all = maps.Clone(all)
	if all == nil {
		all = map[string]V{}
	}
	all[site] = one
	return all
}

// NewID returns an id that nobody can guess.
func NewID() string {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails: it ends the process instead
	return base64.RawURLEncoding.EncodeToString(random)
}
