package gateway

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/fault"
	"portico/proxy/htcc/htccsim"
	"portico/translate/htccapi"
)

// TestAnAgentOnHTCCReadsTheirOwnOperations reads at once after each of many operations, while the
// notifications of some are late.
func TestAnAgentOnHTCCReadsTheirOwnOperations(t *testing.T) {
	for _, agent := range []struct{ name, start string }{
		{"bjorn", startTwo},
		{"cleo", startAll},
	} {
		t.Run(agent.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := &htccsim.Server{}
				w := newTellingUnion(t, cloud)
				a := w.login(agent.name)
				time.Sleep(time.Second)
				w.posted(a, "", agent.start)
				time.Sleep(time.Second)
				desktop := w.open(a, "/v2/me/channels")
				var want []string
				for i := range 100 {
					state := []string{"Ready", "NotReady"}[i%2]
					w.posted(a, "chat", fmt.Sprintf(`{"operationName":%q}`, state))
					want = append(want, " chat:"+state)
					if got := " " + w.shows(a); !strings.Contains(got, want[i]+" ") {
						t.Errorf("operation %d: /me shows%s; want%s", i, got, want[i])
					}
					time.Sleep(time.Duration(i%7) * 20 * time.Millisecond)
				}
				time.Sleep(time.Second)
				got := desktop.heard()
				if !slices.EqualFunc(got, want, func(got, want string) bool { return strings.Contains(got+" ", want+" ") }) {
					t.Errorf("came %q\nwant one for each operation: %q", got, want)
				}
				time.Sleep(time.Second)
				before := cloud.Calls()["GET /api/v2/me"]
				for range 10 {
					w.shows(a)
				}
				if got := cloud.Calls()["GET /api/v2/me"] - before; got != 0 {
					t.Errorf("%d reads reached HTCC when everything had been notified; want 0", got)
				}
			})
		})
	}
}

// TestASiteThatGoesAwayAtAnOperationIsAway has HTCC go before it has notified of one, and has one fail for it.
func TestASiteThatGoesAwayAtAnOperationIsAway(t *testing.T) {
	for _, test := range []struct {
		name string
		play func(w *world, bjorn *Agent, goAway func())
	}{
		{"before it notifies", func(w *world, bjorn *Agent, goAway func()) {
			w.posted(bjorn, "", `{"operationName":"Ready"}`)
			goAway()
		}},
		{"an operation fails for it", func(w *world, bjorn *Agent, goAway func()) {
			goAway()
			_, err := w.post(bjorn, "", `{"operationName":"Ready"}`)
			if !errors.Is(err, fault.Unreachable) {
				w.t.Errorf("Ready = %v; want %v", err, fault.Unreachable)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, cloud, bjorn, _ := newBjorn(t)
				test.play(w, bjorn, func() {
					for _, route := range []string{routeMe, "POST /api/v2/me", routeNotifications} {
						w.faultCloud(cloud, htccsim.Fault{Scenario: "reset-connection", Route: route, Times: 1000})
					}
					w.faultCloud(cloud, htccsim.Fault{Scenario: "drop-stream", User: "bjorn"})
					synctest.Wait()
				})
				w.expect(bjorn, "while HTCC is away", "Inactive dnd:Off")
				cloud.Reset()
				time.Sleep(time.Minute)
				w.posted(bjorn, "", `{"operationName":"NotReady"}`)
				w.expect(bjorn, "when it is back", "chat:NotReady Active dnd:Off")
			})
		})
	}
}

