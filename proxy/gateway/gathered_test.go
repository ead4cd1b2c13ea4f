package gateway

import (
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/icws/icwssim"
	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

// TestWhatGatheredWhileNobodyReceivedIsNotNew has an agent work on while the site answers calls and opens no streams.
func TestWhatGatheredWhileNobodyReceivedIsNotNew(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTelling(t, &icwssim.Server{}, mode)
				anna := w.login("anna")
				w.shows(anna)
				desktop := w.open(anna, everything)
				time.Sleep(time.Second)
				w.fault(icwssim.Fault{Route: routeMessages, Status: 503})
				w.fault(icwssim.Fault{Scenario: "drop-stream"})
				time.Sleep(5 * time.Second)
				w.do(anna, htccapi.Ready, "")
				w.do(anna, htccapi.DoNotDisturbOn, "")
				w.do(anna, "AtLunch", "")
				const want = "voice:NotReadyAt Lunch email:NotReadyAt Lunch Active dnd:On"
				time.Sleep(12 * time.Second)
				w.expect(anna, "while nothing is received", want)
				desktop.heard()
				w.sim.Reset()
				time.Sleep(time.Minute)
				w.expect(anna, "afterwards", want)
				if got := desktop.heard(); len(got) > 0 {
					t.Errorf("applications are told %q, which they were told already", got)
				}
				w.do(anna, htccapi.DoNotDisturbOff, "")
				w.expect(anna, "after do-not-disturb", "voice:NotReadyAt Lunch email:NotReadyAt Lunch Active dnd:Off")
			})
		})
	}
}

// TestWhatAFullListOutdates has a change come before the full list that new subscriptions bring, which some site may
// not send.
func TestWhatAFullListOutdates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		change := icwsapi.UserStatusMessage{Head: icwsapi.Head{IsDelta: true}}
		activation := icwsapi.UserActivationMessage{Head: icwsapi.Head{IsDelta: true}}
		fresh := fullLists{since: time.Now()}
		for what, row := range map[string]struct {
			lists   fullLists
			message icwsapi.Message
			want    bool
		}{
			"a change of the status":       {fresh, change, true},
			"one of activations":           {fresh, activation, true},
			"one after their full list":    {fullLists{activations: true, since: time.Now()}, activation, false},
			"the full list":                {fresh, icwsapi.UserStatusMessage{}, false},
			"a completion":                 {fresh, icwsapi.AsyncOperationCompletedMessage{}, false},
			"a change after the full list": {fullLists{status: true, since: time.Now()}, change, false},
		} {
			if got := row.lists.outdates(row.message); got != row.want {
				t.Errorf("%s is outdated: %v; want %v", what, got, row.want)
			}
		}
		time.Sleep(fullWithin)
		if fresh.outdates(change) {
			t.Error("a change is outdated by a full list that does not come")
		}
	})
}
