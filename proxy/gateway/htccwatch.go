package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
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
		lived, err := p.receive(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil && lived {
			breaks = 0
			continue
		}
		if err != nil && !errors.Is(err, fault.Unauthenticated) {
			p.warn("the agent's state is not kept current", err)
		}
		breaks++
		if upstream.Sleep(ctx, upstream.Pause(breaks)) != nil {
			return
		}
	}
}

// receive receives until the upstream session is gone, and opens a new one. It reports whether notifications would have
// come: a session on which none do is not left for the next at once.
func (p *htccPart) receive(ctx context.Context) (bool, error) {
	session, err := p.joined(ctx, nil)
	if err != nil {
		return false, err
	}
	lived := false
	reading, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	err = p.site.HTCC.Receive(reading, session, htcc.Receiver{
		Message: p.receiveMessage,
		Resync:  func(ctx context.Context) error { return p.resync(ctx, session) },
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
		Problem: func(err error) { p.problem(session, err, leave) },
	})
	p.setLive(false)
	switch cause := context.Cause(reading); {
	case errors.Is(cause, errMove):
		return lived, p.move(ctx, session)
	case errors.Is(cause, errAnew):
		return lived, nil
	}
	if !errors.Is(err, htcc.ErrSessionGone) || p.isFinished() {
		return lived, err
	}
	_, err = p.joined(ctx, session)
	return lived, err
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

func (p *htccPart) isFinished() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.finished
}

func (p *htccPart) warn(text string, err error) {
	p.agent.gateway.log.Warn(text, "site", p.site.Name, "session", p.agent.gateway.ShortName(p.agent), "cause", err.Error())
}

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

// applyLocked takes what a message says of devices and channels, and returns which channels it is about.
func (p *htccPart) applyLocked(messageType string, message htcc.Object) []htccapi.MediaChannel {
	var names []htccapi.MediaChannel
	if messageType == htccapi.TypeDeviceStateChange || messageType == htccapi.TypeChannelStateChange {
		p.moments.told++
	}
	switch messageType {
	case htccapi.TypeDeviceStateChange:
		devices, err := htcc.Devices(message)
		if err == nil {
			p.devices = laidOver(p.devices, devices, htcc.Device.ID)
		}
	case htccapi.TypeChannelStateChange:
		channels, err := htcc.Channels(message)
		about := channels
		if err == nil && len(channels) == 0 {
			about, p.channels = p.channels, nil
		} else if err == nil {
			p.channels = laidOver(p.channels, channels, htcc.Channel.Name)
		}
		for _, channel := range about {
			names = append(names, channel.Name())
		}
	}
	return names
}

// laidOver returns list with the items of change in place of those with the same key, and at the
// end those that are new.
func laidOver[T any, K comparable](list, change []T, key func(T) K) []T {
	list = slices.Clone(list)
	for _, item := range change {
		at := slices.IndexFunc(list, func(old T) bool { return key(old) == key(item) })
		if at < 0 {
			list = append(list, item)
			continue
		}
		list[at] = item
	}
	return list
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
