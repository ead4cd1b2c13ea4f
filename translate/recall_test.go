package translate

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

// What was asked for goes from one process to another as JSON.
func TestWhatWasAskedForGoesToAnotherProcess(t *testing.T) {
	hidden := &Stance{Choice: Choice{StatusID: "Available"}, Ready: map[htccapi.MediaChannel]bool{"voice": true}}
	asked := AgentState{Memory: hidden, Started: []htccapi.MediaChannel{"voice", "chat"}, Wishes: map[htccapi.MediaChannel]Wish{
		"voice": {Ready: true}, "chat": {Label: "At Lunch"}, "email": {LoggedOut: true}}}.Asked()
	text, err := json.Marshal(asked)
	if err != nil {
		t.Fatal(err)
	}
	var came Asked
	err = json.Unmarshal(text, &came)
	if err != nil {
		t.Fatal(err)
	}
	r := rules()
	d := r.directory(t)
	for _, test := range []struct {
		name   string
		before AgentState
		want   AgentState
	}{
		{"begun from what the site shows", AgentState{},
			AgentState{Hides: &asked, Started: asked.Started, Wishes: map[htccapi.MediaChannel]Wish{"chat": {Label: "At Lunch"}, "email": {LoggedOut: true}}}},
		{"in do-not-disturb", AgentState{Memory: &Stance{}}, AgentState{Memory: hidden, Started: asked.Started,
			Wishes: map[htccapi.MediaChannel]Wish{"voice": {Ready: true}, "chat": {Label: "At Lunch"}, "email": {LoggedOut: true}}}},
		{"over what was asked for before", AgentState{Wishes: map[htccapi.MediaChannel]Wish{"voice": {Ready: true, Label: "Gone"}, "chat": {LoggedOut: true}, "email": {Ready: true}}},
			AgentState{Hides: &asked, Started: asked.Started, Wishes: map[htccapi.MediaChannel]Wish{"voice": {Ready: true}, "chat": {Label: "At Lunch"}, "email": {LoggedOut: true}}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := test.before.Recalled(came, d)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("state (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDoNotDisturbThatIsHeardOfAfterItWasAskedForElsewhere has another process switch it on, and change what it hides.
func TestDoNotDisturbThatIsHeardOfAfterItWasAskedForElsewhere(t *testing.T) {
	r := rules()
	d := r.directory(t)
	hidden := &Stance{Choice: Choice{StatusID: "Gone Home"}}
	ready := Begin("anna", icwsapi.UserStatus{UserID: "anna", StatusID: "Available"}, nil, d)
	dnd := icwsapi.UserStatus{UserID: "anna", StatusID: "Do Not disturb"}
	for _, test := range []struct {
		name string
		s    AgentState
		want *Stance
	}{
		{"it was asked for elsewhere", ready.Recalled(Asked{Hidden: hidden}, d), hidden},
		{"the last word counts", ready.Recalled(Asked{Hidden: &Stance{}}, d).Recalled(Asked{Hidden: hidden}, d), hidden},
		{"nobody asks for it any more", ready.Recalled(Asked{Hidden: hidden}, d).Recalled(Asked{}, d), &Stance{Choice: Choice{StatusID: "Available"}}},
		{"the site was read since, and it was not on", ready.Recalled(Asked{Hidden: hidden}, d).Sure(), &Stance{Choice: Choice{StatusID: "Available"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, _ := r.HeardStatus(test.s, dnd, d)
			if diff := cmp.Diff(test.want.Choice, got.Memory.Choice); diff != "" {
				t.Errorf("it hides (-want +got):\n%s", diff)
			}
			if got.Hides != nil {
				t.Error("what it hides is kept twice")
			}
		})
	}
	if asked := ready.Recalled(Asked{Hidden: hidden}, d).Asked(); asked.Hidden != hidden {
		t.Errorf("what it hides elsewhere is %v for the next process; want what it was", asked.Hidden)
	}
}

// TestWhoIsNotToBeReadyAnyMoreInDoNotDisturb has a channel be Ready here, and another process change what is hidden.
func TestWhoIsNotToBeReadyAnyMoreInDoNotDisturb(t *testing.T) {
	r := rules()
	d := r.directory(t)
	ready := map[htccapi.MediaChannel]bool{"voice": true}
	before := AgentState{Memory: &Stance{Choice: Choice{StatusID: "Available"}, Ready: ready}, Wishes: map[htccapi.MediaChannel]Wish{"voice": {Ready: true}}}
	for _, test := range []struct {
		name  string
		hides Stance
		want  bool
	}{
		{"not ready", Stance{Choice: Choice{StatusID: "At Lunch"}}, false},
		{"ready on other channels", Stance{Choice: Choice{StatusID: "Available"}, Ready: map[htccapi.MediaChannel]bool{"email": true}}, false},
		{"ready still", Stance{Choice: Choice{StatusID: "Available"}, Ready: ready}, true},
		{"after a call, which ends", Stance{Choice: Choice{StatusID: "Follow Up"}}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := before.Recalled(Asked{Hidden: &test.hides}, d).Wishes["voice"].Ready
			if got != test.want {
				t.Errorf("voice is wanted Ready: %v; want %v", got, test.want)
			}
		})
	}
}

// TestTheLastWordOfAnOperationInDoNotDisturbGoesToAnotherProcess has a channel be wanted Ready behind a state that says
// nothing of it.
func TestTheLastWordOfAnOperationInDoNotDisturbGoesToAnotherProcess(t *testing.T) {
	r := rules()
	d := r.directory(t)
	after := &Stance{Choice: Choice{StatusID: "Follow Up"}}
	here := AgentState{Memory: after, Wishes: map[htccapi.MediaChannel]Wish{"voice": {Ready: true}, "email": {Ready: true}}}
	there := AgentState{Memory: after, Wishes: map[htccapi.MediaChannel]Wish{"voice": {}, "chat": {Ready: true}}}
	want := map[htccapi.MediaChannel]Wish{"email": {Ready: true}, "chat": {Ready: true}}
	if diff := cmp.Diff(want, here.Recalled(there.Asked(), d).Wishes); diff != "" {
		t.Errorf("wishes (-want +got):\n%s", diff)
	}
}
