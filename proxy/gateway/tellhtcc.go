package gateway

import (
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"time"

	"portico/proxy/htcc"
	"portico/translate/htccapi"
)

// relayLocked passes a notification of the site on: unchanged for an agent without another site; else
// what is about channels as the list of all of them, and only what the site owns.
func (p *htccPart) relayLocked(topic string, data json.RawMessage, messageType string, names []htccapi.MediaChannel) {
	isState := messageType == htccapi.TypeDeviceStateChange || messageType == htccapi.TypeChannelStateChange
	if isState && (!p.tells || p.away) {
		return // takeOver tells of it, or what ends the absence
	}
	one := letter{topic: topic, data: data, received: time.Now()}
	if p.owned != nil {
		switch messageType {
		case htccapi.TypeDeviceStateChange:
			if !p.ownsLocked(htccapi.Voice) {
				return
			}
		case htccapi.TypeChannelStateChange:
			if !slices.ContainsFunc(names, p.ownsLocked) {
				return
			}
			one.data = nil
		case htccapi.TypeError: // of an operation on a device that nobody knows
			if topic == htccapi.TopicDevices && !p.ownsLocked(htccapi.Voice) {
				return
			}
		}
	}
	if messageType == htccapi.TypeChannelStateChange {
		p.noteDNDLocked()
	}
	p.agent.outbox.put(one)
}

// noteDNDLocked notes what applications are told of do-not-disturb of the channels, as the site has said it.
func (p *htccPart) noteDNDLocked() {
	if p.dndTold == nil {
		p.dndTold = map[htccapi.MediaChannel]string{}
	}
	for _, channel := range p.channels {
		if channel.DoNotDisturb() != "" {
			p.dndTold[channel.Name()] = channel.DoNotDisturb()
		}
	}
}

// markLocked returns a hash of what messages of a type are about while one that comes may be of a change that was told
// already, and "" else: the site shows changes before it notifies of them. So it is shortly after this replica began to
// tell of changes, and after a read has told, during a break of the reader, of what the agent did, but for messages that
// are owed of what they did since.
func (p *htccPart) markLocked(messageType string) string {
	if time.Since(p.agent.tellsSince.Time()) > settledAfter && (!p.caughtUpLocked() || p.awaitsLocked(messageType)) {
		return ""
	}
	switch messageType {
	case htccapi.TypeDeviceStateChange:
		return markOf(p.viewLocked().devices)
	case htccapi.TypeChannelStateChange:
		return markOf(p.viewLocked().channels) + p.dndMarkLocked()
	}
	return ""
}

// dndMarkLocked tells do-not-disturb of each channel: as the site has said it, else as applications were told.
func (p *htccPart) dndMarkLocked() string {
	var text strings.Builder
	for _, channel := range p.channels {
		text.WriteString(" " + cmp.Or(channel.DoNotDisturb(), p.dndTold[channel.Name()], htccapi.Off))
	}
	return text.String()
}

// tellLocked tells what is shown otherwise than before: the devices, whole, and all channels. quiet is what quietLocked
// was then: of do-not-disturb the channels that are read say nothing, and applications are told it of them all the same.
func (p *htccPart) tellLocked(before shown, quiet bool) {
	if !p.tells {
		return
	}
	now, after := time.Now(), p.viewLocked()
	devices := slices.DeleteFunc(slices.Clone(after.devices), func(device Resource) bool {
		return slices.ContainsFunc(before.devices, device.alike)
	})
	if len(devices) > 0 {
		p.agent.outbox.put(letter{topic: htccapi.TopicDevices, received: now, data: devicesMessage(devices)})
	}
	if quiet != p.quietLocked() && len(after.channels) > 0 || !slices.EqualFunc(before.channels, after.channels, Resource.alike) {
		p.agent.outbox.put(letter{topic: htccapi.TopicChannels, received: now})
	}
}

// kept returns what the part has of the agent, without asking the site.
func (p *htccPart) kept() shown {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.viewLocked()
}

// current reports whether the site tells of every change, or never will again.
func (p *htccPart) current() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.synced || p.over
}

// hasShown reports whether what is shown first is known: it came with the log-in.
func (p *htccPart) hasShown() bool { return true }

// tell has changes told or not. Of writes the site tells, whoever reads.
func (p *htccPart) tell(changes bool) standing {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tells = changes
	return standing{p.viewLocked(), p.notifiedLocked(), p.first}
}

func bodiesOf(resources []Resource) []any {
	bodies := make([]any, len(resources))
	for i, resource := range resources {
		bodies[i] = resource.Body
	}
	return bodies
}

// alike reports whether two resources show the same. A member that only one of them has says nothing,
// since notifications carry some that reads do not; but without userState there is no state.
func (r Resource) alike(other Resource) bool {
	if r.ID != other.ID {
		return false
	}
	mine, theirs := membersOf(r.Body), membersOf(other.Body)
	for name, value := range mine {
		another, both := theirs[name]
		if both && !reflect.DeepEqual(value, another) {
			return false
		}
	}
	return (mine[memberState] == nil) == (theirs[memberState] == nil)
}

const memberState = "userState"

// membersOf returns the members of a resource's body.
func membersOf(body any) map[string]any {
	encoded, err := json.Marshal(body)
	if err != nil {
		panic("gateway: what is shown came as JSON, so it encodes: " + err.Error())
	}
	var members map[string]any
	err = json.Unmarshal(encoded, &members)
	if err != nil {
		panic("gateway: what is shown are objects: " + err.Error())
	}
	return members
}

// notified returns the part's channels as notifications carry them: with a dndState, which answers do
// not have.
//
// Source: GWS 8.5.2, CometD messages (dndState); captured traffic of GWS 8.5.202.96 (reads).
func (p *htccPart) notified() []any {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.notifiedLocked()
}

func (p *htccPart) notifiedLocked() []any {
	channels := bodiesOf(p.viewLocked().channels)
	p.dndTold = map[htccapi.MediaChannel]string{}
	for i, channel := range channels {
		switch channel := channel.(type) {
		case htcc.Object:
			name := htccapi.MediaChannel(channel.Text("channel"))
			p.dndTold[name] = p.dndLocked(name)
			channels[i] = channel.With(memberDND, mustEncode(p.dndTold[name]))
		case htccapi.Channel:
			channel.DNDState = p.dndLocked(channel.Channel)
			p.dndTold[channel.Channel] = channel.DNDState
			channels[i] = channel
		}
	}
	return channels
}

const memberDND = "dndState"

// dndLocked returns do-not-disturb of a channel: what a notification said of it, else, since reads say
// nothing, what the devices tell, because do-not-disturb is the agent's.
func (p *htccPart) dndLocked(name htccapi.MediaChannel) string {
	for _, channel := range p.channels {
		if channel.Name() == name && channel.DoNotDisturb() != "" {
			return channel.DoNotDisturb()
		}
	}
	if p.quietLocked() {
		return htccapi.On
	}
	return htccapi.Off
}

// quietLocked reports whether do-not-disturb is on by what the devices tell.
func (p *htccPart) quietLocked() bool {
	return slices.ContainsFunc(p.devices, func(d htcc.Device) bool { return d.DoNotDisturb() == htccapi.On })
}
