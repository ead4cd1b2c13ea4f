package gateway

import (
	"context"
	"slices"

	"portico/translate"
	"portico/translate/htccapi"
)

// owe notes a Start that is to be carried out here, until paid is called with the number that comes back. Of an agent's only
// site nothing is owed: the whole Start fails.
func (p *icwsPart) owe(channels []htccapi.MediaChannel) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.agent.parts) > 1 {
		p.owed = append([]htccapi.MediaChannel{}, channels...) // none is not nil
	}
	p.starts++
	return p.starts
}

// paid notes that a Start was carried out. What another one owes since is still to be.
func (p *icwsPart) paid(number int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.starts == number {
		p.owed = nil
	}
}

func (p *icwsPart) isIndebted() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.owed != nil
}

// owesFor reports whether a Start is to be made up for before an operation. One on a single channel, which the agent thereby
// sets themselves, leaves that to the Start only where it is to take them from another one.
func (p *icwsPart) owesFor(channel htccapi.MediaChannel) bool {
	p.mu.Lock()
	owed := p.owed
	p.mu.Unlock()
	if owed == nil || channel == "" {
		return owed != nil
	}
	return slices.ContainsFunc(p.covered(""), func(name htccapi.MediaChannel) bool {
		return name != channel && !slices.Contains(owed, name)
	})
}

// wanted notes that the agent sets channels themselves: a Start that is owed does not take them from these any more, nor bring
// back what they leave. It returns what takes that back, where the site refuses it: also from a Start that was made up for
// meanwhile, as if the agent had them.
func (p *icwsPart) wanted(channels []htccapi.MediaChannel, op htccapi.Operation) (refused func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.owed == nil {
		return func() {}
	}
	before := p.owed
	for _, name := range channels {
		p.owed = without(p.owed, name)
		if op != htccapi.Offline {
			p.owed = append(p.owed, name)
		}
	}
	p.starts++ // and another one is owed
	number := p.starts
	return func() {
		p.mu.Lock()
		if p.starts == number {
			p.owed = before
		}
		p.mu.Unlock()
		p.amend(false)
	}
}

// makeUp carries out a Start that is owed, whichever is when nothing else of the agent is carried out: of all channels but one
// that they set themselves, which still is owed. It sets no status: the agent was told that it had failed, and is not to be
// Ready by it later.
func (p *icwsPart) makeUp(ctx context.Context, but htccapi.MediaChannel) error {
	number, all := 0, true
	_, err := p.write(ctx, func(s translate.AgentState, d *translate.Directory) (translate.Plan, error) {
		p.mu.Lock()
		owed := p.owed
		number = p.starts
		p.mu.Unlock()
		all = but == "" || s.Wishes[but].LoggedOut || slices.Contains(owed, but)
		if owed == nil {
			return translate.Plan{Next: s}, nil
		}
		if !all {
			owed = append(slices.Clone(owed), but)
		}
		rules := p.site.Rules
		rules.Statuses.AtStart = ""
		plan, err := rules.PlanStart(s, d, owed)
		plan.Next.Started = s.Started // so that the agent's own next Start may set it
		return plan, err
	})
	if err == nil && all {
		p.paid(number)
	}
	return err
}

// amend has what a Start left undone made up for in the background, at once if the site is back.
func (p *icwsPart) amend(isBack bool) { p.agent.makeAmends(&p.amends, p, isBack) }

// payUp is makeUp between the agent's operations, once the site has been found.
func (p *icwsPart) payUp(ctx context.Context) error {
	p.mu.Lock()
	found := p.begun && p.link.usable() && !p.link.lost && p.link.over == ""
	current := p.currentLocked()
	p.mu.Unlock()
	if !found {
		return nil
	}
	if !current { // not while others of the agent wait
		err := p.afresh.do(ctx, p.agent.life, p.readAgain)
		if err != nil {
			return err
		}
	}
	var err error
	p.agent.between(ctx, func() { err = p.makeUp(ctx, "") })
	return err
}
