package gateway

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/translate/htccapi"
)

// TestWhoSawASiteVanishIsToldThatItIsBack has reads fail for a moment at the replica that does not read for cleo, while the
// other one goes on to receive. An application that was shown that, and only listens from then on, hears what is.
func TestWhoSawASiteVanishIsToldThatItIsBack(t *testing.T) {
	for _, test := range []struct {
		name, without string
		channel       htccapi.MediaChannel
		fails         func(a *world, cloud *htccsim.Server)
	}{
		{"PureConnect", "chat:Ready email:LoggedOut Inactive dnd:Off", htccapi.Voice, func(a *world, _ *htccsim.Server) {
			a.fault(icwssim.Fault{Route: routeGetStatus, Status: 503})
		}},
		{"HTCC", "voice:Ready Active dnd:Off", "chat", func(a *world, cloud *htccsim.Server) {
			a.faultCloud(cloud, htccsim.Fault{Route: "GET /api/v2/me", Status: 503})
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fleet, cloud, a, b := twoTellers(t)
				cleo := newPair(t, a, b, "cleo", false)
				a.working(cleo.atA)
				page := a.open(cleo.atA, everything)
				time.Sleep(time.Minute)
				b.expect(cleo.atB, "before", "voice:Ready chat:Ready email:LoggedOut Active dnd:Off")
				test.fails(a, cloud)
				b.expect(cleo.atB, "while reads fail", test.without)
				page.heardWhole()
				time.Sleep(5 * time.Second)
				fleet.sim.Reset()
				cloud.Reset()
				time.Sleep(20 * time.Second)
				is := page.heardWhole()
				back := func(one string) bool {
					return strings.Contains(one, `"channel":"`+string(test.channel)+`"`) && strings.Contains(one, "Ready")
				}
				if len(is) == 0 || !back(is[len(is)-1]) {
					t.Errorf("told since: %q; want that %s is back", is, test.channel)
				}
				time.Sleep(5 * time.Minute)
				if more := page.heardWhole(); len(more) > 0 {
					t.Errorf("told later: %q; want nothing", more)
				}
			})
		})
	}
}
