package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"portico/proxy/htcc"
	"portico/proxy/upstream"
	"portico/translate/htccapi"
)

// A site may log an agent out with the upstream session. Channels that were wanted are brought back then, and taken
// out of work at once: many a switch makes who logs in Ready, which nobody asked for.

// wantedLocked returns the channels that the agent wants, at the moment when the upstream session is lost.
func (p *htccPart) wantedLocked() []htccapi.MediaChannel {
	var wanted []htccapi.MediaChannel
	for _, name := range p.wish.Asked {
		if slices.Contains(p.wish.Back, name) || !p.leftLocked(name) {
			wanted = append(wanted, name)
		}
	}
	return wanted
}

// leftLocked reports whether a channel that was asked for is known not to be wanted any more: the site showed it
// LoggedOut on a session that lived, because of an Offline here or in another client, or since a supervisor logged
// the agent off. A channel that the site does not list may have been lost. While the site has not told of the
// agent's own operations, they say; where another replica reads for the agent, that does, by noteLeft: what was read here
// last may be of long ago.
func (p *htccPart) leftLocked(name htccapi.MediaChannel) bool {
	state, known := p.stateLocked(name)
	if !known || p.behindLocked() || !p.agent.readsHere() {
		return slices.Contains(p.wish.Left, name)
	}
	return state.State == htccapi.StateLoggedOut
}

// noteLeft has what HTCC sites tell here of channels that are not wanted any more go with the wishes.
func (a *Agent) noteLeft() {
	for _, p := range a.atHTCC() {
		p.noteLeft()
	}
}

// noteLeft notes for the other replicas which channels the site shows to be left, and which to be taken up again.
func (p *htccPart) noteLeft() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.noteShownLocked()
}

// noteShownLocked is noteLeftLocked where the site has told of all.
func (p *htccPart) noteShownLocked() {
	if p.synced && !p.away && !p.over && !p.behindLocked() {
		p.noteLeftLocked()
	}
}

// noteLeftLocked keeps which channels are known to be left, and which to be taken up again: what the site lists later may
// not say. Of those that are being brought back it says nothing.
func (p *htccPart) noteLeftLocked() {
	for _, name := range p.wish.Asked {
		switch {
		case slices.Contains(p.wish.Back, name):
		case !p.leftLocked(name):
			p.wish.Left = without(p.wish.Left, name)
		case !slices.Contains(p.wish.Left, name):
			p.wish.Left = append(slices.Clone(p.wish.Left), name)
		}
	}
}

// heed takes an operation of the agent's own that the site accepted. A state is a newer wish than that a channel
// be out of work because it came back; a Start is none.
func (p *htccPart) heed(path string, body json.RawMessage, outcome htcc.Outcome) {
	op := operationOf(body)
	if isDND(op) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if op == htccapi.StartContactCenterSession {
		p.wish.Left = nil
		return
	}
	if p.agent.readsHere() && !p.away && !p.behindLocked() {
		p.wish.Left = slices.DeleteFunc(slices.Clone(p.wish.Left), p.presentLocked) // another client has taken it up
	}
	if p.agent.gateway.fleet == nil { // else a.noteLeft does, as the site may not have told yet of an operation elsewhere
		p.noteShownLocked()
	}
	var about []htccapi.MediaChannel
	for _, name := range slices.Concat(p.owned, p.wish.Asked, p.wish.Back) {
		if path == htcc.PathMe || path == htcc.ChannelPath(name) {
			about = append(about, name)
		}
	}
	for _, r := range expand(about, outcome.Failed) {
		if r.err != nil {
			continue
		}
		p.wish.Back = without(p.wish.Back, r.channel)
		switch {
		case op == htccapi.SettingOffline.OperationName:
			p.wish.Left = append(without(p.wish.Left, r.channel), r.channel)
		case path != htcc.PathMe: // which passes by those that are LoggedOut
			p.wish.Left = without(p.wish.Left, r.channel)
		}
	}
}

// operationOf returns the operation of a body. The door has looked at it, or the site refuses it.
func operationOf(body json.RawMessage) htccapi.Operation {
	var ask htccapi.OperationRequest
	_ = json.Unmarshal(body, &ask)
	return ask.OperationName
}

func without(names []htccapi.MediaChannel, name htccapi.MediaChannel) []htccapi.MediaChannel {
	return slices.DeleteFunc(slices.Clone(names), func(one htccapi.MediaChannel) bool { return one == name })
}

var notReady = json.RawMessage(`{"operationName":"NotReady"}`)

