package translate

import (
	"fmt"
	"testing"
	"time"

	"portico/translate/icwsapi"
)

// write plans and sends an operation and leaves what the server says unread.
func (k *desk) write(ask string) {
	k.Helper()
	plan, err := k.plan(ask)
	if err != nil {
		k.Fatalf("%s: %v", ask, err)
	}
	unread := len(k.pending)
	k.outcome(k.send(plan))
	k.pending = k.pending[:unread]
}

// hear takes in one message.
func (k *desk) hear(message icwsapi.Message) {
	k.Helper()
	next, heard := k.Heard(k.s, message, k.d)
	k.s = next
	k.outcome(heard)
}

func (k *desk) outcome(heard Heard) {
	if heard.Confirmed {
		k.confirmed++
	}
	if heard.Failed != nil {
		k.failed++
	}
}

func statusIs(statusID string) icwsapi.Message {
	return icwsapi.UserStatusMessage{UserStatusList: []icwsapi.UserStatus{{UserID: "anna", StatusID: statusID}}}
}

// statusSince is statusIs of a site that says since when, in seconds of the test's.
func statusSince(second int64, statusID string) icwsapi.Message {
	since := icwsapi.NewTime(time.Unix(second, 0))
	return icwsapi.UserStatusMessage{UserStatusList: []icwsapi.UserStatus{{UserID: "anna", StatusID: statusID, StatusChanged: &since}}}
}

func completed(request int) icwsapi.Message {
	return icwsapi.AsyncOperationCompletedMessage{RequestID: fmt.Sprint(request)}
}

func failed(request int) icwsapi.Message {
	return icwsapi.AsyncOperationCompletedMessage{RequestID: fmt.Sprint(request), Error: &icwsapi.Error{Message: "no"}}
}

// The steps of a test of writes: operations are names, messages are what the server says, and a
// decision is the read that follows when no completion comes.
type decision struct {
	request  int
	statusID string
}

func (k *desk) take(steps ...any) {
	k.Helper()
	for _, step := range steps {
		switch step := step.(type) {
		case string:
			k.write(step)
		case icwsapi.Message:
			k.hear(step)
		case decision:
			next, heard := k.Decided(k.s, fmt.Sprint(step.request), icwsapi.UserStatus{UserID: "anna", StatusID: step.statusID}, k.d)
			k.s = next
			k.outcome(heard)
		}
	}
}

