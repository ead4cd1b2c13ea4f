package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"portico/proxy/htcc"
	"portico/proxy/upstream"
	"portico/translate/htccapi"
)

// A site notifies of an operation shortly before or after it answers it. A caller who reads at once is
// to see what they did, so until the notification is there the site is asked.
//
// Source: captured traffic of GWS 8.5.202.96 (notifications from 13 ms before to 85 ms after the answer).

// An unheard is the part's own operations of which the site may not have told yet. The zero unheard is
// none.
type unheard struct {
	count  int       // of operations carried out so far
	since  time.Time // when the last of them was answered; zero if all of them were heard
	before tally     // came before it was sent
	came   tally     // so far
	owed   tally     // will have come by when all of them were heard, as far as that is known

	due   bool      // a read is to tell of them, unless notifications do until then
	tries int       // of it that have failed, in a row
	read  bool      // one has told of some, of which the site may notify once the reader is well
	until time.Time // of some that a read has told, as long as the site may notify of them late
}

// A tally counts notifications of state. Those of two operations that lead back to the state before show what was kept
// all along, until the first of them has come: so it is their number that says whether all were heard.
type tally struct{ devices, channels int }

// has reports whether there are as many of each.
func (t tally) has(others tally) bool {
	return t.devices >= others.devices && t.channels >= others.channels
}

// owes returns how many notifications an operation brings here that the site carries out on all that it names. Which
// channels a Start or an End changes is for the site to say.
func (p *htccPart) owes(path string, body json.RawMessage) tally {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch op := operationOf(body); {
	case !p.synced:
		return tally{}
	case path == htcc.ChannelPath(htccapi.Voice), strings.HasPrefix(path, htcc.DevicePath("")):
		return tally{devices: 1}
	case path != htcc.PathMe:
		return tally{channels: 1}
	case op == htccapi.StartContactCenterSession, op == htccapi.EndContactCenterSession:
		return tally{}
	}
	var owes tally
	if slices.ContainsFunc(p.devices, func(d htcc.Device) bool { return isLoggedIn(d.UserState()) }) {
		owes.devices = 1
	}
	if slices.ContainsFunc(p.channels, func(c htcc.Channel) bool { return isLoggedIn(c.UserState()) }) {
		owes.channels = 1
	}
	return owes
}

func isLoggedIn(state htccapi.UserState, known bool) bool {
	return known && state.State != htccapi.StateLoggedOut
}

// gatheredWithin is how long a read waits that is to tell of operations, for those that follow.
const gatheredWithin = 100 * time.Millisecond

// operated notes that an operation was carried out, or may have been, before which so many notifications had come. It
// is known to bring as many as it owes.
func (p *htccPart) operated(before, owes tally) {
	p.mu.Lock()
	defer p.mu.Unlock()
	from := before
	if !p.unheard.since.IsZero() {
		from = tally{max(before.devices, p.unheard.owed.devices), max(before.channels, p.unheard.owed.channels)}
	}
	p.unheard.owed = tally{from.devices + owes.devices, from.channels + owes.channels}
	p.unheard.count++
	p.unheard.since, p.unheard.before = time.Now(), before
	p.seeToLocked()
}

// seeToLocked has a read tell of the agent's operations, unless notifications do until then: applications that wait for
// notifications do not ask.
func (p *htccPart) seeToLocked() {
	if p.unheard.due || p.isToldLocked() {
		return
	}
	wait := settledAfter - time.Since(p.unheard.since)
	if !p.synced { // a reader that begins, or whose break is short, tells
		wait = max(gatheredWithin, settledAfter-time.Since(p.mended))
	}
	p.unheard.due = true
	// Not a goroutine that waits: nearly all notifications come.
	time.AfterFunc(wait, func() { p.agent.start(p.catchUp) })
}

// catchUp has a read tell of the agent's operations that no notification will tell of soon, since the reader is not
// well, or has told of.
func (p *htccPart) catchUp() {
	p.mu.Lock()
	p.unheard.due = false
	behind := p.behindLocked() && !p.over && !p.isToldLocked()
	early := p.synced && !p.isLateLocked()
	if behind && early {
		p.seeToLocked()
	}
	p.mu.Unlock()
	if !behind || early || !p.agent.readsHere() {
		return
	}
	_, err := p.ahead(p.agent.life)
	if err == nil || !p.agent.lives() {
		return
	}
	p.warn("an operation of the agent is not told yet", err)
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.unheard.due {
		p.unheard.due = true
		time.AfterFunc(upstream.Pause(p.unheard.tries), func() { p.agent.start(p.catchUp) })
		p.unheard.tries++
	}
}

