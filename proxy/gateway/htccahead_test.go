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
