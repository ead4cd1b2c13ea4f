package translate

import (
	"testing"

	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

// TestOperations has an agent carry out operations and looks at the calls of the last and at what
// /me shows in the end. The workgroups are those the agent belongs to; "-" says not activated.
func TestOperations(t *testing.T) {
	const off, on = "-Sales -Support -Mail", "Sales Support Mail"
	tests := []struct {
		name   string
		site   Rules
		status string
		active string
		do     []string
		calls  []string
		shows  string
	}{
		// One channel without workgroups: the agent's status is all there is.
		{"Ready on a site of one channel", oneBare(), "Available, No ACD", "Sales", []string{"Ready"}, []string{`set "Available"`}, "voice Ready"},
		{"the channel's Ready is the agent's", oneBare(), "At Lunch", "", []string{"voice Ready"}, []string{`set "Available"`}, "voice Ready"},
		{"Ready while Ready is set again", oneBare(), "Available", "", []string{"Ready"}, []string{`set "Available"`}, "voice Ready"},
		{"NotReady", oneBare(), "Available", "", []string{"voice NotReady"}, []string{`set "Available, No ACD"`}, "voice NotReady"},
		{"after-call work", oneBare(), "Available", "", []string{"voice AfterCallWork"}, []string{`set "Follow Up"`}, "voice NotReady AfterCallWork"},
		{"a custom state", oneBare(), "Available", "", []string{"AtLunch"}, []string{`set "At Lunch"`}, "voice NotReady At Lunch"},
		{"Offline of the only channel", oneBare(), "Available", "", []string{"voice Offline"}, []string{`set "Available, No ACD"`}, "voice LoggedOut"},
		{"Offline in a state that routes nothing leaves it", oneBare(), "At Lunch", "", []string{"voice Offline"}, nil, "voice LoggedOut"},
		{"back from Offline", oneBare(), "Available", "", []string{"voice Offline", "voice NotReady"}, []string{`set "Available, No ACD"`}, "voice NotReady"},
		{"back from Offline into a not-ready state", oneBare(), "Available", "", []string{"voice Offline", "voice AtLunch"}, []string{`set "At Lunch"`}, "voice NotReady At Lunch"},

		// Several channels without workgroups: only all at once.
		{"Ready on a site without workgroups", bare(), "Gone Home", "", []string{"Ready"}, []string{`set "Available"`}, "voice Ready, email Ready"},
		{"NotReady there", bare(), "Available", "", []string{"NotReady"}, []string{`set "Available, No ACD"`}, "voice NotReady, email NotReady"},
		{"Offline of all channels", bare(), "Available", "", []string{"Offline"}, []string{`set "Available, No ACD"`}, "voice LoggedOut, email LoggedOut"},

		// Workgroups: operations on all channels.
		{"Ready activates all workgroups, then sets the status", mapped(), "Available, No ACD", off, []string{"Ready"},
			[]string{"Mail on, Sales on, Support on", `set "Available"`}, "voice Ready, email Ready"},
		{"only those that are not activated", mapped(), "At Lunch", "Sales -Support Mail", []string{"Ready"},
			[]string{"Support on", `set "Available"`}, "voice Ready, email Ready"},
		{"only those the agent belongs to", mapped(), "Available, No ACD", "-Support -Other", []string{"Ready"},
			[]string{"Support on", `set "Available"`}, "voice Ready"},
		{"Ready with one channel activated", mapped(), "Available", "Sales Support -Mail", []string{"Ready"},
			[]string{"Mail on", `set "Available"`}, "voice Ready, email Ready"},
		{"another Ready state activates too", mapped(), "Follow Up", off, []string{"AvailableRemote"},
			[]string{"Mail on, Sales on, Support on", `set "Available, Remote"`}, "voice Ready, email Ready"},
		{"Ready out of an involuntary state", mapped(), "AcdAgentNotAnswering", on, []string{"Ready"}, []string{`set "Available"`}, "voice Ready, email Ready"},
		{"NotReady is the status alone", mapped(), "Available", on, []string{"NotReady"}, []string{`set "Available, No ACD"`}, "voice NotReady, email NotReady"},
		{"so is a custom state", mapped(), "Available", on, []string{"AtLunch"}, []string{`set "At Lunch"`}, "voice NotReady At Lunch, email NotReady At Lunch"},
		{"and after-call work", mapped(), "Available", on, []string{"AfterCallWork"}, []string{`set "Follow Up"`},
			"voice NotReady AfterCallWork, email NotReady AfterCallWork"},
		{"Ready passes by who is LoggedOut", mapped(), "Available", on, []string{"email Offline", "NotReady", "Ready"}, []string{`set "Available"`}, "voice Ready, email LoggedOut"},

		// Workgroups: operations on one channel.
		{"Ready of a channel takes the others out first", mapped(), "Available, No ACD", on, []string{"email Ready"},
			[]string{"Sales off, Support off", `set "Available"`}, "voice NotReady, email Ready"},
		{"and activates its own", mapped(), "At Lunch", "Sales -Support -Mail", []string{"email Ready"},
			[]string{"Sales off", "Mail on", `set "Available"`}, "voice NotReady, email Ready"},
		{"beside one that is Ready it changes nothing there", mapped(), "Available", "Sales -Support -Mail", []string{"email Ready"},
			[]string{"Mail on", `set "Available"`}, "voice Ready, email Ready"},
		{"a channel that is Ready again gets all its workgroups", mapped(), "Available", "Sales -Support -Mail", []string{"voice Ready"},
			[]string{"Support on", `set "Available"`}, "voice Ready, email NotReady"},
		{"others that are wanted Ready come along out of after-call work", mapped(), "At Lunch", off, []string{"Ready", "AfterCallWork", "voice Ready"},
			[]string{`set "Available"`}, "voice Ready, email Ready"},
		{"but not out of a not-ready state", mapped(), "At Lunch", off, []string{"Ready", "AtLunch", "voice Ready"},
			[]string{"Mail off", `set "Available"`}, "voice Ready, email NotReady"},
		{"a channel that had gone not-ready does not come along", mapped(), "At Lunch", off, []string{"Ready", "email NotReady", "AfterCallWork", "voice Ready"},
			[]string{`set "Available"`}, "voice Ready, email NotReady"},
		{"NotReady of one channel beside a Ready one", mapped(), "Available", on, []string{"email NotReady"},
			[]string{"Mail off"}, "voice Ready, email NotReady"},
		{"a not-ready state beside a Ready one is kept as a label", mapped(), "Available", on, []string{"email AtLunch"},
			[]string{"Mail off"}, "voice Ready, email NotReady At Lunch"},
		{"the label goes with NotReady", mapped(), "Available", on, []string{"email AtLunch", "email NotReady"}, nil, "voice Ready, email NotReady"},
		{"the label goes with a state of all channels", mapped(), "Available", on, []string{"email AtLunch", "AtPlay", "voice Ready"},
			[]string{`set "Available"`}, "voice Ready, email NotReady"},
		{"after-call work of one channel beside a Ready one", mapped(), "Available", on, []string{"email AfterCallWork"},
			[]string{"Mail off"}, "voice Ready, email NotReady AfterCallWork"},
		{"not-ready of the last Ready channel sets the status", mapped(), "Available", on, []string{"email NotReady", "voice AtLunch"},
			[]string{`set "At Lunch"`}, "voice NotReady At Lunch, email NotReady At Lunch"},
		{"NotReady of a channel while none is Ready sets the status of all", mapped(), "At Lunch", on, []string{"email NotReady"},
			[]string{`set "Available, No ACD"`}, "voice NotReady, email NotReady"},
		{"Ready of a channel leaves a label beside it", mapped(), "Available", on, []string{"email AtLunch", "voice Ready"}, []string{`set "Available"`},
			"voice Ready, email NotReady At Lunch"},
		{"Ready of a channel takes its label", mapped(), "Available", on, []string{"email AtLunch", "email Ready"}, []string{"Mail on", `set "Available"`},
			"voice Ready, email Ready"},

		// Offline.
		{"Offline beside a Ready channel", mapped(), "Available", on, []string{"email Offline"}, []string{"Mail off"}, "voice Ready, email LoggedOut"},
		{"Offline of the last Ready channel", mapped(), "Available", "Sales -Support -Mail", []string{"voice Offline"},
			[]string{"Sales off", `set "Available, No ACD"`}, "voice LoggedOut, email NotReady"},
		{"Offline while none is Ready", mapped(), "At Lunch", on, []string{"voice Offline"}, []string{"Sales off, Support off"}, "voice LoggedOut, email NotReady At Lunch"},
		{"Offline twice changes nothing", mapped(), "Available", on, []string{"email Offline", "email Offline"}, nil, "voice Ready, email LoggedOut"},
		{"Offline of all channels deactivates all", mapped(), "Available", on, []string{"Offline"},
			[]string{"Mail off, Sales off, Support off", `set "Available, No ACD"`}, "voice LoggedOut, email LoggedOut"},
		{"back beside a Ready channel", mapped(), "Available", on, []string{"email Offline", "email NotReady"}, nil, "voice Ready, email NotReady"},
		{"back beside a Ready channel with a reason", mapped(), "Available", on, []string{"email Offline", "email AtPlay"}, nil, "voice Ready, email NotReady At Play"},
		{"back, then Ready", mapped(), "Available", on, []string{"email Offline", "email NotReady", "email Ready"},
			[]string{"Mail on", `set "Available"`}, "voice Ready, email Ready"},

		// Some channels with workgroups, one without, which follows the status.
		{"the channel without workgroups goes with all", mixed(), "At Lunch", "-Mail", []string{"Ready"}, []string{"Mail on", `set "Available"`}, "voice Ready, email Ready"},
		{"the other can be taken out", mixed(), "Available", "Mail", []string{"email NotReady"}, []string{"Mail off"}, "voice Ready, email NotReady"},
		{"and come back beside it", mixed(), "Available", "-Mail", []string{"email Ready"}, []string{"Mail on", `set "Available"`}, "voice Ready, email Ready"},
		{"an agent of one channel alone can do all on it", mixed(), "At Lunch", "", []string{"voice Ready"}, []string{`set "Available"`}, "voice Ready"},
		{"an agent in none but one channel's workgroups too", mapped(), "At Lunch", "-Mail", []string{"email Ready"}, []string{"Mail on", `set "Available"`}, "email Ready"},
		{"and out of it again", mapped(), "Available", "Mail", []string{"email AtLunch"}, []string{`set "At Lunch"`}, "email NotReady At Lunch"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := sit(t, tt.site, tt.site.directory(t), tt.status, tt.active)
			k.calls(k.do(tt.do...), tt.calls...)
			k.shows(tt.shows)
		})
	}
}