// TestQuickOperationsThatLeadBackShowNothingInBetween reads while the notifications of both are on their way.
func TestQuickOperationsThatLeadBackShowNothingInBetween(t *testing.T) {
	for what, channel := range map[string]htccapi.MediaChannel{"a channel": "chat", "voice": "voice", "all channels": ""} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := &htccsim.Server{NotifyDelay: 80 * time.Millisecond}
				w, bjorn, _ := newBjornAt(t, cloud)
				for range 3 {
					w.posted(bjorn, channel, `{"operationName":"Ready"}`)
					time.Sleep(30 * time.Millisecond)
					w.posted(bjorn, channel, `{"operationName":"NotReady"}`)
					for range 30 {
						w.expect(bjorn, "after the second", "chat:NotReady Active dnd:Off")
						w.expectVoice(bjorn, "NotReady")
						time.Sleep(5 * time.Millisecond)
					}
					time.Sleep(time.Second)
				}
				before := cloud.Calls()[routeMe]
				w.shows(bjorn)
				time.Sleep(2 * settledAfter)
				if got := cloud.Calls()[routeMe] - before; got != 0 {
					t.Errorf("%d reads reached HTCC when everything had been notified; want 0", got)
				}
			})
		})
	}
}

// expectVoice holds the state of the device, which is that of voice.
func (w *world) expectVoice(a *Agent, want string) {
	w.t.Helper()
	me, err := w.Me(w.t.Context(), a, nil)
	if err != nil || len(me.Devices) != 1 {
		w.t.Fatalf("/me has %d devices (%v); want one", len(me.Devices), err)
	}
	var device htccapi.Device
	w.decode(me.Devices[0], &device)
	if device.UserState.State != want {
		w.t.Errorf("voice is %q; want %q", device.UserState.State, want)
	}
}

// TestALostNotificationIsMadeGoodFor has HTCC notify of the first of two operations alone: an application that only
// listens is told what the second came to.
func TestALostNotificationIsMadeGoodFor(t *testing.T) {
	for _, test := range []struct{ what, channel, told string }{
		{"a channel", "chat", "channels chat:NotReady"},
		{"voice", "voice", "device Active:NotReady dnd:Off"},
		{"the device of all channels", "", "device Active:NotReady dnd:Off"},
	} {
		t.Run(test.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, cloud, bjorn, desktop := newBjorn(t)
				w.posted(bjorn, htccapi.MediaChannel(test.channel), `{"operationName":"Ready"}`)
				w.faultCloud(cloud, htccsim.Fault{Scenario: "lose-notification", User: "bjorn", Times: 1})
				w.posted(bjorn, htccapi.MediaChannel(test.channel), `{"operationName":"NotReady"}`)
				w.shows(bjorn)
				time.Sleep(settledAfter / 2)
				desktop.heard()
				before := cloud.Calls()[routeMe]
				desktop.later("a second after", test.told)
				w.expect(bjorn, "then", "chat:NotReady Active dnd:Off")
				w.expectVoice(bjorn, "NotReady")
				time.Sleep(time.Minute)
				if got := cloud.Calls()[routeMe] - before; got != 1 {
					t.Errorf("%d reads reached HTCC; want 1", got)
				}
			})
		})
	}
}

// TestOperationsOfWhichTheSiteTellsCostNoReads has nobody read.
func TestOperationsOfWhichTheSiteTellsCostNoReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, cloud, bjorn, _ := newBjorn(t)
		for _, step := range []struct{ channel, body string }{
			{"chat", `{"operationName":"Ready"}`},
			{"voice", `{"operationName":"Ready"}`},
			{"", `{"operationName":"NotReady"}`},
			{"", `{"operationName":"DoNotDisturbOn"}`},
			{"", `{"operationName":"DoNotDisturbOff"}`},
			{"", startTwo}, // once more
			{"chat", `{"operationName":"NoSuchState"}`},
			{"chat", `{"operationName":"Offline"}`},
			{"chat", `{"operationName":"Ready"}`}, // refused
			{"", `{"operationName":"Ready"}`},
			{"voice", `{"operationName":"Offline"}`},
			{"", `{"operationName":"NotReady"}`}, // refused
		} {
			before := cloud.Calls()[routeMe]
			_, err := w.post(bjorn, htccapi.MediaChannel(step.channel), step.body)
			time.Sleep(3 * settledAfter)
			if got := cloud.Calls()[routeMe] - before; got != 0 {
				t.Errorf("%d reads followed %s on %q (%v); want 0", got, step.body, step.channel, err)
			}
		}
	})
}