// replay starts the contact centre session again for channels that are wanted and that the site no longer gives, and
// takes each of them out of work, as well as those that came back before and are not out of it yet. Once it has begun
// it goes on without who needed the session. The caller holds orders.
func (p *htccPart) replay(ctx context.Context, session *htcc.Session, missing []htccapi.MediaChannel) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
	defer cancel()
	p.mu.Lock()
	started := p.wish.Started
	back := slices.DeleteFunc(slices.Clone(p.wish.Back), func(name htccapi.MediaChannel) bool { return !slices.Contains(p.wish.Asked, name) })
	p.mu.Unlock()
	if len(missing) > 0 {
		for _, name := range p.startAgain(ctx, session, started, missing) {
			back = append(without(back, name), name)
		}
	}
	for _, name := range back {
		_, err := p.site.HTCC.Operation(ctx, session, htcc.ChannelPath(name), notReady)
		if err != nil {
			p.warn("a channel that was brought back is not out of work yet", err)
		}
	}
	p.mu.Lock()
	p.wish.Back = back
	p.replays++
	turn := p.replays
	p.mu.Unlock()
	if len(back) > 0 {
		p.agent.shareWishes(ctx) // with those, before another replica can go on with the session
		p.agent.start(func() { p.quieten(upstream.WithCause(p.agent.life, upstream.Session), turn) })
	}
}

// startAgain posts the last StartContactCenterSession again and returns the channels that came back, or may have.
func (p *htccPart) startAgain(ctx context.Context, session *htcc.Session, started json.RawMessage, missing []htccapi.MediaChannel) []htccapi.MediaChannel {
	body, err := withMember(started, "channels", missing)
	var outcome htcc.Outcome
	if err == nil {
		outcome, err = p.site.HTCC.Operation(ctx, session, htcc.PathMe, body)
	}
	if err != nil {
		p.warn("channels of a lost session were not brought back", err)
		if !uncertain(err) && !errors.Is(err, htcc.ErrSessionGone) {
			return nil
		}
	}
	var back []htccapi.MediaChannel
	for _, r := range expand(missing, outcome.Failed) {
		if r.err == nil {
			back = append(back, r.channel)
		}
	}
	return back
}

// quietTries is how often NotReady is tried again before a channel is rather logged out.
const quietTries = 3

// quieten looks whether channels that came back are out of work, and tries again until they are, the agent sets
// them otherwise, or there was another replay. One that cannot be made NotReady is logged out.
func (p *htccPart) quieten(ctx context.Context, turn int) {
	p.agent.between(ctx, func() {}) // the other replicas know of them from now on, and of what the agent sets there
	goesOn := true
	for tries := 1; goesOn && upstream.Sleep(ctx, upstream.Pause(tries)) == nil; tries++ {
		p.agent.between(ctx, func() { goesOn = p.hush(ctx, turn, tries > quietTries) })
	}
}

// hush tries once to take channels that came back out of work, and reports whether there is anything left to look at.
func (p *htccPart) hush(ctx context.Context, turn int, late bool) bool {
	loud, goesOn := p.loud(ctx, turn, late)
	for _, name := range loud {
		err := p.order(ctx, name, notReady)
		if err != nil && late {
			p.warn("a channel that was brought back cannot be taken out of work, and is logged out", err)
			err = p.order(ctx, name, offline)
		}
		if err != nil {
			p.warn("a channel that was brought back is not out of work yet", err)
		}
	}
	return goesOn
}

// quietenOn is quieten where this replica reads for the agent, and another brought channels back, which may be gone.
func (p *htccPart) quietenOn() {
	p.mu.Lock()
	some := len(p.wish.Back) > 0
	p.replays++
	turn := p.replays
	p.mu.Unlock()
	if some {
		p.agent.start(func() { p.quieten(upstream.WithCause(p.agent.life, upstream.Session), turn) })
	}
}

// loud returns the channels that came back and are not out of work; false once nothing is left to look at. One that
// is not there may still come, until it is late.
func (p *htccPart) loud(ctx context.Context, turn int, late bool) ([]htccapi.MediaChannel, bool) {
	seen := p.current() || p.refresh(ctx) == nil
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.replays != turn || p.over {
		return nil, false
	}
	if p.finished { // the agent ends the session, or cannot
		return nil, true
	}
	var loud, back []htccapi.MediaChannel
	for _, name := range p.wish.Back {
		state, _ := p.stateLocked(name)
		present := p.presentLocked(name)
		if seen && (state.State == htccapi.StateNotReady || late && !present) {
			continue
		}
		back = append(back, name)
		if present || !seen {
			loud = append(loud, name)
		}
	}
	p.wish.Back = back
	return loud, len(back) > 0
}

// order posts an operation to a channel that came back, unless the agent has set it meanwhile.
func (p *htccPart) order(ctx context.Context, name htccapi.MediaChannel, body json.RawMessage) error {
	return p.call(ctx, func(s *htcc.Session) error {
		release, err := hold(ctx, p.orders.channel())
		if err != nil {
			return err
		}
		defer release()
		p.mu.Lock()
		still := slices.Contains(p.wish.Back, name)
		p.mu.Unlock()
		if !still {
			return nil
		}
		_, err = p.site.HTCC.Operation(ctx, s, htcc.ChannelPath(name), body)
		return err
	})
}

// presentLocked reports whether the site has the agent logged in on the channel.
func (p *htccPart) presentLocked(name htccapi.MediaChannel) bool {
	state, known := p.stateLocked(name)
	return known && state.State != htccapi.StateLoggedOut
}
