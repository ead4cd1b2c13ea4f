package gateway

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"portico/proxy/fault"
	"portico/proxy/guesses"
	"portico/proxy/upstream"
)

// mayLogIn reports whether the sites may be asked about a name and password. agent is who is logged in
// under the name, nil if nobody is. A name without a route is judged as all others are.
func (g *Gateway) mayLogIn(ctx context.Context, agent *Agent, c Caller, proof []byte) error {
	err := g.mayTry(ctx, agent, c.Login, proof)
	if err != nil {
		return err
	}
	return g.mayGuess(ctx, c)
}

// mayTry reports whether a name and password were refused, or the name logged off, a moment ago. It fails
// with fault.Overloaded when the store that replicas share cannot say.
func (g *Gateway) mayTry(ctx context.Context, agent *Agent, login string, proof []byte) error {
	refused, err := g.isRefused(ctx, login, proof)
	if err != nil {
		return storeDown(err)
	}
	if refused {
		return fmt.Errorf("gateway: log in: refused a moment ago: %w", fault.Unauthenticated)
	}
	if agent != nil {
		return nil
	}
	barred, err := g.barred.Has(ctx, login)
	if err != nil {
		return storeDown(err)
	}
	if barred {
		return fmt.Errorf("gateway: log in: logged off by the site or an operator a moment ago: %w", fault.Unauthenticated)
	}
	return nil
}

// rememberRefused remembers that a name's password was refused.
func (g *Gateway) rememberRefused(ctx context.Context, login string, proof []byte) {
	g.refused.Add(ctx, g.refusal(login, proof))
}

// isRefused reports whether it was a moment ago. It fails if the store that replicas share cannot say.
func (g *Gateway) isRefused(ctx context.Context, login string, proof []byte) (bool, error) {
	return g.refused.Has(ctx, g.refusal(login, proof))
}

// refusal is what a refused password is remembered by: with what it was tried on, since nobody has called it wrong where
// other routes lead.
func (g *Gateway) refusal(login string, proof []byte) string {
	route, _ := g.policy().Route(login)
	tried := slices.Clone(proof)
	for _, stop := range route.Stops {
		tried = append(append(tried, 0), stop.Site...)
		tried = append(append(tried, 0), stop.Login...)
	}
	return string(tried)
}

// mayGuess is guesses.Gate.MayTry, counted at the sites that are not asked.
func (g *Gateway) mayGuess(ctx context.Context, c Caller) error {
	err := g.guesses.MayTry(ctx, g.accountsOf(c.Login), c.Address)
	route, found := g.policy().Route(c.Login)
	if found && errors.Is(err, fault.Throttled) {
		for _, stop := range route.Stops {
			g.sites[stop.Site].limited()
		}
	}
	return err
}

// refuseName refuses a name that can be no account's: it counts for the address that it came from.
func (g *Gateway) refuseName(ctx context.Context, from netip.Addr) error {
	err := g.guesses.MayTry(ctx, nil, from)
	if err != nil {
		return err
	}
	g.tried(ctx, nil, from, fault.Unauthenticated)
	return fmt.Errorf("gateway: log in: a name with characters of no name: %w", fault.Unauthenticated)
}

var errNoRoute = fmt.Errorf("gateway: log in: no route for the name: %w", fault.Unauthenticated)

// turnAway refuses a name without a route, and takes as long as a site takes to refuse one: nobody outside
// can tell which names have a route.
func (g *Gateway) turnAway(ctx context.Context) error {
	err := upstream.Sleep(ctx, g.refusals.any())
	if err != nil {
		return fmt.Errorf("gateway: log in: %w: %w", fault.Timeout, err)
	}
	return errNoRoute
}

// usualRefusal is how long a refusal is taken to last while no site has refused anybody.
const usualRefusal = 30 * time.Millisecond

// times are how long the last of some things took. The zero value is ready; any number of goroutines may
// use it.
type times struct {
	mu   sync.Mutex
	took [16]time.Duration // guarded by mu
	n    int               // how many there were in all; guarded by mu
}

func (t *times) add(took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.took[t.n%len(t.took)] = took
	t.n++
}

// any returns one of them by chance, as times vary.
func (t *times) any() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == 0 {
		return usualRefusal
	}
	return t.took[rand.IntN(min(t.n, len(t.took)))]
}

// SitesOf returns the sites that a login name leads to, with commas between them; "" if it leads nowhere.
func (g *Gateway) SitesOf(login string) string {
	route, _ := g.policy().Route(strings.ToLower(login))
	var names []string
	for _, stop := range route.Stops {
		names = append(names, stop.Site)
	}
	return strings.Join(names, ",")
}

// accountsOf returns what a login name's password is tried on. One without a route counts for what some
// route might make of it, as those with a route do: see Policy.
func (g *Gateway) accountsOf(login string) []guesses.Account {
	route, _ := g.policy().Route(login)
	if len(route.Stops) == 0 {
		return []guesses.Account{{Name: login}}
	}
	tried := make([]guesses.Account, len(route.Stops))
	for i, stop := range route.Stops {
		tried[i] = guesses.Account{Site: stop.Site, Name: stop.Login}
	}
	return tried
}

// tried counts how a log-in ended: let in, or refused. One that failed otherwise tells nothing.
func (g *Gateway) tried(ctx context.Context, accounts []guesses.Account, from netip.Addr, err error) {
	refused := errors.Is(err, fault.Unauthenticated)
	if err != nil && !refused {
		return
	}
	err = g.guesses.Tried(ctx, accounts, from, refused)
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
