package translate

import (
	"testing"

	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

func TestRefusals(t *testing.T) {
	noon := icwsapi.NewTime(at(t, "2026-01-05T12:00:00Z"))
	few := []string{"Available, Remote", "Available, Forward", "At a training session", "Away from desk", "Gone Home", "In a meeting",
		"On Vacation", "Out of the office", "Out of Town", "Working at Home", "At Play"}
	fewer := append([]string{"Available", "Available, No ACD", "Follow Up", "Do Not disturb"}, few...)
	tests := []struct {
		name   string
		site   Rules
		but    []string // not accessible
		active string
		before []string
		ask    Request
		want   Refusal
	}{
		{"an unknown operation names those the agent may use", mapped(), few, "Sales", nil, Request{Operation: "GoFishing"},
			Refusal{Invalid, `unknown operation "GoFishing"; this agent may use: NotReady, Offline, AfterCallWork, Ready, AtLunch, DoNotDisturbOn, DoNotDisturbOff`}},
		{"AuxWork without a setting is unknown", mapped(), few, "Sales", nil, Request{Operation: htccapi.AuxWork},
			Refusal{Invalid, `unknown operation "AuxWork"; this agent may use: NotReady, Offline, AfterCallWork, Ready, AtLunch, DoNotDisturbOn, DoNotDisturbOff`}},
		{"the name of a system state's status is unknown", mapped(), few, "Sales", nil, Request{Operation: "AvailableNoACD"},
			Refusal{Invalid, `unknown operation "AvailableNoACD"; this agent may use: NotReady, Offline, AfterCallWork, Ready, AtLunch, DoNotDisturbOn, DoNotDisturbOff`}},
		{"so is that of the do-not-disturb status", mapped(), few, "Sales", nil, Request{Operation: "DoNotDisturb"},
			Refusal{Invalid, `unknown operation "DoNotDisturb"; this agent may use: NotReady, Offline, AfterCallWork, Ready, AtLunch, DoNotDisturbOn, DoNotDisturbOff`}},
		{"Ready without access", mapped(), fewer, "Sales", nil, Request{Operation: htccapi.Ready},
			Refusal{Forbidden, `this agent has no access to a status for "Ready"; allowed are: Offline, AtLunch`}},
		{"a custom state without access", mapped(), fewer, "Sales", nil, Request{Operation: "AtPlay"},
			Refusal{Forbidden, `this agent has no access to "AtPlay"; allowed are: Offline, AtLunch`}},
		{"an involuntary state", mapped(), fewer, "Sales", nil, Request{Operation: "AcdAgentNotAnswering"},
			Refusal{Forbidden, `this agent has no access to "AcdAgentNotAnswering"; allowed are: Offline, AtLunch`}},
		{"do-not-disturb without access", mapped(), fewer, "Sales", nil, Request{Operation: htccapi.DoNotDisturbOn},
			Refusal{Forbidden, `this agent has no access to a do-not-disturb status; allowed are: Offline, AtLunch`}},
		{"do-not-disturb of a channel", mapped(), nil, "Sales", nil, Request{Operation: htccapi.DoNotDisturbOff, Channel: htccapi.Voice},
			Refusal{Invalid, `"DoNotDisturbOff" is for all channels: post it to /me or to the device`}},
		{"Offline that needs a not-ready status without access", mapped(), fewer, "Sales", nil, Request{Operation: htccapi.Offline},
			Refusal{Forbidden, `this agent has no access to a status for "NotReady", which "Offline" needs here; allowed are: AtLunch`}},
		{"Offline that does, of an agent without any access", mapped(), append([]string{"At Lunch"}, fewer...), "Sales", nil, Request{Operation: htccapi.Offline},
			Refusal{Forbidden, `this agent has no access to a status for "NotReady", which "Offline" needs here; allowed are: none`}},
		{"an unknown channel", mapped(), nil, "Sales Mail", nil, Request{Operation: htccapi.Ready, Channel: chat},
			Refusal{NotFound, `there is no channel "chat"; this agent has: voice, email`}},
		{"a channel without membership", mapped(), nil, "Sales", nil, Request{Operation: htccapi.Offline, Channel: email},
			Refusal{NotFound, `there is no channel "email"; this agent has: voice`}},
		{"an agent without any membership", mapped(), nil, "Other", nil, Request{Operation: htccapi.Ready},
			Refusal{Invalid, `no channel can take "Ready": the agent belongs to none of the workgroups of sites.pureconnect.channels`}},
		{"one channel of several without workgroups", bare(), nil, "", nil, Request{Operation: htccapi.Ready, Channel: email},
			Refusal{Invalid, `channel "email" cannot be changed alone: no workgroups are set for it (sites.pureconnect.channels.email.workgroups); change all channels instead`}},
		{"Offline of such a channel", bare(), nil, "", nil, Request{Operation: htccapi.Offline, Channel: email},
			Refusal{Invalid, `channel "email" cannot be changed alone: no workgroups are set for it (sites.pureconnect.channels.email.workgroups); change all channels instead`}},
		{"Ready that would make a channel without workgroups Ready too", mixed(), nil, "Mail", []string{"NotReady"}, Request{Operation: htccapi.Ready, Channel: email},
			Refusal{Invalid, `channel "voice" cannot be changed alone: no workgroups are set for it (sites.pureconnect.channels.voice.workgroups); change all channels instead`}},
		{"Ready of a LoggedOut channel", mapped(), nil, "Sales Mail", []string{"email Offline"}, Request{Operation: htccapi.Ready, Channel: email},
			Refusal{Invalid, `channel "email" is LoggedOut: it can become NotReady or take a not-ready state, not Ready`}},
		{"another Ready state of a LoggedOut channel", mapped(), nil, "Sales Mail", []string{"email Offline"}, Request{Operation: "AvailableRemote", Channel: email},
			Refusal{Invalid, `channel "email" is LoggedOut: it can become NotReady or take a not-ready state, not Ready`}},
		{"Ready of the only channel, LoggedOut", oneBare(), nil, "", []string{"voice Offline"}, Request{Operation: htccapi.Ready, Channel: htccapi.Voice},
			Refusal{Invalid, `channel "voice" is LoggedOut: it can become NotReady or take a not-ready state, not Ready`}},
		{"Ready under do-not-disturb of a LoggedOut channel", mapped(), nil, "Sales Mail", []string{"email Offline", "DoNotDisturbOn"}, Request{Operation: htccapi.Ready, Channel: email},
			Refusal{Invalid, `channel "email" is LoggedOut: it can become NotReady or take a not-ready state, not Ready`}},
		{"any operation on all channels while none is left", mapped(), nil, "Sales Mail", []string{"Offline"}, Request{Operation: htccapi.NotReady},
			Refusal{Invalid, `no channel can take "NotReady": each is LoggedOut; bring one back with NotReady on the channel itself`}},
		{"a forward status without a number", mapped(), nil, "Sales", nil, Request{Operation: "AvailableForward"},
			Refusal{Missing, `operation "AvailableForward" needs forwardNumber`}},
		{"an end for a status that has none", mapped(), nil, "Sales", nil, Request{Operation: htccapi.Ready, Until: &noon},
			Refusal{Invalid, `operation "Ready" takes no until: the status has no end`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			catalogue := with()
			k := sit(t, tt.site, tt.site.NewDirectory(catalogue, all(catalogue, tt.but...)), "Available", tt.active)
			k.do(tt.before...)
			_, err := k.Plan(k.s, k.d, tt.ask)
			differ(t, tt.want, refused(t, err))
		})
	}
}

func TestARefusalForAnAgentWithNothingToChoose(t *testing.T) {
	r := mapped()
	k := sit(t, r, r.NewDirectory(NewCatalogue(site, nil), nil), "Available", "Sales")
	_, err := k.plan("Ready")
	differ(t, Refusal{Invalid, `unknown operation "Ready"; this agent may use: Offline`}, refused(t, err))
}
