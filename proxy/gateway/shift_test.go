package gateway

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/icws/icwssim"
	"portico/translate"
	"portico/translate/htccapi"
)

// A shift is a working day in short: agents who operate, other clients who change things, and a
// site that fails, all by chance.
type shift struct {
	*world
	rand    *rand.Rand
	desks   []*desk
	others  bool            // other clients change statuses and activations too
	acd     map[string]bool // statuses that route work
	checked int             // entries of the site's log
	history []string
}

// A desk is one agent of a shift, who makes one operation at a time.
type desk struct {
	name  string
	agent *Agent
	asked map[htccapi.MediaChannel]bool // channels whose work the agent may be offered

	refused bool // what the site accepts may fail later, and then the wish before counts again
}

var workgroups = map[htccapi.MediaChannel][]string{htccapi.Voice: {"Sales", "Support"}, "email": {"Mail"}}

var shifts = flag.Uint64("shifts", 24, "random shifts to play")

func TestRandomShifts(t *testing.T) {
	for name, mode := range modes {
		for seed := range *shifts {
			t.Run(fmt.Sprintf("%s, seed %d", name, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { runShift(t, mode, seed) })
			})
		}
	}
}

func runShift(t *testing.T, mode option, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 1))
	sim := &icwssim.Server{
		CompletionFirst:    random.IntN(2) == 0,
		AnnounceSameStatus: random.IntN(2) == 0,
		MessagingVersion:   1 + random.IntN(2),
		KeepLoggedOut:      random.IntN(4) == 0,
		AsyncDelay:         time.Duration(random.IntN(3)) * 200 * time.Millisecond,
	}
	s := &shift{rand: random, others: seed%2 == 1, world: newWorld(t, sim, mode, func(_ *Settings, site *Site) {
		site.WaitCompleted = random.IntN(3) == 0
		site.Rules.LoggedOutAfterOutage = random.IntN(3) == 0
	})}
	s.acd = map[string]bool{}
	for _, message := range icwssim.StockStatusMessages() {
		s.acd[message.StatusID] = message.IsACDStatus
	}
	for _, name := range []string{"anna", "agent0001"} {
		s.desks = append(s.desks, &desk{name: name})
		s.arrive(s.desks[len(s.desks)-1])
	}
	for range 40 {
		s.step()
		time.Sleep(time.Duration(s.rand.IntN(4)) * 700 * time.Millisecond)
		s.checkLog()
	}
	s.quiet()
	for _, d := range s.desks {
		s.checkDesk(d)
	}
	s.checkTotals()
	ending, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	s.Close(ending)
	for _, d := range s.desks {
		s.sessions(d.name, 0)
	}
	if t.Failed() {
		t.Logf("what happened:\n%s", strings.Join(s.history, "\n"))
	}
}

func (s *shift) note(format string, args ...any) {
	s.history = append(s.history, time.Now().Format("04:05.000 ")+fmt.Sprintf(format, args...))
}

// arrive logs the agent of a desk in; a site that fails may keep them waiting.
func (s *shift) arrive(d *desk) {
	for try := range 5 {
		if try == 3 {
			s.mend()
		}
		agent, err := s.Login(s.t.Context(), Caller{Basic: true, Login: d.name, Password: d.name})
		s.note("%s logs in: %v", d.name, err)
		if err == nil {
			d.agent, d.asked, d.refused = agent, map[htccapi.MediaChannel]bool{}, false
			s.takeOver(d)
			return
		}
		time.Sleep(20 * time.Second)
	}
	s.t.Fatalf("%s cannot log in", d.name)
}

func (s *shift) step() {
	d := s.desks[s.rand.IntN(len(s.desks))]
	_, err := s.Login(s.t.Context(), Caller{SessionID: d.agent.SessionID()})
	if err != nil { // the site logged them off
		s.mend()
		time.Sleep(barredFor)
		s.arrive(d)
		return
	}
	switch n := s.rand.IntN(20); {
	case n < 9:
		s.operate(d)
	case n < 10:
		s.startOrEnd(d)
	case n < 13:
		s.look(d)
	case n < 15 && s.others:
		s.meddle(d)
	case n < 19:
		s.fail(d)
	default:
		s.mend()
	}
}

// operate makes an operation of the agent, who may leave before it is answered.
func (s *shift) operate(d *desk) {
	ops := []htccapi.Operation{htccapi.Ready, htccapi.Ready, htccapi.NotReady, "AtLunch", htccapi.AfterCallWork,
		htccapi.DoNotDisturbOn, htccapi.DoNotDisturbOff, htccapi.Offline}
	ask := translate.Request{Operation: ops[s.rand.IntN(len(ops))]}
	isDND := ask.Operation == htccapi.DoNotDisturbOn || ask.Operation == htccapi.DoNotDisturbOff
	if !isDND {
		ask.Channel = []htccapi.MediaChannel{"", htccapi.Voice, "email"}[s.rand.IntN(3)]
	}
	if ask.Operation == htccapi.Ready {
		d.ask(ask.Channel, true)
	}
	ctx, cancel := s.t.Context(), func() {}
	if s.rand.IntN(6) == 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(s.rand.IntN(300))*time.Millisecond)
	}
	defer cancel()
	err := s.change(ctx, d.agent, ask)
	s.note("%s: %s on %q: %v", d.name, ask.Operation, ask.Channel, err)
	if err == nil && !d.refused && !isDND && ask.Operation != htccapi.Ready && ask.Operation != htccapi.AfterCallWork {
		d.ask(ask.Channel, false)
	}
}

