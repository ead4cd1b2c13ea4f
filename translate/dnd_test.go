package translate

import (
	"testing"

	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

func TestDoNotDisturb(t *testing.T) {
	const on = "Sales Support Mail"
	const dnd = "DoNotDisturbOn"
	tests := []struct {
		name   string
		site   Rules
		status string
		active string
		do     []string
		calls  []string
		shows  string
	}{
		{"On hides the state, which keeps its value", mapped(), "Available", "Sales -Mail", []string{dnd}, []string{`set "Do Not disturb"`}, "voice Ready, email NotReady, DND"},
		{"On while on makes no call", mapped(), "Available", on, []string{dnd, dnd}, nil, "voice Ready, email Ready, DND"},
		{"Off brings it back", mapped(), "Available", "Sales -Mail", []string{dnd, "DoNotDisturbOff"}, []string{`set "Available"`}, "voice Ready, email NotReady"},
		{"Off while off makes no call", mapped(), "At Lunch", on, []string{"DoNotDisturbOff"}, nil, "voice NotReady At Lunch, email NotReady At Lunch"},
		{"Off brings a reason back", oneBare(), "At Lunch", "", []string{dnd, "DoNotDisturbOff"}, []string{`set "At Lunch"`}, "voice NotReady At Lunch"},
		{"Off out of what nobody can choose is NotReady", mapped(), "AcdAgentNotAnswering", on, []string{dnd, "DoNotDisturbOff"},
			[]string{`set "Available, No ACD"`}, "voice NotReady, email NotReady"},

		{"Ready while on changes only what is hidden", mapped(), "At Lunch", "-Sales Mail", []string{dnd, "Ready"}, nil, "voice Ready, email Ready, DND"},
		{"and is planned at Off", mapped(), "At Lunch", "-Sales Mail", []string{dnd, "Ready", "DoNotDisturbOff"}, []string{"Sales on", `set "Available"`}, "voice Ready, email Ready"},
		{"NotReady while on", mapped(), "Available", on, []string{dnd, "NotReady", "DoNotDisturbOff"}, []string{`set "Available, No ACD"`}, "voice NotReady, email NotReady"},
		{"a custom state while on", mapped(), "Available", on, []string{dnd, "AtLunch"}, nil, "voice NotReady At Lunch, email NotReady At Lunch, DND"},
		{"at Off, the custom state", mapped(), "Available", on, []string{dnd, "AtLunch", "DoNotDisturbOff"}, []string{`set "At Lunch"`}, "voice NotReady At Lunch, email NotReady At Lunch"},
		{"Ready of a channel while on", mapped(), "At Lunch", on, []string{dnd, "email Ready"}, nil, "voice NotReady, email Ready, DND"},
		{"at Off, that channel alone", mapped(), "At Lunch", on, []string{dnd, "email Ready", "DoNotDisturbOff"}, []string{"Sales off, Support off", `set "Available"`}, "voice NotReady, email Ready"},
		{"a not-ready state of a channel while on", mapped(), "Available", on, []string{dnd, "email AtLunch"}, nil, "voice Ready, email NotReady At Lunch, DND"},
		{"at Off, that state on that channel", mapped(), "Available", on, []string{dnd, "email AtLunch", "DoNotDisturbOff"}, []string{"Mail off", `set "Available"`}, "voice Ready, email NotReady At Lunch"},
		{"Offline of a channel while on", mapped(), "Available", on, []string{dnd, "email Offline"}, []string{"Mail off"}, "voice Ready, email LoggedOut, DND"},
		{"at Off, it stays LoggedOut", mapped(), "Available", on, []string{dnd, "email Offline", "DoNotDisturbOff"}, []string{`set "Available"`}, "voice Ready, email LoggedOut"},
		{"Offline of a channel over what routes nothing", mapped(), "At Lunch", on, []string{dnd, "email Offline"}, []string{"Mail off"}, "voice NotReady At Lunch, email LoggedOut, DND"},
		{"Offline of a channel that gets no work", mapped(), "Available", "Sales -Mail", []string{dnd, "email Offline"}, nil, "voice Ready, email LoggedOut, DND"},
		{"Offline while on, and back", mapped(), "Available", on, []string{dnd, "email Offline", "email NotReady"}, nil, "voice Ready, email NotReady, DND"},
		{"at Off, it is not Ready", mapped(), "Available", on, []string{dnd, "email Offline", "email NotReady", "DoNotDisturbOff"}, []string{`set "Available"`}, "voice Ready, email NotReady"},
		{"Offline while on, back, and Ready", mapped(), "Available", on, []string{dnd, "email Offline", "email NotReady", "email Ready"}, nil, "voice Ready, email Ready, DND"},
		{"at Off, it gets work again", mapped(), "Available", on, []string{dnd, "email Offline", "email NotReady", "email Ready", "DoNotDisturbOff"},
			[]string{"Mail on", `set "Available"`}, "voice Ready, email Ready"},
		{"Offline of all while on", mapped(), "Available", on, []string{dnd, "Offline"}, []string{"Mail off, Sales off, Support off"}, "voice LoggedOut, email LoggedOut, DND"},
		{"at Off, not ready", mapped(), "Available", on, []string{dnd, "Offline", "DoNotDisturbOff"}, []string{`set "Available, No ACD"`}, "voice LoggedOut, email LoggedOut"},
		{"On while all are LoggedOut", mapped(), "At Lunch", on, []string{"Offline", dnd}, []string{`set "Do Not disturb"`}, "voice LoggedOut, email LoggedOut, DND"},
		{"the last word counts", mapped(), "Available", on, []string{dnd, "NotReady", "Ready", "AtPlay", "voice Ready", "DoNotDisturbOff"},
			[]string{"Mail off", `set "Available"`}, "voice Ready, email NotReady"},
		{"what was wanted Ready before on comes back out of after-call work", mapped(), "At Lunch", on, []string{"Ready", "AfterCallWork", dnd, "email Ready", "DoNotDisturbOff"},
			[]string{`set "Available"`}, "voice Ready, email Ready"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := sit(t, tt.site, tt.site.directory(t), tt.status, tt.active)
			k.calls(k.do(tt.do...), tt.calls...)
			k.shows(tt.shows)
		})
	}
}