func TestReadingOnesOwnWrites(t *testing.T) {
	const available, lunch = "voice Ready", "voice NotReady At Lunch"
	tests := []struct {
		name      string
		steps     []any
		shows     string
		confirmed int
		failed    int
	}{
		{"accepted, it shows at once", []any{"AtLunch"}, lunch, 0, 0},
		{"the completion first", []any{"AtLunch", completed(1)}, lunch, 1, 0},
		{"then the status message", []any{"AtLunch", completed(1), statusIs("At Lunch")}, lunch, 1, 0},
		{"the status message first", []any{"AtLunch", statusIs("At Lunch")}, lunch, 1, 0},
		{"then the completion", []any{"AtLunch", statusIs("At Lunch"), completed(1)}, lunch, 1, 0},
		{"what was so before lies beneath", []any{"AtLunch", statusIs("Available")}, lunch, 0, 0},
		{"until the completion", []any{"AtLunch", statusIs("Available"), completed(1)}, lunch, 1, 0},

		{"the completion is read before the answer", []any{completed(1), "AtLunch"}, lunch, 1, 0},
		{"a failure is read before the answer", []any{failed(1), "AtLunch"}, available, 0, 1},
		{"the status message is read before the answer", []any{statusIs("At Lunch"), "AtLunch", completed(1)}, lunch, 1, 0},

		{"a failure brings the old state back", []any{"AtLunch", failed(1)}, available, 0, 1},
		{"the old state with what changed beneath", []any{"AtLunch", statusIs("At Play"), failed(1)}, "voice NotReady At Play", 0, 1},
		{"the old state, into which another client brought do-not-disturb", []any{"AtLunch", statusIs("Do Not disturb"), failed(1)}, "voice Ready, DND", 0, 1},
		{"a failed do-not-disturb", []any{"DoNotDisturbOn", failed(1)}, available, 0, 1},
		{"a failed Off stays on", []any{"DoNotDisturbOn", completed(1), "DoNotDisturbOff", failed(2)}, "voice Ready, DND", 1, 1},
		{"a failed Offline", []any{"Offline", failed(1)}, available, 0, 1},
		{"an unknown completion changes nothing", []any{"AtLunch", completed(7), failed(8)}, lunch, 0, 0},
		{"a completion that comes twice counts once", []any{"AtLunch", completed(1), completed(1), failed(1)}, lunch, 1, 0},

		{"another client's change after ours was shown", []any{"AtLunch", statusIs("At Lunch"), statusIs("At Play"), completed(1)}, "voice NotReady At Play", 1, 0},
		{"another client's change after ours was completed", []any{"AtLunch", completed(1), statusIs("At Lunch"), statusIs("At Play")}, "voice NotReady At Play", 1, 0},
		{"another client's do-not-disturb after ours", []any{"AtLunch", statusIs("At Lunch"), statusIs("Do Not disturb"), completed(1)}, lunch + ", DND", 1, 0},

		{"the same status again is confirmed by the completion", []any{"Ready", completed(1)}, available, 1, 0},
		{"or by a status message, once", []any{"Ready", statusIs("Available"), completed(1)}, available, 1, 0},
		{"or by a completion read before the answer", []any{completed(1), "Ready"}, available, 1, 0},
		{"another client's change during the same status again", []any{"Ready", statusIs("At Play"), completed(1)}, "voice NotReady At Play", 1, 0},
		{"a failure of the same status again", []any{"Ready", failed(1)}, available, 0, 1},

		{"a lost completion, and the read shows the change", []any{"AtLunch", decision{1, "At Lunch"}}, lunch, 1, 0},
		{"and the completion comes after all", []any{"AtLunch", decision{1, "At Lunch"}, completed(1)}, lunch, 1, 0},
		{"a lost completion after the status message", []any{"AtLunch", statusIs("At Lunch"), decision{1, "At Lunch"}}, lunch, 1, 0},
		{"the read shows another client's change after ours", []any{"AtLunch", statusIs("At Lunch"), decision{1, "At Play"}}, "voice NotReady At Play", 1, 0},
		{"a lost completion, and the read does not show the change", []any{"AtLunch", decision{1, "Available"}}, available, 0, 1},
		{"nor its do-not-disturb", []any{"DoNotDisturbOn", decision{1, "Available"}}, available, 0, 1},
		{"a lost completion, and the read shows another client's do-not-disturb", []any{"AtLunch", decision{1, "Do Not disturb"}}, available + ", DND", 0, 1},
		{"a read for a request that is done already", []any{"AtLunch", completed(1), decision{1, "At Play"}}, "voice NotReady At Play", 1, 0},
		{"the same status again, and the read shows it", []any{"Ready", decision{1, "Available"}}, available, 1, 0},

		{"two writes: the later shows", []any{"AtLunch", "Ready"}, available, 0, 0},
		{"each is confirmed by its message", []any{"AtLunch", "Ready", statusIs("At Lunch"), statusIs("Available")}, available, 2, 0},
		{"and not again by the completions", []any{"AtLunch", "Ready", statusIs("At Lunch"), statusIs("Available"), completed(1), completed(2)}, available, 2, 0},
		{"each is confirmed by its completion", []any{"AtPlay", "AtLunch", completed(1), completed(2)}, lunch, 2, 0},
		{"the first completion does not undo the second message", []any{"AtPlay", "AtLunch", statusIs("At Play"), statusIs("At Lunch"), completed(1), completed(2)}, lunch, 2, 0},
		{"nor if only the second was told of", []any{"AtPlay", "AtLunch", statusIs("At Lunch"), completed(1), completed(2)}, lunch, 2, 0},
		{"nor if its completion comes late", []any{"AtPlay", "AtLunch", completed(2), completed(1)}, lunch, 2, 0},
		{"the same twice", []any{"AtLunch", "AtLunch", statusIs("At Lunch"), completed(1), completed(2)}, lunch, 2, 0},
		{"the same twice, then another client's change", []any{"AtLunch", "AtLunch", statusIs("At Lunch"), statusIs("At Play"), completed(1), completed(2)}, "voice NotReady At Play", 2, 0},
		{"there and back", []any{"AtLunch", "Ready", "AtLunch", statusIs("At Lunch"), statusIs("Available"), statusIs("At Lunch"), completed(1), completed(2), completed(3)}, lunch, 3, 0},
		{"a message from before both does not show the way back", []any{"AtLunch", "Ready", statusIs("Available"), statusIs("At Lunch")}, available, 1, 0},
		{"but the read for it does", []any{"AtLunch", "Ready", decision{1, "Available"}, decision{2, "Available"}}, available, 2, 0},
		{"nor does another client's change to the same", []any{"AtPlay", "AtLunch", statusIs("At Lunch"), statusIs("At Play")}, lunch, 2, 0},
		{"a list from before the change comes after its completion", []any{statusSince(1, "Available"), "AtLunch", completed(1), statusSince(1, "Available")}, lunch, 1, 0},
		{"but not from before another client's to the same", []any{statusSince(1, "Available"), "AtLunch", completed(1), statusSince(2, "Available")}, available, 1, 0},
		{"a list from before does not show the same status again", []any{statusSince(1, "Available"), "Ready", statusSince(1, "Available"), failed(1)}, available, 0, 1},
		{"a message of the first that seems to be of the third", []any{"AfterCallWork", "DoNotDisturbOn", completed(1), "DoNotDisturbOff",
			statusSince(1, "Follow Up"), statusSince(2, "Do Not disturb"), statusSince(3, "Follow Up"), completed(2), completed(3)}, "voice NotReady AfterCallWork", 3, 0},
		{"the read for the first after the third is complete", []any{"Ready", "AfterCallWork", "Ready", completed(3), decision{1, "Available"}}, available, 2, 0},
		{"the read for the second shows what was before it and the third", []any{"DoNotDisturbOn", completed(1), "DoNotDisturbOff", "DoNotDisturbOn",
			decision{2, "Do Not disturb"}, failed(3)}, available + ", DND", 2, 1},
		{"the first fails after the second is complete", []any{"Ready", "Offline", completed(2), failed(1)}, "voice LoggedOut", 1, 1},
		{"a failure beneath which another client brought do-not-disturb back", []any{"DoNotDisturbOn", completed(1), "DoNotDisturbOff", "AtPlay", completed(2),
			statusIs("Do Not disturb"), failed(3)}, available + ", DND", 2, 1},
		{"the first fails: the second stays", []any{"AtPlay", "AtLunch", failed(1), completed(2)}, lunch, 1, 1},
		{"the second fails: the first shows", []any{"AtPlay", "AtLunch", completed(1), failed(2)}, "voice NotReady At Play", 1, 1},
		{"the second fails first", []any{"AtPlay", "AtLunch", failed(2)}, "voice NotReady At Play", 0, 1},
		{"both fail: what was before both shows", []any{"Offline", "voice AtLunch", failed(1), failed(2)}, available, 0, 2},
		{"the read for the first shows the second", []any{"AtPlay", "AtLunch", decision{1, "At Lunch"}, completed(2)}, lunch, 1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := sit(t, oneBare(), oneBare().directory(t), "Available", "")
			k.take(tt.steps...)
			k.shows(tt.shows)
			if k.confirmed != tt.confirmed || k.failed != tt.failed {
				t.Errorf("confirmed %d, failed %d; want %d, %d", k.confirmed, k.failed, tt.confirmed, tt.failed)
			}
		})
	}
}

