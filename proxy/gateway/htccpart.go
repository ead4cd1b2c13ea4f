package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/singleflight"

	"portico/proxy/fault"
	"portico/proxy/htcc"
	"portico/proxy/upstream"
	"portico/translate/htccapi"
)

// An htccPart is an agent at one HTCC site: the upstream session, and devices and channels as the
// site says they are, members unknown to Portico included. Any number of goroutines may use it.
type htccPart struct {
	agent   *Agent
	site    *htccSite
	login   string                 // at the site
	owned   []htccapi.MediaChannel // the agent's channels that are this site's; nil: the site is the only one
	reads   singleflight.Group
	writing chan struct{} // room for one
	joining chan struct{} // room for one

	mu       sync.Mutex // guards what follows
	session  *htcc.Session
	object   htcc.Object // the agent object of the last log-in
	devices  []htcc.Device
	channels []htcc.Channel
	begun    bool // devices and channels were read
	synced   bool // the reader tells of every change
	told     int  // notifications of state received so far
	away     bool // the site could not be reached
	over     bool // the part has ended: no upstream session can be had
	finished bool // the agent ended the upstream session: another is opened only for a caller
	asked    []htccapi.MediaChannel
	started  json.RawMessage // body of the last StartContactCenterSession; nil before it
	known    []state         // the states the agent may choose, once they were read
	refused  string          // the password that the site would not take any more; "" if none
}

func newHTCCPart(a *Agent, at *htccSite, login string, owned []htccapi.MediaChannel, opened *htccSession) *htccPart {
	p := &htccPart{agent: a, site: at, login: login, owned: owned, writing: make(chan struct{}, 1), joining: make(chan struct{}, 1)}
	if opened != nil {
		p.session = opened.session
		p.takeLocked(opened.user)
	}
	return p
}

func (p *htccPart) siteName() string { return p.site.Name }

func (p *htccPart) reused() {
	p.site.metrics.Login(upstream.LoginReused)
	p.site.metrics.Avoided(htcc.OpLogin, upstream.SessionReused)
}

// close lets the upstream session go: HTCC knows no log-out but EndContactCenterSession, which is
// the agent's own to send.
func (p *htccPart) close() {}

// takeLocked keeps what a read of the agent says.
func (p *htccPart) takeLocked(user htcc.Object) {
	devices, errDevices := htcc.Devices(user)
	channels, errChannels := htcc.Channels(user)
	if errDevices != nil || errChannels != nil {
		return // the client has looked: it lets no such object through
	}
	p.devices, p.channels = devices, channels
	p.begun, p.away = true, false
	if user.Text("userName") != "" {
		p.object = user
	}
}

// call makes a call on the upstream session, and once more on a new one if that is gone.
func (p *htccPart) call(ctx context.Context, use func(*htcc.Session) error) error {
	session, err := p.joined(ctx, nil)
	if err != nil {
		return p.agent.denied(err)
	}
	err = use(session)
	if !errors.Is(err, htcc.ErrSessionGone) {
		return told(err)
	}
	session, err = p.joined(ctx, session)
	if err != nil {
		return p.agent.denied(err)
	}
	err = use(session)
	if errors.Is(err, htcc.ErrSessionGone) {
		return &fault.Error{Kind: fault.BadUpstream, Public: textDenied, Err: errors.New(err.Error())}
	}
	return told(err)
}

// told gives the caller the site's own words on a refusal: they are the API's, made for them.
func told(err error) error {
	refusal := htcc.AsRefusal(err)
	if refusal == nil || refusal.Message == "" || errors.Is(err, fault.Unauthenticated) {
		return err
	}
	return &fault.Error{Kind: fault.KindOf(err), Public: refusal.Message, Err: err}
}

// show returns the part's devices and channels: those kept while the reader tells of changes, else
// what one read for all who ask together says.
func (p *htccPart) show(ctx context.Context) (shown, error) {
	p.mu.Lock()
	current := p.synced || p.over
	p.mu.Unlock()
	if current {
		p.site.metrics.Avoided(htcc.OpGetMe, upstream.LiveState)
		return p.view(), nil
	}
	err := p.refresh(ctx)
	if errors.Is(err, fault.Unreachable) {
		return p.absent(), nil
	}
	if err != nil {
		return shown{}, err
	}
	return p.view(), nil
}

// refresh reads devices and channels, once for all who ask together.
func (p *htccPart) refresh(ctx context.Context) error {
	return once(ctx, &p.reads, p.agent.life, "refresh", func(ctx context.Context) error {
		return p.call(ctx, func(s *htcc.Session) error { return p.resync(ctx, s) })
	})
}

func (p *htccPart) resync(ctx context.Context, s *htcc.Session) error {
	told := p.toldSoFar()
	user, err := p.site.HTCC.Me(ctx, s, htccapi.SubDevices, htccapi.SubChannels)
	if err != nil {
		return err
	}
	p.change(func() {
		if p.begun && p.told != told {
			return // notifications have come since, and are as new as what was read or newer
		}
		kept := p.object
		p.takeLocked(user)
		if kept.Text("userName") != "" {
			p.object = kept // the log-in's has the features too
		}
	})
	return nil
}

func (p *htccPart) toldSoFar() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.told
}

// change changes what is kept of the agent, other than a notification of the site does. What is shown
// differently then is told.
func (p *htccPart) change(change func()) {
	p.mu.Lock()
	before := p.viewLocked()
	change()
	p.tellLocked(before)
	p.mu.Unlock()
	p.agent.send()
}

// absent notes that the site cannot be reached, and returns what is left in view.
func (p *htccPart) absent() shown {
	p.change(func() { p.away = true })
	return p.view()
}