func TestDoNotDisturbShowsOnTheDevice(t *testing.T) {
	k := sit(t, mapped(), mapped().directory(t), "Available", "Sales")
	for _, tt := range []struct {
		ask, flag string
		next      htccapi.Operation
	}{{"DoNotDisturbOff", htccapi.Off, htccapi.DoNotDisturbOn}, {"DoNotDisturbOn", htccapi.On, htccapi.DoNotDisturbOff}} {
		k.do(tt.ask)
		device := k.View(k.s, k.d).Devices[0]
		if device.DoNotDisturb != tt.flag {
			t.Errorf("after %s the device shows %q; want %q", tt.ask, device.DoNotDisturb, tt.flag)
		}
		differ(t, []htccapi.Operation{tt.next}, device.Capabilities)
		differ(t, htccapi.SettingReady.UserState(), *device.UserState)
	}
}

// Switching to what is makes no call, but is answered and notified like any other operation.
func TestSwitchingToWhatIsIsConfirmedAtOnce(t *testing.T) {
	for _, before := range [][]string{{"DoNotDisturbOn", "DoNotDisturbOn"}, {"DoNotDisturbOff"}, {"DoNotDisturbOn", "Ready"}} {
		k := sit(t, mapped(), mapped().directory(t), "At Lunch", "Sales")
		k.do(before[:len(before)-1]...)
		plan, err := k.plan(before[len(before)-1])
		if err != nil {
			t.Fatal(err)
		}
		differ(t, Heard{Confirmed: true}, k.send(plan))
	}
}

func TestDoNotDisturbOfOthers(t *testing.T) {
	tests := []struct {
		name  string
		run   func(*desk)
		shows string
		off   []string // the calls of DoNotDisturbOff after it
	}{
		{"entered from outside, it hides the state last seen", func(k *desk) { k.other("Do Not disturb") },
			"voice Ready, email NotReady, DND", []string{`set "Available"`}},
		{"entered from outside, whatever the case of the id", func(k *desk) { k.other("DO NOT DISTURB") },
			"voice Ready, email NotReady, DND", []string{`set "Available"`}},
		{"entered out of a state nobody chooses", func(k *desk) { k.other("AcdAgentNotAnswering"); k.other("Do Not disturb") },
			"voice NotReady AcdAgentNotAnswering, email NotReady AcdAgentNotAnswering, DND", []string{`set "Available, No ACD"`}},
		{"left from outside, it ends and what it hid is gone", func(k *desk) { k.do("DoNotDisturbOn", "Ready"); k.other("At Lunch") },
			"voice NotReady At Lunch, email NotReady At Lunch", nil},
		{"left from outside for a Ready state", func(k *desk) { k.do("DoNotDisturbOn", "AtPlay"); k.other("Available") },
			"voice Ready, email NotReady", nil},
		{"entered again after that, it hides what was between", func(k *desk) {
			k.do("DoNotDisturbOn", "Ready")
			k.other("At Lunch")
			k.other("Do Not disturb")
		}, "voice NotReady At Lunch, email NotReady At Lunch, DND", []string{`set "At Lunch"`}},
		{"switched on again from outside while on", func(k *desk) { k.do("DoNotDisturbOn"); k.other("Do Not disturb") },
			"voice Ready, email NotReady, DND", []string{`set "Available"`}},
		{"another status with the flag is no do-not-disturb", func(k *desk) { k.other("In a meeting") },
			"voice NotReady In a meeting, email NotReady In a meeting", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := sit(t, mapped(), mapped().directory(t), "Available", "Sales -Mail")
			tt.run(k)
			k.shows(tt.shows)
			k.calls(k.do("DoNotDisturbOff"), tt.off...)
		})
	}
}

