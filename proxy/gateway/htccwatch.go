package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"portico/proxy/fault"
	"portico/proxy/htcc"
	"portico/proxy/upstream"
	"portico/translate/htccapi"
)

// watch keeps the part current until ctx ends: it receives what the site pushes, and when the
// upstream session is gone opens a new one. It outlives the end of the part, which another password
// can undo.
func (p *htccPart) watch(ctx context.Context) {
	ctx = upstream.WithCause(ctx, upstream.Session)
	breaks := 0
	for {
		last, err := p.receive(ctx)
		if ctx.Err() != nil {
			return
		}
		if last.lasted >= upstream.LongestPause {
			breaks = 0
		}
		breaks++
		switch {
		case err == nil && (last.lived || last.left) && breaks == 1:
			continue
		case err == nil && last.left:
		case err == nil:
			p.warn("the agent's state is not kept current for a while", errShort)
		case !errors.Is(err, fault.Unauthenticated):
			p.warn("the agent's state is not kept current", err)
		}
		if p.silent.Sleep(ctx, upstream.Pause(breaks)) != nil {
			return
		}
	}
}

var errShort = errors.New("the site took a log-in and gave the session up soon after")

// A reception is what became of receiving on one upstream session.
type reception struct {
	lived  bool // notifications would have come
	left   bool // in favour of another, at this host or elsewhere
	lasted time.Duration
}

// receive receives until the upstream session is gone, and opens a new one, which the caller need not receive on at once:
// a site may take log-ins and give up each session it opens.
func (p *htccPart) receive(ctx context.Context) (reception, error) {
	session, err := p.joined(ctx, nil)
	if err != nil {
		return reception{}, err
	}
	lived, began := false, time.Now()
	reading, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	p.leavesBy(session, leave)
	err = p.site.HTCC.Receive(reading, session, htcc.Receiver{
		Message: p.receiveMessage,
		Resync:  func(ctx context.Context) error { return p.readBeside(ctx, session, leave) },
		Live: func(live bool) {
			lived = lived || live
			p.setLive(live)
		},
		Alive: func() {
			p.alive.Note()
			if p.isOn(session) { // else it is said of a host that was left
				p.silent.Heard()
			}
		},
		Pause:   p.silent.Sleep,
		Problem: func(err error) { p.problem(session, err, leave) },
	})
	p.setLive(false)
	was := reception{lived: lived, lasted: time.Since(began)}
	switch cause := context.Cause(reading); {
	case errors.Is(cause, errMove):
		was.left = true
		return was, p.move(ctx, session)
	case errors.Is(cause, errAnew):
		was.left = true
		return was, nil
	}
	if !errors.Is(err, htcc.ErrSessionGone) || p.isFinished() {
		return was, err
	}
	_, err = p.joined(ctx, session)
	return was, err
}

// leavesBy notes how the reader leaves an upstream session.
func (p *htccPart) leavesBy(session *htcc.Session, leave func(error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.anew = func(gone *htcc.Session) {
		if gone == session {
			leave(errAnew)
		}
	}
}

// receiveAnew has the reader begin anew if it is on an upstream session that a call has found gone: notifications may go
// on there, but only a reader that begins shows that what is kept is current.
func (p *htccPart) receiveAnew(gone *htcc.Session) {
	p.mu.Lock()
	anew := p.anew
	p.mu.Unlock()
	if anew != nil {
		anew(gone)
	}
}

// problem takes why reception broke. Of a host that gives no answer for long the agent's applications
// are told, whether or not one reads, and it is left if there is another. A call may have left it before: then its
// answers, at the other host, would keep the reader here for ever.
func (p *htccPart) problem(session *htcc.Session, err error, leave func(error)) {
	p.warn("the reader of an agent broke", err)
	if !p.isOn(session) {
		leave(errAnew)
		return
	}
	p.silent.Note(err)
	if p.silent.IsLong() {
		p.absent()
	}
	if p.shouldMove() {
		leave(errMove)
	}
}

// readBeside reads the state for the reader, beside its notifications. A site that notifies is not left, and nothing
// said of it, because it answers no reads: that is for callers, whose calls fail too, and for the connects.
func (p *htccPart) readBeside(ctx context.Context, session *htcc.Session, leave func(error)) error {
	err := p.resync(ctx, session)
	switch {
	case err == nil || ctx.Err() != nil || errors.Is(err, htcc.ErrSessionGone):
	case !p.isOn(session):
		leave(errAnew)
	default:
		if !upstream.IsAway(err) {
			p.silent.Note(err)
		}
		p.warn("the agent's state could not be read, notifications go on", err)
	}
	return err
}

func (p *htccPart) isFinished() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.finished
}

func (p *htccPart) warn(text string, err error) { p.agent.warn(p.site.Name, text, err) }

// readsFromNow notes that a reader begins, who will be live soon.
func (p *htccPart) readsFromNow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mended = time.Now()
}

func (p *htccPart) setLive(live bool) {
	if live {
		p.silent.Note(nil)
	}
	p.change(func() {
		p.synced, p.mended = live, time.Now()
		p.away = p.away && !live
	})
	if live {
		p.amend(true)
	}
}

// receiveMessage takes one notification. Devices come whole, and so do channels; of those that a
// message does not list nothing is said, unless it lists none: then there are none.
func (p *htccPart) receiveMessage(topic string, data json.RawMessage) {
	var message htcc.Object
	_ = json.Unmarshal(data, &message) // data of another kind tells nothing of state
	messageType := message.Text("messageType")
	p.mu.Lock()
	before := p.markLocked(messageType)
	names := p.applyLocked(messageType, message)
	if before == "" || before != p.markLocked(messageType) {
		p.relayLocked(topic, data, messageType, names)
	}
	p.mu.Unlock()
	p.agent.send()
}

// stateLocked returns the state that the site tells of a channel: that of voice may stand in devices alone.
func (p *htccPart) stateLocked(name htccapi.MediaChannel) (htccapi.UserState, bool) {
	for _, channel := range p.channels {
		if channel.Name() == name {
			return channel.UserState()
		}
	}
	var of htccapi.UserState
	has := false
	for _, device := range p.devices {
		state, known := device.UserState()
		if name == htccapi.Voice && known && (!has || of.State == htccapi.StateLoggedOut) {
			of, has = state, true
		}
	}
	return of, has
}
