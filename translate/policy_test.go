package translate

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

func TestWhichStatusCarriesOutAnOperation(t *testing.T) {
	type status = icwsapi.StatusMessage
	tests := []struct {
		name     string
		statuses Statuses
		more     []status // over the stock catalogue
		but      []string // not accessible
		op       htccapi.Operation
		want     string // "" for none
	}{
		{name: "Ready prefers the stock status", op: htccapi.Ready, want: "Available"},
		{name: "Ready takes the configured status", statuses: Statuses{Ready: "available, remote"}, op: htccapi.Ready, want: "Available, Remote"},
		{name: "a configured status that is not accessible gives way to the stock one",
			statuses: Statuses{Ready: "Available, Remote"}, but: []string{"Available, Remote"}, op: htccapi.Ready, want: "Available"},
		{name: "a configured status that is unknown gives way too", statuses: Statuses{Ready: "Here"}, op: htccapi.Ready, want: "Available"},
		{name: "a configured Ready that routes nothing is not taken", statuses: Statuses{Ready: "At Lunch"}, op: htccapi.Ready, want: "Available"},
		{name: "without the stock status flags decide", but: []string{"Available"}, op: htccapi.Ready, want: "Available, Remote"},
		{name: "flags want the status selectable",
			more: []status{{StatusID: "Available", IsACDStatus: true}}, op: htccapi.Ready, want: "Available, Remote"},
		{name: "Ready is never a forward status",
			more: []status{{StatusID: "Available, Remote", IsACDStatus: true, IsForwardStatus: true, IsSelectableStatus: true}},
			but:  []string{"Available"}, op: htccapi.Ready},
		{name: "nor after-call work, which reads as not ready",
			more: []status{{StatusID: "Available, Remote", IsACDStatus: true, IsAfterCallWorkStatus: true, IsSelectableStatus: true}},
			but:  []string{"Available"}, op: htccapi.Ready},
		{name: "without any there is no Ready", but: []string{"Available", "Available, Remote"}, op: htccapi.Ready},

		{name: "NotReady prefers the stock status", op: htccapi.NotReady, want: "Available, No ACD"},
		{name: "NotReady by flags is no do-not-disturb, after-call work or forward status",
			but: []string{"Available, No ACD"}, op: htccapi.NotReady, want: "Working at Home"},
		{name: "NotReady by flags is no status that the settings name for something else",
			statuses: Statuses{AuxWork: "Working at Home"}, but: []string{"Available, No ACD"}, op: htccapi.NotReady},
		{name: "nor is the stock one, if they do",
			statuses: Statuses{AuxWork: "Available, No ACD"}, op: htccapi.NotReady, want: "Working at Home"},
		{name: "a configured NotReady may have any flag but ACD", statuses: Statuses{NotReady: "Gone Home"}, op: htccapi.NotReady, want: "Gone Home"},
		{name: "but not need a forward number", statuses: Statuses{NotReady: "Available, Forward"}, op: htccapi.NotReady, want: "Available, No ACD"},

		{name: "AfterCallWork is found by its flag", op: htccapi.AfterCallWork, want: "Follow Up"},
		{name: "or by the settings", statuses: Statuses{AfterCallWork: "At Play"}, op: htccapi.AfterCallWork, want: "At Play"},
		{name: "not if it is not accessible", but: []string{"Follow Up"}, op: htccapi.AfterCallWork},

		{name: "AuxWork needs the setting", op: htccapi.AuxWork},
		{name: "AuxWork with the setting", statuses: Statuses{AuxWork: "At Play"}, op: htccapi.AuxWork, want: "At Play"},
		{name: "AuxWork that is not accessible", statuses: Statuses{AuxWork: "At Play"}, but: []string{"At Play"}, op: htccapi.AuxWork},

		{name: "do-not-disturb prefers the stock status", op: htccapi.DoNotDisturbOn, want: "Do Not disturb"},
		{name: "or the configured", statuses: Statuses{DoNotDisturb: "In a meeting"}, op: htccapi.DoNotDisturbOn, want: "In a meeting"},
		{name: "lunch and meetings do not take its place", but: []string{"Do Not disturb"}, op: htccapi.DoNotDisturbOn},
		{name: "nor when a single one of them is accessible",
			but: []string{"Do Not disturb", "At a training session", "Away from desk", "Gone Home", "In a meeting", "On Vacation", "Out of the office", "Out of Town", "At Play"},
			op:  htccapi.DoNotDisturbOn},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := mapped()
			r.Statuses = tt.statuses
			catalogue := with(tt.more...)
			got, found := r.NewDirectory(catalogue, all(catalogue, tt.but...)).StatusFor(tt.op)
			if got.StatusID != tt.want || found != (tt.want != "") {
				t.Errorf("StatusFor(%s) = %q, %t; want %q", tt.op, got.StatusID, found, tt.want)
			}
		})
	}
}

