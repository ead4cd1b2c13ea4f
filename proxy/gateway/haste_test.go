package gateway

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
)

// TestWhoWorksDoesNotWaitOutThePauseOfAReader holds that an answer to an agent's call shows the reader that the site is back:
// soon after, what the agent reads takes no calls.
func TestWhoWorksDoesNotWaitOutThePauseOfAReader(t *testing.T) {
	own := func(*Settings, *Site) {}
	for name, c := range map[string]struct {
		login string
		hold  option
	}{
		"PureConnect":                               {"anna", own},
		"PureConnect, a service and streams":        {"anna", watching},
		"PureConnect, a service and calls in place": {"anna", beating},
		"HTCC": {"bjorn", own},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim, cloud := &icwssim.Server{}, &htccsim.Server{}
				t.Cleanup(cloud.Close)
				supply := newPower(sim.Transport())
				clouds, atCloud := twoClouds(cloud, production)
				w := newWorld(t, sim, c.hold, atCloud, func(_ *Settings, s *Site) { s.ICWS = newClient(supply, prometheus.NewRegistry()) })
				time.Sleep(time.Second)
				agent := w.login(c.login)
				w.shows(agent)
				time.Sleep(time.Second)
				for _, on := range []bool{false, true} {
					supply.turn("ic1.example:8018", on)
					clouds.turn(gws1, on)
					clouds.turn(gws2, on)
					if !on {
						time.Sleep(100 * time.Second)
					}
				}
				reads := func() int { return sim.Calls()[routeGetStatus] + cloud.Calls()["GET /api/v2/me"] }
				w.shows(agent)
				time.Sleep(2 * time.Second)
				before := reads()
				w.shows(agent)
				if got := reads() - before; got > 0 || before == 0 {
					t.Errorf("a read 2 s after one that showed the site to be back took %d calls; want none (and %d before)", got, before)
				}
			})
		})
	}
}