// What is heard while a change lies over it came before that or after: a read is to say, once nothing lies over it.
func TestWhatMayHaveComeBeforeOrAfterIsToBeRead(t *testing.T) {
	tests := []struct {
		name    string
		steps   []any
		last    icwsapi.Message
		doubted bool
	}{
		{"another client's change", []any{"AtLunch", statusIs("At Play")}, completed(1), true},
		{"and the agent's fails", []any{"AtLunch", statusIs("At Play")}, failed(1), true},
		{"and another of the agent's is still to come", []any{"AtLunch", statusIs("At Play"), "Ready"}, completed(1), false},
		{"and that is complete", []any{"AtLunch", statusIs("At Play"), "Ready", completed(1)}, completed(2), true},
		{"and that is complete before", []any{"AtLunch", "Ready", statusIs("At Play")}, completed(2), true},
		{"a change and back", []any{statusSince(1, "Available"), "AtLunch", statusSince(3, "Available")}, completed(1), true},
		{"the list from before", []any{statusSince(1, "Available"), "AtLunch", statusSince(1, "Available")}, completed(1), false},
		{"the agent's own change", []any{"AtLunch", statusIs("At Lunch")}, completed(1), false},
		{"the agent's own of before, or another client's to the same", []any{"AtPlay", "AtLunch", statusIs("At Play"), completed(1)}, completed(2), true},
		{"and the next of the agent's own", []any{"AtPlay", "AtLunch", statusIs("At Play"), statusIs("At Lunch"), completed(1)}, completed(2), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := sit(t, oneBare(), oneBare().directory(t), "Available", "")
			k.take(tt.steps...)
			_, heard := k.Heard(k.s, tt.last, k.d)
			if heard.Doubted != tt.doubted {
				t.Errorf("doubted %t; want %t", heard.Doubted, tt.doubted)
			}
		})
	}
}

