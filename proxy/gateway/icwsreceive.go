package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"portico/proxy/fault"
	"portico/proxy/icws"
	"portico/translate"
	"portico/translate/icwsapi"
)

// problem takes what went wrong with reception. A break is made good for by the new subscriptions
// that follow it. While messages flow it is one of them that could not be read, and what it told is
// missing until there are new subscriptions.
func (p *icwsPart) problem(conn icws.Conn, err error) {
	p.mu.Lock()
	live := p.live
	p.mu.Unlock()
	if live {
		p.receiveAnew(fmt.Errorf("gateway: a message was lost: %w", err))
		return
	}
	p.broke(conn, err)
	if p.silent.IsLong() {
		p.outOfReach() // the agent's applications are told, whether or not one reads
	}
	if p.shouldMove() {
		p.receiveAnew(errMove)
	}
	p.lists.unproven() // also before the first subscriptions stand, which prove it
	p.warn("the reader of an agent broke", err)
}

func (p *icwsPart) warn(text string, err error) { p.agent.warn(p.site.Name, text, err) }

// subscribe puts everything the part is to be told. What an older site cannot tell is read when it is
// needed; the status must be told.
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
	refused := false
	for _, put := range optional {
		err = put()
		if errors.Is(err, fault.NotFound) || errors.Is(err, fault.Gone) || errors.Is(err, fault.Forbidden) {
			p.warn("the site refuses a subscription", err)
			refused = true
			continue
		}
		if err != nil {
			return err
		}
	}
	if refused { // those that stand prove their lists anew
		p.lists.unproven()
	}
	return nil
}

// setLive notes whether messages flow. When they stop, what is held is no longer proven; when they
// begin during an outage, the outage is over.
func (p *icwsPart) setLive(live bool) {
	p.mu.Lock()
	p.live, p.full = live, fullLists{since: time.Now()}
	if !live { // what comes next is no repetition, whatever it says
		p.state.Said = translate.Change{}
	}
	over := live && p.link.lost
	p.mu.Unlock()
	p.lists.feed.Reset()
	if live {
		p.silent.Note(nil)
		p.amend(true)
	} else {
		p.lists.unproven()
	}
	if over {
		p.receiveAnew(errAnew)
	}
}

// receiveFrom takes one message of an upstream session's queue. Of one that was replaced nothing counts but what
// became of it: the rest is older than what the new one brought.
func (p *icwsPart) receiveFrom(conn *icws.Conn, message icwsapi.Message) {
	_, ofSession := message.(icwsapi.ConnectionStateChangeMessage)
	if ofSession || p.isOn(conn) {
		p.receiveMessage(message)
	}
}

func (p *icwsPart) isOn(conn *icws.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.link.conn == conn
}

// receiveMessage takes one message of the agent's queue.
func (p *icwsPart) receiveMessage(message icwsapi.Message) {
	list, ok := message.(icwsapi.StatusMessagesMessage)
	if ok {
		p.lists.feed.Take(list)
		return
	}
	p.lists.feed.Arrived()
	switch m := message.(type) {
	case icwsapi.UserAccessMessage:
		p.lists.changeAccess(m)
	case icwsapi.ConnectionStateChangeMessage:
		p.changeConnection(m)
	default:
		p.hear(message)
	}
}

// hear takes a message about the agent's state, now or when it is not held back any more.
func (p *icwsPart) hear(message icwsapi.Message) {
	if !p.isHeld(message) {
		p.follow(message)
	}
}

// follow has the state follow a message. A full list of the status shows that the site is there.
func (p *icwsPart) follow(message icwsapi.Message) {
	p.update(func(s translate.AgentState, d *translate.Directory) (translate.AgentState, translate.Heard) {
		if p.full.outdates(message) {
			return s, translate.Heard{}
		}
		p.moments.told++
		s, heard := p.site.Rules.Heard(s, message, d)
		p.full.add(message, s.UserID)
		p.everCurrent = p.everCurrent || p.currentLocked()
		if p.full.status && !p.link.lost {
			s.Link = translate.Connected
		}
		return s, heard
	})
}

// fullLists says which full lists of the agent's came since the reader receives: what happened
// before is not missing any more.
type fullLists struct {
	status, activations bool
	since               time.Time // it receives
}

// fullWithin is how long the full list of the status is waited for, which new subscriptions bring.
const fullWithin = 10 * time.Second

// outdates reports whether a message tells a change that the full list to come has: it gathered in the site's queue
// while nobody received, and may be long over. From a site that sends no full list it is taken a little later.
func (f *fullLists) outdates(message icwsapi.Message) bool {
	if f.status || time.Since(f.since) >= fullWithin {
		return false
	}
	switch m := message.(type) {
	case icwsapi.UserStatusMessage:
		return m.IsDelta
	case icwsapi.UserActivationMessage:
		return m.IsDelta && !f.activations
	}
	return false
}

func (f *fullLists) add(message icwsapi.Message, userID string) {
	switch m := message.(type) {
	case icwsapi.UserStatusMessage:
		about := func(s icwsapi.UserStatus) bool { return strings.EqualFold(s.UserID, userID) }
		f.status = f.status || !m.IsDelta && slices.ContainsFunc(m.UserStatusList, about)
	case icwsapi.UserActivationMessage:
		f.activations = f.activations || !m.IsDelta && strings.EqualFold(m.UserID, userID)
	}
}

// changeConnection takes the site's word on the upstream session. Down is an outage, unless the
// site logged the agent off and wants no new session; Up ends it.
func (p *icwsPart) changeConnection(m icwsapi.ConnectionStateChangeMessage) {
	switch {
	case m.NewConnectionState == icwsapi.ConnectionDown && m.ShouldReconnect != nil && !*m.ShouldReconnect:
		p.end(endForced)
	case m.NewConnectionState == icwsapi.ConnectionDown:
		p.lose()
	case m.NewConnectionState == icwsapi.ConnectionUp:
		p.receiveAnew(errAnew) // the message may have been drained for a write, before or beside the reader
	}
}
