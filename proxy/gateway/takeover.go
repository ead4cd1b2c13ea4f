package gateway

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"portico/proxy/push"
	"portico/proxy/upstream"
	"portico/translate/htccapi"
)

// In a fleet changes of state are told by the replica that reads what the sites push. One that begins to
// read, after another has died or left, knows by a mark in the journal what the applications were told
// last: it tells what is different by then, whole, and nothing that is not. Where there has been no mark nobody was
// told anything, and they know what they were shown first.

// How long a replica that begins to read waits at most until all sites have said what holds, and how often
// it looks. A site that is away must not keep back what the others tell.
const (
	takeOverWithin = 5 * time.Second
	takeOverLooks  = 20 * time.Millisecond
)

// takeOver begins to tell of changes, and of those that nobody told of since another replica did.
func (a *Agent) takeOver(ctx context.Context) {
	if !a.await(ctx, part.current) {
		return
	}
	resume := a.pause()
	defer resume()
	a.tellsSince.Note()
	shows := a.tell(true)
	before, err := a.beginMarking()
	if err != nil {
		return
	}
	known, now := cmp.Or(before, a.firstKnown(shows)), marksOf(shows)
	untold := untoldSince(known, now, shows)
	a.outbox.mark(knownOf(known, len(now)))
	a.outbox.putFirst(untold...)
	if before == "" && len(untold) == 0 {
		a.mark(now)
	}
}

// beginMarking begins to mark what is told, and returns what was marked before, "" if nothing was. It only looks: who gets no
// answer may look again, and what is different by then is marked by what tells it. Meanwhile nothing may be sent;
// what is sent before the answer is known marks nothing.
func (a *Agent) beginMarking() (before string, err error) {
	a.outbox.mark(nil)
	a.tells.Store(true)
	return a.marked("")
}

// tellFirst begins to tell of changes where nobody did before: at once, with what is different by now from what the
// applications were shown first. What they know is marked as soon as that is known.
func (a *Agent) tellFirst(ctx context.Context) {
	resume := a.pause()
	a.tellsSince.Note()
	shows := a.tell(true)
	untold := untoldSince(firstOf(shows), marksOf(shows), shows)
	a.outbox.putFirst(untold...)
	if len(untold) == 0 { // what the sites notify of was not told, be it the same as before
		a.tellsSince.Forget()
	}
	resume()
	if a.await(ctx, part.hasShown) {
		a.markFirst()
	}
}

// markFirst marks what is shown, all of which has been told, as nobody else tells. It may be done again.
func (a *Agent) markFirst() {
	resume := a.pause()
	defer resume()
	a.tells.Store(true)
	a.mark(a.marks())
}

// await waits until all parts are as asked for, but not for long, and reports whether ctx goes on.
func (a *Agent) await(ctx context.Context, are func(part) bool) bool {
	began := time.Now()
	for slices.ContainsFunc(a.parts, func(p part) bool { return !are(p) }) && time.Since(began) < takeOverWithin {
		if upstream.Sleep(ctx, takeOverLooks) != nil {
			return false
		}
	}
	return true
}

// tell has all parts tell of changes or not.
func (a *Agent) tell(changes bool) []standing {
	shows := make([]standing, len(a.parts))
	for i, p := range a.parts {
		shows[i] = p.tell(changes)
	}
	return shows
}

// mark notes that so much is told, here and in the journal. Meanwhile nothing may be sent.
func (a *Agent) mark(now []mark) {
	a.outbox.mark(now)
	_, _ = a.marked(textOf(now))
}

// marked puts a mark into the journal, or with "" only looks, and returns what was marked before, "" if nothing was.
func (a *Agent) marked(now string) (before string, err error) {
	server := a.gateway.settings.Push
	if server == nil {
		return "", nil
	}
	before, err = server.Mark(a.session.ID, now)
	a.unmarked.Store(err != nil)
	return before, err
}

// wasTold reports whether a part shows what the agent's applications were told of it last. Only who reads may tell them
// anything else: told elsewhere it is in no mark, so if it has changed back by the time that another replica begins to
// read, that finds nothing to tell.
func (a *Agent) wasTold(p part, is shown) bool {
	before, err := a.gateway.settings.Push.Mark(a.session.ID, "")
	if err != nil {
		return false
	}
	known := knownOf(before, len(a.parts))[slices.Index(a.parts, p)]
	now := marksOf([]standing{{shown: is}})[0]
	return known.devices == now.devices && (known.channels == now.channels || len(a.parts) > 1)
}