// The message told of the status; that the channel is LoggedOut is told by the completion.
func TestAMessageBeforeTheAnswerThatShowsOnlyPartOfTheChange(t *testing.T) {
	k := sit(t, mapped(), mapped().directory(t), "Available", "Sales")
	k.take(statusIs("Available, No ACD"), "voice Offline", completed(1))
	k.shows("voice LoggedOut")
	if k.confirmed != 1 {
		t.Errorf("confirmed %d times; want once", k.confirmed)
	}
}

func TestAFailureBringsWishesBack(t *testing.T) {
	tests := []struct {
		name   string
		before []string
		fails  string
		shows  string
	}{
		{"a label", []string{"email AtLunch"}, "AtPlay", "voice Ready, email NotReady At Lunch"},
		{"what is LoggedOut", []string{"email Offline"}, "voice Offline", "voice Ready, email LoggedOut"},
		{"what do-not-disturb hides", []string{"DoNotDisturbOn", "AtLunch"}, "DoNotDisturbOff", "voice NotReady At Lunch, email NotReady At Lunch, DND"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := sit(t, mapped(), mapped().directory(t), "Available", "Sales Mail")
			k.do(tt.before...)
			was := k.s
			plan, err := k.plan(tt.fails)
			if err != nil {
				t.Fatal(err)
			}
			k.s, _ = k.s.Sent(plan, "f")
			k.hear(icwsapi.AsyncOperationCompletedMessage{RequestID: "f", Error: &icwsapi.Error{Message: "no"}})
			k.s = k.s.WithActivations(plan.Undo(len(plan.Calls)).Reactivate)
			k.shows(tt.shows)
			differ(t, was, k.s, equateEmpty)
		})
	}
}

// Writes of one agent are made one after the other, so completions for nobody are others'.
func TestEarlyCompletionsAreBounded(t *testing.T) {
	k := sit(t, oneBare(), oneBare().directory(t), "Available", "")
	for i := range 100 {
		k.hear(completed(i + 1000))
	}
	if len(k.s.Early) != maxEarly {
		t.Errorf("%d early completions are kept; want %d", len(k.s.Early), maxEarly)
	}
}

// A state is a value: whoever holds an older one must not see it change.
func TestStatesAreNotChangedInPlace(t *testing.T) {
	k := sit(t, mapped(), mapped().directory(t), "Available", "Sales -Mail")
	steps := []any{"email Ready", "email AtLunch", "Ready", statusIs("Available"), completed(1), "DoNotDisturbOn", "email Ready", "DoNotDisturbOff",
		failed(3), "Offline", statusIs("At Lunch"), completed(9), icwsapi.UserActivationMessage{Head: icwsapi.Head{IsDelta: true}, UserID: "anna",
			ActivationsChanged: map[string]bool{"Mail": true}}, "voice NotReady", decision{4, "At Play"}, decision{5, "At Play"}}
	for i, step := range steps {
		before := k.s
		print := fmt.Sprintf("%+v", before)
		k.take(step)
		again := fmt.Sprintf("%+v", before)
		if again != print {
			t.Errorf("step %d (%v) changed the state before it:\n%s\n%s", i, step, print, again)
		}
	}
}
