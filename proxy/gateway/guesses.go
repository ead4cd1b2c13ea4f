package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
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
// A name is that of an account: of several login names that a route makes one account of a site, the tries
// are one account's.
//
// What strangers get refused counts for the name, for their address, and for both together; the last is
// one less than the name's, so that nobody can use up the tries of an agent at another address. A name and
// an address that logged in together are counted by themselves: neither strangers who guess at the name
// nor neighbours behind the same address keep such an agent out. They have no more tries than strangers,
// who could tell by that who has logged in from their address. Who proves to know the password of a
// live session, or its cookie, is not asked at all. Refused passwords alone count, whether or not the name
// has a route; what else a site refuses of a native application counts for the address, and so does a name that can be
// no account's, which the site is not asked about.
//
// A log-in is let in before it is known how it ends, so an address may exceed its limit by what the site
// is asked at the same moment; a name cannot in one process, as its log-ins come one after the other: those of
// /me, and those of native applications, but for what enter lets in at once.
type guesses struct {
	store  throttle.Store
	key    session.Key
	limits atomic.Pointer[guessLimits]
	names  namedLocks // one log-in of a native application a name at a time: see enter
	held   namedLocks // one log-in of /me an account at a time

	underWay flights // log-ins of native applications where name and address are known
}

// An account is what a password is tried on: a name at a site, as the route of a login name has it.
type account struct{ site, name string }

// accountsOf returns what a login name's password is tried on. One without a route counts for what some
// route might make of it, as those with a route do: see Policy.
func (g *Gateway) accountsOf(login string) []account {
	route, _ := g.policy().Route(login)
	if len(route.Stops) == 0 {
		return []account{{name: login}}
	}
	tried := make([]account, len(route.Stops))
	for i, stop := range route.Stops {
		tried[i] = account{stop.Site, stop.Login}
	}
	return tried
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

// tallies are what a log-in counts for. A native log-in may be of no account that we can read.
func (g *guesses) tallies(ctx context.Context, accounts []account, from netip.Addr) ([]tally, error) {
	limits := g.limits.Load()
	var counted []tally
	stranger := len(accounts) == 0
	for _, one := range accounts {
		pair := g.keyOf("pair", one, from)
		known, err := g.knows(ctx, pair)
		if err != nil {
			return nil, err
		}
		if known {
			counted = append(counted, tally{knownKey(pair), limits.together})
			continue
		}
		stranger = true
		counted = append(counted, tally{"stranger" + pair, limits.together}, tally{g.keyOf("name", one, netip.Addr{}), limits.name})
	}
	if stranger {
		counted = append(counted, tally{g.keyOf("address", account{}, from), limits.addresses})
	}
	return counted, nil
}

// knows reports whether an account and an address logged in together before.
func (g *guesses) knows(ctx context.Context, pair string) (bool, error) {
	known, err := g.store.Succeeded(ctx, pair)
	if err != nil {
		return false, fmt.Errorf("gateway: look for known addresses: %w: %w", fault.Overloaded, err)
	}
	return known, nil
}

func knownKey(pair string) string { return "known" + pair }

// mayTry fails with fault.Throttled while too many log-ins of one of the accounts or an address were refused.
func (g *guesses) mayTry(ctx context.Context, accounts []account, from netip.Addr) error {
	counted, err := g.tallies(ctx, accounts, from)
	if err != nil {
		return err
	}
	var wait time.Duration
	for _, one := range counted {
		more, err := g.waitWith(ctx, one, 0)
		if err != nil {
			return err
		}
		wait = max(wait, more)
	}
	if wait > 0 {
		return &fault.Error{Kind: fault.Throttled, RetryAfter: wait}
	}
	return nil
}

// tried counts how a log-in ended. One that a site refused counts for all accounts that the password was
// tried on.
func (g *guesses) tried(ctx context.Context, accounts []account, from netip.Addr, refused bool) error {
	var err error
	if !refused {
		for _, one := range accounts {
			err = errors.Join(err, g.store.Succeed(ctx, g.keyOf("pair", one, from), knownFor))
		}
		return err
	}
	counted, err := g.tallies(ctx, accounts, from)
	for _, one := range counted {
		err = errors.Join(err, g.store.Fail(ctx, one.key, one.limit))
	}
	return err
}

// lock waits until no other log-in of /me tries a password on one of the accounts, and returns what lets the
// next one.
func (g *guesses) lock(ctx context.Context, accounts []account) (func(), error) {
	var keys []string
	for _, one := range accounts {
		keys = append(keys, g.keyOf("lock", one, netip.Addr{}))
	}
	slices.Sort(keys) // nobody waits for one who waits for them
	unlock := func() {}
	for _, key := range slices.Compact(keys) {
		free, err := g.held.lock(ctx, key)
		if err != nil {
			unlock()
			return nil, err
		}
		rest := unlock
		unlock = func() {
			free()
			rest()
		}
	}
	return unlock, nil
}

// keyOf returns the key of an account and an address, of which a store needs to know neither. Of an IPv6
// address the network counts: its caller may choose the rest.
func (g *guesses) keyOf(kind string, of account, from netip.Addr) string {
	if from.Is6() {
		network, _ := from.Prefix(64)
		from = network.Addr()
	}
	return string(g.key.Seal("guesses", kind, of.site, strings.ToLower(strings.TrimSpace(of.name)), from.String()))
}

// tried counts how a log-in ended: let in, or refused. One that failed otherwise tells nothing.
func (g *Gateway) tried(ctx context.Context, accounts []account, from netip.Addr, err error) {
	refused := errors.Is(err, fault.Unauthenticated)
	if err != nil && !refused {
		return
	}
	err = g.guesses.tried(ctx, accounts, from, refused)
	if err != nil {
		g.log.Error("a log-in could not be counted", "cause", err.Error())
	}
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
