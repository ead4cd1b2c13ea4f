package main

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"
)

// A phase is a part of the shift. Everybody begins it together, once everybody has ended the one
// before: what is counted in it belongs to it.
type phase struct {
	name   string
	length time.Duration // of the shift's time
}

// The phases, in order. Streams that drop are back within a second by the clock on the wall, in which
// nobody does or polls anything in a shift that is not compressed: the shift's clock stands still.
var (
	logInWave  = phase{"log-in wave", 30 * time.Minute}
	morning    = phase{"morning", 3 * time.Hour}
	siteBreak  = phase{"contact centres drop streams", 0}
	afternoon  = phase{"afternoon", 4 * time.Hour}
	logOutWave = phase{"log-out wave", 30 * time.Minute}
	shiftPlan  = []phase{logInWave, morning, siteBreak, afternoon, logOutWave}

	// steady are the phases in which agents work, and nothing at the contact centres makes a read
	// necessary.
	steady = []phase{morning, afternoon}
)

// shiftLength is how long agents work, from the first log-in to the last log-out.
const shiftLength = 8 * time.Hour

// How often things happen, in the shift's time.
const (
	changesAnHour = 4 // Ready, and by turns AfterCallWork, lunch and NotReady
	reloads       = 3 // of a desktop's page
	foregrounds   = 6 // of a phone's app
	pollEvery     = 5 * time.Second

	officeBreak  = 90 * time.Minute // into the morning, the office's network breaks for all
	officeSpread = 8 * time.Minute  // all are back within that
)

// A step is something that an agent or their application does.
type step string

const (
	logIn      step = "log in"
	logOut     step = "log out"
	change     step = "change state"
	reload     step = "reload"
	foreground step = "come to the foreground"
	reconnect  step = "reconnect"
)

// An event is a step and its time, from the beginning of its phase.
type event struct {
	at   time.Duration
	step step
	to   state // of a change
}

// A state is one that an agent chooses.
type state struct {
	operation string // in HTCC
	status    string // in ICWS
}

var (
	ready    = state{"Ready", "Available"}
	notReady = state{"NotReady", "Available, No ACD"}
	// Every other choice is Ready, so that each is a change. The first follows the log-in, the last,
	// which is one of these, comes before the log-out.
	pauses = []state{{"AfterCallWork", "Follow Up"}, {"OutToLunch", "At Lunch"}, notReady}
)

// plan returns what an agent does in each phase, the same in every mode and run. Times are random,
// seeded by the agent's number.
func (a agent) plan() map[string][]event {
	random := rand.New(rand.NewPCG(uint64(a.number), 0))
	events := map[string][]event{}
	add := func(p phase, steps ...step) {
		at := time.Duration(random.Int64N(int64(p.length)))
		for _, s := range steps {
			events[p.name] = append(events[p.name], event{at: at, step: s})
		}
	}
	add(logInWave, logIn, change)
	add(logOutWave, change, logOut)
	for _, p := range steady {
		for range int(p.length.Hours() * changesAnHour) {
			add(p, change)
		}
	}
	for range a.times(desktop, reloads) {
		add(steady[random.IntN(len(steady))], reload)
	}
	for range a.times(phone, foregrounds) {
		add(steady[random.IntN(len(steady))], foreground)
	}
	if a.persona != panel { // which has no connection to lose
		back := officeBreak + time.Duration(random.Int64N(int64(officeSpread)))
		events[morning.name] = append(events[morning.name], event{at: back, step: reconnect})
	}
	inOrder(events)
	return events
}

// inOrder sorts the events of each phase, and gives each change its state.
func inOrder(events map[string][]event) {
	chosen := 0
	for _, p := range shiftPlan {
		list := events[p.name]
		slices.SortStableFunc(list, func(x, y event) int { return cmp.Compare(x.at, y.at) })
		for i := range list {
			if list[i].step == change {
				list[i].to = choice(chosen)
				chosen++
			}
		}
	}
}

// choice returns the state that an agent chooses the nth time.
func choice(n int) state {
	if n%2 == 0 {
		return ready
	}
	return pauses[n/2%len(pauses)]
}

// times returns n for a persona, and 0 for the others.
func (a agent) times(of persona, n int) int {
	if a.persona == of {
		return n
	}
	return 0
}

// polls returns how often an agent's application polls in a phase.
func (a agent) polls(p phase) int {
	if a.persona == panel && slices.Contains(steady, p) {
		return int(p.length / pollEvery)
	}
	return 0
}
