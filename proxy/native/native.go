// Package native passes requests of applications that speak ICWS themselves on to a site. What only the
// site's release decides, and catalogues that are proven to be what the site has, it answers itself, the
// latter to sessions that prove to be their caller's own. A request runs as Proxy.Passage ->
// Passage.RoundTrip -> the site.
package native

import (
	"context"
	"crypto/cipher"
	"net/netip"

	"portico/cache"
	"portico/proxy/icws"
	"portico/proxy/session"
	"portico/proxy/tracing"
)

// A Site is the one that ICWS applications reach through us.
type Site struct {
	Name       string
	ICWS       *icws.Client
	Key        session.Key // of what proves a session, and of host cookies
	Logins     Logins
	Languages  func(context.Context) []string // the site's, as it spells them
	Catalogues Catalogues                     // nil knows none
	Cells      *cache.Metrics
	Tracer     *tracing.Tracer
}

// Logins says who may try a password. Names and addresses count as those of /me do.
type Logins struct {
	// MayTry fails with fault.Throttled while too many log-ins of a name, or from an address, were refused.
	MayTry func(ctx context.Context, name string, from netip.Addr) error
	// Tried counts how a log-in ended: nil, or fault.Unauthenticated. Without a name it counts for the address alone.
	Tried func(ctx context.Context, name string, from netip.Addr, err error)
	// Enter waits for log-ins of the same name, if there are so many that one more could exceed a limit, and returns
	// what lets others, which is to be called after Tried. It fails as MayTry does, and with fault.Timeout when ctx ends.
	// Without a name it waits for none.
	Enter func(ctx context.Context, name string, from netip.Addr) (func(), error)
	// Opened is told whose session was opened, before others are let: the name that the log-in gave, and the one that the
	// site did.
	Opened func(name string)
}

// Catalogues knows catalogues that something proves to be what the site has now, such as a live
// subscription.
type Catalogues interface {
	// Proven returns the catalogue of the host at base in one of the site's languages, spelled as the
	// site spells it: the body of GET .../status/status-messages, as the site sends it. Without one, or
	// without proof, it returns false. It makes no call and does not wait. Callers share the body and
	// must not change it. Any number of goroutines may call it.
	Proven(base, language string) ([]byte, bool)
}

// A Proxy passes requests on to its site, and knows the sessions that were opened through it. Any number
// of goroutines may use it.
type Proxy struct {
	site     Site
	hosts    cipher.AEAD // seals them
	sessions *sessions
	releases *releases
}

// New returns the proxy of a site. It is freed by Close.
func New(site Site) *Proxy {
	return &Proxy{site: site, hosts: newHostSeal(site.Key), sessions: newSessions(site.Key), releases: newReleases(site)}
}

// Passage returns the passage of one request. Hosts are what callers sent back of Passage.Host.
func (n *Proxy) Passage(hosts []string) *Passage { return &Passage{proxy: n, hosts: hosts} }

// Sweep forgets sessions that were not heard of for long. It is to be called now and then.
func (n *Proxy) Sweep() { n.sessions.sweep() }

// LetGo ends the event streams, which would otherwise go on for as long as their sessions: a browser's
// opens the next one by itself. Streams that open later end at once.
func (n *Proxy) LetGo() { n.sessions.letGo() }

// Close forgets what was kept and ends what is under way.
func (n *Proxy) Close() {
	n.LetGo()
	n.releases.close()
}
