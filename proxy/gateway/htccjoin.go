package gateway

import (
	"cmp"
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"slices"

	"portico/proxy/fault"
	"portico/proxy/htcc"
	"portico/translate/htccapi"
)

// joined returns an upstream session other than gone, opening one if there is none, once for all who
// need it. A lost session is no outage: the state at the site goes on without it. While the agent ends theirs it waits
// for what becomes of that.
//
// When none can be had, because no password is kept or the site refuses it, this part of the agent
// ends, and the error is fault.Unauthenticated. A refused password is not tried again: each try
// counts towards locking the agent out. Other failures end nothing.
func (p *htccPart) joined(ctx context.Context, gone *htcc.Session) (*htcc.Session, error) {
	p.mu.Lock()
	now := p.session
	p.mu.Unlock()
	if now != gone {
		return now, nil
	}
	release, err := p.afterEnd(ctx, p.joining.hold)
	if err != nil {
		return nil, err
	}
	defer release()
	return p.join(ctx, gone)
}

// join is joined for who holds joining.
func (p *htccPart) join(ctx context.Context, gone *htcc.Session) (*htcc.Session, error) {
	p.mu.Lock()
	now := p.session
	p.synced = p.synced && now != gone
	p.mu.Unlock()
	if now != gone {
		return now, nil
	}
	defer p.receiveAnew(gone)
	if !p.agent.enter() {
		return nil, errEnded
	}
	defer p.agent.work.Done()
	endTurn, err := p.agent.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer endTurn()
	next, err := p.succeeded(ctx, gone)
	if err != nil || next != nil {
		return next, err
	}
	if p.wasRefused(p.agent.proof()) {
		p.end(nil)
		return nil, fmt.Errorf("gateway: log in again: the site refused the password: %w", fault.Unauthenticated)
	}
	return p.rejoin(ctx, "")
}

// succeeded takes the upstream session that another replica opened in place of one that is gone, nil if
// there is none.
func (p *htccPart) succeeded(ctx context.Context, gone *htcc.Session) (*htcc.Session, error) {
	var old []byte
	if gone != nil {
		old = encoded(gone.Snapshot())
	}
	record, err := p.agent.successor(ctx, p.site.Name, old)
	if err != nil || record == nil {
		return nil, err
	}
	if headOf(record).Over != "" {
		p.end(nil)
		return nil, errEnded
	}
	opened, err := p.site.resume(ctx, record)
	if errors.Is(err, errNoHost) { // of a replica that has other settings, and may serve the agent
		return nil, p.agent.isToOpen()
	}
	if err != nil {
		return nil, err
	}
	next, lives := opened.(*htccSession).session, false
	p.change(func() {
		lives = p.agent.lives()
		if lives {
			p.succeedLocked(next)
		}
	})
	if !lives {
		return nil, errEnded
	}
	return next, nil
}

// succeedLocked goes on with an upstream session that another replica opened. Where the part had ended it begins again.
func (p *htccPart) succeedLocked(next *htcc.Session) {
	p.session = next
	p.silent.Note(nil)
	p.moments.outdate() // what was read of the session that is gone is older
	if p.over {
		p.refused = nil
		p.over, p.finished, p.synced = false, false, false
		p.agent.partBack(p)
	}
}

// rejoin opens an upstream session in place of the one there is, unless the agent's session has ended when it is
// open: it is let go then, and nobody put back to work on it. The password is the one that is kept, else the presented
// one. The caller holds joining.
func (p *htccPart) rejoin(ctx context.Context, presented string) (*htcc.Session, error) {
	proof, kept := p.agent.credentials()
	password := cmp.Or(kept, presented)
	if password == "" {
		p.end(nil)
		return nil, fmt.Errorf("gateway: log in again: no password is kept: %w", fault.Unauthenticated)
	}
	session, user, err := p.site.HTCC.Login(p.joining.unbroken(ctx), htcc.Credentials{UserName: p.login, Password: password})
	if errors.Is(err, fault.Unauthenticated) && p.agent.proves(proof) { // there is no other password since
		p.agent.gateway.rememberRefused(ctx, p.agent.Login(), proof)
		p.end(proof)
	}
	if err != nil {
		return nil, fmt.Errorf("gateway: log in again: %w", err)
	}
	if p.agent.endedElsewhere(ctx) {
		return nil, errEnded
	}
	// What comes back is taken out of work before any other order. Who needs the session may leave, but it is kept for
	// the next, who would open one more: only with the agent's own session nobody wants it.
	release, err := hold(p.agent.life, p.orders.channel())
	if err != nil {
		return nil, errEnded
	}
	defer release()
	lives := false
	var missing []htccapi.MediaChannel
	p.change(func() {
		lives = p.agent.lives()
		if !lives {
			return
		}
		wanted := p.wantedLocked()
		p.noteLeftLocked()
		p.takeLocked(user)
		p.moments.outdate() // what was read of the session that is gone is older
		p.session, p.refused = session, nil
		p.over, p.finished = false, false
		p.agent.partBack(p)
		missing = slices.DeleteFunc(wanted, p.presentLocked)
	})
	if !lives {
		return nil, errEnded
	}
	p.replay(ctx, session, missing)
	p.amend(true)
	return session, nil
}

// reopen opens an upstream session in place of one that is gone for good, unless the site refused the password a
// moment ago.
func (p *htccPart) reopen(ctx context.Context, presented string) error {
	release, err := p.afterEnd(ctx, func(ctx context.Context) (func(), error) {
		return p.agent.alone(context.WithoutCancel(ctx), p.joining.lock.channel()) // a log-in is not broken off
	})
	if err != nil {
		return err
	}
	defer release()
	p.mu.Lock()
	over := p.over
	p.mu.Unlock()
	if !over {
		return nil
	}
	refused, _ := p.agent.gateway.isRefused(ctx, p.agent.Login(), p.agent.proof()) // of the others that cannot be asked nothing is known
	if refused {
		return fmt.Errorf("gateway: log in again: refused a moment ago: %w", fault.Unauthenticated)
	}
	_, err = p.rejoin(ctx, presented)
	return err
}

// wasRefused reports whether the site refused the password of a proof. The part does not forget that by itself:
// only a caller has a refused password tried again.
func (p *htccPart) wasRefused(proof []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refused != nil && hmac.Equal(p.refused, proof)
}

// end ends the part, and keeps the proof of the password that the site refused, if it did. It is told last, as by
// icwsPart.end.
func (p *htccPart) end(refused []byte) {
	p.mu.Lock()
	before := p.viewLocked()
	p.over = true
	last := p.agent.partOver(p)
	if refused != nil {
		p.refused = refused
	}
	p.mu.Unlock()
	p.agent.partEnded(last, endUpstream)
	p.mu.Lock()
	p.tellLocked(before, p.quietLocked())
	p.mu.Unlock()
	p.agent.send()
}
