package gateway

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
)

// newAtTwoHosts returns a world of two sites of two hosts each, what switches those, and cleo, who is Ready on all channels
// of both.
func newAtTwoHosts(t *testing.T) (w *world, cloud *htccsim.Server, clouds, ics *power, cleo *Agent) {
	t.Helper()
	cloud, sim := &htccsim.Server{IdleTimeout: time.Hour}, &icwssim.Server{IdleTimeout: time.Hour}
	t.Cleanup(cloud.Close)
	clouds, atCloud := twoClouds(cloud, production)
	ics, atIC := twoHosts(sim, production)
	w = newWorld(t, sim, atIC, atCloud)
	cleo = w.login("cleo")
	w.posted(cleo, "", startAll)
	w.posted(cleo, "", `{"operationName":"Ready"}`)
	time.Sleep(time.Minute)
	return w, cloud, clouds, ics, cleo
}

// TestALateEndIsCarriedOutAtAnotherHost has the host of a session die for good, or hang, and the agent end the session after
// so long: they have moved by then, or not.
func TestALateEndIsCarriedOutAtAnotherHost(t *testing.T) {
	for name, die := range map[string]func(w *world, cloud *htccsim.Server, clouds, ics *power){
		"HTCC's dies": func(_ *world, _ *htccsim.Server, clouds, _ *power) { clouds.turn(gws1, false) },
		"HTCC's hangs": func(w *world, cloud *htccsim.Server, _, _ *power) {
			w.faultCloud(cloud, htccsim.Fault{Scenario: "hang", Host: "gws1.example"})
		},
		"PureConnect's dies": func(_ *world, _ *htccsim.Server, _, ics *power) { ics.turn(ic1, false) },
		"PureConnect's hangs": func(w *world, _ *htccsim.Server, _, _ *power) {
			w.fault(icwssim.Fault{Scenario: "hang", Host: "ic1.example"})
		},
	} {
		for _, after := range []time.Duration{time.Second, 4 * time.Second, 6 * time.Second, 20 * time.Second} {
			t.Run(fmt.Sprint(name, ", ", after), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w, cloud, clouds, ics, cleo := newAtTwoHosts(t)
					die(w, cloud, clouds, ics)
					time.Sleep(after)
					w.endsWell(cleo)
					time.Sleep(5 * time.Minute)
					w.outOfWork(cloud, "cleo")
					w.holds("cleo", "Available, No ACD")
				})
			})
		}
	}
}

// TestALateEndAsksAnotherHostOnce has sites of two hosts take log-ins for ten minutes, and carry out no End.
func TestALateEndAsksAnotherHostOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, cloud, clouds, ics, cleo := newAtTwoHosts(t)
		count := func() int { return clouds.asked(gws1) + clouds.asked(gws2) + ics.asked(ic1) + ics.asked(ic2) }
		before := count()
		w.faultCloud(cloud, htccsim.Fault{Route: routeEnd, Status: http.StatusServiceUnavailable})
		w.fault(icwssim.Fault{Route: routePutStatus, Status: http.StatusServiceUnavailable})
		w.endsWell(cleo)
		time.Sleep(10 * time.Minute)
		if n := count() - before; n != 2 {
			t.Errorf("%d log-ins; want one at each site", n)
		}
		cloud.Reset()
		w.sim.Reset()
		time.Sleep(time.Minute)
		w.outOfWork(cloud, "cleo")
		w.holds("cleo", "Available, No ACD")
		w.sessions("cleo", 0)
	})
}