// Members of devices and channels that Portico sets.
var (
	inactive  = json.RawMessage(`"` + htccapi.DeviceInactive + `"`)
	loggedOut = mustEncode(htccapi.SettingOffline.UserState())
)

func mustEncode(v any) json.RawMessage {
	encoded, err := json.Marshal(v)
	if err != nil {
		panic("gateway: a constant cannot fail to encode: " + err.Error())
	}
	return encoded
}

// view returns what is kept, as callers see it: of an agent who works on two sites, only what is
// this site's, and channels that were not asked for, or whose part has ended, as LoggedOut.
func (p *htccPart) view() shown {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.viewLocked()
}

func (p *htccPart) viewLocked() shown {
	var view shown
	for _, device := range p.devices {
		if !p.ownsLocked(htccapi.Voice) {
			break
		}
		body := device.Object
		if p.away || p.over {
			body = body.With("deviceState", inactive).Without("userState")
		}
		view.devices = append(view.devices, Resource{ID: device.ID(), Body: body})
	}
	for _, channel := range p.channels {
		if p.away && !p.over || !p.ownsLocked(channel.Name()) {
			continue
		}
		body := channel.Object.Without(memberDND) // which is in notifications alone
		if !p.countsLocked(channel.Name()) {
			body = body.With("userState", loggedOut)
		}
		view.channels = append(view.channels, Resource{ID: string(channel.Name()), Body: body})
	}
	for _, name := range p.unaskedLocked() {
		view.channels = append(view.channels, Resource{ID: string(name),
			Body: htccapi.Channel{Channel: name, UserState: htccapi.SettingOffline.UserState()}})
	}
	return view
}

// unaskedLocked returns the channels of an agent on two sites that were not asked for and that the
// site therefore does not list.
func (p *htccPart) unaskedLocked() []htccapi.MediaChannel {
	var unasked []htccapi.MediaChannel
	for _, name := range p.owned {
		listed := slices.ContainsFunc(p.channels, func(c htcc.Channel) bool { return c.Name() == name })
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
	return p.owned == nil || p.started == nil || slices.Contains(p.asked, channel)
}

// counted returns the channels of an agent on two sites that operations on all channels cover.
func (p *htccPart) counted() []htccapi.MediaChannel {
	p.mu.Lock()
	defer p.mu.Unlock()
	var counted []htccapi.MediaChannel
	for _, name := range p.owned {
		if p.countsLocked(name) && p.hasLocked(name) {
			counted = append(counted, name)
		}
	}
	return counted
}

// hasLocked reports whether the site gives the agent the channel: voice stands in devices. While the
// site cannot be reached, the settings say.
func (p *htccPart) hasLocked(name htccapi.MediaChannel) bool {
	if p.away || !p.begun || name == htccapi.Voice && len(p.devices) > 0 {
		return true
	}
	return slices.ContainsFunc(p.channels, func(c htcc.Channel) bool { return c.Name() == name })
}

// embedded are the members of an agent object that are sub-resources.
var embedded = []string{htccapi.SubDevices, htccapi.SubChannels, "channelStates", htccapi.SubFeatures, htccapi.SubSkills,
	htccapi.SubCalls, htccapi.SubInteractions, htccapi.SubChats, htccapi.SubSettings}

// user returns the agent object of the log-in. Sub-resources other than features are not kept: they
// are read when they are asked for.
func (p *htccPart) user(ctx context.Context, subresources []string) (any, []Resource, map[string]any, error) {
	p.mu.Lock()
	object, begun := p.object, p.begun
	p.mu.Unlock()
	if !begun {
		err := p.refresh(ctx)
		if err != nil {
			return nil, nil, nil, err
		}
		p.mu.Lock()
		object = p.object
		p.mu.Unlock()
	}
	more := map[string]any{}
	features := featuresOf(object)
	read := slices.DeleteFunc(slices.Clone(subresources), func(name string) bool {
		return !slices.Contains([]string{htccapi.SubSkills, htccapi.SubCalls, htccapi.SubInteractions, htccapi.SubChats, htccapi.SubSettings}, name)
	})
	if len(read) == 0 {
		return object.Without(embedded...), features, more, nil
	}
	err := p.call(ctx, func(s *htcc.Session) error {
		user, err := p.site.HTCC.Me(ctx, s, read...)
		for _, name := range read {
			if value := user.Get(name); value != nil {
				more[name] = value
			}
		}
		return err
	})
	if err != nil && !away(err) {
		return nil, nil, nil, fmt.Errorf("gateway: read sub-resources: %w", err)
	}
	return object.Without(embedded...), features, more, nil
}

// featuresOf returns the features of an agent object.
func featuresOf(object htcc.Object) []Resource {
	var list []htcc.Object
	err := json.Unmarshal(object.Get(htccapi.SubFeatures), &list)
	if err != nil {
		return nil // none, or none that could be told apart
	}
	var features []Resource
	for _, one := range list {
		features = append(features, Resource{ID: one.Text("id"), Body: one})
	}
	return features
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

// states returns the site's agent states, read once a session: only administrators change them.
func (p *htccPart) states(ctx context.Context) ([]state, error) {
	p.mu.Lock()
	known := p.known
	p.mu.Unlock()
	if known != nil {
		return known, nil
	}
	err := once(ctx, &p.reads, p.agent.life, "states", func(ctx context.Context) error {
		return p.call(ctx, func(s *htcc.Session) error {
			list, err := p.site.HTCC.AgentStates(ctx, s)
			if err != nil {
				return err
			}
			known := []state{}
			for _, one := range list {
				known = append(known, state{AgentStateSetting: one.Setting(), body: one.Object})
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			p.known = known
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("gateway: read agent states: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.known, nil
}
