package htccapi

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Clients look members up by their exact names, and some break on one that is missing.
//
// Source: captured traffic of GWS 8.5.202.96; GWS 8.5.2, CometD messages.
func TestMembers(t *testing.T) {
	tests := []struct {
		name  string
		value any
		want  []string
	}{
		{"an agent", User{}, []string{"id", "userName", "firstName", "lastName", "emailAddress", "roles", "enabled",
			"changePasswordOnFirstLogin", "contactCenterId", "uri", "path"}},
		{"an Inactive device has no userState", Device{}, []string{"id", "deviceState", "phoneNumber", "description", "e164Number",
			"telephonyNetwork", "doNotDisturb", "voiceEnvironmentUri", "capabilities", "channels", "dynamicPhoneNumber"}},
		{"an Active device, forwarded", Device{UserState: &UserState{}, ForwardTo: "5551"}, []string{"id", "deviceState", "userState", "phoneNumber", "description",
			"e164Number", "telephonyNetwork", "doNotDisturb", "forwardTo", "voiceEnvironmentUri", "capabilities", "channels", "dynamicPhoneNumber"}},
		{"a channel in an answer", Channel{}, []string{"channel", "userState"}},
		{"voice in a notification", Channel{DNDState: Off, PhoneNumber: "5101", SwitchName: "SIP", UserActivity: "Idle"},
			[]string{"channel", "userState", "dndState", "phoneNumber", "switchName", "userActivity"}},
		{"a plain state", SettingReady.UserState(), []string{"id", "displayName", "state"}},
		{"after-call work", SettingAfterCallWork.UserState(), []string{"id", "displayName", "state", "workMode"}},
		{"a state with a reason", UserState{ID: "1", DisplayName: "x", Reason: "Lunch"}, []string{"id", "displayName", "state", "reason"}},
		{"the state right after a log-in", UserState{State: "LoggedIn"}, []string{"state"}},
		{"an agent-state setting", SettingReady, []string{"id", "operationName", "displayName", "state"}},
		{"one with all there is", AgentStateSetting{WorkMode: "x", Reason: "x"}, []string{"id", "operationName", "displayName", "state", "workMode", "reason"}},
		{"a feature", Feature{}, []string{"id", "displayName", "description", "autoAssignOnContactCenterCreate", "uri", "path"}},
		{"a server behind the API", Service{URI: "x"}, []string{"id", "name", "type", "state", "uri", "path"}},
		{"a server without a page", Service{}, []string{"id", "name", "type", "state", "path"}},
		{"a channel's result", ChannelResult{}, []string{"statusCode", "channel"}},
		{"a channel's failure", ChannelResult{StatusMessage: "no"}, []string{"statusCode", "statusMessage", "channel"}},
		{"a device message", DeviceStateChangeMessage{}, []string{"messageType", "devices"}},
		{"a channel message", ChannelStateChangeMessage{}, []string{"messageType", "channels"}},
		{"an error message", ErrorMessage{}, []string{"messageType", "errorMessage"}},
		{"an error message about a device", ErrorMessage{DevicePath: "x", DeviceURI: "x"}, []string{"messageType", "errorMessage", "devicePath", "deviceUri"}},
		{"a call", Call{}, []string{"id", "state", "callUuid", "connId", "deviceUri", "participants", "ani", "dnis", "callType", "capabilities", "userData",
			"duration", "mute", "supervisorListeningIn", "monitoredUserMuted", "monitoring", "uri", "path"}},
		{"a call message", CallStateChangeMessage{}, []string{"messageType", "notificationType", "call", "phoneNumber", "extensions"}},
		{"a request", OperationRequest{}, []string{"operationName"}},
		{"a request with all there is", OperationRequest{Channels: []MediaChannel{Voice}, Notes: "x", ForwardNumber: "x", Until: "x"},
			[]string{"operationName", "channels", "notes", "forwardNumber", "until"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			encoded, err := json.Marshal(tt.value)
			if err != nil {
				t.Fatal(err)
			}
			members := map[string]any{}
			err = json.Unmarshal(encoded, &members)
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(tt.want)
			diff := cmp.Diff(tt.want, slices.Sorted(maps.Keys(members)))
			if diff != "" {
				t.Errorf("members differ (-want +got):\n%s", diff)
			}
		})
	}
}

// Source: GWS 8.5.2, agent-state pages; captured traffic of GWS 8.5.202.96.
func TestSystemStatesAreThoseOfEveryServer(t *testing.T) {
	tests := []struct {
		setting AgentStateSetting
		want    string
	}{
		{SettingReady, `{"id":"9430250E-0A1B-421F-B372-F29E69366DED","operationName":"Ready","displayName":"Ready","state":"Ready"}`},
		{SettingNotReady, `{"id":"900D55CC-2BB0-431F-8BF9-D3525B383BE6","operationName":"NotReady","displayName":"Not Ready","state":"NotReady"}`},
		{SettingAfterCallWork, `{"id":"D3663509-3D82-4DD3-A82E-2EA8EFA02AEF","operationName":"AfterCallWork","displayName":"AfterCallWork","state":"NotReady","workMode":"AfterCallWork"}`},
		{SettingAuxWork, `{"id":"2B36138D-C564-4562-A8CB-3C32D564F296","operationName":"AuxWork","displayName":"AuxWork","state":"NotReady","workMode":"AuxWork"}`},
		{SettingOffline, `{"id":"0F7F5003-EF26-4D13-A6Ef-D0C7EC819BEB","operationName":"Offline","displayName":"Offline","state":"Logout"}`},
	}
	for _, tt := range tests {
		encoded, err := json.Marshal(tt.setting)
		if err != nil || string(encoded) != tt.want {
			t.Errorf("%s is written as %s, %v; want %s", tt.setting.OperationName, encoded, err, tt.want)
		}
	}
}

func TestLogoutIsShownAsLoggedOut(t *testing.T) {
	want := UserState{ID: "0F7F5003-EF26-4D13-A6Ef-D0C7EC819BEB", DisplayName: "Offline", State: "LoggedOut"}
	diff := cmp.Diff(want, SettingOffline.UserState())
	if diff != "" {
		t.Errorf("Offline differs (-want +got):\n%s", diff)
	}
}

// Clients compare these exactly.
func TestNamesOfMessages(t *testing.T) {
	for got, want := range map[string]string{
		TopicDevices: "/v2/me/devices", TopicChannels: "/v2/me/channels", TopicServices: "/notifications/services",
		TypeDeviceStateChange: "DeviceStateChangeMessage", TypeChannelStateChange: "ChannelStateChangeMessageV2", TypeError: "ErrorMessage",
	} {
		if got != want {
			t.Errorf("%q; want %q", got, want)
		}
	}
}
