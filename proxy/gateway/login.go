package gateway

import (
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"portico/proxy/fault"
	"portico/proxy/session"
)

const (
	// refusedFor is how long a refused name and password are refused again without asking the site:
	// each try there counts towards locking the agent out.
	refusedFor = 5 * time.Minute

	// barredFor is how long an agent whom an operator or the site logged off stays so: their
	// application would log in again at once.
	barredFor = time.Minute

	// loginTimeout bounds a log-in, which goes on when its caller leaves.
	loginTimeout = 30 * time.Second
)

// A Caller is what a request says about who sent it.
type Caller struct {
	SessionID string // value of the session cookie, "" if none
	Basic     bool   // it carries a login name and a password
	Login     string
	Password  string
	Language  string     // value of Accept-Language
	Address   netip.Addr // that they call from
}

// Login returns the agent a caller is, logging them in if their name and password are not known
// yet. A name and password beat a cookie. Many callers with the same ones cause one log-in.
//
// It fails with fault.Throttled when too many passwords were refused, of that name or from that address;
// fault.Unauthenticated when there is neither, when the session is gone, or when the
// site refuses the password; fault.Unreachable, fault.Timeout or fault.BadUpstream when the site
// cannot say.
func (g *Gateway) Login(ctx context.Context, c Caller) (*Agent, error) {
	if !c.Basic {
		return g.byCookie(ctx, c.SessionID)
	}
	c.Login = strings.ToLower(c.Login)
	if c.Login == "" || c.Password == "" {
		return nil, fmt.Errorf("gateway: log in without a name or password: %w", fault.Unauthenticated)
	}
	if !session.IsName(c.Login) {
		return nil, g.refuseName(ctx, c.Address)
	}
	proof := g.key.Proof(c.Login, c.Password)
	agent, err := g.ofLogin(ctx, c, proof)
	if err != nil {
		return nil, err
	}
	if agent != nil && g.proven(agent, c, proof) {
		agent.Use(c)
		if agent.calledFrom(c.Address) {
			g.tried(ctx, g.accountsOf(c.Login), c.Address, nil)
		}
		return agent, nil
	}
	if !g.interests.has(string(proof)) { // else it is the flight of others that finds out
		err = g.mayLogIn(ctx, agent, c, proof)
		if err != nil {
			return nil, err
		}
	}
	for {
		agent, err := g.logInWithOthers(ctx, c, proof)
		if errors.Is(err, context.Canceled) && ctx.Err() == nil { // given up for want of others who waited
			continue
		}
		return agent, err
	}
}

// proven reports whether a caller's name and password are the agent's, of which proof is the one of now.
func (g *Gateway) proven(a *Agent, c Caller, proof []byte) bool {
	known := a.proof()
	proven := hmac.Equal(known, proof) || slices.ContainsFunc(g.older, func(key session.Key) bool { return hmac.Equal(known, key.Proof(c.Login, c.Password)) })
	if proven && g.fleet != nil && !g.policy().Forget {
		a.know(c.Password, known)
	}
	return proven
}

func (g *Gateway) byCookie(ctx context.Context, id string) (*Agent, error) {
	if id == "" {
		return nil, fmt.Errorf("gateway: no credentials: %w", fault.Unauthenticated)
	}
	agent, err := g.ofSession(ctx, id)
	if err != nil {
		return nil, err
	}
	if agent == nil {
		return nil, fmt.Errorf("gateway: no such session: %w", fault.Unauthenticated)
	}
	agent.Use(Caller{SessionID: id})
	return agent, nil
}

// Knows reports whether a session id is that of an agent who is logged in, here or at another replica. It
// is for a door that is full, so it does not insist: of few ids at a time it is asked elsewhere.
func (g *Gateway) Knows(ctx context.Context, id string) bool {
	return g.agent(id) != nil || g.fleet != nil && g.fleet.knows(ctx, id)
}

// ofSession returns the agent of a session id, nil if there is none. It fails with fault.Overloaded when
// the store that replicas share cannot say.
func (g *Gateway) ofSession(ctx context.Context, id string) (*Agent, error) {
	here := g.agentAtHand(id)
	if here != nil || g.fleet == nil {
		return here, nil
	}
	return g.fleet.byID(ctx, id)
}

// agent returns the agent of a session id who is known here, nil if there is none.
func (g *Gateway) agent(id string) *Agent {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.agents[id]
}

// ofLogin returns the agent logged in under a caller's name, nil if there is none. Of one who is taken up from another
// replica the password is known from the start, if proof is theirs: their upstream sessions may have to be opened anew at
// once. It fails with fault.Overloaded when the store cannot say: a second upstream session would cost a licence.
func (g *Gateway) ofLogin(ctx context.Context, c Caller, proof []byte) (*Agent, error) {
	if g.fleet != nil {
		return g.fleet.byLogin(ctx, c.Login, func(a *Agent) { g.proven(a, c, proof) })
	}
	s, err := g.store.ByLogin(ctx, c.Login)
	if errors.Is(err, session.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("gateway: look for the session of a name: %w: %w", fault.Overloaded, err)
	}
	return g.agent(s.ID), nil
}
