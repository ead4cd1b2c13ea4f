package push

import (
	"context"
	"errors"
	"time"
)

// A Journal is what servers share that serve the same owners, so that a client which shook hands with
// one of them goes on at any other under its id. It keeps for each owner the newest events, numbered
// from 1 without a gap, and a record of each client. One server at a time serves a client: the one
// that took it last, which keeps what it needs in memory and saves what another would have to know.
//
// Any number of goroutines may call its methods, none of which takes longer than the journal's own limit.
type Journal interface {
	// Append puts an entry at the end of owner's events and tells the servers that serve clients of
	// owner. It returns the entry's position, or 0 if owner has no client anywhere, and nothing is kept. To append
	// the entry again that is at the end changes nothing: who did not get an answer may try once more.
	Append(ctx context.Context, owner string, e Entry) (position uint64, err error)

	// Mark notes what is known to owner's applications, as Entry.Mark does, and returns what was noted
	// before, "" if nothing was, or it is forgotten. Without a mark it only looks, and keeps what is noted for MarksKept
	// more.
	Mark(ctx context.Context, owner, mark string) (before string, err error)

	// Since returns the entries after a position, in order, as far as they are kept. Its Last is the
	// position of the newest event, be it kept or not.
	Since(ctx context.Context, owner string, position uint64) (Entries, error)

	// Create notes a new client that this server serves, with Turn 1, and returns the position of the newest
	// event. It fails with ErrFull when owner has as many clients as it may.
	Create(ctx context.Context, owner string, r Record, most int) (last uint64, err error)

	// Take has this server serve a client from now on, whoever did, and tells that one. It returns the record
	// with its next Turn and the entries after Record.Seen, or ErrUnknown, also if those cannot be read. connecting says that the
	// client is known to wait here and nowhere else.
	Take(ctx context.Context, owner, id string, connecting bool) (Record, Entries, error)

	// Save replaces the record of a client that this server serves in Record.Turn, unless a later Version
	// is there. It fails with ErrUnknown if the client is not served here any more.
	Save(ctx context.Context, owner string, r Record) error

	// Renew keeps the clients of owner that this server serves, given by their id and turn, from being
	// forgotten. It returns the position of owner's newest event, and those clients that another server
	// serves by now, or none does.
	Renew(ctx context.Context, owner string, turns map[string]uint64) (last uint64, lost []string, err error)

	// Remove forgets a client that this server serves in a turn.
	Remove(ctx context.Context, owner, id string, turn uint64) error

	// End forgets all clients and events of owner, and tells the servers that serve some.
	End(ctx context.Context, owner string, a Advice) error

	// Listen calls hear, one call after the other, with what other servers tell this one, until ctx ends.
	Listen(ctx context.Context, hear func(Notice)) error
}

// MarksKept is how long a Journal keeps what is known to an owner's applications at least, and for as long as there are
// clients and events of the owner.
const MarksKept = 10 * time.Minute

// Errors of a Journal. Others say that it could not be asked, or that what became of it is not known.
var (
	ErrUnknown = errors.New("push: no such client is served here")
	ErrFull    = errors.New("push: too many clients")
)

// A Record is what a server has to know to go on with a client.
type Record struct {
	ID       string
	Browser  string // its cookie
	Ack      bool   // it acknowledges
	Patterns []Subscription
	Seen     uint64 // the last event that it has, or that was not for it, with all before
	Batch    int64  // of the next answer, if it acknowledges
	Sent     []Sent // what went out after Seen and was not acknowledged yet, in order
	Turn     uint64 // how many servers have taken it
	Version  uint64 // of what was saved in this turn
}

// A Subscription is to the events after a position.
type Subscription struct {
	Pattern string
	After   uint64
}

// A Sent is a batch that went out with the events up to a position.
type Sent struct {
	Batch int64
	Upto  uint64
}

// An Entry is an event as it stands in the journal.
type Entry struct {
	ID       string // of no other entry
	Channel  string
	Text     []byte // {"data":...,"channel":...}
	Mark     string // what owner's applications know once they have it; "" leaves that as it is
	Position uint64

	// Had tells of clients that had the entry before it was put here, because that did not work at once.
	Had []Had
}

// A Had is a client that was given an entry by the server that put it into the journal late.
type Had struct {
	Client string
	Batch  int64 // that it went out with and that was not acknowledged there; 0: the client has it for good
}

// Entries are some of an owner's events, in order.
type Entries struct {
	All  []Entry
	Last uint64 // position of the owner's newest event
}

// A Notice is what one server tells another.
type Notice struct {
	Owner string
	Event *Entry // was appended

	// Client was taken by another server, in this Turn. Connecting says that its held connect is not
	// waited for any more.
	Client     string
	Turn       uint64
	Connecting bool

	Ended  bool // all clients of Owner are to end
	Advice Advice

	Missed bool // notices may have been lost
}
