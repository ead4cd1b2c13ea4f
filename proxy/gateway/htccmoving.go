package gateway

import (
	"context"

	"portico/proxy/htcc"
)

// shouldMove reports whether another host is to be asked, and can be.
func (p *htccPart) shouldMove() bool {
	return (p.silent.IsLong() || p.silent.Hangs()) && p.site.HTCC.Hosts() > 1 && p.agent.canMove()
}

// move opens an upstream session at the first host that answers, in place of one whose host gives no
// answer. The state at the site goes on without it. Of several replicas one does so, and the others go along
// with it, as does one without a password.
func (p *htccPart) move(ctx context.Context, from *htcc.Session) error {
	var err error
	if p.agent.keptPassword() == "" {
		err = p.goAlong(ctx, from)
	} else {
		_, err = p.joined(ctx, from)
	}
	if err == nil {
		p.silent.Note(nil)
	}
	return err
}

// goAlong takes the upstream session that another replica opened meanwhile; errStay if none did.
func (p *htccPart) goAlong(ctx context.Context, from *htcc.Session) error {
	release, err := p.joining.hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	if !p.isOn(from) {
		return nil
	}
	next, err := p.succeeded(ctx, from)
	if err == nil && next == nil {
		err = errStay
	}
	return err
}

// isOn reports whether an upstream session is the part's, and was not replaced.
func (p *htccPart) isOn(session *htcc.Session) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.session == session
}
