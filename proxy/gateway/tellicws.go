package gateway

import (
	"slices"
	"time"

	"portico/translate"
	"portico/translate/htccapi"
)

// beforeLocked returns what is seen before a change, for tellLocked; nil if nobody is to be told.
func (p *icwsPart) beforeLocked() *translate.View {
	if !p.agent.isHeard() {
		return nil
	}
	return p.viewLocked()
}

// tellLocked puts what a change means for the agent's applications into the outbox: what is shown
// differs from before, an operation has taken place, or one failed after all. The caller holds the
// part's lock, and sends when it no longer does.
func (p *icwsPart) tellLocked(before *translate.View, heard translate.Heard) {
	if before == nil {
		return
	}
	now, after := time.Now(), p.viewLocked()
	letters := make([]letter, 0, 3)
	if p.tells {
		changed := heard
		changed.Confirmed = heard.Confirmed || p.bringsBackLocked(heard)
		for _, n := range translate.Notifications(*before, *after, changed) {
			one := letter{topic: n.Topic, data: n.Data, received: now}
			if n.Topic == htccapi.TopicChannels && len(p.agent.parts) > 1 {
				one.data = nil
			}
			letters = append(letters, one)
		}
	}
	if heard.Failed != nil {
		n := translate.Failure(*after, "the contact centre refused the change after accepting it")
		letters = append(letters, letter{topic: n.Topic, data: n.Data, received: now})
	}
	if len(letters) > 0 {
		p.agent.outbox.put(letters...)
	}
}

// bringsBackLocked reports whether a write has failed and what it wanted is shown no more. That was not told, so what
// others did beneath it may look like no change; while a later write lies there still, what becomes of that one tells.
func (p *icwsPart) bringsBackLocked(heard translate.Heard) bool {
	untold := func(one translate.Pending) bool { return !one.Told }
	return heard.Failed != nil && !slices.ContainsFunc(p.state.Pending, untold)
}

// tellAgain tells of a write that set the state there was: the replica that reads sees no change. What other
// sites of a unified agent show is not known well enough here to list all channels. It is told now or not at all: later
// it would come after newer states that the reader has told. What nobody has told of yet is for who reads.
func (p *icwsPart) tellAgain() {
	p.mu.Lock()
	view, is := p.viewLocked(), p.shownLocked()
	p.mu.Unlock()
	if !p.agent.wasTold(p, is) {
		return
	}
	for _, n := range translate.Notifications(*view, *view, translate.Heard{Confirmed: true}) {
		if n.Topic != htccapi.TopicChannels || len(p.agent.parts) == 1 {
			p.agent.outbox.put(letter{topic: n.Topic, data: n.Data, received: time.Now(), again: true})
		}
	}
	p.agent.send()
}

// kept returns what the part has of the agent, without asking the site.
func (p *icwsPart) kept() shown {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.shownLocked()
}

// current reports whether the site tells of every change, or never will again.
func (p *icwsPart) current() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.currentLocked() || p.link.over != ""
}

// hasShown reports whether what is shown first is known, or nothing is.
func (p *icwsPart) hasShown() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.begun || p.late || p.link.over != ""
}

// tell has changes told or not, and takes writes under way for told.
func (p *icwsPart) tell(changes bool) standing {
	p.mu.Lock()
	defer p.mu.Unlock()
	if changes {
		p.state = p.state.AllTold()
	}
	p.tells = changes
	return standing{p.shownLocked(), notified(p.viewLocked()), p.first}
}

// notified returns the part's channels as notifications carry them.
func (p *icwsPart) notified() []any {
	p.mu.Lock()
	view := p.viewLocked()
	p.mu.Unlock()
	return notified(view)
}

func notified(view *translate.View) []any {
	var channels []any
	for _, channel := range view.Channels {
		channels = append(channels, channel)
	}
	return channels
}
