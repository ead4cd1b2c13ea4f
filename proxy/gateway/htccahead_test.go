package gateway

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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
