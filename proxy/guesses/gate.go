// Package guesses decides who may try a password at a site, so that nobody finds one out, and nobody who knows theirs is
// kept out by somebody who does not. What it counts in is proxy/throttle's.
package guesses

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

// Limits bound how many passwords may be tried that the site refuses. Zero fields stand for defaults.
type Limits struct {
	PerName    int           // default 4, below what makes the usual site lock an agent out
	PerAddress int           // default 50
	Within     time.Duration // default 15 min
}

// knownFor is how long a name and an address count as known that logged in together.
const knownFor = 30 * 24 * time.Hour

// A Gate decides who may try a password at a site. Any number of goroutines may use it.
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
// /me, and those of native applications, but for what Enter lets in at once.
type Gate struct {
	store  throttle.Store
	key    session.Key
	limits atomic.Pointer[limits]
	names  NamedLocks // one log-in of a native application a name at a time: see Enter
	held   NamedLocks // one log-in of /me an account at a time

	underWay flights // log-ins of native applications where name and address are known
}

// An Account is what a password is tried on: a name at a site, as the route of a login name has it.
type Account struct{ Site, Name string }

type limits struct{ together, name, addresses throttle.Limit }

// NewGate returns a gate whose counts are in store, in this process if that is nil, with the
// limits that are the defaults.
func NewGate(store throttle.Store, key session.Key) *Gate {
	if store == nil {
		store = throttle.NewMemory()
	}
	g := &Gate{store: store, key: key}
	g.Bound(Limits{})
	return g
}

// Bound changes the limits. What was counted counts on.
func (g *Gate) Bound(by Limits) {
	perName, within := cmp.Or(by.PerName, 4), cmp.Or(by.Within, 15*time.Minute)
	g.limits.Store(&limits{
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
func (g *Gate) tallies(ctx context.Context, accounts []Account, from netip.Addr) ([]tally, error) {
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
		counted = append(counted, tally{g.keyOf("address", Account{}, from), limits.addresses})
	}
	return counted, nil
}

// knows reports whether an account and an address logged in together before.
func (g *Gate) knows(ctx context.Context, pair string) (bool, error) {
	known, err := g.store.Succeeded(ctx, pair)
	if err != nil {
		return false, storeDown("look for known addresses", err)
	}
	return known, nil
}

// storeRetry is when it is worth trying again once the store did not answer.
const storeRetry = 2 * time.Second

// storeDown is what callers are told who cannot be judged, while the store does not answer.
func storeDown(what string, err error) error {
	return &fault.Error{Kind: fault.Overloaded, RetryAfter: storeRetry, Err: fmt.Errorf("guesses: %s: %w", what, err)}
}

func knownKey(pair string) string { return "known" + pair }

// MayTry fails with fault.Throttled while too many log-ins of one of the accounts or an address were refused.
func (g *Gate) MayTry(ctx context.Context, accounts []Account, from netip.Addr) error {
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

// Tried counts how a log-in ended. One that a site refused counts for all accounts that the password was
// tried on.
func (g *Gate) Tried(ctx context.Context, accounts []Account, from netip.Addr, refused bool) error {
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

// Lock waits until no other log-in of /me tries a password on one of the accounts, and returns what lets the
// next one.
func (g *Gate) Lock(ctx context.Context, accounts []Account) (func(), error) {
	var keys []string
	for _, one := range accounts {
		keys = append(keys, g.keyOf("lock", one, netip.Addr{}))
	}
	slices.Sort(keys) // nobody waits for one who waits for them
	unlock := func() {}
	for _, key := range slices.Compact(keys) {
		free, err := g.held.Lock(ctx, key)
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
func (g *Gate) keyOf(kind string, of Account, from netip.Addr) string {
	if from.Is6() {
		network, _ := from.Prefix(64)
		from = network.Addr()
	}
	return string(g.key.Seal("guesses", kind, of.Site, strings.ToLower(strings.TrimSpace(of.Name)), from.String()))
}
