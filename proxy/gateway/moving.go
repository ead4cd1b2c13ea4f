package gateway

import (
	"context"
	"errors"
	"time"

	"portico/proxy/icws"
	"portico/proxy/upstream"
)

// errMove ends a reception whose host gives no answer, so that another host is asked.
var errMove = errors.New("the host of the session gives no answer")

// errStay is why an agent without a password stays where they are.
var errStay = errors.New("no other replica opened an upstream session at another host, and no password is kept here")

// canMove reports whether the agent can have an upstream session at another host: one that is opened here, or by
// another replica.
func (a *Agent) canMove() bool { return a.keptPassword() != "" || a.gateway.fleet != nil }

// shouldMove reports whether another host is to be asked, and can be.
func (p *icwsPart) shouldMove() bool {
	return (p.silent.IsLong() || p.silent.Hangs()) && len(p.site.ICWS.Hosts()) > 1 && p.agent.canMove()
}

// heardOf takes what is heard of the host of an upstream session. Of that of a session which has replaced it, it says
// nothing.
func (p *icwsPart) heardOf(conn icws.Conn, note func(*upstream.Absence)) {
	if p.connection().IsSame(conn) {
		note(&p.silent)
	}
}

// called takes how a call on an upstream session ended, and broke why its messages did, for what that says of the host.
func (p *icwsPart) called(conn icws.Conn, err error) {
	p.heardOf(conn, func(a *upstream.Absence) { a.Called(err) })
	if err == nil {
		p.site.service.Answers()
		p.amends.answered()
	}
}

func (p *icwsPart) broke(conn icws.Conn, err error) {
	p.heardOf(conn, func(a *upstream.Absence) { a.Note(err) })
}

// move opens an upstream session at another host, in place of one whose host gives no answer. That is an
// outage. If it is the same host that answers, the session has outlived the break and goes on. Of several
// replicas one does so, and the others go along with it, as does one without a password.
//
// As long as no host takes a session nothing changes, as it may yet turn out that nothing was lost.
func (p *icwsPart) move(ctx context.Context, from icws.Conn) error {
	release, err := p.joining.hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	if !p.connection().IsSame(from) {
		return nil
	}
	if p.ended() || !p.agent.enter() {
		return errEnded
	}
	defer p.agent.work.Done()
	if p.agent.keptPassword() == "" {
		along, err := p.goAlong(ctx, from)
		if err == nil && !along {
			err = errStay
		}
		return err
	}
	endTurn, err := p.agent.turn(ctx)
	if err != nil {
		return err
	}
	defer endTurn()
	along, err := p.goAlong(ctx, from)
	if err != nil || along {
		return err
	}
	conn, err := p.logInAgain(ctx, p.site.language(ctx, p.language))
	if err != nil {
		return err
	}
	p.silent.Note(nil)
	if conn.Base == from.Base {
		p.site.ICWS.LetGo(ctx, conn)
		return nil
	}
	p.lose()
	return p.adoptOpened(ctx, conn, false)
}

// goAlong takes the upstream session that another replica opened meanwhile, and has the reader read it; false if
// none did. The caller holds joining.
func (p *icwsPart) goAlong(ctx context.Context, from icws.Conn) (bool, error) {
	next, err := p.succeeded(ctx, from)
	if err != nil || next.SessionID == "" {
		return false, err
	}
	p.receiveAnew(errAnew) // the host of the session that is read has no last words
	return true, nil
}

// receiveAnew ends the reception under way, if there is one, for a reason that says what comes next.
func (p *icwsPart) receiveAnew(why error) {
	p.mu.Lock()
	anew := p.anew
	p.mu.Unlock()
	if anew != nil {
		anew(why)
	}
}

// errAnew ends a reception in favour of another, which begins at once.
var errAnew = errors.New("receive anew")

// lastWords is how long the reader of an upstream session that was replaced may still read why: a
// session that is over says so last.
const lastWords = 2 * time.Second
