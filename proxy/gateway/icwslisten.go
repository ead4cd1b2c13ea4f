package gateway

import (
	"context"
	"errors"
	"time"

	"portico/proxy/fault"
	"portico/proxy/icws"
	"portico/proxy/upstream"
	"portico/translate/icwsapi"
)

// A listening is what the site says of an agent, taken piece by piece until the upstream session or a context ends:
// a reader of the agent's own, or the site's service while the agent's session is only kept alive.
type listening interface {
	// Work does what there is to do. It returns true when that is only to wait, else why it is over.
	Work() (waits bool, err error)

	// Wait waits, and takes little stack.
	Wait()
}

func (p *icwsPart) listening(ctx context.Context, conn *icws.Conn) listening {
	switch {
	case p.site.service == nil:
		return p.reception(ctx, conn)
	case p.site.holdsStream(conn):
		return p.silence(ctx, conn)
	}
	return &keeping{part: p, ctx: ctx}
}

// attend has the service watch the agent, if there is one, and returns what ends that.
func (p *icwsPart) attend(conn *icws.Conn) func() {
	service := p.site.service
	if service == nil {
		return func() {}
	}
	return service.Add(watched{p}, conn.UserID, conn.Language)
}

// watched is a part for which the service receives.
type watched struct{ part *icwsPart }

func (w watched) SetLive(live bool) { w.part.setLive(live) }

// Receive takes a message about the agent. One that ends in a panic ends nothing else: the messages of all come here.
func (w watched) Receive(message icwsapi.Message) {
	_, err := fault.Guarded(func() (struct{}, error) { w.part.receiveMessage(message); return struct{}{}, nil })
	if err != nil {
		w.part.agent.gateway.log.Error("a message about an agent ended in a panic", "site", w.part.site.Name, "session", w.part.agent.short, "cause", err.Error())
	}
}

// holdsStream reports whether an agent's own session is kept alive by a stream, on which the site says
// what it has to say of that session.
func (s *icwsSite) holdsStream(conn *icws.Conn) bool {
	return !s.Heartbeats && !s.streamless.Load() && conn.Streams()
}

// isUnreadLocked reports whether nobody reads what the site has to say of the agent's own session, completions
// among it.
func (p *icwsPart) isUnreadLocked() bool {
	return p.site.service != nil && !p.site.holdsStream(p.link.conn) && p.agent.readsHere()
}

// silence returns what keeps an upstream session alive by a stream on which there is next to nothing: it
// is subscribed to nothing. Whatever comes shows that the session lives, also to a service that has
// another one since the stream was opened.
func (p *icwsPart) silence(ctx context.Context, conn *icws.Conn) *icws.Reception {
	lives := func() {
		p.heardOf(*conn, (*upstream.Absence).Heard)
		life, _ := p.site.service.Life()
		p.verify(life)
	}
	return p.site.ICWS.Reception(ctx, conn, icws.Receiver{
		Message: p.receiveOwn,
		Live: func(live bool) {
			if live {
				lives()
			}
		},
		Alive:   lives,
		NoPolls: true,
		Pause:   p.silent.Sleep,
		Problem: func(err error) { p.streamBroke(*conn, err) },
	})
}

// streamBroke takes why the stream that keeps a session alive broke. A host that gives no answer for long is left.
func (p *icwsPart) streamBroke(conn icws.Conn, err error) {
	p.broke(conn, err)
	if p.shouldMove() {
		p.receiveAnew(errMove)
	}
}

// reception returns what receives the agent's own messages.
func (p *icwsPart) reception(ctx context.Context, conn *icws.Conn) *icws.Reception {
	return p.site.ICWS.Reception(ctx, conn, icws.Receiver{
		Subscribe: func(ctx context.Context) error { return p.subscribe(ctx, *conn) },
		Message:   func(message icwsapi.Message) { p.receiveFrom(conn, message) },
		Live:      p.setLive,
		Polls:     p.lists.member.Polls.Store,
		Problem:   func(err error) { p.problem(*conn, err) },
		Nudge:     p.nudge,
		Pause:     p.silent.Sleep,
		Alive: func() {
			p.alive.Note()
			p.heardOf(*conn, (*upstream.Absence).Heard)
		},
	})
}

// verifiedAt returns during which life of the service the upstream session was last known to live.
func (p *icwsPart) verifiedAt() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.link.verified
}

func (p *icwsPart) verify(life int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.link.verified = life
}

// beat tells the site that the agent's session is alive. Where it knows no heartbeat a poll does, which
// brings what has gathered there.
//
// Source: ICWS JavaScript library, messaging/heartbeat; absent from older servers.
func (p *icwsPart) beat(ctx context.Context, conn icws.Conn) error {
	if !p.site.mute.Load() {
		err := p.site.ICWS.Heartbeat(upstream.WithCause(ctx, upstream.Session), conn)
		if !errors.Is(err, fault.NotFound) && !errors.Is(err, fault.Gone) && !errors.Is(err, fault.WrongMethod) {
			return err
		}
		p.site.mute.Store(true)
	}
	return p.drain(ctx)
}

// drain takes what has gathered in the queue of a session that nobody reads: completions, and what
// becomes of the session itself.
func (p *icwsPart) drain(ctx context.Context) error {
	messages, err := p.site.ICWS.Drain(upstream.WithCause(ctx, upstream.Session), p.connection())
	for _, message := range messages {
		p.receiveOwn(message)
	}
	return err
}

// receiveOwn takes a message that comes to the session itself, whatever it is subscribed to.
func (p *icwsPart) receiveOwn(message icwsapi.Message) {
	switch m := message.(type) {
	case icwsapi.AsyncOperationCompletedMessage, icwsapi.EffectiveStationChangeMessage:
		p.hear(m)
	case icwsapi.ConnectionStateChangeMessage:
		p.changeConnection(m)
	}
}

// lostAlone reports whether an agent's upstream session that is gone was lost alone, while the service's
// lived throughout. That is no outage: the site was there all the time, and so was the agent.
func (p *icwsPart) lostAlone(ctx context.Context) bool {
	return p.site.service.LivedSince(ctx, p.verifiedAt())
}

// forcedOff asks about a session that is gone whether the site wants no other in its place. Where this process
// receives what the site pushes to the session, a message has said so.
//
// Source: ICWS reference, GET connection: also of a previous connection.
func (p *icwsPart) forcedOff(ctx context.Context, gone icws.Conn) bool {
	if p.site.service == nil && p.agent.readsHere() || gone.SessionID == "" {
		return false
	}
	state, err := p.site.ICWS.ConnectionState(ctx, gone)
	return err == nil && state.ConnectionState == icwsapi.ConnectionDown && state.ShouldReconnect != nil && !*state.ShouldReconnect
}

// listenAnew ends the reception of a session that is gone where no reader of it would find that out.
func (p *icwsPart) listenAnew() {
	if p.site.service != nil {
		p.receiveAnew(errAnew)
	}
}

// askAfter is when the queue of a session that nobody reads is asked for the completion of a write
// whose status has not been shown by then: it may have failed.
const askAfter = time.Second