// behindLocked reports whether what is kept may lack an operation of the agent.
func (p *htccPart) behindLocked() bool {
	if p.isLateLocked() && p.unheard.came != p.unheard.before && p.unheard.came.has(p.unheard.owed) {
		p.unheard.since = time.Time{}
	}
	return !p.unheard.since.IsZero()
}

// isToldLocked reports whether the reader tells of all that is known to come.
func (p *htccPart) isToldLocked() bool { return p.synced && p.unheard.came.has(p.unheard.owed) }

// isLateLocked reports whether notifications that have not come are not waited for any more.
func (p *htccPart) isLateLocked() bool {
	return !p.unheard.since.IsZero() && time.Since(p.unheard.since) >= settledAfter
}

// caughtUpLocked reports whether the site may notify of operations of which a read has told.
func (p *htccPart) caughtUpLocked() bool {
	if p.synced && time.Since(p.mended) > settledAfter && time.Now().After(p.unheard.until) {
		p.unheard.read = false
	}
	return p.unheard.read
}

// awaitsLocked reports whether the site owes a message of a type, of an operation since: what it tells is no repetition.
func (p *htccPart) awaitsLocked(messageType string) bool {
	owed, came := p.unheard.owed, p.unheard.came
	switch {
	case p.unheard.since.IsZero():
		return false
	case messageType == htccapi.TypeDeviceStateChange:
		return owed.devices > came.devices
	}
	return owed.channels > came.channels
}

// ahead returns what the site says, by one read for all who ask after the same operation. It is not
// kept: the notification that is on its way tells of it, and who listens is to hear of it once. When
// none is on its way, any more or since the reader is not well, it is kept and told.
func (p *htccPart) ahead(ctx context.Context) (shown, error) {
	p.mu.Lock()
	operations, late := p.unheard.count, p.isLateLocked()
	p.mu.Unlock()
	name := fmt.Sprintf("ahead of notification %d, late %t", operations, late)
	return once(ctx, &p.agent.gateway.reads, p.agent.life, readOf(p, name), func(ctx context.Context) (shown, error) {
		var view shown
		err := p.call(ctx, func(s *htcc.Session) error {
			began := p.moment()
			user, err := p.site.HTCC.Me(ctx, s, htccapi.SubDevices, htccapi.SubChannels)
			if err != nil {
				return err
			}
			all := late
			p.change(func() {
				all = all || !p.synced
				p.unheard.tries = 0
				if all {
					p.unheard.read = p.unheard.read || p.tells
					p.unheard.until = time.Now().Add(lateWithin)
					p.keepLocked(user, began)
				}
			})
			view = p.compare(user, operations, all)
			return nil
		})
		return view, err
	})
}

// compare returns what a read shows that began after so many operations. If it shows what is kept, and nothing else is
// to come, all of them are known. A read that was kept is all that is waited for.
func (p *htccPart) compare(user htcc.Object, operations int, all bool) shown {
	p.mu.Lock()
	defer p.mu.Unlock()
	devices, _ := htcc.Devices(user) // the client lets no other object through
	channels, _ := htcc.Channels(user)
	view := p.viewOfLocked(devices, channels)
	kept := p.viewLocked()
	same := slices.EqualFunc(view.devices, kept.devices, Resource.alike) && slices.EqualFunc(view.channels, kept.channels, Resource.alike)
	if same && p.unheard.count == operations && (all || p.unheard.came.has(p.unheard.owed)) {
		p.unheard.since = time.Time{}
	}
	view.from = fromRead
	return view
}

// settledAfter is when notifications that came are taken for those of operations, and not for late ones of something
// before, and when those that did not come are not waited for any more: they may not come.
const settledAfter = time.Second

// lateWithin is how long after a read in place of a notification that one may still come, which then tells nothing.
const lateWithin = 10 * time.Second
