package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"portico/proxy/fault"
	"portico/proxy/icws"
	"portico/proxy/upstream"
	"portico/translate"
)

// rejoin opens a new upstream session in place of one that is gone, once for all who found it so.
// The state it brings is for restore to read.
//
// When that cannot be, because no password is kept or the site refuses it, the part ends, and the
// error is fault.Unauthenticated. Other failures end nothing.
func (p *icwsPart) rejoin(ctx context.Context, gone icws.Conn) (icws.Conn, error) {
	release, err := p.joining.hold(ctx)
	if err != nil {
		return icws.Conn{}, err
	}
	defer release()
	now := p.connection()
	if !now.IsSame(gone) {
		return now, nil
	}
	if p.ended() || !p.agent.enter() {
		return icws.Conn{}, errEnded
	}
	defer p.agent.work.Done()
	if p.site.service == nil {
		p.agent.awaitReader(ctx, p.site.Name, encoded(gone))
	}
	endTurn, err := p.agent.turn(ctx)
	if err != nil {
		return icws.Conn{}, err
	}
	defer endTurn()
	next, err := p.succeeded(ctx, gone)
	if err != nil || next.SessionID != "" {
		return next, err
	}
	if p.forcedOff(ctx, gone) {
		p.end(endForced)
		return icws.Conn{}, errEnded
	}
	alone := p.lostAlone(ctx)
	if !alone {
		p.lose()
	}
	p.setGone()
	conn, err := p.logInAgain(ctx, p.site.language(ctx, p.language))
	if err != nil {
		return icws.Conn{}, fmt.Errorf("gateway: log in again: %w", err)
	}
	return conn, p.adoptOpened(ctx, conn, alone)
}

// succeeded takes the upstream session that another replica opened in place of one that is gone, if there
// is one. The outage was there; it is here too as long as nobody has recovered the agent from it.
func (p *icwsPart) succeeded(ctx context.Context, gone icws.Conn) (icws.Conn, error) {
	record, err := p.agent.successor(ctx, p.site.Name, encoded(gone))
	if err != nil || record == nil {
		return icws.Conn{}, err
	}
	over := headOf(record).Over
	if over != "" {
		p.end(over)
		return icws.Conn{}, errEnded
	}
	opened, err := p.site.resume(ctx, record)
	if errors.Is(err, errNoHost) { // of a replica that has other settings, and may serve the agent
		return icws.Conn{}, p.agent.isToOpen()
	}
	if err != nil {
		return icws.Conn{}, err
	}
	next := opened.(icwsSession)
	return next.conn, p.adoptOrLetGo(ctx, next.conn, true, next.lost)
}

// adoptOpened is adopt for an upstream session that was opened here, and has the agent recovered on it where no reader is
// here to do so. If that fails, whoever reads for the agent or is asked next does.
func (p *icwsPart) adoptOpened(ctx context.Context, conn icws.Conn, alone bool) error {
	lost := p.isLost()
	err := p.adoptOrLetGo(ctx, conn, alone, lost)
	if err != nil || !lost || p.agent.readsHere() {
		return err
	}
	p.agent.start(func() {
		err := p.restoreAlone(upstream.WithCause(p.agent.life, upstream.Session))
		if err != nil && p.agent.lives() {
			p.warn("the agent is not recovered from an outage yet", err)
		}
	})
	return nil
}

// adoptOrLetGo is adopt for a new upstream session, which is logged; it fails if the agent's session has ended meanwhile,
// and logs the new one out.
func (p *icwsPart) adoptOrLetGo(ctx context.Context, conn icws.Conn, alone, lost bool) error {
	if !p.adopt(conn, alone, lost) {
		p.site.ICWS.LetGo(ctx, conn)
		return errEnded
	}
	p.lists.shareAt(conn)
	p.agent.gateway.log.Info("logged in again", "site", p.site.Name, "session", p.agent.short)
	return nil
}

// setGone notes that the upstream session is gone, and that nothing need be asked on it any more.
func (p *icwsPart) setGone() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.link.gone = true
}

// usable returns the upstream session; false if there is none, or it is known to be gone.
func (p *icwsPart) usable() (icws.Conn, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return *p.link.conn, p.link.usable()
}

// logInAgain logs in with the kept password, and ends the part if that cannot succeed. The caller
// holds joining.
func (p *icwsPart) logInAgain(ctx context.Context, language string) (icws.Conn, error) {
	proof, password := p.agent.credentials()
	if password == "" {
		p.end(endUpstream)
		return icws.Conn{}, fmt.Errorf("no password is kept: %w", fault.Unauthenticated)
	}
	conn, err := p.site.ICWS.Login(p.joining.unbroken(ctx), icws.Credentials{UserID: p.login, Password: password, Language: language})
	if errors.Is(err, fault.Unauthenticated) && p.agent.proves(proof) { // there is no other password since
		p.agent.gateway.rememberRefused(ctx, p.agent.Login(), proof)
		p.end(endUpstream)
	}
	return p.unlessEnded(ctx, conn, err)
}

