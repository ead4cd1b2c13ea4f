package translate

import (
	"fmt"
	"maps"
	"testing"

	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

// A shift is a random sequence of what can happen to an agent, drawn from the bytes of a seed.
// After each single call of each plan no work may be offered on a mapped channel that was not
// offered before and not asked for; in the end /me shows what the server holds.
type shift struct {
	*desk
	want  *wanted
	given map[string]bool // workgroups that others activated, or an outage left active
	draw  func(n int) int
	steps []string
}

func (s *shift) pick(from ...string) string { return from[s.draw(len(from))] }

func (s *shift) note(format string, args ...any) {
	s.steps = append(s.steps, fmt.Sprintf(format, args...))
}

func newShift(tb testing.TB, draw func(int) int) *shift {
	s := &shift{draw: draw, given: map[string]bool{}}
	r := []Rules{oneBare(), bare(), mapped(), mixed(), mapped(), mapped()}[draw(6)]
	r.LoggedOutAfterOutage = draw(2) == 0
	r.Statuses.AtStart = s.pick("", "", "At Play", "Available", "Do Not disturb")
	catalogue := with()
	d := r.NewDirectory(catalogue, all(catalogue, [][]string{nil, nil, {"Available"}, {"Do Not disturb", "Follow Up"}}[draw(4)]...))
	active := s.pick("Sales -Support -Mail", "-Sales Support Mail", "Sales Support Mail", "-Sales -Mail Other", "-Mail")
	status := s.pick("Available", "Available, No ACD", "At Lunch", "Follow Up", "AcdAgentNotAnswering", "Do Not disturb")
	s.desk = sit(tb, r, d, status, active)
	if len(r.Channels) > 1 && draw(4) == 0 {
		s.s.Elsewhere = []htccapi.MediaChannel{r.Channels[draw(2)].Name}
	}
	s.want = newWanted(r, d)
	if s.s.DND() {
		s.want.hidden = map[htccapi.MediaChannel]bool{}
	}
	s.note("%d channels, %s, %q, elsewhere %v", len(r.Channels), status, active, s.s.Elsewhere)
	return s
}

// offered returns the mapped channels that the server offers work on.
func (s *shift) offered() map[htccapi.MediaChannel]bool {
	offered := map[htccapi.MediaChannel]bool{}
	for _, channel := range s.Channels {
		for _, workgroup := range channel.Workgroups {
			if s.active[workgroup] && s.d.IsACD(s.status.StatusID) {
				offered[channel.Name] = true
			}
		}
	}
	return offered
}

// step lets one thing happen.
func (s *shift) step() {
	switch s.draw(16) {
	case 0, 1:
		s.someoneElse()
	case 2:
		s.activation()
	case 3:
		s.outage()
	case 4:
		s.startSession()
	default:
		s.operation()
	}
	s.agrees()
}

func (s *shift) operation() {
	ask := Request{Operation: htccapi.Operation(s.pick("Ready", "Ready", "NotReady", "AfterCallWork", "AtLunch", "AvailableRemote", "Offline", "DoNotDisturbOn", "DoNotDisturbOff"))}
	if ask.Operation != htccapi.DoNotDisturbOn && ask.Operation != htccapi.DoNotDisturbOff {
		ask.Channel = htccapi.MediaChannel(s.pick("", "voice", "email"))
	}
	plan, err := s.Plan(s.s, s.d, ask)
	s.note("%s %s: %v %v", ask.Channel, ask.Operation, describe(plan), err)
	if err != nil {
		return
	}
	s.carryOut(plan, s.want.asked(ask, s.ChannelNames(s.s), s.shownReady()))
}

// carryOut makes the calls of a plan, unless one fails, and looks after each.
func (s *shift) carryOut(plan Plan, may map[htccapi.MediaChannel]bool) {
	before, ready := s.offered(), s.shownReady()
	allowed := func() {
		for name := range s.offered() {
			if !before[name] && !may[name] {
				s.Errorf("%s is offered work that was not asked for; %v", name, s.steps)
			}
		}
	}
	fails := -1
	if s.draw(6) == 0 && len(plan.Calls) > 0 {
		fails = s.draw(len(plan.Calls))
	}
	for i, call := range plan.Calls {
		if i == fails {
			s.note("call %d fails", i)
			if call.Status != nil && s.draw(2) == 0 {
				s.acceptedInVain(plan)
				i++
			}
			s.undo(plan, i, before)
			s.want.back(s.desk)
			return
		}
		s.apply(call)
		allowed()
	}
	s.messages(plan)
	for name := range s.shownReady() {
		if !ready[name] && !may[name] && !s.desk.s.DND() {
			s.Errorf("%s has become Ready, which was not asked for; %v", name, s.steps)
		}
	}
}

// acceptedInVain has the server accept the plan's status and say later that it came to nothing.
func (s *shift) acceptedInVain(plan Plan) {
	s.note("after it was accepted")
	next, _ := s.desk.s.Sent(plan, "vain")
	next, heard := s.Heard(next, icwsapi.AsyncOperationCompletedMessage{RequestID: "vain", Error: &icwsapi.Error{Message: "no"}}, s.d)
	s.desk.s = next
	if heard.Failed == nil || heard.Confirmed {
		s.Errorf("heard %+v of a failure; %v", heard, s.steps)
	}
}

// undo takes back what was done, as its contract says: what was deactivated only if a read shows
// that no work is routed.
func (s *shift) undo(plan Plan, done int, before map[htccapi.MediaChannel]bool) {
	undo := plan.Undo(done)
	s.activate(undo.Deactivate)
	if !s.d.IsACD(s.status.StatusID) {
		s.activate(undo.Reactivate)
	}
	s.read()
	for name := range s.offered() {
		if !before[name] {
			s.Errorf("%s is offered work after an undo, and was not before; %v", name, s.steps)
		}
	}
}

// messages brings the answer and what the server says in some order, and counts the confirmations.
func (s *shift) messages(plan Plan) {
	said := s.pending
	s.pending = nil
	early := 0
	if len(said) > 0 {
		early = s.draw(len(said) + 1)
	}
	if s.draw(2) == 0 && len(said) > 1 { // the completion may overtake the status message
		last := len(said) - 1
		said[last], said[last-1] = said[last-1], said[last]
	}
	for _, message := range said[:early] {
		s.hearing(message)
	}
	id := ""
	if plan.Status() != nil {
		id = s.requestID()
	}
	next, heard := s.desk.s.Sent(plan, id)
	s.desk.s = next
	confirmed := 0
	if heard.Confirmed {
		confirmed++
	}
	for _, message := range said[early:] {
		confirmed += s.hearing(message)
	}
	if confirmed != 1 {
		s.Errorf("confirmed %d times; %v", confirmed, s.steps)
	}
}

func (s *shift) hearing(message icwsapi.Message) int {
	next, heard := s.Heard(s.s, message, s.d)
	s.s = next
	if heard.Confirmed {
		return 1
	}
	return 0
}

func (s *shift) someoneElse() {
	status := s.pick("Available", "Available, No ACD", "At Lunch", "Follow Up", "AcdAgentNotAnswering", "Do Not disturb", "At Sea", "Available, Remote")
	if status == s.status.StatusID {
		return
	}
	s.note("someone sets %q", status)
	s.want.heard(status, s.shownReady())
	s.other(status)
}

func (s *shift) activation() {
	workgroup := s.pick("Sales", "Support", "Mail")
	active, member := s.active[workgroup]
	if !member {
		return
	}
	s.note("someone turns %s to %t", workgroup, !active)
	s.activate(map[string]bool{workgroup: !active})
	s.given[workgroup] = !active
	s.read()
}

func (s *shift) outage() {
	plan, err := s.PlanRecovery(s.s, s.status, maps.Clone(s.active), s.d)
	s.note("outage: %v %v", describe(plan), err)
	if err != nil {
		return
	}
	s.desk.s = plan.Next
	clear(s.want.ready)
	s.want.hidden = nil
	if s.desk.s.DND() {
		s.want.hidden = map[htccapi.MediaChannel]bool{}
	}
	for _, call := range plan.Calls {
		s.apply(call)
	}
	s.messages(plan)
	s.want.back(s.desk)
	if s.LoggedOutAfterOutage { // which leaves activations as they are
		maps.Copy(s.given, s.active)
	}
	for name := range s.shownReady() {
		s.Errorf("%s is Ready after an outage; %v", name, s.steps)
	}
}

func (s *shift) startSession() {
	asked := [][]htccapi.MediaChannel{{htccapi.Voice}, {email}, {htccapi.Voice, email}}[s.draw(3)]
	plan, err := s.PlanStart(s.s, s.d, asked)
	s.note("start %v: %v %v", asked, describe(plan), err)
	if err != nil {
		return
	}
	may := map[htccapi.MediaChannel]bool{}
	for _, name := range asked { // at_start may be a Ready status
		may[name] = s.Statuses.AtStart == "Available" && s.s.Started == nil
	}
	s.carryOut(plan, may)
	s.want.back(s.desk)
}

// back brings the other opinion in line with what is known after something that words alone do not
// settle: a failed plan, an outage, a start.
func (w *wanted) back(k *desk) {
	w.hidden = nil
	for _, channel := range w.rules.Channels {
		wish := k.s.Wishes[channel.Name]
		w.ready[channel.Name], w.out[channel.Name] = wish.Ready, wish.LoggedOut
	}
	if k.s.DND() {
		w.hidden = map[htccapi.MediaChannel]bool{}
		maps.Copy(w.hidden, k.shownReady())
	}
}
