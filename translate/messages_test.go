package translate

import (
	"testing"

	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

func TestDeltasChangeWhatTheyName(t *testing.T) {
	noon := icwsapi.NewTime(at(t, "2026-01-05T12:00:00Z"))
	notes, more, number, yes, server := "back soon", "later", "5551", true, "IC1"
	stations := []string{"WS-17"}
	full := icwsapi.UserStatus{UserID: "anna", StatusID: "At Lunch", Notes: &notes, ForwardNumber: &number, StatusChanged: &noon,
		Until: icwsapi.OptUntil{Present: true, Value: &icwsapi.Until{UntilDateTime: noon, HasTime: true}}, OnPhone: &yes, OnPhoneChanged: &noon,
		LoggedIn: &yes, Stations: &stations, ICServers: &stations, PresenceServer: &server}
	tests := []struct {
		name  string
		delta icwsapi.UserStatus
		want  func(*icwsapi.UserStatus)
	}{
		{"nothing but what is required", icwsapi.UserStatus{StatusID: "At Lunch"}, func(*icwsapi.UserStatus) {}},
		{"notes", icwsapi.UserStatus{StatusID: "At Lunch", Notes: &more}, func(s *icwsapi.UserStatus) { s.Notes = &more }},
		{"an end that is null", icwsapi.UserStatus{StatusID: "At Lunch", Until: icwsapi.OptUntil{Present: true}},
			func(s *icwsapi.UserStatus) { s.Until = icwsapi.OptUntil{Present: true} }},
		{"another status takes its notes, number and end away", icwsapi.UserStatus{StatusID: "At Play"}, func(s *icwsapi.UserStatus) {
			s.StatusID, s.Notes, s.ForwardNumber, s.Until = "At Play", nil, nil, icwsapi.OptUntil{}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := sit(t, oneBare(), oneBare().directory(t), "At Lunch", "")
			k.s.Status = full
			tt.delta.UserID = "anna"
			k.hear(icwsapi.UserStatusMessage{Head: icwsapi.Head{IsDelta: true}, UserStatusList: []icwsapi.UserStatus{tt.delta}})
			want := full
			tt.want(&want)
			differ(t, want, k.s.Status)
		})
	}
}

func TestWhatMessagesChange(t *testing.T) {
	delta := icwsapi.Head{IsDelta: true}
	station := &icwsapi.EffectiveStation{StationID: icwsapi.StationID{ID: "ws17", DisplayName: "5101"}}
	tests := []struct {
		name    string
		message icwsapi.Message
		want    func(*AgentState)
	}{
		{"a status of another agent", icwsapi.UserStatusMessage{UserStatusList: []icwsapi.UserStatus{{UserID: "bjorn", StatusID: "At Lunch"}}}, func(*AgentState) {}},
		{"one's own in another case, among others", icwsapi.UserStatusMessage{UserStatusList: []icwsapi.UserStatus{
			{UserID: "bjorn", StatusID: "At Play"}, {UserID: "ANNA", StatusID: "Available, Remote"}}},
			func(s *AgentState) {
				s.Status = icwsapi.UserStatus{UserID: "ANNA", StatusID: "Available, Remote"}
				s.Said = Change{StatusID: "Available, Remote"}
			}},
		{"an activation", icwsapi.UserActivationMessage{Head: delta, UserID: "Anna", ActivationsChanged: map[string]bool{"MAIL": true}},
			func(s *AgentState) { s.Activations = map[string]bool{"Sales": true, "Mail": true} }},
		{"a new membership", icwsapi.UserActivationMessage{Head: delta, UserID: "anna", ActivationsChanged: map[string]bool{"Support": false}},
			func(s *AgentState) { s.Activations = map[string]bool{"Sales": true, "Mail": false, "Support": false} }},
		{"all activations replace what was known", icwsapi.UserActivationMessage{UserID: "anna", ActivationsChanged: map[string]bool{"Mail": true}},
			func(s *AgentState) { s.Activations = map[string]bool{"Mail": true} }},
		{"activations of another agent", icwsapi.UserActivationMessage{UserID: "bjorn", ActivationsChanged: map[string]bool{"Sales": false}}, func(*AgentState) {}},
		{"the station", icwsapi.EffectiveStationChangeMessage{EffectiveStation: station}, func(s *AgentState) { s.Station = "5101" }},
		{"no station", icwsapi.EffectiveStationChangeMessage{}, func(s *AgentState) { s.Station = "" }},
		{"a message of no concern", icwsapi.Head{Type: "urn:inin.com:queues:queueContentsMessage"}, func(*AgentState) {}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := sit(t, mapped(), mapped().directory(t), "Available", "Sales -Mail")
			k.s.Station = "5100"
			want := k.s
			tt.want(&want)
			k.hear(tt.message)
			differ(t, want, k.s)
		})
	}
}

func TestNameOfAStation(t *testing.T) {
	tests := []struct {
		name    string
		station *icwsapi.EffectiveStation
		want    string
	}{
		{"none", nil, ""},
		{"its display name", &icwsapi.EffectiveStation{StationID: icwsapi.StationID{ID: "ws17", DisplayName: "5101"}}, "5101"},
		{"else its id", &icwsapi.EffectiveStation{StationID: icwsapi.StationID{ID: "ws17"}}, "ws17"},
	}
	for _, tt := range tests {
		got := StationName(tt.station)
		if got != tt.want {
			t.Errorf("%s: StationName = %q; want %q", tt.name, got, tt.want)
		}
	}
}

func TestLosingAMembershipHidesTheChannel(t *testing.T) {
	k := sit(t, mapped(), mapped().directory(t), "Available", "Sales Mail")
	k.hear(icwsapi.UserActivationMessage{UserID: "anna", ActivationsChanged: map[string]bool{"Mail": true}})
	k.shows("email Ready")
	if len(k.View(k.s, k.d).Devices) > 0 {
		t.Error("still shows the device of", htccapi.Voice)
	}
}
