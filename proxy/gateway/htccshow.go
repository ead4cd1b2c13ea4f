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

// show returns the part's devices and channels: those kept while the reader tells of changes and has
// told of the agent's own, else what one read for all who ask together says.
func (p *htccPart) show(ctx context.Context) (shown, error) {
	p.mu.Lock()
	current, behind := p.synced || p.over, p.behindLocked() && !p.away && !p.over
	p.mu.Unlock()
	if behind {
		view, err := p.ahead(ctx)
		if err == nil {
			return view, nil
		}
		if !current {
			return p.unread(err)
		}
	}
	if current {
		p.site.metrics.Avoided(htcc.OpGetMe, upstream.LiveState)
		return p.aged(fromPush), nil
	}
	err := p.refresh(ctx)
	if err != nil {
		return p.unread(err)
	}
	return p.aged(fromRead), nil
}

// unread returns what is shown where a read has failed: of a site that cannot be reached what is left in view.
func (p *htccPart) unread(err error) (shown, error) {
	if errors.Is(err, fault.Unreachable) {
		return p.absent(), nil
	}
	return shown{}, err
}

// aged returns what is kept, and how old it is.
func (p *htccPart) aged(from source) shown {
	p.mu.Lock()
	defer p.mu.Unlock()
	view := p.viewLocked()
	view.age, view.from = p.alive.Since(p.readAt), from
	if from == fromRead {
		view.age = time.Since(p.readAt)
	}
	return view
}

// refresh reads devices and channels, once for all who ask together.
func (p *htccPart) refresh(ctx context.Context) error {
	return p.afresh.do(ctx, p.agent.life, func(ctx context.Context) error {
		return p.call(ctx, func(s *htcc.Session) error { return p.resync(ctx, s) })
	})
}

// absent notes that the site cannot be reached, unless the reader has found it meanwhile, and returns what is left
// in view.
func (p *htccPart) absent() shown {
	p.change(func() { p.away = !p.synced })
	p.agent.vanished(p)
	return p.view()
}

// Members of devices and channels that Portico sets.
var (
	inactive  = json.RawMessage(`"` + htccapi.DeviceInactive + `"`)
	loggedOut = mustEncode(htccapi.SettingOffline.UserState())
)

// view returns what is kept, as callers see it: of an agent who works on two sites, only what is
// this site's, and channels that were not asked for, or whose part has ended, as LoggedOut.
func (p *htccPart) view() shown {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.viewLocked()
}

func (p *htccPart) viewLocked() shown { return p.viewOfLocked(p.devices, p.channels) }

func (p *htccPart) viewOfLocked(devices []htcc.Device, channels []htcc.Channel) shown {
	var view shown
	for _, device := range devices {
		if !p.ownsLocked(htccapi.Voice) {
			break
		}
		body := device.Object
		if p.away || p.over {
			body = body.With("deviceState", inactive).Without("userState")
		}
		view.devices = append(view.devices, Resource{ID: device.ID(), Body: body})
	}
	for _, channel := range channels {
		if p.away && !p.over || !p.ownsLocked(channel.Name()) {
			continue
		}
		body := channel.Object.Without(memberDND) // which is in notifications alone
		if !p.countsLocked(channel.Name()) {
			body = body.With("userState", loggedOut)
		}
		view.channels = append(view.channels, Resource{ID: string(channel.Name()), Body: body})
	}
	for _, name := range p.unaskedLocked(channels) {
		view.channels = append(view.channels, Resource{ID: string(name),
			Body: htccapi.Channel{Channel: name, UserState: htccapi.SettingOffline.UserState()}})
	}
	return view
}

// unaskedLocked returns the channels of an agent on two sites that were not asked for and that the
// site therefore does not list in channels.
func (p *htccPart) unaskedLocked(channels []htcc.Channel) []htccapi.MediaChannel {
	var unasked []htccapi.MediaChannel
	for _, name := range p.owned {
		listed := slices.ContainsFunc(channels, func(c htcc.Channel) bool { return c.Name() == name })
		if (p.over || !p.away && !p.countsLocked(name)) && !listed {
			unasked = append(unasked, name)
		}
	}
	return unasked
}

// ownsLocked reports whether the channel is this site's.
func (p *htccPart) ownsLocked(channel htccapi.MediaChannel) bool {
	return p.owned == nil || slices.Contains(p.owned, channel)
}

// countsLocked reports whether operations on all channels cover the channel. The only site of an
// agent decides that itself.
func (p *htccPart) countsLocked(channel htccapi.MediaChannel) bool {
	if p.over {
		return false
	}
	return p.owned == nil || p.wish.Started == nil || slices.Contains(p.wish.Asked, channel) || slices.Contains(p.wish.Unasked, channel)
}

// counted returns the channels of an agent on two sites that operations on all channels cover: those that are
// LoggedOut are passed by.
func (p *htccPart) counted() []htccapi.MediaChannel {
	p.mu.Lock()
	defer p.mu.Unlock()
	var counted []htccapi.MediaChannel
	for _, name := range p.owned {
		if p.countsLocked(name) && p.hasLocked(name) && !p.loggedOutLocked(name) {
			counted = append(counted, name)
		}
	}
	return counted
}

// hasLocked reports whether the site gives the agent the channel: voice stands in devices. While the
// site cannot be reached, the settings say. What a Start asked for is the agent's also while the site does not list
// it: it has not told of that yet, or lost what stands behind it, and says so of each operation.
func (p *htccPart) hasLocked(name htccapi.MediaChannel) bool {
	if p.away || !p.begun || name == htccapi.Voice && len(p.devices) > 0 {
		return true
	}
	return slices.Contains(p.wish.Asked, name) || slices.ContainsFunc(p.channels, func(c htcc.Channel) bool { return c.Name() == name })
}

// loggedOutLocked reports whether the channel is LoggedOut: as the site shows it or, until that has told of all that
// the agent did, and where it does not list the channel, as they left it.
func (p *htccPart) loggedOutLocked(name htccapi.MediaChannel) bool {
	state, known := p.stateLocked(name)
	if !known || p.behindLocked() && !p.away {
		return slices.Contains(p.wish.Left, name)
	}
	return state.State == htccapi.StateLoggedOut || p.away && slices.Contains(p.wish.Left, name)
}

// has returns the channels that are this site's. The only site of an agent says itself.
func (p *htccPart) has() []htccapi.MediaChannel { return p.owned }

// covered returns the channels that an operation covers.
func (p *htccPart) covered(channel htccapi.MediaChannel) []htccapi.MediaChannel {
	if channel != "" {
		return []htccapi.MediaChannel{channel}
	}
	if p.owned == nil {
		return nil
	}
	return p.counted()
}
