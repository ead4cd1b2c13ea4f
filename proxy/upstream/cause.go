package upstream

import "context"

// A Cause says on whose behalf a call is made.
type Cause string

// The causes of calls.
const (
	Client  Cause = "client"  // a caller asked for it
	Retry   Cause = "retry"   // a call that is repeated
	Refresh Cause = "refresh" // kept state is read anew
	Session Cause = "session" // the life of a session
	Probe   Cause = "probe"   // is the site there
	Stream  Cause = "stream"  // a reader: its streams, polls and subscriptions
)

var causes = []Cause{Client, Retry, Refresh, Session, Probe, Stream, other}

type causeKey struct{}

// WithCause returns a context whose calls are counted under cause.
func WithCause(ctx context.Context, cause Cause) context.Context {
	return context.WithValue(ctx, causeKey{}, cause)
}

// CauseOf returns the cause that ctx carries, else Client.
func CauseOf(ctx context.Context) Cause {
	cause, ok := ctx.Value(causeKey{}).(Cause)
	if !ok {
		return Client
	}
	return known(causes, cause)
}

// known returns value if the vocabulary has it, else other.
func known[T ~string](vocabulary []T, value T) T {
	for _, v := range vocabulary {
		if v == value {
			return value
		}
	}
	return other
}
