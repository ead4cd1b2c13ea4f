package gateway

import (
	"context"
	"crypto/hmac"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"portico/proxy/icws"
	"portico/proxy/session"
	"portico/proxy/upstream"
)

// An Agent is a logged-in agent in this process. Any number of goroutines may use it.
type Agent struct {
	gateway *Gateway
	short   string          // what the log calls the session
	life    context.Context // ends with the session
	end     context.CancelFunc
	part    *icwsPart
	used    atomic.Int64   // when a caller used the session last, in Unix nanoseconds
	work    sync.WaitGroup // the goroutines of the agent

	mu       sync.Mutex
	session  session.Session // guarded by mu, but for ID and Login, which never change
	password string          // guarded by mu; "" if not kept
	ended    bool            // guarded by mu
}

func newAgent(g *Gateway, s session.Session, at *site, route Route, conn icws.Conn) *Agent {
	a := &Agent{gateway: g, short: g.key.ShortName(s.ID), session: s}
	a.life, a.end = context.WithCancel(context.Background())
	a.part = newICWSPart(a, at, route, conn)
	a.use()
	return a
}

// start begins to receive what the site pushes.
func (a *Agent) start() { a.work.Go(func() { a.part.watch(a.life) }) }

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

// reused counts a log-in that was not sent, because the session was found by name and password.
func (a *Agent) reused() {
	a.part.site.metrics.Login(upstream.LoginReused)
	a.part.site.metrics.Avoided(icws.OpLogin, upstream.SessionReused)
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
		a.part.close()
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
