package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"portico/translate/htccapi"
)

// In a fleet changes of state are told by the replica that reads what the sites push. One that begins to
// read, after another has died or left, knows by a mark in the journal what the applications were told
// last: it tells what is different by then, whole, and nothing that is not.

// How long a replica that begins to read waits at most until all sites have said what holds, and how often
// it looks. A site that is away must not keep back what the others tell.
const (
	takeOverWithin = 5 * time.Second
	takeOverLooks  = 20 * time.Millisecond
)

// takeOver begins to tell of changes, and of those that nobody told of since another replica did.
func (a *Agent) takeOver(ctx context.Context) {
	began := time.Now()
	for !a.current() && time.Since(began) < takeOverWithin {
		if sleep(ctx, takeOverLooks) != nil {
			return
		}
	}
	resume := a.pause()
	defer resume()
	for _, p := range a.parts {
		p.handOver()
	}
	a.tellsSince.Store(time.Now().UnixNano())
	a.tells.Store(true)
	push := a.gateway.settings.Push
	if push == nil {
		return
	}
	now := a.marks()
	a.outbox.mark(now)
	before, err := push.Mark(a.session.ID, strings.Join(now, " "))
	if err != nil || before == "" { // nobody was told anything, or whoever was is not known to us
		return
	}
	a.tellSince(strings.Fields(before), now)
}

// current reports whether every site has said what holds.
func (a *Agent) current() bool {
	for _, p := range a.parts {
		if !p.current() {
			return false
		}
	}
	return true
}

// tellSince tells of what is not marked as before.
func (a *Agent) tellSince(before, now []string) {
	same := func(i int) bool { return len(before) == len(now) && before[i] == now[i] }
	channels := false
	for i, p := range a.parts {
		devices := p.kept().devices
		if !same(2*i) && len(devices) > 0 {
			a.outbox.put(letter{topic: htccapi.TopicDevices, data: devicesMessage(devices), received: time.Now()})
		}
		channels = channels || !same(2*i+1)
	}
	if channels {
		a.outbox.put(letter{topic: htccapi.TopicChannels, received: time.Now()})
	}
}

// marks returns of each part hashes of the devices and of the channels that are shown: replicas that show the
// same have the same.
func (a *Agent) marks() []string {
	marks := make([]string, 0, 2*len(a.parts))
	for _, p := range a.parts {
		kept := p.kept()
		marks = append(marks, markOf(kept.devices), markOf(kept.channels))
	}
	return marks
}

// markWith returns what the agent's applications know once a notification is told, "" if that is not known. While
// more of its topic waits they know nothing newer of that than before.
func (a *Agent) markWith(topic string) string {
	if a.gateway.fleet == nil || !a.tells.Load() {
		return ""
	}
	return strings.Join(a.outbox.told(topic, a.marks()), " ")
}

// mark notes that everything is told.
func (o *outbox) mark(all []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.marks = all
}

// told takes from now the marks of what a topic tells, unless more of it waits, and returns all; nil before
// anything was marked.
func (o *outbox) told(topic string, now []string) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	more := slices.ContainsFunc(o.waiting, func(one letter) bool { return one.topic == topic })
	if more || len(o.marks) != len(now) {
		return o.marks
	}
	o.marks = slices.Clone(o.marks)
	for i := range now {
		if topic == htccapi.TopicDevices && i%2 == 0 || topic == htccapi.TopicChannels && i%2 == 1 {
			o.marks[i] = now[i]
		}
	}
	return o.marks
}

// markOf returns a hash of what notifications and reads tell alike of resources.
func markOf(resources []Resource) string {
	told := make([][]any, len(resources))
	for i, one := range resources {
		members := membersOf(one.Body)
		told[i] = []any{one.ID, members[memberState], members[memberNoDisturbing]}
	}
	text, err := json.Marshal(told)
	if err != nil {
		panic("gateway: what is shown came as JSON, so it encodes: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:markSize])
}

// markSize is the length of a hash, in bytes: enough to tell one state of an agent from the next.
const markSize = 12

const memberNoDisturbing = "doNotDisturb"

func devicesMessage(devices []Resource) any {
	return struct {
		MessageType string `json:"messageType"`
		Devices     []any  `json:"devices"`
	}{htccapi.TypeDeviceStateChange, bodiesOf(devices)}
}
