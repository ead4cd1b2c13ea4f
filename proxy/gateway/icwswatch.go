package gateway

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"portico/proxy/fault"
	"portico/proxy/icws"
	"portico/translate"
	"portico/translate/icwsapi"
)

// Pauses of a reader that cannot read: they double from the first to the longest, with jitter, so
// that the agents of a site that is back do not come all at once.
const (
	firstPause = 500 * time.Millisecond
	longPause  = 30 * time.Second
)

// watch keeps the part current until the session ends: it reads the state, receives what the site
// pushes, and when the upstream session is gone opens a new one.
func (p *icwsPart) watch(ctx context.Context) {
	pause := firstPause
	for {
		err := p.receive(ctx)
		if ctx.Err() != nil || errors.Is(err, fault.Unauthenticated) {
			return
		}
		if err == nil {
			pause = firstPause
			continue
		}
		p.warn("the agent's state is not kept current", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause/2 + rand.N(pause/2)):
		}
		pause = min(2*pause, longPause)
	}
}

// receive receives until the upstream session is gone, and opens a new one.
func (p *icwsPart) receive(ctx context.Context) error {
	err := p.restoreAlone(ctx)
	if err != nil {
		return err
	}
	conn := p.connection()
	err = p.site.ICWS.Receive(ctx, conn, icws.Receiver{
		Subscribe: func(ctx context.Context) error { return p.subscribe(ctx, conn) },
		Message:   p.receiveMessage,
		Live:      p.setLive,
		Problem:   p.broke,
		Nudge:     p.nudge,
	})
	p.setLive(false)
	if !errors.Is(err, icws.ErrSessionGone) {
		return err
	}
	_, err = p.rejoin(ctx, conn)
	return err
}

func (p *icwsPart) warn(text string, err error) {
	p.agent.gateway.log.Warn(text, "site", p.site.Name, "session", p.agent.gateway.ShortName(p.agent), "cause", err.Error())
}

// broke notes that the reader broke, or never began: nothing proves what is held.
func (p *icwsPart) broke(why error) {
	p.warn("the reader of an agent broke", why)
	p.mu.Lock()
	live := p.live
	p.mu.Unlock()
	if !live {
		p.catalogue.Unproven()
		p.access.Unproven()
	}
}

