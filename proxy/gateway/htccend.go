package gateway

import (
	"context"
	"errors"
	"fmt"

	"portico/proxy/fault"
	"portico/proxy/htcc"
	"portico/proxy/upstream"
)

// finish ends the contact centre session at the site, and the upstream session with it. Until the caller calls what it
// returns nobody else opens another: the agent's session may be over by then.
func (p *htccPart) finish(ctx context.Context) (func(), error) {
	release, err := p.agent.alone(ctx, p.writing)
	if err != nil {
		return nil, err
	}
	closing := make(chan struct{})
	over := func() {
		p.mu.Lock()
		p.closing = nil
		p.mu.Unlock()
		close(closing)
		release()
	}
	p.mu.Lock()
	p.closing = closing
	session, asked, started := p.session, p.asked, p.started
	p.asked, p.started, p.finished = nil, nil, true // before the reader finds the session gone, and brings all of it back
	p.mu.Unlock()
	// Who asked for the end may leave, as an application that is closed does, and is to be logged off all the same.
	ctx = context.WithoutCancel(ctx)
	if session == nil {
		session = p.openedElsewhere(ctx)
	}
	if session == nil {
		return over, nil
	}
	err = p.logOff(ctx, session)
	if errors.Is(err, htcc.ErrSessionGone) {
		err = p.logOffAnew(ctx, session)
	}
	if err == nil || upstream.IsAway(err) {
		return over, nil
	}
	p.mu.Lock()
	p.asked, p.started, p.finished = asked, started, false
	p.mu.Unlock()
	over()
	return nil, told(err)
}

// awaitEnd returns when no End is under way, which may have been refused, or have failed at another site. It fails with
// fault.Unauthenticated when the agent's session has ended.
func (p *htccPart) awaitEnd(ctx context.Context) error {
	p.mu.Lock()
	closing := p.closing
	p.mu.Unlock()
	if closing == nil {
		return nil
	}
	select {
	case <-closing:
		return nil
	case <-p.agent.life.Done():
		return errEnded
	case <-ctx.Done():
		return fmt.Errorf("gateway: wait for the end of the agent's session: %w: %w", fault.Timeout, ctx.Err())
	}
}

// afterEnd takes the lock of joining by hold, when no End is under way.
func (p *htccPart) afterEnd(ctx context.Context, hold func(context.Context) (func(), error)) (func(), error) {
	for {
		err := p.awaitEnd(ctx)
		if err != nil {
			return nil, err
		}
		release, err := hold(ctx)
		if err != nil || !p.isClosing() {
			return release, err
		}
		release() // the agent has come to end it while this one waited
	}
}

func (p *htccPart) isClosing() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closing != nil
}

// logOff ends the contact centre session. What is brought back meanwhile is to be ended too; whoever orders something gives
// up in time.
func (p *htccPart) logOff(ctx context.Context, session *htcc.Session) error {
	p.orders.channel() <- struct{}{}
	defer func() { <-p.orders.channel() }()
	return p.site.HTCC.EndContactCenterSession(ctx, session)
}

// openedElsewhere returns the upstream session that another replica opened, for a part that has none since the site was
// away whenever it was asked here; nil if there is none.
func (p *htccPart) openedElsewhere(ctx context.Context) *htcc.Session {
	if p.agent.gateway.fleet == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, joinPatience)
	defer cancel()
	f := p.agent.gateway.fleet
	err := p.goAlong(ctx, nil)
	for errors.Is(err, fault.Unreachable) && f.Up() && upstream.Sleep(ctx, unstoredEvery) == nil {
		err = p.goAlong(ctx, nil)
	}
	if err != nil && !errors.Is(err, errStay) {
		p.warn(textStaysAtWork, err)
	}
	return p.finishing()
}

const textStaysAtWork = "a session may end in work"

// logOffAnew is logOff for an upstream session that is gone, which the contact centre session may outlive. It takes a
// log-in, on which nothing comes back as nothing is asked for. Who cannot have another upstream session stays at work.
func (p *htccPart) logOffAnew(ctx context.Context, gone *htcc.Session) error {
	if p.agent.keptPassword() == "" {
		p.warn(textStaysAtWork, errors.New("its upstream session is gone, and no password is kept here"))
		return nil
	}
	waiting, cancel := context.WithTimeout(ctx, joinPatience)
	defer cancel()
	err := p.joinedAtEnd(waiting, gone)
	if err != nil {
		p.warn(textStaysAtWork, err)
		return nil
	}
	err = p.logOff(ctx, p.finishing())
	if errors.Is(err, htcc.ErrSessionGone) {
		return nil
	}
	return err
}

// joinedAtEnd is joined for who ends the session.
func (p *htccPart) joinedAtEnd(ctx context.Context, gone *htcc.Session) error {
	release, err := p.joining.hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	_, err = p.join(ctx, gone)
	return err
}

// finishing returns the upstream session, and notes that the agent ends it: a new one has the reader go on.
func (p *htccPart) finishing() *htcc.Session {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finished = true
	return p.session
}