func TestASiteWithOneDoNotDisturbFlag(t *testing.T) {
	quiet := icwsapi.StatusMessage{StatusID: "Quiet", IsDoNotDisturbStatus: true, IsSelectableStatus: true}
	tests := []struct {
		name     string
		statuses Statuses
		more     []icwsapi.StatusMessage
		want     bool
	}{
		{"its status is the do-not-disturb status", Statuses{}, nil, true},
		{"after-call work and what nobody chooses do not count", Statuses{}, []icwsapi.StatusMessage{
			{StatusID: "Wrap", IsDoNotDisturbStatus: true, IsAfterCallWorkStatus: true, IsSelectableStatus: true},
			{StatusID: "No answer", IsDoNotDisturbStatus: true}}, true},
		{"with a second one there is none", Statuses{}, []icwsapi.StatusMessage{
			{StatusID: "Lunch", IsDoNotDisturbStatus: true, IsSelectableStatus: true}}, false},
		{"nor if the settings name it for something else", Statuses{AuxWork: "Quiet"}, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := mapped()
			r.Statuses = tt.statuses
			catalogue := NewCatalogue(site, append(tt.more, quiet))
			d := r.NewDirectory(catalogue, all(catalogue))
			if d.IsDND("quiet") != tt.want {
				t.Errorf("IsDND = %t; want %t", d.IsDND("quiet"), tt.want)
			}
		})
	}
}

// A supervisor can put an agent into a status that the agent cannot choose.
func TestPolicyStatusesShowAsSystemStatesForEveryAgent(t *testing.T) {
	catalogue := with()
	d := mapped().NewDirectory(catalogue, all(catalogue, "Available", "Available, No ACD", "Follow Up", "Do Not disturb"))
	tests := []struct {
		name, status string
		want         htccapi.AgentStateSetting
	}{
		{"the site's Ready", "Available", htccapi.SettingReady},
		{"what the agent can choose for Ready", "Available, Remote", htccapi.SettingReady},
		{"the site's NotReady", "Available, No ACD", htccapi.SettingNotReady},
		{"what the agent can choose for NotReady", "Working at Home", htccapi.SettingNotReady},
		{"after-call work, which only the system sets", "Follow Up", htccapi.SettingAfterCallWork},
	}
	for _, tt := range tests {
		diff := cmp.Diff(tt.want, d.SettingOf(tt.status))
		if diff != "" {
			t.Errorf("%s: SettingOf(%q) differs (-want +got):\n%s", tt.name, tt.status, diff)
		}
	}
	if !d.IsDND("Do Not disturb") {
		t.Error("the site's do-not-disturb status is not recognised for an agent who cannot choose it")
	}
}

func TestAgentStates(t *testing.T) {
	tests := []struct {
		name     string
		statuses Statuses
		but      []string
		want     []htccapi.Operation
	}{
		{"system states come first, then the catalogue's order, without forward, do-not-disturb and involuntary ones", Statuses{}, nil,
			[]htccapi.Operation{"NotReady", "Offline", "AfterCallWork", "Ready", "AvailableRemote", "AtATrainingSession", "AtLunch",
				"AwayFromDesk", "GoneHome", "InAMeeting", "OnVacation", "OutOfTheOffice", "OutOfTown", "WorkingAtHome", "AtPlay"}},
		{"AuxWork is listed when it is set, and its status no more", Statuses{AuxWork: "At Play"},
			[]string{"At a training session", "Away from desk", "Gone Home", "In a meeting", "On Vacation", "Out of the office", "Out of Town", "Working at Home"},
			[]htccapi.Operation{"NotReady", "Offline", "AfterCallWork", "Ready", "AuxWork", "AvailableRemote", "AtLunch"}},
		{"what is not accessible is not listed", Statuses{},
			[]string{"Available", "Available, Remote", "Follow Up", "Available, No ACD", "Working at Home", "At a training session",
				"Away from desk", "Gone Home", "In a meeting", "On Vacation", "Out of the office", "Out of Town"},
			[]htccapi.Operation{"Offline", "AtLunch", "AtPlay"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := mapped()
			r.Statuses = tt.statuses
			catalogue := with()
			d := r.NewDirectory(catalogue, all(catalogue, tt.but...))
			var got []htccapi.Operation
			for _, state := range d.AgentStates() {
				got = append(got, state.OperationName)
			}
			diff := cmp.Diff(tt.want, got)
			if diff != "" {
				t.Errorf("operations differ (-want +got):\n%s", diff)
			}
		})
	}
}
