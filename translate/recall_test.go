package translate

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/translate/htccapi"
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
	for _, test := range []struct {
		name   string
		before AgentState
		want   AgentState
	}{
		{"begun from what the site shows", AgentState{},
			AgentState{Started: asked.Started, Wishes: map[htccapi.MediaChannel]Wish{"chat": {Label: "At Lunch"}, "email": {LoggedOut: true}}}},
		{"in do-not-disturb", AgentState{Memory: &Stance{}}, AgentState{Memory: hidden, Started: asked.Started,
			Wishes: map[htccapi.MediaChannel]Wish{"chat": {Label: "At Lunch"}, "email": {LoggedOut: true}}}},
		{"over what was asked for before", AgentState{Wishes: map[htccapi.MediaChannel]Wish{"voice": {Ready: true, Label: "Gone"}, "chat": {LoggedOut: true}, "email": {Ready: true}}},
			AgentState{Started: asked.Started, Wishes: map[htccapi.MediaChannel]Wish{"voice": {Ready: true}, "chat": {Label: "At Lunch"}, "email": {LoggedOut: true}}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := test.before.Recalled(came)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("state (-want +got):\n%s", diff)
			}
		})
	}
}
