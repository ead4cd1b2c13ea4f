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
	part    *part
	used    atomic.Int64   // when a caller used the session last, in Unix nanoseconds
	work    sync.WaitGroup // what is to be over before nothing of the session is left

	mu       sync.Mutex
	session  session.Session // guarded by mu, but for ID and Login, which never change
	password string          // guarded by mu; "" if not kept
	ended    bool            // guarded by mu
}

func newAgent(g *Gateway, s session.Session, at *site, route Route, conn icws.Conn) *Agent {
	a := &Agent{gateway: g, short: g.key.ShortName(s.ID), session: s}
	a.life, a.end = context.WithCancel(context.Background())
	a.part = newPart(a, at, route, conn)
	a.use()
	return a
}

// enter counts work of the agent, which ends with a call of work.Done; false if the session has
// ended. Work that is not counted could go on, and open an upstream session, after Close.
func (a *Agent) enter() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended {
		return false
	}
	a.work.Add(1)
	return true
}

// start runs f in a goroutine of the agent, unless the session has ended. A panic of f is logged:
// it must not cost the other agents their sessions.
func (a *Agent) start(f func()) {
	if !a.enter() {
		return
	}
	go func() {
		defer a.work.Done()
		_, err := recovered(func() (struct{}, error) { f(); return struct{}{}, nil })
		if err != nil {
			a.gateway.log.Error("a goroutine of an agent ended in a panic", "session", a.short, "cause", err.Error())
		}
	}()
}

// wait returns when nothing of the agent runs any more, or when ctx ends.
func (a *Agent) wait(ctx context.Context) { waitFor(ctx, &a.work) }

// waitFor returns when the work is over, or when ctx ends.
func waitFor(ctx context.Context, work *sync.WaitGroup) {
	over := make(chan struct{})
	go func() {
		work.Wait()
		close(over)
	}()
	select {
	case <-over:
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
	a.session.Proof, a.password = proof, password
	return a.session, true
}

func (a *Agent) keptPassword() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.password
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
