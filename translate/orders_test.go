package translate

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

// An order is a random order in which a site carries out what an agent and others ask for, and in which what it
// says of that is heard here. The site makes changes one after the other. It tells of the status in one stream, of
// completions and of activations in others, and which of these is heard first is anybody's guess. Nothing is heard
// between a plan and the answer to its last call: the gateway sees to that.
type order struct {
	*desk // whose status and active are the site's
	draw  func(n int) int
	want  *wanted
	steps []string

	asked   []*asked
	line    []*asked // accepted and not carried out
	changes []*asked // of the status; nil for one that somebody else made
	told    int      // of the changes, those that the site has told of
	heard   int      // of the changes, those that were heard of
	sayings []saying
	ends    []end
	echoes  []icwsapi.Message // of activations
	doubts  bool              // the status is to be read
}

// asked is one operation of the agent's.
type asked struct {
	name    string
	choice  *Choice // nil if it sets no status
	id      string
	after   Kept // from then on
	refused bool // after it was accepted
	lost    bool // its completion never comes
	read    bool // that was found out
	known   int  // changes heard of when it was asked for
	at      int  // changes with it, once it has been carried out
	there   bool // it asks for the status that there is, as far as is known
	clouded bool // as isClouded says, once
}

// saying is a message about the status that is still to be heard.
type saying struct {
	message icwsapi.UserStatusMessage
	upTo    int // of the changes
}

// end is a completion that is still to be heard.
type end struct {
	of    *asked
	error *icwsapi.Error
}

func newOrder(tb testing.TB, draw func(int) int) *order {
	o := &order{draw: draw}
	r := []Rules{oneBare(), mapped(), mapped()}[draw(3)]
	active := o.pick("Sales -Support -Mail", "Sales Support Mail", "-Sales -Support -Mail")
	status := o.pick("Available", "Available, No ACD", "At Lunch", "Do Not disturb")
	o.desk = sit(tb, r, r.directory(tb), status, active)
	o.status.StatusChanged = new(icwsapi.NewTime(time.Unix(0, 0)))
	o.s.Said = changeTo(o.status)
	o.want = newWanted(r, o.d)
	o.want.back(o.desk)
	o.note("%d channels, %s, %q", len(r.Channels), active, status)
	return o
}

func (o *order) pick(from ...string) string { return from[o.draw(len(from))] }

func (o *order) note(format string, args ...any) {
	o.steps = append(o.steps, fmt.Sprintf(format, args...))
}

func (o *order) wrong(format string, args ...any) {
	o.Helper()
	o.Errorf(format+"; after\n\t%s", append(args, strings.Join(o.steps, "\n\t"))...)
}

// step lets one thing happen.
func (o *order) step() {
	if o.draw(3) == 0 {
		o.operate()
	} else if o.draw(6) == 0 {
		o.someoneElse()
	} else {
		all := o.possible()
		all = append(all, o.say)
		all[o.draw(len(all))]()
	}
	o.holds()
}

// finish lets everything happen that is still to come.
func (o *order) finish() {
	for all := o.possible(); len(all) > 0 && !o.Failed(); all = o.possible() {
		all[o.draw(len(all))]()
		o.holds()
	}
}

// possible returns what may happen by itself.
func (o *order) possible() []func() {
	var all []func()
	add := func(is bool, what func()) {
		if is {
			all = append(all, what)
		}
	}
	add(len(o.line) > 0, o.carryOutNext)
	add(o.told < len(o.changes), o.say)
	add(len(o.sayings) > 0, o.hearStatus)
	add(len(o.ends) > 0, o.hearEnd)
	add(len(o.echoes) > 0, o.hearEcho)
	add(o.doubts, o.lookAgain)
	add(o.undecided() != nil, o.decide)
	return all
}

// operate has the agent do something, which the site accepts.
func (o *order) operate() {
	ask := Request{Operation: htccapi.Operation(o.pick("Ready", "NotReady", "AtLunch", "AtPlay", "AfterCallWork", "Offline", "DoNotDisturbOn", "DoNotDisturbOff"))}
	if ask.Operation != htccapi.DoNotDisturbOn && ask.Operation != htccapi.DoNotDisturbOff {
		ask.Channel = htccapi.MediaChannel(o.pick("", "", "voice", "email"))
	}
	if len(o.echoes) > 0 { // the gateway reads them before a plan
		o.s.Activations = maps.Clone(o.active)
	}
	plan, err := o.Plan(o.s, o.d, ask)
	if err != nil {
		return
	}
	one := &asked{name: fmt.Sprintf("%s %s", ask.Channel, ask.Operation), known: o.heard}
	o.asked = append(o.asked, one)
	if o.s.DND() != (o.want.hidden != nil) { // clouded
		o.want.back(o.desk)
	}
	o.note("%s: %v", one.name, describe(plan))
	o.offersOnly(plan, o.want.asked(ask, o.ChannelNames(o.s), o.shownReady()))
	o.accept(one, plan)
	next, heard := o.s.Sent(plan, one.id)
	o.s, one.after = next, next.kept()
	o.outcome(heard)
}