// handOver tells what there is still to tell, with its mark, without which the next reader would tell it again.
// What changes from then on is neither told nor marked.
func (a *Agent) handOver() {
	a.outbox.sending.Lock()
	a.outbox.close(marksOf(a.tell(false)))
	a.outbox.sending.Unlock()
	a.send()
	a.tells.Store(false)
	if a.gateway.settings.Push != nil {
		a.gateway.settings.Push.Forsake(a.session.ID)
	}
}

// A standing is what a part shows at the moment from which it tells of changes, or does no more.
type standing struct {
	shown
	notified []any  // the channels as notifications carry them
	first    string // marks of what was shown first, "" if nothing was
}

// firstKnown returns the marks of what the applications know where there is no mark: what they were shown first, or ""
// of a session so old that a mark may have been forgotten, as it is while there are no applications.
func (a *Agent) firstKnown(shows []standing) string {
	if time.Since(a.session.Created) >= push.MarksKept {
		return ""
	}
	return firstOf(shows)
}

// firstOf returns the marks of what was shown first.
func firstOf(shows []standing) string {
	marks := make([]string, len(shows))
	for i, one := range shows {
		marks[i] = cmp.Or(one.first, firstShown(shown{}))
	}
	return strings.Join(marks, " ")
}

// firstShown returns the marks of what a part shows first.
func firstShown(is shown) string { return textOf(marksOf([]standing{{shown: is}})) }

// A mark says what of a part the agent's applications were told last: a hash of its devices, and one of its channels.
type mark struct{ devices, channels string }

// textOf returns marks as the journal has them, of each part both hashes.
func textOf(marks []mark) string {
	words := make([]string, 0, 2*len(marks))
	for _, one := range marks {
		words = append(words, one.devices, one.channels)
	}
	return strings.Join(words, " ")
}

// knownOf reads the marks of n parts, or returns as many that fit nothing if the text is of something else.
func knownOf(text string, n int) []mark {
	words := strings.Fields(text)
	if len(words) != 2*n {
		return slices.Repeat([]mark{{"-", "-"}}, n)
	}
	known := make([]mark, n)
	for i := range known {
		known[i] = mark{words[2*i], words[2*i+1]}
	}
	return known
}

// untoldSince returns notifications of what shows and is not marked as before.
func untoldSince(marked string, now []mark, shows []standing) []letter {
	before := knownOf(marked, len(now))
	var letters []letter
	channels, changed := []any{}, false
	for i, one := range shows {
		others := before[i].devices != now[i].devices && len(one.devices) > 0
		if others {
			letters = append(letters, letter{topic: htccapi.TopicDevices, data: devicesMessage(one.devices), received: time.Now()})
		}
		channels = append(channels, one.notified...)
		changed = changed || others || before[i].channels != now[i].channels // do-not-disturb of channels is in no mark
	}
	if changed {
		letters = append(letters, letter{topic: htccapi.TopicChannels, data: channelsMessage(channels), received: time.Now()})
	}
	return letters
}

// marksOf returns of each part hashes of the devices and of the channels that are shown: replicas that show the
// same have the same.
func marksOf(shows []standing) []mark {
	marks := make([]mark, len(shows))
	for i, one := range shows {
		marks[i] = mark{markOf(one.devices), markOf(one.channels)}
	}
	return marks
}

// marks returns those of what is shown now.
func (a *Agent) marks() []mark {
	shows := make([]standing, len(a.parts))
	for i, p := range a.parts {
		shows[i].shown = p.kept()
	}
	return marksOf(shows)
}

// markWith returns what the agent's applications know once a notification is told, "" if that is not known. While
// more of its topic waits they know nothing newer of that than before.
func (a *Agent) markWith(topic string) string {
	if a.gateway.fleet == nil || !a.tells.Load() {
		return ""
	}
	return textOf(a.outbox.told(topic, a.marks()))
}

// mark notes that so much is told; nil: that it is not known how much.
func (o *outbox) mark(all []mark) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.marks, o.last = all, nil
}

// close notes what is told once all that waits is.
func (o *outbox) close(all []mark) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = all
}

// told takes from now the marks of what a topic tells, unless more of it waits, and returns all; nil while
// it is not known what was told before.
func (o *outbox) told(topic string, now []mark) []mark {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.last != nil {
		now = o.last
	}
	more := slices.ContainsFunc(o.waiting, func(one letter) bool { return one.topic == topic })
	if more || len(o.marks) != len(now) {
		return o.marks
	}
	o.marks = slices.Clone(o.marks)
	for i := range now {
		switch topic {
		case htccapi.TopicDevices:
			o.marks[i].devices = now[i].devices
		case htccapi.TopicChannels:
			o.marks[i].channels = now[i].channels
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
