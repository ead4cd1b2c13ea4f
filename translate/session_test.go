package translate

import (
	"testing"

	"portico/translate/htccapi"
)

func TestStartContactCenterSession(t *testing.T) {
	const voice = htccapi.Voice
	tests := []struct {
		name    string
		site    Rules
		atStart string
		status  string
		active  string
		run     func(*desk)
		asked   []htccapi.MediaChannel
		calls   []string
		shows   string
	}{
		{"of all channels changes nothing", mapped(), "", "At Lunch", "Sales Mail", nil, []htccapi.MediaChannel{voice, email}, nil,
			"voice NotReady At Lunch, email NotReady At Lunch"},
		{"of all channels leaves who is Ready", mapped(), "", "Available", "Sales Mail", nil, []htccapi.MediaChannel{voice, email}, nil, "voice Ready, email Ready"},
		{"channels not asked for go Offline", mapped(), "", "Available", "Sales Mail", nil, []htccapi.MediaChannel{voice}, []string{"Mail off"}, "voice Ready, email LoggedOut"},
		{"also in a state that routes nothing", mapped(), "", "At Lunch", "Sales Mail", nil, []htccapi.MediaChannel{email}, []string{"Sales off"}, "voice LoggedOut, email NotReady At Lunch"},
		{"if none is left Ready, not ready", mapped(), "", "Available", "Sales -Mail", nil, []htccapi.MediaChannel{email},
			[]string{"Sales off", `set "Available, No ACD"`}, "voice LoggedOut, email NotReady"},
		{"asked ones that are LoggedOut come back as NotReady", mapped(), "", "Available", "Sales Mail", func(k *desk) { k.do("email Offline") },
			[]htccapi.MediaChannel{voice, email}, nil, "voice Ready, email NotReady"},
		{"also if another client had activated them", mapped(), "", "Available", "Sales Mail", func(k *desk) {
			k.do("email Offline")
			k.activate(map[string]bool{"Mail": true})
			k.read()
		}, []htccapi.MediaChannel{voice, email}, []string{"Mail off"}, "voice Ready, email NotReady"},
		{"one without workgroups comes back with the status", oneBare(), "", "At Lunch", "", func(k *desk) { k.do("Offline"); k.other("Available") },
			[]htccapi.MediaChannel{voice}, []string{`set "Available, No ACD"`}, "voice NotReady"},
		{"a repeat with the same channels changes nothing", mapped(), "At Play", "Available", "Sales Mail", func(k *desk) { k.start(voice); k.do("Ready") },
			[]htccapi.MediaChannel{voice}, nil, "voice Ready, email LoggedOut"},
		{"a repeat with others swaps them", mapped(), "", "Available", "Sales Mail", func(k *desk) { k.start(voice) }, []htccapi.MediaChannel{email},
			[]string{"Sales off", `set "Available, No ACD"`}, "voice LoggedOut, email NotReady"},
		{"channels asked for twice count once", mapped(), "", "Available", "Sales Mail", nil, []htccapi.MediaChannel{email, voice, email}, nil, "voice Ready, email Ready"},
		{"channels the site does not have are left out", mapped(), "", "Available", "Sales Mail", nil, []htccapi.MediaChannel{chat, voice}, []string{"Mail off"}, "voice Ready, email LoggedOut"},
		{"under do-not-disturb it changes what is hidden", mapped(), "", "Available", "Sales Mail", func(k *desk) { k.do("DoNotDisturbOn") },
			[]htccapi.MediaChannel{voice}, []string{"Mail off"}, "voice Ready, email LoggedOut, DND"},

		{"the first sets the status of the settings", mapped(), "At Play", "Available", "Sales Mail", nil, []htccapi.MediaChannel{voice, email}, []string{`set "At Play"`},
			"voice NotReady At Play, email NotReady At Play"},
		{"a Ready one, for the channels asked", mapped(), "Available", "At Lunch", "-Sales Mail", nil, []htccapi.MediaChannel{voice},
			[]string{"Mail off", "Sales on", `set "Available"`}, "voice Ready, email LoggedOut"},
		{"do-not-disturb is switched on", mapped(), "Do Not disturb", "Available", "Sales Mail", nil, []htccapi.MediaChannel{voice, email}, []string{`set "Do Not disturb"`},
			"voice Ready, email Ready, DND"},
		{"for the channels asked", mapped(), "Do Not disturb", "Available", "Sales Mail", nil, []htccapi.MediaChannel{voice}, []string{"Mail off", `set "Do Not disturb"`},
			"voice Ready, email LoggedOut, DND"},
		{"do-not-disturb that is on stays", mapped(), "Do Not disturb", "Do Not disturb", "Sales Mail", nil, []htccapi.MediaChannel{voice, email}, nil,
			"voice NotReady, email NotReady, DND"},
		{"a state for do-not-disturb that is on is hidden", mapped(), "At Play", "Do Not disturb", "Sales", nil, []htccapi.MediaChannel{voice}, nil, "voice NotReady At Play, DND"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.site.Statuses.AtStart = tt.atStart
			k := sit(t, tt.site, tt.site.directory(t), tt.status, tt.active)
			if tt.run != nil {
				tt.run(k)
			}
			plan := k.start(tt.asked...)
			k.calls(describe(plan), tt.calls...)
			k.shows(tt.shows)
			if plan.Warning != "" {
				t.Errorf("warns %q", plan.Warning)
			}
		})
	}
}