// unlessEnded returns what a log-in opened, and logs it out if the agent's session has ended at another replica meanwhile.
func (p *icwsPart) unlessEnded(ctx context.Context, conn icws.Conn, err error) (icws.Conn, error) {
	if err != nil || !p.agent.endedElsewhere(ctx) {
		return conn, err
	}
	p.site.ICWS.LetGo(ctx, conn)
	return icws.Conn{}, errEnded
}

// reopen opens an upstream session in place of one that is gone for good. Its state is recovered as
// after an outage.
func (p *icwsPart) reopen(ctx context.Context, presented string) error {
	if !p.ended() {
		return nil
	}
	release, err := p.agent.alone(context.WithoutCancel(ctx), p.joining.lock.channel()) // a log-in is not broken off
	if err != nil {
		return err
	}
	defer release()
	if !p.ended() { // reopened since
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loginTimeout)
	defer cancel()
	conn, err := p.reopened(ctx, presented)
	if err != nil {
		return fmt.Errorf("gateway: log in again: %w", err)
	}
	if !p.revive(conn, true) {
		p.site.ICWS.LetGo(ctx, conn)
		return errEnded
	}
	p.lists.shareAt(conn)
	p.agent.gateway.log.Info("logged in again", "site", p.site.Name, "session", p.agent.short)
	return nil
}

// reopened logs in with the kept password, else with the presented one, unless the site refused it a
// moment ago.
func (p *icwsPart) reopened(ctx context.Context, presented string) (icws.Conn, error) {
	gateway := p.agent.gateway
	proof, kept := p.agent.credentials()
	password := cmp.Or(kept, presented)
	if password == "" {
		return icws.Conn{}, fmt.Errorf("no password is kept: %w", fault.Unauthenticated)
	}
	refused, _ := gateway.isRefused(ctx, p.agent.Login(), proof) // of the others that cannot be asked nothing is known
	if refused {
		return icws.Conn{}, fmt.Errorf("refused a moment ago: %w", fault.Unauthenticated)
	}
	conn, err := p.site.ICWS.Login(ctx, icws.Credentials{UserID: p.login, Password: password, Language: p.site.language(ctx, p.language)})
	if errors.Is(err, fault.Unauthenticated) {
		gateway.rememberRefused(ctx, p.agent.Login(), proof)
	}
	return p.unlessEnded(ctx, conn, err)
}

// revive makes conn that of a part which had ended, and wakes its reader; false if the agent's session
// has ended meanwhile. recovers says that the state is to be recovered here, as after an outage: until then channels
// stay LoggedOut.
func (p *icwsPart) revive(conn icws.Conn, recovers bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.link.closed {
		return false
	}
	life, _ := p.site.service.Life()
	p.link.revive(conn, life, recovers)
	p.who, p.full = nil, fullLists{}
	p.silent.Note(nil)
	p.agent.partBack(p)
	if !recovers {
		p.state.Link = translate.Unreachable // until it is read, or pushed
	}
	p.changedLocked()
	select {
	case p.revived.channel() <- struct{}{}:
	default:
	}
	return true
}

// adopt makes conn the part's, in place of one that was lost alone or in an outage; lost says that the agent is to be
// recovered on it. It returns false if the agent's session has ended meanwhile, since then nobody would close conn any more.
func (p *icwsPart) adopt(conn icws.Conn, alone, lost bool) bool {
	life, _ := p.site.service.Life()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.link.closed {
		return false
	}
	p.link.adopt(conn, life, lost)
	p.who, p.shows = nil, nil // what is shown of it follows with the state that it brings
	p.silent.Note(nil)
	anew := p.anew
	if anew != nil && !alone {
		time.AfterFunc(lastWords, func() { anew(errAnew) }) // it would wait long for a host that is gone
	}
	return true
}

// end ends the part: its upstream session is gone for good, and its channels show LoggedOut. That is
// told last: if it ends the agent's session too, a connect that is held is to be answered with how that
// ended, not with an event.
func (p *icwsPart) end(why ending) { p.endAs(why, nil) }

// endAs is end of a part of which another replica has told what is left in view, if that is not nil.
func (p *icwsPart) endAs(why ending, left *translate.View) {
	p.mu.Lock()
	before := p.beforeLocked()
	p.mu.Unlock()
	p.change(func(s translate.AgentState, _ *translate.Directory) (translate.AgentState, translate.Heard) {
		s.Link = translate.Ended
		return s, translate.Heard{}
	}, false)
	p.mu.Lock()
	p.link.over, p.link.left = why, left
	if p.begun && left == nil {
		p.link.left = p.viewLocked()
	}
	p.changedLocked()
	last := p.agent.partOver(p)
	p.mu.Unlock()
	p.listenAnew()
	p.site.groups.Leave(p.lists.member)
	p.agent.partEnded(last, why)
	p.mu.Lock()
	p.tellLocked(before, translate.Heard{})
	p.mu.Unlock()
	p.agent.send()
}

func (p *icwsPart) ended() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.link.over != ""
}
