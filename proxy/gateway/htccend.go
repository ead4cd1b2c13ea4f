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
	p.mu.Lock()
	p.closing = closing
	session, bringBackLocked := p.session, p.leaveAllLocked() // before the reader finds the session gone, and brings all of it back
	p.mu.Unlock()
	over := func() {
		lives := p.agent.lives()
		p.mu.Lock()
		p.closing = nil
		if lives && p.unended.cause != nil { // the End has failed at another site, and was not heard here
			bringBackLocked()
			p.unended = unended{}
		}
		p.mu.Unlock()
		close(closing)
		release()
	}
	// Who asked for the end may leave, as an application that is closed does, and is to be logged off all the same.
	ctx = context.WithoutCancel(ctx)
	if session == nil {
		session = p.openedElsewhere(ctx)
	}
	if session == nil {
		p.leaveUnended()
		return over, nil
	}
	err = patiently(ctx, func() error {
		err := p.logOff(ctx, session)
		if errors.Is(err, htcc.ErrSessionGone) {
			err = p.logOffAnew(ctx, session)
			session = p.finishing()
		}
		return err
	})
	p.mu.Lock()
	if upstream.IsAway(err) {
		p.unended, err = unended{session: session, cause: err, password: p.agent.keptPassword()}, nil
	}
	if err == nil {
		p.mu.Unlock()
		return over, nil
	}
	bringBackLocked()
	p.mu.Unlock()
	over()
	return nil, told(err)
}

// leaveAllLocked forgets what the agent asked for, who ends the session, and returns what undoes that.
func (p *htccPart) leaveAllLocked() (undoLocked func()) {
	asked, started := p.wish.Asked, p.wish.Started
	p.wish.Asked, p.wish.Started, p.finished = nil, nil, true
	return func() { p.wish.Asked, p.wish.Started, p.finished = asked, started, false }
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

// unended is a contact centre session that could not be ended, and why; the zero one is none.
type unended struct {
	session  *htcc.Session // the upstream session; nil if there was none
	cause    error
	password string // for another session, where there was none, a site that comes back has forgotten it, or another host answers; "" if none is kept
	isNew    bool   // session was opened to end it
}

var errNoSession = errors.New("the agent has no upstream session, as none could be opened")

// leaveUnended leaves the End to be sent on a session that is still to be opened, as the site was away for as long as this
// agent's session lasts. They may be at work there since one of before, whose End has stood back for this log-in. To who is
// not, it does no more than to anybody who ends a session in which they have started nothing, and no harm: the log-in may
// make them Ready, as some do, but the End takes them out of work at once.
func (p *htccPart) leaveUnended() {
	password := p.agent.keptPassword()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over { // the site takes the password no more, and each try counts towards locking the agent out
		password = ""
	}
	p.unended = unended{cause: errNoSession, password: password}
}

// lateEnd returns how the End is made up for; nil if it cannot be.
func (p *htccPart) lateEnd(of unended) func(context.Context) error {
	if of.session == nil && of.password == "" {
		return nil
	}
	return func(ctx context.Context) error { return p.logOffLate(ctx, &of) }
}

// logOffLate is logOff once the agent's session is over, until ctx ends, on another upstream session where that one does not do.
func (p *htccPart) logOffLate(ctx context.Context, of *unended) error {
	release, err := hold(ctx, p.orders.channel())
	if err != nil {
		return err
	}
	defer release()
	if of.session != nil {
		err = p.site.HTCC.EndContactCenterSession(ctx, of.session)
		if !p.needsAnother(of, err) {
			return err
		}
		of.session = nil // a host that hangs takes the time of the log-in
	}
	session, _, err := p.site.HTCC.Login(ctx, htcc.Credentials{UserName: p.login, Password: of.password})
	if err != nil {
		return fmt.Errorf("gateway: log in to log off: %w", err)
	}
	of.session, of.isNew = session, true
	return p.site.HTCC.EndContactCenterSession(ctx, session)
}

// needsAnother reports whether another session is to be opened where an End has failed on one, and can be. Another host is
// asked once: a site that takes log-ins and no Ends would be logged in to with each try.
func (p *htccPart) needsAnother(of *unended, err error) bool {
	isElsewhere := upstream.IsAway(err) && p.site.HTCC.Hosts() > 1 && !of.isNew
	return of.password != "" && (isElsewhere || errors.Is(err, htcc.ErrSessionGone))
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
	if upstream.IsAway(err) {
		return err
	}
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
