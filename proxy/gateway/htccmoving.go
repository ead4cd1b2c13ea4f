package gateway

import (
	"context"

	"portico/proxy/htcc"
)

// shouldMove reports whether another host is to be asked, and can be.
func (p *htccPart) shouldMove() bool {
	return p.silent.isLong() && p.site.HTCC.Hosts() > 1 && p.agent.keptPassword() != ""
}

// move opens an upstream session at the first host that answers, in place of one whose host gives no
// answer. The state at the site goes on without it.
func (p *htccPart) move(ctx context.Context, from *htcc.Session) error {
	_, err := p.joined(ctx, from)
	if err == nil {
		p.silent.note(nil)
	}
	return err
}

// isOn reports whether an upstream session is the part's, and was not replaced.
func (p *htccPart) isOn(session *htcc.Session) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.session == session
}
