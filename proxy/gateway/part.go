package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"portico/proxy/fault"
	"portico/proxy/states"
	"portico/translate"
	"portico/translate/htccapi"
)

// A part is an agent at one site: the upstream session there, and what is known of the agent's
// state. Any number of goroutines may call its methods. Those that return an error fail with
// fault.Unauthenticated when the part has ended, else with the kind of the upstream failure.
type part interface {
	siteName() string
	look() PartView            // for operators, without asking the site
	watch(ctx context.Context) // keeps the part current until ctx ends
	reused()                   // counts a log-in that was not sent
	close(logOut bool) lateEnd // drops what is kept; what is left are an End that is to be made up for, and if logOut the upstream session

	readable
	operable
	contactable
	notifying
	replicated
}

// readable is what a part is to those who read /me (me.go).
type readable interface {
	// show returns what the agent's channels and devices are. A site that cannot be reached shows
	// no channels, and devices without a state.
	show(ctx context.Context) (shown, error)

	// absent is show for a site that cannot be reached, without asking it.
	absent() shown

	// reached is show for who asks whether the site could be.
	reached(ctx context.Context) bool

	// user returns who the agent is, with what the site has of the named sub-resources.
	user(ctx context.Context, subresources []string) (person, error)

	// states returns the states that the agent may choose here, in the site's order.
	states(ctx context.Context) ([]states.State, error)

	// has returns the channels that the agent has here; nil means that the site is to say.
	has() []htccapi.MediaChannel
}

// operable is what a part is to operations on the agent's state (operations.go).
type operable interface {
	// set carries out an operation on one channel, or on all that count. What became of it is told
	// for each channel; none means that no channel counts.
	set(ctx context.Context, ask Ask) ([]result, error)

	// covered returns the channels that an operation on channel covers, on all that count if it
	// is "".
	covered(channel htccapi.MediaChannel) []htccapi.MediaChannel
}

// contactable is what a part is to Start and End (contact.go).
type contactable interface {
	// reopen opens an upstream session in place of one that is gone for good, with the kept password,
	// else with the one that the caller presented. A part that has not ended needs none.
	reopen(ctx context.Context, presented string) error

	// start makes channels the agent's here, and no others. oweStart notes that it could not be tried.
	start(ctx context.Context, channels []htccapi.MediaChannel, ask Ask) ([]result, error)
	oweStart(channels []htccapi.MediaChannel, ask Ask)

	// finish takes the agent out of work. Nothing else changes their state here until the caller
	// calls what it returns. A site that cannot be reached keeps nobody logged in: if the session has ended by then, what
	// close returns takes them out of work.
	finish(ctx context.Context) (func(), error)
}

// notifying is what a part is to what the agent's applications are told (tell.go, takeover.go).
type notifying interface {
	// kept is what was shown last or would be now, without asking the site. current reports whether that is
	// what the site has, or will never be known better.
	kept() shown
	current() bool

	// hasShown reports whether the part knows what the agent's applications are shown of it first.
	hasShown() bool

	// tell has the part tell of changes from now on, or no more, and returns what it shows at that moment: each
	// change is in there, or told. Another replica may have told of writes whose completion is still to come.
	tell(changes bool) standing

	// tellAll tells all that the part shows, if it tells of changes.
	tellAll()

	// notified returns the channels as notifications carry them, without asking the site.
	notified() []any
}

// replicated is what a part is to other replicas.
type replicated interface {
	record() []byte          // of the upstream session; nil while there is none
	learnRecord([]byte) bool // takes such a record if it says that the part has ended, or begun again, at another replica
	goOn([]byte) bool        // takes such a record if it is of an upstream session that is not the part's
	wishes() []byte          // what the agent asked for and the site does not know; nil if nothing was
	recall(wishes []byte)    // takes those of another replica

	// behind notes that the agent's state was changed at another replica: what the site pushes may come after a
	// read that is to show it.
	behind()
}

// An Ask is a state operation: as the door decoded it, and as it came.
type Ask struct {
	translate.Request
	Body     json.RawMessage // the whole body: HTCC sites get members that Portico does not know
	Password string          // that came with it; "" if none
}

// A Resource is a JSON object of the API and what it is found by: the id of a device, the name of
// a channel, the operationName of a state.
type Resource struct {
	ID   string
	Body any
}

// shown is what an agent has at one site.
type shown struct {
	channels []Resource
	devices  []Resource

	age  time.Duration // since the site last showed that nothing else holds
	from source
	kept *Kept // of an agent who is shown nothing else; nil if nothing tells when it changes
}

// A source is where what is shown of an agent comes from.
type source string

const (
	fromPush source = "push" // kept by what the site pushes
	fromRead source = "read" // read because a caller asked
)

// person is who an agent is at one site, as far as that is known.
type person struct {
	object   any // the agent object
	features []Resource
	more     map[string]any // sub-resources, by name
	unread   bool           // others could not be asked for
}

// result is what became of an operation on one channel.
type result struct {
	channel htccapi.MediaChannel
	err     error
}

// each gives every channel the same result.
func each(channels []htccapi.MediaChannel, err error) []result {
	results := make([]result, len(channels))
	for i, channel := range channels {
		results[i] = result{channel, err}
	}
	return results
}

// offersNone reports an operation after which no work is offered at any site.
func offersNone(op htccapi.Operation) bool {
	return op == htccapi.NotReady || op == htccapi.DoNotDisturbOn
}

// uncertain reports whether a failed call may have been carried out: no answer came, or none that
// could be read.
func uncertain(err error) bool {
	return errors.Is(err, fault.Timeout) || errors.Is(err, fault.Unreachable) || errors.Is(err, fault.BadUpstream)
}

func mustEncode(v any) json.RawMessage {
	encoded, err := json.Marshal(v)
	if err != nil {
		panic("gateway: a constant cannot fail to encode: " + err.Error())
	}
	return encoded
}
