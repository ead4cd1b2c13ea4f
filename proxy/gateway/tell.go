package gateway

import (
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
	paused  int      // by so many nothing is to be sent; guarded by mu
	marks   []mark   // of what was told last, in a fleet; guarded by mu
	last    []mark   // of what there was to tell at the end; nil before; guarded by mu

	sending sync.Mutex // one sends at a time, so that the order holds
}

// A letter is one notification. Without data it is the list of all the agent's channels, as they are
// when it is sent.
type letter struct {
	topic    string
	data     any
	received time.Time
	again    bool // the state has not changed
}

// put adds notifications. The caller has somebody send them afterwards.
func (o *outbox) put(letters ...letter) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting = append(o.waiting, letters...)
}

// putFirst is put for what happened before all that waits.
func (o *outbox) putFirst(letters ...letter) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting = append(letters, o.waiting...)
}

func (o *outbox) next() (letter, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.paused > 0 || len(o.waiting) == 0 {
		return letter{}, false
	}
	first := o.waiting[0]
	o.waiting = o.waiting[1:]
	if len(o.waiting) == 0 {
		o.waiting = nil // most agents have nothing waiting most of the time
	}
	return first, true
}

func (o *outbox) pause(by int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.paused += by
}

// pause keeps back what is to be pushed until the caller calls what it returns.
func (a *Agent) pause() func() {
	a.outbox.pause(1)
	return func() {
		a.outbox.pause(-1)
		a.send()
	}
}

// send pushes what waits, together, so that one answer carries it. No part's lock may be held.
func (a *Agent) send() {
	a.outbox.sending.Lock()
	defer a.outbox.sending.Unlock()
	all := make([]push.Publication, 0, 2) // as a change of state is told by
	for {
		one, more := a.outbox.next()
		if !more {
			break
		}
		if one.data == nil {
			one.data = a.channelsMessage()
		}
		all = append(all, push.Publication{Channel: one.topic, Data: one.data, Received: one.received, Mark: a.markWith(one.topic), Again: one.again})
	}
	if len(all) > 0 {
		a.gateway.publish(a, all)
	}
}

// isHeard reports whether the agent has applications that can be told anything.
func (a *Agent) isHeard() bool {
	server := a.gateway.settings.Push
	return server != nil && server.Reaches(a.session.ID)
}

// publish gives notifications to the agent's applications.
func (g *Gateway) publish(a *Agent, all []push.Publication) {
	if g.settings.Push == nil {
		return
	}
	err := g.settings.Push.PublishAll(a.session.ID, all...)
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
	return channelsMessage(channels)
}

func channelsMessage(channels []any) any {
	return struct {
		MessageType string `json:"messageType"`
		Channels    []any  `json:"channels"`
	}{htccapi.TypeChannelStateChange, channels}
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
			if p.siteName() == site && agent.readsHere() {
				agent.outbox.put(letter{topic: htccapi.TopicServices, data: message, received: time.Now()})
				agent.send()
			}
		}
	}
}
