package translate

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

// The ids are written out, because applications store them: a change of how they are made must
// not go unnoticed.
func TestWhatEachStatusShowsAs(t *testing.T) {
	custom := func(id string, operation htccapi.Operation, text, reason string) htccapi.AgentStateSetting {
		return htccapi.AgentStateSetting{ID: id, OperationName: operation, DisplayName: text, State: htccapi.StateNotReady, Reason: reason}
	}
	remote := custom("5D42FDD4-143F-5F98-8036-D8C9018EF545", "AvailableRemote", "Available, remote", "")
	remote.State = htccapi.StateReady
	tests := []struct {
		status string
		want   htccapi.AgentStateSetting
	}{
		{"Available", htccapi.SettingReady},
		{"Available, No ACD", htccapi.SettingNotReady},
		{"Follow Up", htccapi.SettingAfterCallWork},
		{"Available, Remote", remote},
		{"Available, Forward", custom("E3F53D31-D229-5076-8A91-5C15EDEB46D0", "AvailableForward", "Available, Forward", "Available, Forward")},
		{"AcdAgentNotAnswering", custom("C6C8670A-9772-5583-B2FE-8069CACD03EE", "AcdAgentNotAnswering", "ACD - Agent Not Answering", "AcdAgentNotAnswering")},
		{"At a training session", custom("F1A47ED6-55A7-51AE-A5FD-2689EF388148", "AtATrainingSession", "At a training session", "At a training session")},
		{"At Lunch", custom("0B975648-839A-5895-9D9E-CC4283C7F88D", "AtLunch", "At lunch", "At Lunch")},
		{"Away from desk", custom("905820FF-499C-531C-892F-9AA3A8828C09", "AwayFromDesk", "Away from desk", "Away from desk")},
		{"Do Not disturb", custom("D7F36B35-3515-5FBE-BEF0-E895641ACA9B", "DoNotDisturb", "Do not disturb", "Do Not disturb")},
		{"Gone Home", custom("6AE1CB90-2F0B-5D9C-9405-5D4DE143D484", "GoneHome", "Gone home", "Gone Home")},
		{"In a meeting", custom("3ED47C9F-E65D-5EC8-B761-99D12F6926F8", "InAMeeting", "In a meeting", "In a meeting")},
		{"On Vacation", custom("AA4E4D8D-198D-595D-920B-3BD005047A86", "OnVacation", "On vacation", "On Vacation")},
		{"Out of the office", custom("B394E0A2-D6B0-5698-B4D1-4DBC1BC7849C", "OutOfTheOffice", "Out of the office", "Out of the office")},
		{"Out of Town", custom("54E43DE5-4BBE-5419-B8DC-45B44F99209F", "OutOfTown", "Out of town", "Out of Town")},
		{"Working at Home", custom("72B9BF39-40EE-5848-954F-B1A4434A2485", "WorkingAtHome", "Working at home", "Working at Home")},
		{"At Play", custom("85DD83E4-7B1B-5AD7-B54B-6F1A9AA25496", "AtPlay", "At play", "At Play")},
		{"aT lUNCH", custom("0B975648-839A-5895-9D9E-CC4283C7F88D", "AtLunch", "At lunch", "At Lunch")},
		{"At Sea", custom("C56DB97A-0A62-560B-B98B-6C577AF41484", "AtSea", "At Sea", "At Sea")}, // not in the catalogue
		{"", htccapi.SettingNotReady},
	}
	d := mapped().directory(t)
	for _, tt := range tests {
		diff := cmp.Diff(tt.want, d.SettingOf(tt.status))
		if diff != "" {
			t.Errorf("SettingOf(%q) differs (-want +got):\n%s", tt.status, diff)
		}
	}
}

func TestHowFlagsDecideWhatIsShown(t *testing.T) {
	tests := []struct {
		name   string
		status icwsapi.StatusMessage
		want   string
	}{
		{"an ACD status shows Ready", icwsapi.StatusMessage{IsACDStatus: true}, "Ready"},
		{"after-call work shows its work mode", icwsapi.StatusMessage{IsAfterCallWorkStatus: true}, "NotReady AfterCallWork X"},
		{"after-call work counts before ACD", icwsapi.StatusMessage{IsAfterCallWorkStatus: true, IsACDStatus: true}, "NotReady AfterCallWork X"},
		{"the do-not-disturb flag alone is a reason", icwsapi.StatusMessage{IsDoNotDisturbStatus: true}, "NotReady X"},
		{"a forward status shows its reason", icwsapi.StatusMessage{IsForwardStatus: true}, "NotReady X"},
		{"a status without flags shows its reason", icwsapi.StatusMessage{}, "NotReady X"},
		{"who may choose it and what it can carry does not matter",
			icwsapi.StatusMessage{IsSelectableStatus: true, IsPersistentStatus: true, CanHaveDate: true, CanHaveTime: true, IsAllowFollowUpStatus: true}, "NotReady X"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.status.StatusID, tt.status.MessageText = "X", "The X"
			catalogue := with(tt.status)
			k := sit(t, oneBare(), oneBare().NewDirectory(catalogue, all(catalogue)), "X", "")
			k.shows("voice " + tt.want)
			got := k.View(k.s, k.d).Channels[0].UserState.DisplayName
			if got != "The X" {
				t.Errorf("shows display name %q; want the status's text", got)
			}
		})
	}
}