// Who ends do-not-disturb elsewhere knows nothing of what was asked for in it.
func TestAChannelLeftInDoNotDisturbGetsNoWorkHoweverThatEnds(t *testing.T) {
	leaves := map[string]func(*desk){
		"Offline":                      func(k *desk) { k.do("DoNotDisturbOn", "email Offline") },
		"Offline of all":               func(k *desk) { k.do("DoNotDisturbOn", "Offline") },
		"Offline, and back":            func(k *desk) { k.do("DoNotDisturbOn", "email Offline", "email NotReady") },
		"a Start without it":           func(k *desk) { k.do("DoNotDisturbOn"); k.start(htccapi.Voice) },
		"a Start that switches it on":  func(k *desk) { k.Statuses.AtStart = "Do Not disturb"; k.start(htccapi.Voice) },
		"Offline before it took place": func(k *desk) { k.take("DoNotDisturbOn", "email Offline", completed(1)) },
	}
	ends := map[string]func(*desk){
		"somebody else":                 func(k *desk) { k.other("Available") },
		"somebody else after an outage": func(k *desk) { k.recover(); k.other("Available") },
		"the agent":                     func(k *desk) { k.do("DoNotDisturbOff") },
		"its failure": func(k *desk) {
			k.take("DoNotDisturbOff", failed(k.requests+1))
			k.other("Available")
		},
	}
	for left, leave := range leaves {
		for by, end := range ends {
			t.Run(left+", ended by "+by, func(t *testing.T) {
				k := sit(t, mapped(), mapped().directory(t), "Available", "Sales Mail")
				leave(k)
				end(k)
				if k.active["Mail"] || k.shownReady()[email] {
					t.Errorf("in %q email gets work: %v; /me shows %q", k.status.StatusID, k.active["Mail"], k.shown())
				}
			})
		}
	}
}

// What was asked for while do-not-disturb is on must not give way to what it hid before.
func TestAListFromBeforeDoNotDisturbDoesNotEndIt(t *testing.T) {
	k := sit(t, oneBare(), oneBare().directory(t), "Available", "")
	k.take(statusSince(1, "Available"), "DoNotDisturbOn", completed(1), "AtLunch", statusSince(1, "Available"), statusSince(2, "Do Not disturb"))
	k.shows("voice NotReady At Lunch, DND")
}

func TestDoNotDisturbFoundAtLogInHidesNotReady(t *testing.T) {
	k := sit(t, mapped(), mapped().directory(t), "Do Not disturb", "Sales Mail")
	k.calls(k.do("DoNotDisturbOff"), `set "Available, No ACD"`)
	k.shows("voice NotReady, email NotReady")
}

func TestOffWhenWhatIsHiddenCanNoLongerBeChosen(t *testing.T) {
	tests := []struct {
		name   string
		hidden string
		but    []string
		calls  []string
	}{
		{"a not-ready state gives way to NotReady", "AtLunch", []string{"At Lunch"}, []string{`set "Available, No ACD"`}},
		{"a Ready state to Ready", "AvailableRemote", []string{"Available, Remote"}, []string{"Sales on", `set "Available"`}},
		{"a Ready state without any Ready to NotReady", "Ready", []string{"Available", "Available, Remote"}, []string{`set "Available, No ACD"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := sit(t, mapped(), mapped().directory(t), "Available, No ACD", "-Sales")
			k.do("DoNotDisturbOn", tt.hidden)
			k.d = k.NewDirectory(k.d.Catalogue, all(k.d.Catalogue, tt.but...))
			k.calls(k.do("DoNotDisturbOff"), tt.calls...)
		})
	}
}

// What others activate while do-not-disturb is on is no wish of the agent's.
func TestOffDeactivatesWhatOthersActivated(t *testing.T) {
	k := sit(t, mapped(), mapped().directory(t), "Available", "Sales -Mail")
	k.do("DoNotDisturbOn")
	k.activate(map[string]bool{"Mail": true, "Sales": false})
	k.read()
	k.calls(k.do("DoNotDisturbOff"), "Mail off", "Sales on", `set "Available"`)
	k.shows("voice Ready, email NotReady")
}

func TestNotesComeBackWithWhatWasHidden(t *testing.T) {
	notes := "back soon"
	k := sit(t, oneBare(), oneBare().directory(t), "Available", "")
	k.s.Status = icwsapi.UserStatus{UserID: "anna", StatusID: "At Lunch", Notes: &notes}
	k.do("DoNotDisturbOn")
	plan, err := k.plan("DoNotDisturbOff")
	if err != nil {
		t.Fatal(err)
	}
	differ(t, []Call{{Status: &icwsapi.UserStatusUpdate{StatusID: "At Lunch", Notes: notes}}}, plan.Calls)
}
