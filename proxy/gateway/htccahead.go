package gateway

import (
	"context"
	"fmt"
	"slices"
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
	count int       // of operations carried out so far
	since time.Time // when the last of them was answered; zero if all of them were heard
	told  int       // notifications of state received before it was sent

	due  bool // a read is to tell of them, since the reader is not well
	read bool // one has told of some, of which the site may notify once the reader is well
}

const (
	// heardWithin is how long a notification is waited for. One that has not come then may not come.
	heardWithin = 10 * time.Second

	// gatheredWithin is how long a read waits that is to tell of operations, for those that follow.
	gatheredWithin = 100 * time.Millisecond
)

// operated notes that an operation was carried out, or may have been, before which told
// notifications had come.
func (p *htccPart) operated(told int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unheard.count++
	p.unheard.since, p.unheard.told = time.Now(), told
	if p.synced || p.unheard.due {
		return
	}
	wait := max(gatheredWithin, settledAfter-time.Since(p.mended)) // a reader that begins, or whose break is short, tells
	p.unheard.due = p.agent.start(func() {
		if upstream.Sleep(p.agent.life, wait) == nil {
			p.catchUp()
		}
	})
}

// catchUp has a read tell of the agent's operations that no notification will tell of soon, since the reader is not
// well. Applications that wait for notifications do not ask.
func (p *htccPart) catchUp() {
	p.mu.Lock()
	p.unheard.due = false
	well, behind := p.synced || p.over, p.behindLocked()
	p.mu.Unlock()
	if well || !behind || !p.agent.readsHere() {
		return
	}
	_, err := p.ahead(p.agent.life)
	if err != nil && p.agent.lives() {
		p.warn("an operation of the agent was not told", err)
	}
}

// behindLocked reports whether what is kept may lack an operation of the agent.
func (p *htccPart) behindLocked() bool {
	if !p.unheard.since.IsZero() && time.Since(p.unheard.since) > settledAfter && p.moments.told > p.unheard.told {
		p.unheard.since = time.Time{}
	}
	return !p.unheard.since.IsZero()
}

// caughtUpLocked reports whether the site may notify of operations of which a read has told.
func (p *htccPart) caughtUpLocked() bool {
	if p.synced && time.Since(p.mended) > settledAfter {
		p.unheard.read = false
	}
	return p.unheard.read
}

// ahead returns what the site says, by one read for all who ask after the same operation. It is not
// kept: the notification that is on its way tells of it, and who listens is to hear of it once. When
// none is on its way, any more or since the reader is not well, it is kept and told.
func (p *htccPart) ahead(ctx context.Context) (shown, error) {
	p.mu.Lock()
	operations, late := p.unheard.count, time.Since(p.unheard.since) > heardWithin
	p.mu.Unlock()
	name := fmt.Sprintf("ahead of notification %d", operations)
	return once(ctx, &p.agent.gateway.reads, p.agent.life, readOf(p, name), func(ctx context.Context) (shown, error) {
		var view shown
		err := p.call(ctx, func(s *htcc.Session) error {
			began := p.moment()
			user, err := p.site.HTCC.Me(ctx, s, htccapi.SubDevices, htccapi.SubChannels)
			if err != nil {
				return err
			}
			p.change(func() {
				if late || !p.synced {
					p.unheard.read = p.unheard.read || !p.synced && p.tells
					p.keepLocked(user, began)
				}
			})
			view = p.compare(user, operations)
			return nil
		})
		return view, err
	})
}

// compare returns what a read shows that began after so many operations. If it shows what is kept,
// the site has told of them all.
func (p *htccPart) compare(user htcc.Object, operations int) shown {
	p.mu.Lock()
	defer p.mu.Unlock()
	devices, _ := htcc.Devices(user) // the client lets no other object through
	channels, _ := htcc.Channels(user)
	view := p.viewOfLocked(devices, channels)
	kept := p.viewLocked()
	heard := slices.EqualFunc(view.devices, kept.devices, Resource.alike) && slices.EqualFunc(view.channels, kept.channels, Resource.alike)
	if heard && p.unheard.count == operations {
		p.unheard.since = time.Time{}
	}
	view.from = fromRead
	return view
}