func TestChannelsShowWhatTheyGetWorkFor(t *testing.T) {
	tests := []struct {
		name           string
		site           Rules
		status, active string
		want           string
	}{
		{"without workgroups a channel follows the status", oneBare(), "Available", "", "voice Ready"},
		{"so do several", bare(), "Available", "Sales", "voice Ready, email Ready"},
		{"and in a not-ready status", bare(), "At Lunch", "", "voice NotReady At Lunch, email NotReady At Lunch"},
		{"a channel is Ready when one of its workgroups is activated", mapped(), "Available", "-Sales Support -Mail", "voice Ready, email NotReady"},
		{"not when none is", mapped(), "Available", "-Sales -Support -Mail", "voice NotReady, email NotReady"},
		{"nor when the status routes nothing", mapped(), "Available, No ACD", "Sales Support Mail", "voice NotReady, email NotReady"},
		{"a custom ACD status is Ready too", mapped(), "Available, Remote", "Sales -Mail", "voice Ready, email NotReady"},
		{"a channel without membership is not shown", mapped(), "Available", "Mail", "email Ready"},
		{"nor is any without all", mapped(), "Available", "Other", ""},
		{"workgroups compare without regard to case", mapped(), "Available", "SALES mail", "voice Ready, email Ready"},
		{"no answer shows though nobody may choose it", mapped(), "AcdAgentNotAnswering", "Sales -Mail",
			"voice NotReady AcdAgentNotAnswering, email NotReady AcdAgentNotAnswering"},
		{"follow-up shows as after-call work", mapped(), "Follow Up", "Sales Mail", "voice NotReady AfterCallWork, email NotReady AfterCallWork"},
		{"do-not-disturb found at log-in hides NotReady", mapped(), "Do Not disturb", "Sales Mail", "voice NotReady, email NotReady, DND"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sit(t, tt.site, tt.site.directory(t), tt.status, tt.active).shows(tt.want)
		})
	}
}

func TestChannelsOfAnotherSiteAreNotShown(t *testing.T) {
	k := sit(t, mapped(), mapped().directory(t), "Available", "Sales Mail")
	k.s.Elsewhere = []htccapi.MediaChannel{htccapi.Voice}
	k.shows("email Ready")
	if len(k.View(k.s, k.d).Devices) > 0 {
		t.Error("shows a device, though another site owns voice")
	}
	diff := cmp.Diff([]htccapi.MediaChannel{email}, k.ChannelNames(k.s))
	if diff != "" {
		t.Errorf("ChannelNames differs (-want +got):\n%s", diff)
	}
}

func TestPartsThatAreNotConnected(t *testing.T) {
	tests := []struct {
		name   string
		link   Link
		want   string
		device string
	}{
		{"a site that cannot be reached has no channels", Unreachable, "", htccapi.DeviceInactive},
		{"an ended part is LoggedOut", Ended, "voice LoggedOut, email LoggedOut", htccapi.DeviceInactive},
		{"a part that lives is Active", Connected, "voice Ready, email NotReady", htccapi.DeviceActive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := sit(t, mapped(), mapped().directory(t), "Available", "Sales -Mail")
			k.s.Link = tt.link
			k.shows(tt.want)
			device := k.View(k.s, k.d).Devices[0]
			if device.DeviceState != tt.device || (device.UserState != nil) != (tt.link == Connected) {
				t.Errorf("device is %s with userState %v; want %s, and a userState only while connected", device.DeviceState, device.UserState, tt.device)
			}
		})
	}
}

func TestVoiceCarriesThePhone(t *testing.T) {
	stations := []string{"WS-17", "WS-18"}
	on, off := true, false
	tests := []struct {
		name            string
		station         string
		status          icwsapi.UserStatus
		phone, activity string
	}{
		{"nothing known", "", icwsapi.UserStatus{}, "", "Idle"},
		{"the effective station comes first", "5101", icwsapi.UserStatus{Stations: &stations, OnPhone: &off}, "5101", "Idle"},
		{"else the first station of the status", "", icwsapi.UserStatus{Stations: &stations}, "WS-17", "Idle"},
		{"no station at all", "", icwsapi.UserStatus{Stations: &[]string{}}, "", "Idle"},
		{"a call going on", "", icwsapi.UserStatus{OnPhone: &on}, "", "Busy"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.status.UserID, tt.status.StatusID = "anna", "Available, No ACD"
			k := sit(t, bare(), bare().directory(t), "Available, No ACD", "")
			k.s.Status, k.s.Station = tt.status, tt.station
			view := k.View(k.s, k.d)
			want := []htccapi.Channel{
				{Channel: htccapi.Voice, UserState: htccapi.SettingNotReady.UserState(), DNDState: htccapi.Off, PhoneNumber: tt.phone, UserActivity: tt.activity},
				{Channel: email, UserState: htccapi.SettingNotReady.UserState(), DNDState: htccapi.Off},
			}
			diff := cmp.Diff(want, view.Channels)
			if diff != "" {
				t.Errorf("channels differ (-want +got):\n%s", diff)
			}
			if view.Devices[0].PhoneNumber != tt.phone {
				t.Errorf("device has number %q; want %q", view.Devices[0].PhoneNumber, tt.phone)
			}
		})
	}
}