func TestOperationsOnAllChannelsCoverThoseAskedAtStart(t *testing.T) {
	k := sit(t, mapped(), mapped().directory(t), "At Lunch", "-Sales -Mail")
	k.start(email)
	k.calls(k.do("Ready"), "Mail on", `set "Available"`)
	k.shows("voice LoggedOut, email Ready")
}

func TestStartReportsChannelsItCannotGive(t *testing.T) {
	k := sit(t, mapped(), mapped().directory(t), "At Lunch", "Sales")
	plan := k.start(chat, htccapi.Voice, email)
	differ(t, []htccapi.ChannelResult{
		{StatusCode: 6, StatusMessage: `there is no channel "chat"`, Channel: chat},
		{StatusCode: 6, StatusMessage: `there is no channel "email"`, Channel: email},
	}, plan.Refused)
	differ(t, []htccapi.MediaChannel{htccapi.Voice}, k.s.Started)
}

func TestStartsThatAreRefused(t *testing.T) {
	tests := []struct {
		name  string
		site  Rules
		but   []string
		asked []htccapi.MediaChannel
		want  Refusal
	}{
		{"without channels", mapped(), nil, nil, Refusal{Missing, `"StartContactCenterSession" needs channels`}},
		{"with none the agent has", mapped(), nil, []htccapi.MediaChannel{chat}, Refusal{NotFound, `there is no channel "chat"`}},
		{"that need a not-ready status without access", mapped(), []string{"Available, No ACD", "Working at Home"}, []htccapi.MediaChannel{email},
			Refusal{Forbidden, `this agent has no access to a status for "NotReady", which "StartContactCenterSession" needs here; allowed are: AfterCallWork, Ready, AvailableRemote, ` +
				`AtATrainingSession, AtLunch, AwayFromDesk, GoneHome, InAMeeting, OnVacation, OutOfTheOffice, OutOfTown, AtPlay, DoNotDisturbOn, DoNotDisturbOff`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			catalogue := with()
			k := sit(t, tt.site, tt.site.NewDirectory(catalogue, all(catalogue, tt.but...)), "Available", "Sales -Mail")
			_, err := k.PlanStart(k.s, k.d, tt.asked)
			differ(t, tt.want, refused(t, err))
		})
	}
}

func TestStartForChannelsOfAnotherSiteAlone(t *testing.T) {
	r := mapped()
	r.Statuses.AtStart = "At Play"
	k := sit(t, r, r.directory(t), "Available", "Sales -Mail")
	k.s.Shared = true // and nothing here is another site's
	plan, err := k.PlanStart(k.s, k.d, nil)
	if err != nil {
		t.Fatal(err)
	}
	k.calls(describe(plan), "Sales off", `set "Available, No ACD"`)
	if plan.Next.Started == nil || !plan.Next.Wishes[htccapi.Voice].LoggedOut {
		t.Errorf("Start for another site's channels leaves %+v", plan.Next)
	}
}

