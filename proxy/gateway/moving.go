package gateway

import (
	"context"
	"errors"
	"sync"
	"time"

	"portico/proxy/htcc"
	"portico/proxy/icws"
)

// moveAfter is how long the host of an upstream session may give no answer before another host of the
// site is asked for a session. Shorter breaks a session outlives, and a new one would be an outage.
const moveAfter = 5 * time.Second

// errMove ends a reception whose host gives no answer, so that another host is asked.
var errMove = errors.New("the host of the session gives no answer")

// An absence is since when the host of an upstream session gives no answer. Any number of goroutines
// may use it.
type absence struct {
	mu    sync.Mutex
	since time.Time // zero: it does; guarded by mu
}

// after takes how a call of the host ended, and reports whether it has given no answer for long.
func (a *absence) after(err error) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case !away(err):
		a.since = time.Time{}
		return false
	case a.since.IsZero():
		a.since = time.Now()
	}
	return time.Since(a.since) >= moveAfter
}

// movable reports whether a call that ended so is to make the part move to another host.
func (p *icwsPart) movable(err error) bool {
	return p.silent.after(err) && len(p.site.ICWS.Hosts()) > 1 && p.agent.keptPassword() != ""
}

// move opens an upstream session at another host, in place of one whose host gives no answer. That is an
// outage. If it is the same host that answers, the session has outlived the break and goes on.
//
// As long as no host takes a session nothing changes, as it may yet turn out that nothing was lost.
func (p *icwsPart) move(ctx context.Context, from icws.Conn) error {
	release, err := p.joining.hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	if now := p.connection(); now.SessionID != from.SessionID || now.Base != from.Base {
		return nil
	}
	if p.ended() || !p.agent.enter() {
		return errEnded
	}
	defer p.agent.work.Done()
	conn, err := p.logInAgain(ctx, p.site.language(ctx, p.language))
	if err != nil {
		return err
	}
	p.silent.after(nil)
	if conn.Base == from.Base {
		logOut(ctx, p.site, conn)
		return nil
	}
	p.lose()
	return p.adopted(ctx, conn, false)
}

// movable reports whether a call that ended so is to make the part move to another host.
func (p *htccPart) movable(err error) bool {
	return p.silent.after(err) && p.site.HTCC.Hosts() > 1 && p.agent.keptPassword() != ""
}

// move opens an upstream session at the first host that answers, in place of one whose host gives no
// answer. The state at the site goes on without it.
func (p *htccPart) move(ctx context.Context, from *htcc.Session) error {
	_, err := p.joined(ctx, from)
	if err == nil {
		p.silent.after(nil)
	}
	return err
}