// subscribe puts everything the part is to be told. What an older site cannot tell is not kept
// current; the state itself must be.
func (p *icwsPart) subscribe(ctx context.Context, conn icws.Conn) error {
	client, agent := p.site.ICWS, []string{conn.UserID}
	err := client.SubscribeUserStatuses(ctx, conn, agent)
	if err != nil {
		return err
	}
	optional := []func() error{
		func() error { return client.SubscribeStatusMessages(ctx, conn) },
		func() error { return client.SubscribeUserAccess(ctx, conn, agent) },
	}
	if p.site.needsActivations() {
		optional = append(optional, func() error { return client.SubscribeActivations(ctx, conn, "portico", conn.UserID) })
	}
	for _, put := range optional {
		err = put()
		if errors.Is(err, fault.NotFound) || errors.Is(err, fault.Gone) || errors.Is(err, fault.Forbidden) {
			p.warn("the site refuses a subscription", err)
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// setLive notes whether messages flow. When they stop, what is held is no longer proven.
func (p *icwsPart) setLive(live bool) {
	p.mu.Lock()
	p.live = live
	p.synced = p.synced && live
	lost := p.lost
	p.mu.Unlock()
	if !live {
		p.catalogue.Unproven()
		p.access.Unproven()
	}
	if live && lost {
		p.agent.work.Go(func() { _ = p.restoreAlone(p.agent.life) }) // if it fails, the next need tries again
	}
}

// receiveMessage takes one message of the agent's queue.
func (p *icwsPart) receiveMessage(message icwsapi.Message) {
	switch m := message.(type) {
	case icwsapi.StatusMessagesMessage:
		p.changeCatalogue(m)
	case icwsapi.UserAccessMessage:
		p.changeAccess(m)
	case icwsapi.ConnectionStateChangeMessage:
		p.changeConnection(m)
	default:
		p.update(func(s translate.AgentState, d *translate.Directory) (translate.AgentState, translate.Heard) {
			return p.site.Rules.Heard(s, message, d)
		})
		p.sync(message)
	}
}

// sync notes that a full list of the agent's status came: nothing that happened before is missing
// any more.
func (p *icwsPart) sync(message icwsapi.Message) {
	m, ok := message.(icwsapi.UserStatusMessage)
	if !ok || m.IsDelta {
		return
	}
	p.mu.Lock()
	p.synced = p.live && p.begun
	lost := p.lost
	p.mu.Unlock()
	if !lost {
		p.setLink(translate.Connected)
	}
}

func (p *icwsPart) changeCatalogue(m icwsapi.StatusMessagesMessage) {
	if m.IsDelta {
		p.catalogue.Update(func(c *translate.Catalogue) *translate.Catalogue { return c.Changed(p.site.Name, m) })
	} else {
		p.catalogue.Replace((&translate.Catalogue{}).Changed(p.site.Name, m))
	}
	p.redirect()
}

func (p *icwsPart) changeAccess(m icwsapi.UserAccessMessage) {
	user := p.connection().UserID
	for _, change := range m.StatusMessagesUserAccessChanges {
		if !strings.EqualFold(change.UserID, user) {
			continue
		}
		if m.IsDelta {
			p.access.Update(func(a *translate.Access) *translate.Access { return a.Changed(change, false) })
		} else {
			p.access.Replace(translate.NewAccess(change.StatusMessagesAdded))
		}
	}
	p.redirect()
}

// redirect makes the directory follow the catalogue and the access list.
func (p *icwsPart) redirect() {
	catalogue, held := p.catalogue.Snapshot()
	access, allowed := p.access.Snapshot()
	if !held || !allowed {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.begun || p.directory.Catalogue == catalogue.Value && p.directory.Access == access.Value {
		return
	}
	old := p.directory
	p.directory = p.site.directories.of(p.site.Rules, catalogue.Value, access.Value)
	p.site.directories.release(old)
	p.showLocked()
}

// changeConnection takes the site's word on the upstream session. Down is an outage, unless the
// site logged the agent off and wants no new session; Up ends it.
func (p *icwsPart) changeConnection(m icwsapi.ConnectionStateChangeMessage) {
	switch {
	case m.NewConnectionState == icwsapi.ConnectionDown && m.ShouldReconnect != nil && !*m.ShouldReconnect:
		p.ended()
		p.agent.partEnded(p, endForced)
	case m.NewConnectionState == icwsapi.ConnectionDown:
		p.lose()
	case m.NewConnectionState == icwsapi.ConnectionUp:
		p.agent.work.Go(func() { _ = p.restoreAlone(p.agent.life) }) // if it fails, the next need tries again
	}
}

// ended notes that the part has ended: its channels show LoggedOut.
func (p *icwsPart) ended() {
	p.setLink(translate.Ended)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
}

// lose notes that the upstream session is gone: the agent is offline at the site.
func (p *icwsPart) lose() {
	p.setLink(translate.Unreachable)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lost = p.begun
	p.synced = false
}

// rejoin opens a new upstream session in place of one that is gone, once for all who found it so.
// The state it brings is for restore to read.
//
// When that cannot be, because no password is kept or the site refuses it, the agent's session
// ends, and the error is fault.Unauthenticated. Other failures end nothing.
func (p *icwsPart) rejoin(ctx context.Context, gone icws.Conn) (icws.Conn, error) {
	release, err := hold(ctx, p.joining)
	if err != nil {
		return icws.Conn{}, err
	}
	defer release()
	now := p.connection()
	if now.SessionID != gone.SessionID || now.Base != gone.Base {
		return now, nil
	}
	p.lose()
	password := p.agent.keptPassword()
	if password == "" {
		p.ended()
		p.agent.partEnded(p, endUpstream)
		return icws.Conn{}, fmt.Errorf("gateway: log in again: no password is kept: %w", fault.Unauthenticated)
	}
	conn, err := p.site.ICWS.Login(ctx, icws.Credentials{UserID: p.login, Password: password, Language: p.site.language(ctx, p.language)})
	if errors.Is(err, fault.Unauthenticated) {
		p.ended()
		p.agent.partEnded(p, endUpstream)
	}
	if err != nil {
		return icws.Conn{}, fmt.Errorf("gateway: log in again: %w", err)
	}
	p.agent.gateway.log.Info("logged in again", "site", p.site.Name, "session", p.agent.gateway.ShortName(p.agent))
	if !p.adopt(conn) {
		logOut(ctx, p.site, conn)
		return icws.Conn{}, fmt.Errorf("gateway: log in again: the session has ended: %w", fault.Unauthenticated)
	}
	return conn, nil
}

// adopt makes conn the part's; false if the agent's session ended meanwhile, since then nobody
// would close conn any more.
func (p *icwsPart) adopt(conn icws.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.agent.life.Err() != nil {
		return false
	}
	p.conn = conn
	return true
}

func (p *icwsPart) restoreAlone(ctx context.Context) error {
	release, err := hold(ctx, p.writing)
	if err != nil {
		return err
	}
	defer release()
	_, err = p.restore(ctx)
	return err
}

// restore makes sure that the part has a state to work on: read for the first time, or recovered
// after an outage. The caller holds writing.
func (p *icwsPart) restore(ctx context.Context) (*directory, error) {
	d, err := p.ready(ctx)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	lost := p.lost
	p.mu.Unlock()
	if !lost {
		return d, nil
	}
	err = p.recover(ctx)
	if err != nil {
		return nil, fmt.Errorf("gateway: recover from an outage: %w", err)
	}
	return d, nil
}

// recover takes up work on a new upstream session. The status is read before anything is set; if
// it would route work to the agent, the plain not-ready status is set before the agent is shown
// again.
func (p *icwsPart) recover(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	got, err := p.read(ctx)
	if err != nil {
		return err
	}
	p.redirect()
	p.mu.Lock()
	state, d := p.state, p.directory
	p.mu.Unlock()
	plan, err := p.site.Rules.PlanRecovery(state, got.status, got.activations, d.Directory)
	if err != nil {
		p.warn("the agent stays in an ACD status after an outage", err)
	}
	conn, requestID := p.connection(), ""
	for _, call := range plan.Calls {
		requestID, err = p.send(ctx, conn, call)
		if err != nil {
			return err
		}
	}
	p.recovered(plan)
	p.sent(plan, requestID)
	return nil
}

// recovered replaces the state by the one after an outage. Writes that were under way have failed;
// what became of them was read.
func (p *icwsPart) recovered(plan translate.Plan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, w := range p.writes {
		w.plan = translate.Plan{}
		w.failed = &translate.Completion{RequestID: id, Error: &icwsapi.Error{Message: "the upstream session was lost"}}
		delete(p.writes, id)
		close(w.done)
	}
	p.state = plan.Next
	p.lost = false
	p.showLocked()
}