// accept has the site take a plan: activations at once, the status when it comes to it.
func (o *order) accept(one *asked, plan Plan) {
	for _, call := range plan.Calls {
		if call.Activations != nil {
			o.activate(call.Activations)
			o.echoes, o.pending = append(o.echoes, o.pending...), nil
		}
	}
	update := plan.Status()
	if update == nil {
		return
	}
	o.requests++
	one.id, one.choice = o.requestID(), new(chosenBy(*update))
	one.there = !o.s.unseen() && same(o.s.Status.StatusID, one.choice.StatusID)
	o.line = append(o.line, one)
}

func (o *order) someoneElse() {
	status := o.pick("Available", "Available, No ACD", "At Lunch", "Follow Up", "Do Not disturb")
	o.note("someone sets %q", status)
	o.change(Choice{StatusID: status}, nil)
}

func (o *order) change(to Choice, by *asked) {
	changed := !same(to.StatusID, o.status.StatusID)
	o.status = to.over(o.status)
	if changed {
		o.changes = append(o.changes, by)
		o.status.StatusChanged = new(icwsapi.NewTime(time.Unix(int64(len(o.changes)), 0)))
	}
}

// carryOutNext has the site carry out what it accepted first, or refuse it.
func (o *order) carryOutNext() {
	one := o.line[0]
	o.line = o.line[1:]
	one.refused, one.lost = o.draw(6) == 0, o.draw(6) == 0
	o.note("%s is carried out: refused %t, completion lost %t", one.name, one.refused, one.lost)
	done := end{of: one}
	if one.refused {
		done.error = &icwsapi.Error{Message: "no"}
	} else {
		o.change(*one.choice, one)
		one.at = len(o.changes)
	}
	if !one.lost {
		o.ends = append(o.ends, done)
	}
}

// say has the site tell of the status: of one change, of several in one, or once more.
func (o *order) say() {
	head := icwsapi.Head{IsDelta: o.draw(2) == 0}
	o.told = len(o.changes)
	o.note("says %q", o.status.StatusID)
	o.sayings = append(o.sayings, saying{icwsapi.UserStatusMessage{Head: head, UserStatusList: []icwsapi.UserStatus{o.status}}, o.told})
}

func (o *order) hearStatus() {
	first := o.sayings[0]
	o.sayings = o.sayings[1:]
	o.note("heard: %q", first.message.UserStatusList[0].StatusID)
	others := slices.Contains(o.changes[o.heard:first.upTo], nil)
	o.heard = first.upTo
	o.take(first.message)
	if others {
		o.want.back(o.desk)
	}
}

func (o *order) hearEnd() {
	at := o.draw(len(o.ends))
	one := o.ends[at]
	o.ends = slices.Delete(o.ends, at, at+1)
	o.note("heard: %s is complete", one.of.name)
	o.take(icwsapi.AsyncOperationCompletedMessage{RequestID: one.of.id, Error: one.error})
	if one.error != nil {
		o.want.back(o.desk)
	}
}

func (o *order) hearEcho() {
	first := o.echoes[0]
	o.echoes = o.echoes[1:]
	o.take(first)
}

func (o *order) take(message icwsapi.Message) {
	next, heard := o.Heard(o.s, message, o.d)
	o.s = next
	o.outcome(heard)
	o.doubts = o.doubts || heard.Doubted
}

// lookAgain reads the status where what was heard leaves two answers.
func (o *order) lookAgain() {
	o.doubts = false
	o.note("read: %q", o.status.StatusID)
	next, heard := o.HeardStatus(o.s, o.status, o.d)
	o.s = next
	o.outcome(heard)
	o.want.back(o.desk)
}

// undecided returns the first operation whose completion is missed.
func (o *order) undecided() *asked {
	for _, one := range o.asked {
		if one.lost && !one.read {
			return one
		}
	}
	return nil
}

// decide reads the status in place of a completion.
func (o *order) decide() {
	one := o.undecided()
	one.read = true
	o.note("read for %s: %q", one.name, o.status.StatusID)
	before := o.untold()
	next, heard := o.Decided(o.s, one.id, o.status, o.d)
	o.s = next
	o.outcome(heard)
	o.confirmed += max(0, before-o.untold()-1) // a read that shows two is told of once
	o.want.back(o.desk)
}

// untold returns how many changes were not confirmed yet.
func (o *order) untold() int {
	return len(slices.DeleteFunc(slices.Clone(o.s.Pending), func(p Pending) bool { return p.Told }))
}

func TestRandomOrders(t *testing.T) {
	const seeds = 4000
	for seed := range uint64(seeds) {
		o := newOrder(t, rand.New(rand.NewPCG(seed, 1)).IntN)
		for range 3 + seed*25/seeds { // the short ones first: they are easier to understand
			o.step()
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
		o.finish()
		o.settled()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
