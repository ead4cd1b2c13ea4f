package gateway

import (
	"context"
	"fmt"
	"slices"
	"time"

	"portico/proxy/htcc"
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
}

const (
	// settledAfter is when a notification that came is taken for that of the operation, and not for a
	// late one of something before.
	settledAfter = time.Second

	// heardWithin is how long a notification is waited for. One that has not come then may not come.
	heardWithin = 10 * time.Second
)

// operated notes that an operation was carried out, or may have been, before which told
// notifications had come.
func (p *htccPart) operated(told int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unheard = unheard{count: p.unheard.count + 1, since: time.Now(), told: told}
}

// behindLocked reports whether what is kept may lack an operation of the agent.
func (p *htccPart) behindLocked() bool {
	if !p.unheard.since.IsZero() && time.Since(p.unheard.since) > settledAfter && p.moments.told > p.unheard.told {
		p.unheard.since = time.Time{}
	}
	return !p.unheard.since.IsZero()
}

// ahead returns what the site says, by one read for all who ask after the same operation. It is not
// kept: the notification that is on its way tells of it, and who listens is to hear of it once. When
// none is on its way any more, it is kept and told.
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
			if late {
				p.take(user, began)
			}
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
