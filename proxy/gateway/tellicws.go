package gateway

import (
	"time"

	"portico/translate"
	"portico/translate/htccapi"
)

// tellLocked puts what a change means for the agent's applications into the outbox: what is shown
// differs from before, an operation has taken place, or one failed after all. The caller holds the
// part's lock, and sends when it no longer does.
func (p *icwsPart) tellLocked(before translate.View, heard translate.Heard) {
	if p.agent.gateway.settings.Push == nil {
		return
	}
	now := time.Now()
	for _, n := range translate.Notifications(before, p.view, heard) {
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
