package gateway

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
)

const (
	opReady    = `{"operationName":"Ready"}`
	opNotReady = `{"operationName":"NotReady"}`
)

// A beginning is what happens right after an agent's log-in at sites that are far away.
type beginning struct {
	agent string
	first bool // an application reads before
	doing func(w *world, cloud *htccsim.Server, a *Agent)
}

// told returns what a desktop is told that opens at a, the replica of the log-in, while b gets the operations.
func (g beginning) told(a, b *world, cloud *htccsim.Server) []string {
	const takes = 100 * time.Millisecond
	a.fault(icwssim.Fault{Route: "*", Delay: takes, Times: 1000})
	a.faultCloud(cloud, htccsim.Fault{Route: "*", Delay: takes, Times: 1000})
	agent := a.login(g.agent)
	if g.first {
		a.shows(agent)
	}
	desktop := a.open(agent, everything)
	g.doing(b, cloud, b.cookie(agent.SessionID()))
	time.Sleep(time.Minute)
	return slices.DeleteFunc(desktop.heard(), func(one string) bool { return strings.HasPrefix(one, "services") })
}

// lastOf returns what was told last of device and channels. Before, a read may be told as well as the notification of
// the same, or two changes at once.
func lastOf(told []string) []string {
	last := map[string]string{}
	for _, one := range told {
		what, _, _ := strings.Cut(one, " ")
		last[what] = one
	}
	return []string{last["device"], last["channels"]}
}

// What changes right after an agent's log-in is told in a fleet as one process tells it, whoever changes it, and
// wherever.
func TestWhatChangesRightAfterALogInIsTold(t *testing.T) {
	operating := func(bodies ...string) func(*world, *htccsim.Server, *Agent) {
		return func(w *world, _ *htccsim.Server, a *Agent) {
			for _, body := range bodies {
				w.posted(a, "", body)
			}
		}
	}
	atLunch := func(w *world, _ *htccsim.Server, _ *Agent) {
		w.set(icwssim.StateChange{User: "anna", StatusID: ptr("At Lunch")})
	}
	chatting := func(w *world, cloud *htccsim.Server, a *Agent) {
		w.posted(a, "", startTwo)
		w.setCloud(cloud, htccsim.StateChange{User: "bjorn", Channel: "chat", State: "Ready"})
	}
	for name, g := range map[string]beginning{
		"an operation":                      {"anna", true, operating(opReady)},
		"an operation that changes nothing": {"anna", true, operating(opNotReady)},
		"an operation before any read":      {"anna", false, operating(opReady)},
		"a change at the site":              {"anna", true, atLunch},
		"a start":                           {"bjorn", true, operating(startTwo)},
		"a start before any read":           {"bjorn", false, operating(startTwo, opReady)},
		"a change at an HTCC site":          {"bjorn", true, chatting},
		"a start at two sites":              {"cleo", true, operating(startAll, opReady)},
		"a start at two before any read":    {"cleo", false, operating(startAll, opReady)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := &htccsim.Server{}
				alone := newTellingUnion(t, cloud)
				want := g.told(alone, alone, cloud)
				fleet, cloud := newShared(), &htccsim.Server{}
				a, _ := fleet.teller(t, cloud)
				got := g.told(a, a, cloud)
				fleet, cloud = newShared(), &htccsim.Server{}
				a, _ = fleet.teller(t, cloud)
				b, _ := fleet.teller(t, cloud)
				elsewhere := g.told(a, b, cloud)
				if g.agent == "anna" && !slices.Equal(got, want) || !slices.Equal(lastOf(got), lastOf(want)) {
					t.Errorf("told %q; want %q", got, want)
				}
				if !slices.Equal(lastOf(elsewhere), lastOf(want)) {
					t.Errorf("of operations elsewhere: told %q; want at last %q", elsewhere, want)
				}
			})
		})
	}
}

// Who logs in and does nothing is told nothing, also when another replica begins to read.
func TestALogInAloneIsNotTold(t *testing.T) {
	for _, agent := range []string{"anna", "bjorn", "cleo"} {
		synctest.Test(t, func(t *testing.T) {
			_, cloud, a, b := twoTellers(t)
			var at *Agent
			told := beginning{agent, true, func(_ *world, _ *htccsim.Server, a *Agent) { at = a }}.told(a, b, cloud)
			desktop := anywhere(at.SessionID(), inTurn(b))
			a.Close(t.Context())
			time.Sleep(time.Minute)
			at.expectReads(t, "once the other replica has stopped", true)
			if told = append(told, desktop.heard()...); len(told) > 0 {
				t.Errorf("%s was told %q", agent, fmt.Sprint(told))
			}
		})
	}
}