func TestSettingsThatAnAgentCannotFollow(t *testing.T) {
	for _, status := range []string{"At Sea", "AcdAgentNotAnswering", "Available, Forward"} {
		r := mapped()
		r.Statuses.AtStart, r.Statuses.AtEnd = status, status
		k := sit(t, r, r.directory(t), "Available", "Sales")
		start, end := k.start(htccapi.Voice), k.PlanEnd(k.s, k.d)
		if want := `sites.pureconnect.statuses.at_start: the agent cannot choose "` + status + `"`; start.Warning != want {
			t.Errorf("Start warns %q; want %q", start.Warning, want)
		}
		if want := `sites.pureconnect.statuses.at_end: the agent cannot choose "` + status + `"`; end.Warning != want {
			t.Errorf("End warns %q; want %q", end.Warning, want)
		}
		k.calls(describe(end), `set "Available, No ACD"`)
	}
}

func TestAFailedFirstStartIsStillTheFirst(t *testing.T) {
	r := mapped()
	r.Statuses.AtStart = "At Play"
	k := sit(t, r, r.directory(t), "At Lunch", "Sales")
	plan, err := k.PlanStart(k.s, k.d, []htccapi.MediaChannel{htccapi.Voice})
	if err != nil {
		t.Fatal(err)
	}
	k.s, _ = k.s.Sent(plan, "1")
	k.hear(failed(1))
	k.calls(describe(k.start(htccapi.Voice)), `set "At Play"`)
}

func TestEndContactCenterSession(t *testing.T) {
	tests := []struct {
		name   string
		atEnd  string
		status string
		do     []string
		calls  []string
	}{
		{"an agent whom work is routed to becomes not ready", "", "Available", nil, []string{`set "Available, No ACD"`}},
		{"or what the settings say", "gone home", "Available, Remote", nil, []string{`set "Gone Home"`}},
		{"or nothing", Keep, "Available", nil, nil},
		{"any other status stays", "Gone Home", "At Lunch", nil, nil},
		{"do-not-disturb stays, whatever it hides", "Gone Home", "Available", []string{"DoNotDisturbOn"}, nil},
		{"activations stay", "", "Available", []string{"email Offline"}, []string{`set "Available, No ACD"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := mapped()
			r.Statuses.AtEnd = tt.atEnd
			k := sit(t, r, r.directory(t), tt.status, "Sales Mail")
			k.do(tt.do...)
			plan := k.PlanEnd(k.s, k.d)
			k.calls(describe(plan), tt.calls...)
			if plan.Warning != "" {
				t.Errorf("warns %q", plan.Warning)
			}
		})
	}
}

func TestEndWhileAWriteIsPending(t *testing.T) {
	k := sit(t, oneBare(), oneBare().directory(t), "At Lunch", "")
	k.write("Ready")
	k.calls(describe(k.PlanEnd(k.s, k.d)), `set "Available, No ACD"`)
}

func TestEndOfAnAgentWhoCannotBecomeNotReady(t *testing.T) {
	catalogue := with()
	k := sit(t, mapped(), mapped().NewDirectory(catalogue, NewAccess([]string{"Available"})), "Available", "Sales")
	plan := k.PlanEnd(k.s, k.d)
	want := `the agent stays in an ACD status: this agent has no access to a status for "NotReady"; allowed are: Offline, Ready`
	if plan.Warning != want || len(plan.Calls) != 0 {
		t.Errorf("PlanEnd makes %v and warns %q; want no call and %q", describe(plan), plan.Warning, want)
	}
}

func TestRestoringActivationsAtTheEnd(t *testing.T) {
	tests := []struct {
		name    string
		restore bool
		atLogin map[string]bool
		want    map[string]bool
	}{
		{"only if the settings say so", false, map[string]bool{"Sales": false}, map[string]bool{}},
		{"those that differ", true, map[string]bool{"Sales": false, "Mail": false}, map[string]bool{"Sales": false}},
		{"not those the agent no longer belongs to", true, map[string]bool{"Support": true}, map[string]bool{}},
		{"nor those that came since", true, nil, map[string]bool{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := mapped()
			r.RestoreActivations = tt.restore
			k := sit(t, r, r.directory(t), "At Lunch", "Sales -Mail")
			differ(t, tt.want, r.PlanRestore(k.s, tt.atLogin))
		})
	}
}
