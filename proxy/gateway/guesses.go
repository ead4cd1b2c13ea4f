package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"portico/proxy/fault"
	"portico/proxy/session"
	"portico/proxy/throttle"
)

// Guesses bound how many passwords may be tried that the site refuses. Zero fields stand for defaults.
type Guesses struct {
	PerName    int           // default 4, below what makes the usual site lock an agent out
	PerAddress int           // default 50
	Within     time.Duration // default 15 min
}

// knownFor is how long a name and an address count as known that logged in together.
const knownFor = 30 * 24 * time.Hour

// guesses decides who may try a password at a site. Any number of goroutines may use it.
//
// What strangers get refused counts for the name, for their address, and for both together; the last is
// one less than the name's, so that nobody can use up the tries of an agent at another address. A name and
// an address that logged in together are counted by themselves: neither strangers who guess at the name
// nor neighbours behind the same address keep such an agent out. They have no more tries than strangers,
// who could tell by that who has logged in from their address. Who proves to know the password of a
// live session, or its cookie, is not asked at all. Refused passwords alone count, whether or not the name
// has a route.
//
// A log-in is let in before it is known how it ends, so an address may exceed its limit by what the site
// is asked at the same moment; a name cannot, as its log-ins come one after the other.
type guesses struct {
	store  throttle.Store
	key    session.Key
	limits atomic.Pointer[guessLimits]
	names  namedLocks // one log-in of a native application a name at a time
}

type guessLimits struct{ together, name, addresses throttle.Limit }

func newGuesses(store throttle.Store, key session.Key) *guesses {
	if store == nil {
		store = throttle.NewMemory()
	}
	return &guesses{store: store, key: key}
}

// bound changes the limits. What was counted counts on.
func (g *guesses) bound(by Guesses) {
	perName, within := cmp.Or(by.PerName, 4), cmp.Or(by.Within, 15*time.Minute)
	g.limits.Store(&guessLimits{
		together:  throttle.Limit{Failures: max(1, perName-1), Within: within},
		name:      throttle.Limit{Failures: perName, Within: within},
		addresses: throttle.Limit{Failures: cmp.Or(by.PerAddress, 50), Within: within},
	})
}

// A tally is one key and its limit.
type tally struct {
	key   string
	limit throttle.Limit
}

// tallies are what a log-in counts for. A native log-in may have no name that we can read.
func (g *guesses) tallies(ctx context.Context, name string, from netip.Addr) ([]tally, error) {
	pair := g.keyOf("pair", name, from)
	known, err := g.store.Succeeded(ctx, pair)
	if err != nil {
		return nil, fmt.Errorf("gateway: look for known addresses: %w: %w", fault.Overloaded, err)
	}
	limits := g.limits.Load()
	address := tally{g.keyOf("address", "", from), limits.addresses}
	switch {
	case name == "":
		return []tally{address}, nil
	case known:
		return []tally{{"known" + pair, limits.together}}, nil
	}
	return []tally{address, {"stranger" + pair, limits.together}, {g.keyOf("name", name, netip.Addr{}), limits.name}}, nil
}

// mayTry fails with fault.Throttled while too many log-ins of a name or an address were refused.
func (g *guesses) mayTry(ctx context.Context, name string, from netip.Addr) error {
	counted, err := g.tallies(ctx, name, from)
	if err != nil {
		return err
	}
	var wait time.Duration
	for _, one := range counted {
		more, err := g.store.Wait(ctx, one.key, one.limit)
		if err != nil {
			return fmt.Errorf("gateway: count refused log-ins: %w: %w", fault.Overloaded, err)
		}
		wait = max(wait, more)
	}
	if wait > 0 {
		return &fault.Error{Kind: fault.Throttled, RetryAfter: wait}
	}
	return nil
}

// tried counts how a log-in ended.
func (g *guesses) tried(ctx context.Context, name string, from netip.Addr, refused bool) error {
	if !refused {
		if name == "" {
			return nil
		}
		return g.store.Succeed(ctx, g.keyOf("pair", name, from), knownFor)
	}
	counted, err := g.tallies(ctx, name, from)
	for _, one := range counted {
		err = errors.Join(err, g.store.Fail(ctx, one.key, one.limit))
	}
	return err
}

// keyOf returns the key of a name and an address, of which a store needs to know neither. Of an IPv6
// address the network counts: its caller may choose the rest.
func (g *guesses) keyOf(kind, name string, from netip.Addr) string {
	if from.Is6() {
		network, _ := from.Prefix(64)
		from = network.Addr()
	}
	return string(g.key.Seal("guesses", kind, strings.ToLower(name), from.String()))
}

// calledFrom reports whether the agent's password was last seen from another address.
func (a *Agent) calledFrom(from netip.Addr) bool {
	before := a.from.Load()
	if before != nil && *before == from {
		return false
	}
	a.from.Store(&from)
	return true
}
