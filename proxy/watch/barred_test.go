package watch

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"portico/proxy/icws/icwssim"
	"portico/proxy/upstream/memhttp"
	"portico/proxy/upstream/rig"
)

// An administrator takes the service user's right away and gives it back, while somebody logs in.
func TestWhoMaySeeNobodyForAMomentSeesAllAgain(t *testing.T) {
	for _, status := range []int{http.StatusForbidden, http.StatusNotFound, http.StatusBadRequest} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			sim := &icwssim.Server{}
			inBubble(t, sim, func(t *testing.T, s *Service) {
				anna, cleo := &desk{}, &desk{}
				s.Add(anna, "anna", "en-us")
				time.Sleep(time.Second)
				for _, route := range []string{routeStatuses, routeStatus} {
					arm(t, sim, icwssim.Fault{Route: route, User: "portico", Status: status, Times: 1000})
				}
				s.Add(cleo, "cleo", "en-us")
				time.Sleep(3 * time.Second)
				sim.Reset()
				s.Add(&desk{}, "agent0001", "en-us") // the list is put without them
				time.Sleep(2 * shortestBar)
				set(t, sim, "anna", "At Lunch")
				set(t, sim, "cleo", "At Lunch")
				anna.hears(t, "who was watched", "live", "Available, No ACD", "broken", "live", "Available, No ACD", "+At Lunch")
				cleo.hears(t, "who came meanwhile", "live", "broken", "live", "Available, No ACD", "+At Lunch")
			})
		})
	}
}

// Whom the site never knows it is asked about ever more rarely, and the others are not told all again each time.
func TestWhoIsUnknownForGoodCostsNoStorm(t *testing.T) {
	sim := &icwssim.Server{}
	rig.InBubble(t, sim, func(t *testing.T) {
		way := &forgetful{way: memhttp.Network{"": sim}, status: http.StatusNotFound}
		way.on.Store(true)
		s, stop := start(t, way)
		defer stop()
		cleo := &desk{}
		s.Add(cleo, "cleo", "en-us")
		leave := s.Add(&desk{}, "anna", "en-us")
		time.Sleep(time.Hour)
		asks := way.asks.Load()
		if puts := way.puts.Load(); puts > 2 || asks < 10 || asks > 30 {
			t.Errorf("within an hour the list of users was put %d times, and the site asked about anna %d times; want once with and once without her, and 10 to 30", puts, asks)
		}
		cleo.hears(t, "beside who is unknown", "live", "Available, No ACD")
		leave()
		time.Sleep(time.Hour)
		if got := way.asks.Load(); got != asks {
			t.Errorf("the site is asked %d times about who has left", got-asks)
		}
		way.on.Store(false)
		anna := &desk{}
		s.Add(anna, "anna", "en-us")
		time.Sleep(time.Second)
		if got := anna.All(); !slices.Equal(got, []string{"live", "Available, No ACD"}) {
			t.Errorf("who comes back, and is known by now, is told %q", got)
		}
	})
}

// While nothing comes nobody is asked about, and after it all are.
func TestABreakEndsAllBars(t *testing.T) {
	sim := &icwssim.Server{}
	rig.InBubble(t, sim, func(t *testing.T) {
		way := &forgetful{way: memhttp.Network{"": sim}, status: http.StatusNotFound}
		way.on.Store(true)
		s, stop := start(t, way)
		defer stop()
		anna := &desk{}
		s.Add(anna, "anna", "en-us")
		time.Sleep(time.Minute)
		arm(t, sim, icwssim.Fault{Route: routeStream, User: "portico", Status: http.StatusServiceUnavailable, Times: 1000})
		arm(t, sim, icwssim.Fault{Scenario: "drop-stream", User: "portico"})
		time.Sleep(time.Second)
		asks := way.asks.Load()
		time.Sleep(10 * time.Minute)
		if got := way.asks.Load(); got != asks {
			t.Errorf("the site is asked %d times while it tells nothing", got-asks)
		}
		way.on.Store(false)
		sim.Reset()
		time.Sleep(time.Minute)
		if got := anna.All(); got[len(got)-1] != "Available, No ACD" {
			t.Errorf("after the break: told %q; want what the site has", got)
		}
	})
}
