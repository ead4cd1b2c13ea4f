package gateway

import (
	"context"
	"crypto/hmac"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"portico/proxy/clock"
	"portico/proxy/fault"
	"portico/proxy/session"
	"portico/proxy/wishes"
	"portico/translate/htccapi"
)

// An Agent is a logged-in agent in this process. Any number of goroutines may use it.
type Agent struct {
	gateway    *Gateway
	short      string          // what the log calls the session
	life       context.Context // ends with the session
	end        context.CancelFunc
	route      Route
	parts      []part // in the order of the route
	outbox     outbox
	used       clock.Instant              // when a caller used the session last
	passing    atomic.Int32               // requests that are being passed through
	from       atomic.Pointer[netip.Addr] // where the password last came from
	leased     atomic.Bool                // of replicas this one receives what the sites push
	tells      atomic.Bool                // and marks what the agent's applications are told
	tellsSince clock.Instant              // when another replica did before
	unmarked   atomic.Bool                // what other replicas told is not known, since the store did not say
	operating  atomic.Int32               // operations of the agent that are carried out here
	remade     clock.Instant              // when what it has lost of the agent was made good last
	touched    time.Time                  // the use that the store knows of; fleet.tend's alone
	work       sync.WaitGroup             // what is to be over before nothing of the session is left

	mu       sync.Mutex
	session  session.Session       // guarded by mu, but for ID and Login, which never change; what it says of wishes is ledger's
	password string                // guarded by mu; "" if not kept
	provedBy []byte                // the proof of that password: the session's, unless it was changed at another replica; guarded by mu
	ended    bool                  // guarded by mu
	ledger   wishes.Ledger         // of what the agent asked for; guarded by mu
	before   map[string]recordHead // what the store had of the upstream sessions before session has what it has now; guarded by mu
	absences map[part]int          // how often parts were shown here as vanished, until they are in view again (vanished.go); guarded by mu
	over     map[part]bool         // parts that have ended; guarded by mu, and changed under the part's lock
}

// newAgent makes the agent of new upstream sessions, one for each site of the route; nil for one
// that is to be opened later.
func newAgent(g *Gateway, s session.Session, route Route, opened []opening) *Agent {
	a := &Agent{gateway: g, short: g.key.ShortName(s.ID), session: s, route: route}
	a.life, a.end = context.WithCancel(context.Background())
	for i, stop := range route.Stops {
		a.parts = append(a.parts, g.sites[stop.Site].part(a, stop.Login, opened[i]))
	}
	a.use()
	return a
}

// SessionID returns the value of the agent's session cookie.
func (a *Agent) SessionID() string { return a.session.ID }

// Login returns the lower-cased name the agent logged in with.
func (a *Agent) Login() string { return a.session.Login }

// Sites returns the names of the sites that the agent works on, with commas between them.
func (a *Agent) Sites() string {
	if len(a.parts) == 1 {
		return a.parts[0].siteName()
	}
	return strings.Join(a.siteNames(), ",")
}

func (a *Agent) siteNames() []string {
	names := make([]string, len(a.parts))
	for i, p := range a.parts {
		names[i] = p.siteName()
	}
	return names
}

// warn tells the log of something that went wrong for the agent at a site.
func (a *Agent) warn(site, text string, err error) {
	a.gateway.log.Warn(text, "site", site, "session", a.short, "cause", err.Error())
}

// use notes that a caller used the session.
func (a *Agent) use() { a.used.Note() }

func (a *Agent) lastUsed() time.Time { return a.used.Time() }

// reused counts log-ins that were not sent, because the session was found by name and password.
func (a *Agent) reused() {
	for _, p := range a.parts {
		p.reused()
	}
}

// icws returns the part at the agent's ICWS site, nil if there is none.
func (a *Agent) icws() *icwsPart {
	for _, p := range a.parts {
		one, ok := p.(*icwsPart)
		if ok {
			return one
		}
	}
	return nil
}

// partOver notes that the upstream session of a part is gone for good, and reports whether no other part goes on. The
// caller holds the part's lock: one that begins again at the same moment is not to count as over, nor the reverse.
func (a *Agent) partOver(p part) (last bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over == nil {
		a.over = map[part]bool{}
	}
	a.over[p] = true
	return len(a.over) == len(a.parts)
}

// partBack notes that a part which had ended has an upstream session again. The caller holds the part's lock.
func (a *Agent) partBack(p part) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.over, p)
}

// partEnded has the agent go on at the other sites once a part is over. Without any left the session ends.
func (a *Agent) partEnded(last bool, why ending) {
	switch {
	case last:
		a.gateway.end(a, why)
	default:
		a.start(a.tellFleet)
	}
}

// textDenied is for callers whose session here goes on.
const textDenied = "the contact centre does not accept the agent's session"

// denied keeps a caller whose session lives from reading that it does not, when it is only one
// part of the agent that has ended.
func (a *Agent) denied(err error) error {
	if !errors.Is(err, fault.Unauthenticated) || a.life.Err() != nil {
		return err
	}
	return &fault.Error{Kind: fault.Unreachable, Public: textDenied, Err: errors.New(err.Error())}
}

// elsewhere returns the channels of an ICWS site that another site owns for the agent.
func (a *Agent) elsewhere(at *icwsSite) []htccapi.MediaChannel {
	if len(a.route.Stops) == 1 {
		return nil
	}
	var elsewhere []htccapi.MediaChannel
	for _, channel := range at.Rules.Channels {
		if a.route.Channels[channel.Name] != at.Name {
			elsewhere = append(elsewhere, channel.Name)
		}
	}
	return elsewhere
}

// owned returns the channels of the agent that are a site's; nil if it is the only one.
func (a *Agent) owned(site string) []htccapi.MediaChannel {
	if len(a.route.Stops) == 1 {
		return nil
	}
	owned := []htccapi.MediaChannel{}
	for channel, owner := range a.route.Channels {
		if owner == site {
			owned = append(owned, channel)
		}
	}
	slices.Sort(owned)
	return owned
}

// proves reports whether proof is that of the agent's name and password.
func (a *Agent) proves(proof []byte) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return hmac.Equal(a.session.Proof, proof)
}

// proof returns the one of the agent's name and password.
func (a *Agent) proof() []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.session.Proof
}

// change makes proof the agent's, keeps password, which is "" if none is to be kept, and returns
// the session to store; false if it has ended.
func (a *Agent) change(proof []byte, password string) (session.Session, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended {
		return session.Session{}, false
	}
	a.session.Proof, a.password, a.provedBy = proof, password, proof
	return a.session, true
}

// credentials returns the proof of the agent's name and password, and the password; "" if it is not kept, or was changed
// at another replica since.
func (a *Agent) credentials() (proof []byte, password string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !hmac.Equal(a.session.Proof, a.provedBy) {
		return a.session.Proof, ""
	}
	return a.session.Proof, a.password
}

func (a *Agent) keptPassword() string {
	_, password := a.credentials()
	return password
}