// ask notes that work of a channel, or of all, is wanted or not.
func (d *desk) ask(channel htccapi.MediaChannel, wanted bool) {
	for name := range workgroups {
		if channel == "" || channel == name {
			d.asked[name] = wanted
		}
	}
}

func (s *shift) startOrEnd(d *desk) {
	if s.rand.IntN(2) == 0 {
		channels := [][]htccapi.MediaChannel{{htccapi.Voice}, {"email"}, {htccapi.Voice, "email"}}[s.rand.IntN(3)]
		_, err := s.StartContactCenterSession(s.t.Context(), d.agent, channels, Ask{})
		s.note("%s starts %v: %v", d.name, channels, err)
		return
	}
	err := s.EndContactCenterSession(s.t.Context(), d.agent)
	s.note("%s ends: %v", d.name, err)
	if err != nil {
		return
	}
	time.Sleep(20 * time.Second)
	s.arrive(d)
}

func (s *shift) look(d *desk) {
	_, err := s.Me(s.t.Context(), d.agent, nil)
	_, listErr := s.AgentStates(s.t.Context(), d.agent)
	_, fullErr := s.StatusMessages(s.t.Context(), d.agent, htccapi.DialectStatus, false, func(string) bool { return false })
	s.note("%s looks: %v", d.name, errors.Join(err, listErr, fullErr))
}

// meddle changes something about an agent as another client does.
func (s *shift) meddle(d *desk) {
	statuses := []string{"Available", "At Lunch", "Available, No ACD", "Do Not disturb", "Follow Up"}
	change := icwssim.StateChange{User: d.name}
	if s.rand.IntN(2) == 0 {
		change.StatusID = &statuses[s.rand.IntN(len(statuses))]
		s.note("somebody sets %s to %s", d.name, *change.StatusID)
	} else {
		change.Activations = map[string]bool{"Mail": s.rand.IntN(2) == 0, "Sales": s.rand.IntN(2) == 0}
		s.note("somebody sets %s to %v", d.name, change.Activations)
	}
	s.set(change)
	synctest.Wait()
	s.takeOver(d)
}

// takeOver has what others gave the agent count as asked for: work of an ACD status, and workgroups
// that we cannot know of before the next poll.
func (s *shift) takeOver(d *desk) {
	held, err := s.sim.State(d.name)
	if err != nil {
		s.t.Fatal(err)
	}
	p := d.agent.icws()
	p.mu.Lock()
	defer p.mu.Unlock()
	untold := p.currentLocked() && (p.state.Status.StatusID != held.StatusID || !maps.Equal(p.state.Activations, held.Activations))
	for channel, mapped := range workgroups {
		active := slices.ContainsFunc(mapped, func(workgroup string) bool { return held.Activations[workgroup] })
		if active && (untold || s.acd[held.StatusID]) {
			d.asked[channel] = true
		}
	}
}

// fail lets something go wrong at the site.
func (s *shift) fail(d *desk) {
	scenarios := []string{"expire-session", "drop-stream", "truncate-event", "reset-connection", "lose-completion", "refuse-async",
		"ic-down", "ic-up", "force-logoff", "hang", "garbage", "switchover", "messaging-1"}
	routes := []string{"GET /icws/{sessionId}/status/user-statuses/{userId}", routePutStatus, "PUT /icws/{sessionId}/activations/users/{userId}",
		"GET /icws/{sessionId}/activations/users/{userId}", "GET /icws/{sessionId}/status/status-messages", "GET /icws/{sessionId}/messaging/messages",
		"GET /icws/{sessionId}/status/status-messages-user-access/{userId}", "PUT /icws/{sessionId}/messaging/subscriptions/status/user-statuses",
		"PUT /icws/{sessionId}/messaging/subscriptions/activations/users/{subId}", routeLogin}
	f := icwssim.Fault{User: d.name, Times: 1 + s.rand.IntN(3)}
	if s.rand.IntN(2) == 0 {
		f.Scenario = scenarios[s.rand.IntN(len(scenarios))]
	} else {
		f.Route, f.Status = routes[s.rand.IntN(len(routes))], []int{500, 503, 502}[s.rand.IntN(3)]
		f.After = f.Route != routeLogin && s.rand.IntN(2) == 0
		if f.After && f.Route == routePutStatus {
			f.Status, f.Body, f.ContentType = page.Status, page.Body, page.ContentType // the answer is lost
		}
	}
	switch f.Scenario {
	case "refuse-async":
		d.refused = true
	case "ic-down", "ic-up":
		f = icwssim.Fault{Scenario: f.Scenario}
	case "hang":
		f.Route = routes[s.rand.IntN(len(routes)-1)]
	}
	s.fault(f)
	s.note("fault %+v", f)
}

// mend ends all that goes wrong.
func (s *shift) mend() {
	s.checkLog()
	s.sim.Reset()
	s.checked = 0
	s.note("the site is well again")
}

// quiet lets everything settle.
func (s *shift) quiet() {
	s.mend()
	time.Sleep(4 * time.Minute)
	for _, d := range s.desks {
		_, err := s.Login(s.t.Context(), Caller{SessionID: d.agent.SessionID()})
		if err != nil {
			s.arrive(d)
		}
	}
	time.Sleep(10 * time.Second)
}
