package gateway

import (
	"context"
	"crypto/hmac"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"portico/proxy/session"
	"portico/translate/htccapi"
)

// An Agent is a logged-in agent in this process. Any number of goroutines may use it.
type Agent struct {
	gateway *Gateway
	short   string          // what the log calls the session
	life    context.Context // ends with the session
	end     context.CancelFunc
	route   Route
	parts   []part         // in the order of the route
	used    atomic.Int64   // when a caller used the session last, in Unix nanoseconds
	work    sync.WaitGroup // the goroutines of the agent

	mu       sync.Mutex
	session  session.Session // guarded by mu, but for ID and Login, which never change
	password string          // guarded by mu; "" if not kept
	ended    bool            // guarded by mu
	over     map[part]bool   // parts that have ended; guarded by mu
}

// newAgent makes the agent of new upstream sessions, one for each site of the route; nil for one
// that is to be opened later.
func newAgent(g *Gateway, s session.Session, route Route, opened []opening) *Agent {
	a := &Agent{gateway: g, short: g.key.ShortName(s.ID), session: s, route: route, over: map[part]bool{}}
	a.life, a.end = context.WithCancel(context.Background())
	for i, stop := range route.Stops {
		a.parts = append(a.parts, g.sites[stop.Site].part(a, stop.Login, opened[i]))
	}
	a.use()
	return a
}

// start begins to receive what the sites push.
func (a *Agent) start() {
	for _, p := range a.parts {
		a.work.Go(func() { p.watch(a.life) })
	}
}

// wait returns when nothing of the agent runs any more, or when ctx ends.
func (a *Agent) wait(ctx context.Context) {
	gone := make(chan struct{})
	go func() {
		a.work.Wait()
		close(gone)
	}()
	select {
	case <-gone:
	case <-ctx.Done():
	}
}

// SessionID returns the value of the agent's session cookie.
func (a *Agent) SessionID() string { return a.session.ID }

// Login returns the lower-cased name the agent logged in with.
func (a *Agent) Login() string { return a.session.Login }

// use notes that a caller used the session.
func (a *Agent) use() { a.used.Store(time.Now().UnixNano()) }

func (a *Agent) lastUsed() time.Time { return time.Unix(0, a.used.Load()) }

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

// partEnded notes that the upstream session of a part is gone for good. The agent goes on at the
// other sites; without any left the session ends.
func (a *Agent) partEnded(p part, why ending) {
	a.mu.Lock()
	a.over[p] = true
	last := len(a.over) == len(a.parts)
	a.mu.Unlock()
	if last {
		a.gateway.end(a, why)
	}
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

// replaceProof makes proof the agent's and returns the session to store.
func (a *Agent) replaceProof(proof []byte) session.Session {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.session.Proof = proof
	return a.session
}

func (a *Agent) keepPassword(password string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.password = password
}

func (a *Agent) keptPassword() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.password
}

// An ending is why a session ends.
type ending string

const (
	endByAgent  ending = "logged_out"
	endIdle     ending = "idle"
	endUpstream ending = "upstream_gone" // the site's session is gone and no new one can be had
	endForced   ending = "forced"        // the site logged the agent off and wants no new session
	endOperator ending = "operator"
	endStopped  ending = "stopped"
)

// end ends a session: here at once, at the site in the background. Ending twice is as good as once.
func (g *Gateway) end(a *Agent, why ending) {
	if !a.leave() {
		return
	}
	g.mu.Lock()
	delete(g.agents, a.session.ID)
	g.mu.Unlock()
	err := g.store.Delete(context.WithoutCancel(a.life), a.session.ID)
	if err != nil {
		g.log.Error("a session could not be deleted from the store", "session", g.ShortName(a), "cause", err.Error())
	}
	if why == endOperator || why == endForced {
		g.barred.add(a.session.Login)
	}
	g.settings.Metrics.ended(why)
	g.log.Info("session ended", "session", g.ShortName(a), "reason", string(why))
	a.end()
	go func() {
		defer a.work.Done() // leave counted it
		for _, p := range a.parts {
			p.close()
		}
	}()
}

// leave marks the agent as ended and counts the work of closing it; false if it was ended before.
func (a *Agent) leave() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended {
		return false
	}
	a.ended = true
	a.password = ""
	a.work.Add(1)
	return true
}

// recovered turns a panic of f into an error with its stack, since one in a shared flight would
// end the process.
func recovered[T any](f func() (T, error)) (value T, err error) {
	defer func() {
		panicked := recover()
		if panicked != nil {
			err = fmt.Errorf("gateway: panic: %v\n%s", panicked, debug.Stack())
		}
	}()
	return f()
}