// A channel of the site that another site owns for the agent never gets work from this one.
func TestChannelsOwnedElsewhereAreDeactivatedBeforeReady(t *testing.T) {
	tests := []struct {
		name, status, active, ask string
		calls                     []string
	}{
		{"for all channels", "At Lunch", "Sales -Support Mail", "Ready", []string{"Mail off", "Support on", `set "Available"`}},
		{"for the one channel left", "At Lunch", "Sales Support Mail", "voice Ready", []string{"Mail off", `set "Available"`}},
		{"also while Ready", "Available", "Sales Support Mail", "Ready", []string{"Mail off", `set "Available"`}},
		{"not for a state that routes nothing", "Available", "Sales Support Mail", "NotReady", []string{`set "Available, No ACD"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := sit(t, mapped(), mapped().directory(t), tt.status, tt.active)
			k.s.Elsewhere = []htccapi.MediaChannel{email}
			k.calls(k.do(tt.ask), tt.calls...)
		})
	}
}

func TestWhatGoesWithAStatus(t *testing.T) {
	noon := icwsapi.NewTime(at(t, "2026-01-05T12:00:00Z"))
	tests := []struct {
		name string
		ask  Request
		want icwsapi.UserStatusUpdate
	}{
		{"notes are passed on", Request{Operation: "AtLunch", Notes: "back soon"}, icwsapi.UserStatusUpdate{StatusID: "At Lunch", Notes: "back soon"}},
		{"a time for a status that takes times", Request{Operation: "AtLunch", Until: &noon},
			icwsapi.UserStatusUpdate{StatusID: "At Lunch", Until: &icwsapi.Until{UntilDateTime: noon, HasTime: true}}},
		{"a date for a status that takes dates", Request{Operation: "OnVacation", Until: &noon},
			icwsapi.UserStatusUpdate{StatusID: "On Vacation", Until: &icwsapi.Until{UntilDateTime: noon, HasDate: true}}},
		{"both for one that takes both", Request{Operation: htccapi.DoNotDisturbOn, Until: &noon, Notes: "deep work"},
			icwsapi.UserStatusUpdate{StatusID: "Do Not disturb", Notes: "deep work", Until: &icwsapi.Until{UntilDateTime: noon, HasDate: true, HasTime: true}}},
		{"a forward status with its number", Request{Operation: "AvailableForward", ForwardNumber: "5551"},
			icwsapi.UserStatusUpdate{StatusID: "Available, Forward", ForwardNumber: "5551"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := sit(t, mapped(), mapped().directory(t), "Available", "Sales")
			plan, err := k.Plan(k.s, k.d, tt.ask)
			if err != nil {
				t.Fatal(err)
			}
			differ(t, []Call{{Status: &tt.want}}, plan.Calls)
		})
	}
}
