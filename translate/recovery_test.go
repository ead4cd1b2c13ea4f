package translate

import (
	"maps"
	"testing"

	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

// recover replaces the agent's lost upstream session by a new one and returns the calls.
func (k *desk) recover() []string {
	k.Helper()
	k.pending = nil
	plan, err := k.PlanRecovery(k.s, k.status, maps.Clone(k.active), k.d)
	if err != nil {
		k.Fatal(err)
	}
	k.s = plan.Next
	k.send(plan)
	k.read()
	return describe(plan)
}

// Source: vendor reference, Channels API: reverting from Offline to Online, the only valid states
// are NotReady and LoggedOut.
func TestRecoveryFromAnOutage(t *testing.T) {
	const nothing = ""
	tests := []struct {
		name   string
		before func(*desk)
		during string // what the status became meanwhile
		out    bool   // after_outage: logged_out
		calls  []string
		shows  string
	}{
		{"who was Ready becomes not ready", nil, nothing, false, []string{`set "Available, No ACD"`}, "voice NotReady, email NotReady"},
		{"or LoggedOut as well", nil, nothing, true, []string{`set "Available, No ACD"`}, "voice LoggedOut, email LoggedOut"},
		{"who has become Ready meanwhile too", func(k *desk) { k.do("AtLunch") }, "Available, Remote", false, []string{`set "Available, No ACD"`}, "voice NotReady, email NotReady"},
		{"any other status stays", func(k *desk) { k.do("AtLunch") }, nothing, false, nil, "voice NotReady At Lunch, email NotReady At Lunch"},
		{"and is not LoggedOut", func(k *desk) { k.do("AtLunch") }, nothing, true, nil, "voice NotReady At Lunch, email NotReady At Lunch"},
		{"one that came meanwhile stays", nil, "Gone Home", false, nil, "voice NotReady Gone Home, email NotReady Gone Home"},
		{"after-call work stays", func(k *desk) { k.do("AfterCallWork") }, nothing, false, nil, "voice NotReady AfterCallWork, email NotReady AfterCallWork"},
		{"no answer stays", func(k *desk) { k.other("AcdAgentNotAnswering") }, nothing, false, nil,
			"voice NotReady AcdAgentNotAnswering, email NotReady AcdAgentNotAnswering"},
		{"do-not-disturb stays and hides NotReady", func(k *desk) { k.do("DoNotDisturbOn") }, nothing, false, nil, "voice NotReady, email NotReady, DND"},
		{"do-not-disturb that came meanwhile hides NotReady", nil, "Do Not disturb", false, nil, "voice NotReady, email NotReady, DND"},
		{"do-not-disturb that went meanwhile is gone", func(k *desk) { k.do("DoNotDisturbOn") }, "At Play", false, nil, "voice NotReady At Play, email NotReady At Play"},
		{"who was LoggedOut stays so", func(k *desk) { k.do("email Offline") }, nothing, false, []string{`set "Available, No ACD"`}, "voice NotReady, email LoggedOut"},
		{"so do channels not asked for", func(k *desk) { k.start(email) }, nothing, false, []string{`set "Available, No ACD"`}, "voice LoggedOut, email NotReady"},
		{"labels go", func(k *desk) { k.do("email AtLunch") }, nothing, false, []string{`set "Available, No ACD"`}, "voice NotReady, email NotReady"},
		{"a write that was pending is forgotten", func(k *desk) { k.write("AtPlay") }, "At Lunch", false, nil, "voice NotReady At Lunch, email NotReady At Lunch"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := mapped()
			r.LoggedOutAfterOutage = tt.out
			k := sit(t, r, r.directory(t), "Available", "Sales Mail")
			if tt.before != nil {
				tt.before(k)
			}
			k.s.Link = Unreachable
			if tt.during != nothing {
				k.status.StatusID = tt.during
			}
			k.calls(k.recover(), tt.calls...)
			k.shows(tt.shows)
		})
	}
}

func TestAfterAnOutageNobodyIsOfferedWorkUnasked(t *testing.T) {
	k := sit(t, mapped(), mapped().directory(t), "Available", "Sales Mail")
	k.do("Ready")
	k.recover()
	k.calls(k.do("voice Ready"), "Mail off", `set "Available"`)
	k.shows("voice Ready, email NotReady")
}

func TestALoggedOutChannelComesBackOnlyNotReady(t *testing.T) {
	r := mapped()
	r.LoggedOutAfterOutage = true
	k := sit(t, r, r.directory(t), "Available", "Sales Mail")
	k.recover()
	for ask, want := range map[string]Reason{"Ready": Invalid, "NotReady": Invalid, "voice Ready": Invalid, "email AvailableRemote": Invalid} {
		_, err := k.plan(ask)
		if got := refused(t, err).Reason; got != want {
			t.Errorf("%s is refused with reason %d; want %d", ask, got, want)
		}
	}
	k.do("email AtLunch")
	k.shows("voice LoggedOut, email NotReady At Lunch")
	k.do("voice NotReady", "Ready")
	k.shows("voice Ready, email Ready")
}

func TestStartBringsBackWhatAnOutageLoggedOut(t *testing.T) {
	r := mapped()
	r.LoggedOutAfterOutage = true
	k := sit(t, r, r.directory(t), "Available", "Sales Mail")
	k.start(htccapi.Voice)
	k.recover()
	k.shows("voice LoggedOut, email LoggedOut")
	k.start(htccapi.Voice)
	k.shows("voice NotReady, email LoggedOut")
}

func TestRecoveryWithoutANotReadyStatus(t *testing.T) {
	catalogue := with()
	r := mapped()
	k := sit(t, r, r.NewDirectory(catalogue, NewAccess([]string{"Available"})), "Available", "Sales")
	plan, err := k.PlanRecovery(k.s, k.status, k.active, k.d)
	if refused(t, err).Reason != Forbidden || len(plan.Calls) != 0 {
		t.Errorf("PlanRecovery makes %v and says %v; want no call and a refusal", describe(plan), err)
	}
	k.s = plan.Next
	k.shows("voice Ready") // as it is: the agent is offered work
}

func TestRecoveryKeepsNotes(t *testing.T) {
	notes := "back soon"
	k := sit(t, oneBare(), oneBare().directory(t), "Available", "")
	k.status = icwsapi.UserStatus{UserID: "anna", StatusID: "At Lunch", Notes: &notes}
	k.recover()
	differ(t, k.status, k.s.Status)
}
