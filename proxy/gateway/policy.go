package gateway

import (
	"time"

	"portico/proxy/guesses"
	"portico/proxy/states"
)

// A Policy is what may be changed while agents are logged in: see Gateway.SetPolicy. Route and MaxBytes
// are required.
type Policy struct {
	// Route returns that of a lower-cased login name. Without one it returns false, and the stops of all that
	// such a name might have: guesses at it count there, so that nobody can tell it from others.
	Route    func(login string) (Route, bool)
	States   states.Table
	Idle     time.Duration  // a session that nobody used for so long ends
	Forget   bool           // drop a password once the agent is logged in at every site
	MaxBytes int64          // of encoded catalogues kept
	Guesses  guesses.Limits // of passwords
}

// SetPolicy puts p in place of the policy of now. Nobody's session ends by it: routes and passwords to
// keep are those of the log-ins that follow. What is under way may still go by the old one.
func (g *Gateway) SetPolicy(p Policy) {
	g.current.Store(&p)
	g.forms.SetMaxBytes(p.MaxBytes)
	g.guesses.Bound(p.Guesses)
}

// policy returns the one of now. Nobody changes it.
func (g *Gateway) policy() *Policy { return g.current.Load() }
