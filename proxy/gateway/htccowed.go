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

// oweStart notes which channels a Start asks for that could not be tried.
func (p *htccPart) oweStart(channels []htccapi.MediaChannel, ask Ask) {
	p.owe(channels, ask, false)
	p.amend(false)
}

// knows reports whether what is kept says on which channels the agent works.
func (p *htccPart) knows() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.agent.readsHere() && p.begun && !p.away && !p.over
}

// owe notes which channels a Start asks for, and which others the agent works on by then. Unless that is known they may
// work on any, until it is.
func (p *htccPart) owe(channels []htccapi.MediaChannel, ask Ask, known bool) {
	p.change(func() {
		var unasked []htccapi.MediaChannel
		for _, name := range p.owned {
			works := !known || p.presentLocked(name) || p.behindLocked() && slices.Contains(p.wish.Asked, name)
			if works && !slices.Contains(channels, name) {
				unasked = append(unasked, name)
			}
		}
		p.wish.Asked, p.wish.Unasked, p.wish.Unread, p.wish.Started = channels, unasked, !known, ask.Body
		p.wish.Starts++
	})
}

// find has the channels that the agent does not work on count as left, once the site was read after a Start before which it
// could not be.
func (p *htccPart) find() {
	p.change(func() {
		read := p.begun && (p.synced || time.Since(p.readAt) < freshFor)
		if !p.wish.Unread || !read || p.away || p.over || p.behindLocked() {
			return
		}
		p.wish.Unread = false
		p.wish.Unasked = slices.DeleteFunc(slices.Clone(p.wish.Unasked), func(name htccapi.MediaChannel) bool { return !p.presentLocked(name) })
	})
}

// wanted notes that the agent has set a channel themselves: it is not to be left any more, and counts from now on, unless
// they set it Offline.
func (p *htccPart) wanted(channel htccapi.MediaChannel, op htccapi.Operation) {
	if isDND(op) {
		return
	}
	p.change(func() {
		p.wish.Unasked = without(p.wish.Unasked, channel)
		if op != htccapi.Offline && p.wish.Started != nil && !slices.Contains(p.wish.Asked, channel) {
			p.wish.Asked = append(slices.Clone(p.wish.Asked), channel)
		}
	})
}

// leave takes the agent from the channels that the last Start did not ask for, which count until that has worked, and
// returns what failed: all of them but one that they set themselves. The caller holds writing.
func (p *htccPart) leave(ctx context.Context, but htccapi.MediaChannel) []result {
	if !p.isIndebted() {
		return nil
	}
	p.find()
	var failed []result
	unasked := p.unasked(but)
	for i, name := range unasked {
		err := p.leaveOne(ctx, name)
		if givesNoAnswer(err) { // and the others need not be tried
			return append(failed, each(unasked[i:], err)...)
		}
		if err != nil {
			failed = append(failed, result{name, err})
		}
	}
	return failed
}

// leaveUnless is leave of all, where it was tried to read the site before. One that did not answer then need not be asked again
// for each channel.
func (p *htccPart) leaveUnless(ctx context.Context, unread error) []result {
	if upstream.IsAway(unread) {
		return each(p.unasked(""), unread)
	}
	return p.leave(ctx, "")
}

// unasked returns the channels that are to be left, without one.
func (p *htccPart) unasked(but htccapi.MediaChannel) []htccapi.MediaChannel {
	p.mu.Lock()
	defer p.mu.Unlock()
	return without(p.wish.Unasked, but)
}

// leaveOne takes the agent from a channel. Where the site knows no Offline they are out of work at least, if they work there.
func (p *htccPart) leaveOne(ctx context.Context, name htccapi.MediaChannel) error {
	_, err := p.post(ctx, htcc.ChannelPath(name), offline)
	if err != nil && !givesNoAnswer(err) && p.isFound() {
		_, again := p.post(ctx, htcc.ChannelPath(name), notReady)
		if again == nil {
			err = nil
		}
	}
	if err == nil {
		p.change(func() { p.wish.Unasked = without(p.wish.Unasked, name) })
	}
	return err
}

// givesNoAnswer reports whether a call has failed as all calls do: the site is away, or forgets each session as it is opened.
func givesNoAnswer(err error) bool { return upstream.IsAway(err) || errors.Is(err, errGoneAgain) }

// isFound reports whether it is known on which channels the agent worked at the last Start.
func (p *htccPart) isFound() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.wish.Unread
}

var offline = json.RawMessage(`{"operationName":"Offline"}`)

func (p *htccPart) isIndebted() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.wish.Unasked) > 0
}

// amend has what a Start left undone made up for in the background, at once if the site is back.
func (p *htccPart) amend(isBack bool) { p.agent.makeAmends(&p.amends, p, isBack) }

// payUp is leave between the agent's operations, once there is an upstream session.
func (p *htccPart) payUp(ctx context.Context) error {
	p.mu.Lock()
	found := p.session != nil && !p.over && !p.finished
	p.mu.Unlock()
	if !found {
		return nil
	}
	err := p.reach(ctx) // not while others of the agent wait
	if err != nil {
		return err
	}
	p.agent.between(ctx, func() { err = p.leaveAlone(ctx) })
	return err
}

// leaveAlone is leave for who does not hold writing, and returns the first failure.
func (p *htccPart) leaveAlone(ctx context.Context) error {
	release, err := p.agent.alone(ctx, p.writing)
	if err != nil {
		return err
	}
	defer release()
	for _, one := range p.leave(ctx, "") {
		return one.err
	}
	return nil
}

// reach has what is shown be what the site has, and fails if it cannot be reached.
func (p *htccPart) reach(ctx context.Context) error {
	_, err := p.show(ctx)
	if err == nil && p.isAway() {
		err = fault.New(fault.Unreachable, "the contact centre cannot be reached")
	}
	return err
}

func (p *htccPart) isAway() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.away
}
