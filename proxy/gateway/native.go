package gateway

import (
	"context"
	"net/netip"

	"portico/proxy/catalogues"
	"portico/proxy/guesses"
	"portico/proxy/native"
)

// nativeSite returns a site as applications that speak ICWS reach it.
func (g *Gateway) nativeSite(at *icwsSite) native.Site {
	site := native.Site{Name: at.Name, ICWS: at.ICWS, Key: g.key, Languages: at.ICWS.Languages, Cells: at.cells, Tracer: at.tracer,
		Logins: g.nativeLogins(at.Name)}
	if at.groups != nil {
		site.Catalogues = catalogues.NewNative(at.Name, at.groups, g.forms)
	}
	return site
}

// nativeLogins says who may try a password at a site where names are the site's own.
func (g *Gateway) nativeLogins(site string) native.Logins {
	named := func(name string) []guesses.Account {
		if name == "" {
			return nil
		}
		return []guesses.Account{{Site: site, Name: name}}
	}
	return native.Logins{
		MayTry: func(ctx context.Context, name string, from netip.Addr) error {
			return g.guesses.MayTry(ctx, named(name), from)
		},
		Tried: func(ctx context.Context, name string, from netip.Addr, err error) {
			g.tried(ctx, named(name), from, err)
		},
		Enter: func(ctx context.Context, name string, from netip.Addr) (func(), error) {
			one := guesses.Account{Site: site, Name: name}
			leave, err := g.enterNative(ctx, one, from)
			if err != nil {
				return nil, err
			}
			g.lateEnds.hold([]guesses.Account{one})
			return func() { g.lateEnds.release([]guesses.Account{one}); leave() }, nil
		},
		Opened: func(name string) { g.lateEnds.stop(named(name)) },
	}
}

// enterNative is Enter of the gate, and of an account without a name, as of a log-in with a token, for the address alone.
func (g *Gateway) enterNative(ctx context.Context, one guesses.Account, from netip.Addr) (func(), error) {
	if one.Name == "" {
		return func() {}, g.guesses.MayTry(ctx, nil, from)
	}
	return g.guesses.Enter(ctx, one, from)
}

// Native returns the passage of one request of an application that speaks ICWS itself; nil if no site is for
// those. Hosts are what callers sent back of native.Passage.Host.
func (g *Gateway) Native(hosts []string) *native.Passage {
	if g.native == nil {
		return nil
	}
	return g.native.Passage(hosts)
}

// ReleaseNative ends the event streams of native applications.
func (g *Gateway) ReleaseNative() {
	if g.native != nil {
		g.native.LetGo()
	}
}
