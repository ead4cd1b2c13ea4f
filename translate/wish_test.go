package translate

import "testing"

// A channel is wanted Ready from its Ready, or that of all channels, on. Whether it still is shows
// when another channel becomes Ready out of a state that routes nothing.
func TestWhatEndsTheWishToBeReady(t *testing.T) {
	tests := []struct {
		name string
		run  func(*desk)
		lost bool
	}{
		{"after-call work set by the system", func(k *desk) { k.other("Follow Up") }, false},
		{"after-call work the agent asked for", func(k *desk) { k.do("AfterCallWork") }, false},
		{"no answer", func(k *desk) { k.other("AcdAgentNotAnswering") }, false},
		{"one after the other", func(k *desk) { k.other("AcdAgentNotAnswering"); k.other("Follow Up") }, false},
		{"do-not-disturb, on and off", func(k *desk) { k.do("DoNotDisturbOn", "DoNotDisturbOff", "AfterCallWork") }, false},
		{"another Ready state set elsewhere", func(k *desk) { k.other("Available, Remote"); k.other("Follow Up") }, false},
		{"NotReady", func(k *desk) { k.do("NotReady") }, true},
		{"a custom not-ready state", func(k *desk) { k.do("AtLunch") }, true},
		{"NotReady while do-not-disturb is on", func(k *desk) { k.do("DoNotDisturbOn", "NotReady", "DoNotDisturbOff") }, true},
		{"Offline and back", func(k *desk) { k.do("Offline", "email NotReady", "voice NotReady") }, true},
		{"a not-ready status set elsewhere", func(k *desk) { k.other("At Lunch") }, true},
		{"also if after-call work follows", func(k *desk) { k.other("At Lunch"); k.other("Follow Up") }, true},
		{"a status the catalogue does not know", func(k *desk) { k.other("At Sea") }, true},
		{"do-not-disturb left elsewhere for a not-ready status", func(k *desk) { k.do("DoNotDisturbOn"); k.other("At Lunch") }, true},
		{"an outage", func(k *desk) {
			k.other("Follow Up")
			k.recover()
		}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := sit(t, mapped(), mapped().directory(t), "At Lunch", "-Sales -Mail")
			k.do("Ready")
			tt.run(k)
			want := []string{`set "Available"`}
			if tt.lost {
				want = []string{"Sales off", `set "Available"`}
			}
			calls := k.do("email Ready")
			if tt.name == "Offline and back" {
				want = []string{"Mail on", `set "Available"`} // Offline had deactivated both
			}
			k.calls(calls, want...)
		})
	}
}

// Another client may activate what the agent did not ask for; it is shown as it is, and goes when
// the agent chooses one channel.
func TestActivationsOfOthersAreNoWish(t *testing.T) {
	k := sit(t, mapped(), mapped().directory(t), "At Lunch", "-Sales -Mail")
	k.do("voice Ready")
	k.activate(map[string]bool{"Mail": true})
	k.read()
	k.shows("voice Ready, email Ready")
	k.other("Follow Up")
	k.calls(k.do("voice Ready"), "Mail off", `set "Available"`)
}
