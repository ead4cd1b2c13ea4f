package gateway

import (
	"slices"

	"portico/translate"
	"portico/translate/icwsapi"
)

// heldMessages are those that wait for the end of a plan. Those who use it hold the part's lock.
type heldMessages struct {
	holding bool
	waiting []icwsapi.Message
}

// keep keeps a message back, and reports whether it did.
func (h *heldMessages) keep(message icwsapi.Message) bool {
	if h.holding {
		h.waiting = append(h.waiting, message)
	}
	return h.holding
}

// next takes out what waits. If nothing does, no more is kept back.
func (h *heldMessages) next() []icwsapi.Message {
	next := h.waiting
	h.holding, h.waiting = len(next) > 0, nil
	return next
}

// holdMessages keeps messages about the agent's state back while a plan is made and carried out. Each of
// them tells a half of what the plan leads to, which the agent would be told of as if it were something
// else.
func (p *icwsPart) holdMessages() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held.holding = true
}

// letMessagesGo hears what was held back. What comes meanwhile is heard behind it: a status that is heard
// after a later one would be taken for what the agent did last.
func (p *icwsPart) letMessagesGo() {
	for {
		p.mu.Lock()
		next := p.held.next()
		p.mu.Unlock()
		if len(next) == 0 {
			return
		}
		for _, message := range next {
			p.follow(message)
		}
	}
}

// beneathLocked takes what has been held back about activations, which the plan's own lie over: they
// were set later.
func (p *icwsPart) beneathLocked(s translate.AgentState, plan translate.Plan, d *translate.Directory) translate.AgentState {
	p.held.waiting = slices.DeleteFunc(p.held.waiting, func(message icwsapi.Message) bool {
		_, about := message.(icwsapi.UserActivationMessage)
		if about {
			p.moments.told++
			s, _ = p.site.Rules.Heard(s, message, d)
			p.full.add(message, s.UserID)
		}
		return about
	})
	for _, call := range plan.Calls {
		if call.Activations != nil {
			s = s.WithActivations(call.Activations)
		}
	}
	return s
}

// isHeld keeps a message back while a plan is carried out, and reports whether it did.
func (p *icwsPart) isHeld(message icwsapi.Message) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held.keep(message)
}
