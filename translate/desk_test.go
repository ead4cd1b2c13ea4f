package translate

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

// A desk is an agent's place in a test: what Portico knows of the agent, and a server as small as
// can be, which holds one status and the activations of the agent's workgroups.
type desk struct {
	testing.TB
	Rules
	d                 *Directory
	s                 AgentState
	status            icwsapi.UserStatus
	active            map[string]bool
	requests          int
	confirmed, failed int
	pending           []icwsapi.Message // what the server has said and nobody has read yet
}

// sit logs an agent in, who belongs to the workgroups in active; a "-" before one says that it is
// not activated.
func sit(tb testing.TB, r Rules, d *Directory, statusID, active string) *desk {
	tb.Helper()
	k := &desk{TB: tb, Rules: r, d: d, status: icwsapi.UserStatus{UserID: "anna", StatusID: statusID}, active: map[string]bool{}}
	for _, workgroup := range strings.Fields(active) {
		k.active[strings.TrimPrefix(workgroup, "-")] = !strings.HasPrefix(workgroup, "-")
	}
	k.s = Begin("anna", k.status, maps.Clone(k.active), d)
	return k
}

// apply makes the server do what a call asks for, and say so.
func (k *desk) apply(call Call) {
	if call.Activations != nil {
		k.activate(call.Activations)
	}
	if call.Status == nil {
		return
	}
	k.requests++
	completed := icwsapi.AsyncOperationCompletedMessage{Head: icwsapi.Head{Type: icwsapi.TypeAsyncOperationCompleted}, RequestID: k.requestID()}
	changed := k.status.StatusID != call.Status.StatusID
	k.status = chosenBy(*call.Status).over(k.status)
	if changed {
		k.pending = append(k.pending, k.statusMessage())
	}
	k.pending = append(k.pending, completed)
}

func (k *desk) requestID() string { return strconv.Itoa(k.requests) }

func (k *desk) activate(set map[string]bool) {
	changed := map[string]bool{}
	for workgroup, active := range set {
		was, member := k.active[workgroup]
		if !member {
			k.Errorf("activates %q, which the agent does not belong to", workgroup)
		}
		if was != active {
			changed[workgroup] = active
		}
	}
	k.active = maps.Clone(k.active)
	maps.Copy(k.active, changed)
	k.pending = append(k.pending, icwsapi.UserActivationMessage{Head: icwsapi.Head{Type: icwsapi.TypeUserActivation, IsDelta: true},
		UserID: "anna", ActivationsChanged: changed})
}

func (k *desk) statusMessage() icwsapi.Message {
	return icwsapi.UserStatusMessage{Head: icwsapi.Head{Type: icwsapi.TypeUserStatus}, UserStatusList: []icwsapi.UserStatus{k.status}}
}

// other sets the status as another client or the system does.
func (k *desk) other(statusID string) {
	k.Helper()
	k.status = Choice{StatusID: statusID}.over(k.status)
	k.pending = append(k.pending, k.statusMessage())
	k.read()
}

// read takes in all that the server has said.
func (k *desk) read() []Heard {
	k.Helper()
	var heard []Heard
	for _, message := range k.pending {
		next, one := k.Heard(k.s, message, k.d)
		k.s = next
		if one.Confirmed || one.Failed != nil {
			heard = append(heard, one)
		}
	}
	k.pending = nil
	return heard
}

// send carries out a plan up to where its calls are accepted.
func (k *desk) send(plan Plan) Heard {
	k.Helper()
	for _, call := range plan.Calls {
		k.apply(call)
	}
	id := ""
	if plan.Status() != nil {
		id = k.requestID()
	}
	next, heard := k.s.Sent(plan, id)
	k.s = next
	return heard
}

// plan plans an operation: "Ready", or "email Ready" for a single channel.
func (k *desk) plan(ask string) (Plan, error) {
	k.Helper()
	return k.Plan(k.s, k.d, request(ask))
}

func request(ask string) Request {
	channel, operation, found := strings.Cut(ask, " ")
	if !found {
		channel, operation = "", ask
	}
	return Request{Operation: htccapi.Operation(operation), Channel: htccapi.MediaChannel(channel)}
}

// do carries out operations to the end and returns the calls of the last.
func (k *desk) do(asks ...string) []string {
	k.Helper()
	var calls []string
	for _, ask := range asks {
		plan, err := k.plan(ask)
		if err != nil {
			k.Fatalf("%s: %v", ask, err)
		}
		k.send(plan)
		k.read()
		calls = describe(plan)
	}
	return calls
}

// start carries out StartContactCenterSession.
func (k *desk) start(channels ...htccapi.MediaChannel) Plan {
	k.Helper()
	plan, err := k.PlanStart(k.s, k.d, channels)
	if err != nil {
		k.Fatal(err)
	}
	k.send(plan)
	k.read()
	return plan
}

// describe writes calls as a reader would: "Mail off, Sales on", `set "At Lunch"`.
func describe(plan Plan) []string {
	var calls []string
	for _, call := range plan.Calls {
		if call.Activations != nil {
			var set []string
			for _, workgroup := range slices.Sorted(maps.Keys(call.Activations)) {
				set = append(set, workgroup+map[bool]string{true: " on", false: " off"}[call.Activations[workgroup]])
			}
			calls = append(calls, strings.Join(set, ", "))
		}
		if call.Status != nil {
			calls = append(calls, fmt.Sprintf("set %q", call.Status.StatusID))
		}
	}
	return calls
}

// shownReady returns the channels that show Ready.
func (k *desk) shownReady() map[htccapi.MediaChannel]bool {
	ready := map[htccapi.MediaChannel]bool{}
	for _, channel := range k.View(k.s, k.d).Channels {
		if channel.UserState.State == htccapi.StateReady {
			ready[channel.Channel] = true
		}
	}
	return ready
}

// shown writes what /me shows: "voice Ready, email NotReady At Lunch".
func (k *desk) shown() string {
	k.Helper()
	view := k.View(k.s, k.d)
	var shown []string
	for _, channel := range view.Channels {
		state := channel.UserState
		words := []string{string(channel.Channel), state.State}
		for _, word := range []string{state.WorkMode, state.Reason} {
			if word != "" {
				words = append(words, word)
			}
		}
		shown = append(shown, strings.Join(words, " "))
	}
	if view.DND {
		shown = append(shown, "DND")
	}
	return strings.Join(shown, ", ")
}

// shows fails the test unless /me shows that.
func (k *desk) shows(want string) {
	k.Helper()
	got := k.shown()
	if got != want {
		k.Errorf("shows %q; want %q", got, want)
	}
}

func (k *desk) calls(got []string, want ...string) {
	k.Helper()
	differ(k, want, got)
}

// refused returns the reason of a refusal, or fails the test.
func refused(tb testing.TB, err error) Refusal {
	tb.Helper()
	refusal, ok := errors.AsType[*Refusal](err)
	if !ok {
		tb.Fatalf("got %v; want a refusal", err)
	}
	return *refusal
}

func differ(tb testing.TB, want, got any, opts ...cmp.Option) {
	tb.Helper()
	diff := cmp.Diff(want, got, opts...)
	if diff != "" {
		tb.Errorf("differs (-want +got):\n%s", diff)
	}
}

func at(tb testing.TB, text string) time.Time {
	tb.Helper()
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		tb.Fatal(err)
	}
	return parsed
}

var equateEmpty = cmpopts.EquateEmpty()
