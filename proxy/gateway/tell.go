package gateway

import (
	"encoding/json"
	"sync"
	"time"

	"portico/proxy/push"
	"portico/translate"
	"portico/translate/htccapi"
)

// An outbox holds what is to be pushed to an agent's applications, in the order in which it
// happened. Changes are put in under the lock of the part they happen in; they are pushed without
// it, since the list of all channels asks every part.
type outbox struct {
	mu      sync.Mutex
	waiting []letter // guarded by mu

	sending sync.Mutex // one sends at a time, so that the order holds
}

// A letter is one notification. Without data it is the list of all the agent's channels, as they are
// when it is sent.
type letter struct {
	topic    string
	data     any
	received time.Time
}

// put adds notifications. The caller has somebody send them afterwards.
func (o *outbox) put(letters ...letter) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting = append(o.waiting, letters...)
}

func (o *outbox) next() (letter, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.waiting) == 0 {
		return letter{}, false
	}
	first := o.waiting[0]
	o.waiting = o.waiting[1:]
	return first, true
}

// send pushes what waits. No part's lock may be held.
func (a *Agent) send() {
	a.outbox.sending.Lock()
	defer a.outbox.sending.Unlock()
	for {
		one, more := a.outbox.next()
		if !more {
			return
		}
		if one.data == nil {
			one.data = a.channelsMessage()
		}
		a.gateway.publish(a, one)
	}
}

// publish gives one notification to the agent's applications.
func (g *Gateway) publish(a *Agent, one letter) {
	if g.settings.Push == nil {
		return
	}
	err := g.settings.Push.Publish(a.session.ID, one.topic, one.data, one.received)
	if err != nil {
		g.log.Error("a notification could not be pushed", "session", a.short, "cause", err.Error())
	}
}

// channelsMessage lists all channels of the agent, each as its owner has it.
func (a *Agent) channelsMessage() any {
	channels := []any{}
	for _, p := range a.parts {
		channels = append(channels, p.notified()...)
	}
	return struct {
		MessageType string `json:"messageType"`
		Channels    []any  `json:"channels"`
	}{htccapi.TypeChannelStateChange, channels}
}

// tellLocked puts what a change means for the agent's applications into the outbox: what is shown
// differs from before, an operation has taken place, or one failed after all. The caller holds the
// part's lock, and sends when it no longer does.
func (p *icwsPart) tellLocked(before translate.View, heard translate.Heard) {
	if p.agent.gateway.settings.Push == nil {
		return
	}
	now := time.Now()
	for _, n := range translate.Notifications(before, p.view, heard.Confirmed) {
		one := letter{topic: n.Topic, data: n.Data, received: now}
		if n.Topic == htccapi.TopicChannels && len(p.agent.parts) > 1 {
			one.data = nil
		}
		p.agent.outbox.put(one)
	}
	if heard.Failed != nil {
		n := translate.Failure(p.view, "the contact centre refused the change after accepting it")
		p.agent.outbox.put(letter{topic: n.Topic, data: n.Data, received: now})
	}
}

// notified returns the part's channels as notifications carry them.
func (p *icwsPart) notified() []any {
	p.mu.Lock()
	view := p.view
	p.mu.Unlock()
	var channels []any
	for _, channel := range translate.WithDND(view) {
		channels = append(channels, channel)
	}
	return channels
}

// notified returns the part's channels as they are shown.
func (p *htccPart) notified() []any {
	var channels []any
	for _, channel := range p.view().channels {
		channels = append(channels, channel.Body)
	}
	return channels
}

// relay passes a notification of the site on: unchanged for an agent without another site; else what
// is about channels as the list of all of them, and only what the site owns.
func (p *htccPart) relay(topic string, data json.RawMessage, messageType string, names []htccapi.MediaChannel) {
	one := letter{topic: topic, data: data, received: time.Now()}
	if p.owned != nil {
		switch messageType {
		case htccapi.TypeDeviceStateChange:
			if !p.owns(htccapi.Voice) {
				return
			}
		case htccapi.TypeChannelStateChange:
			if !p.ownsAny(names) {
				return
			}
			one.data = nil
		}
	}
	p.agent.outbox.put(one)
	p.agent.send()
}

func (p *htccPart) owns(channel htccapi.MediaChannel) bool {
	return p.ownsLocked(channel) // what a site owns never changes
}

func (p *htccPart) ownsAny(names []htccapi.MediaChannel) bool {
	for _, name := range names {
		if p.owns(name) {
			return true
		}
	}
	return false
}

// tellServices tells the agents of a site whether it is there.
func (g *Gateway) tellServices(site string, up bool) {
	state := htccapi.DeviceInactive
	if up {
		state = htccapi.DeviceActive
	}
	id := translate.Namespace(site).String()
	message := htccapi.ServiceStateChangeMessage{MessageType: htccapi.TypeServiceStateChange, Services: []htccapi.Service{
		{ID: id, Name: site, Type: htccapi.ServiceVoice, State: state, Path: "/services/" + id}}}
	for _, agent := range g.all() {
		for _, p := range agent.parts {
			if p.siteName() == site {
				agent.outbox.put(letter{topic: htccapi.TopicServices, data: message, received: time.Now()})
				agent.send()
			}
		}
	}
}

// adviceAt says what the end of a session means for its applications: who ended it on purpose, or was
// logged off, is not to come back by themselves.
func adviceAt(why ending) push.Advice {
	switch why {
	case endByAgent, endOperator, endForced:
		return push.None
	}
	return push.Handshake
}
