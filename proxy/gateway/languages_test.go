package gateway

import (
	"context"
	"slices"
	"testing"
	"time"

	"portico/proxy/icws/icwssim"
)

const routeServerInfo = "GET /icws/connection/server-info"

// TestWhoWaitsForTheLanguagesOfASiteMayLeave asks a site that takes its time. It runs in real time: who waited for a
// mutex would stop that of a bubble.
func TestWhoWaitsForTheLanguagesOfASiteMayLeave(t *testing.T) {
	for name, leavesFirst := range map[string]bool{"before others come": true, "after others came": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, &icwssim.Server{})
			at := w.sites["pureconnect"].(*icwsSite)
			w.fault(icwssim.Fault{Route: routeServerInfo, Delay: time.Second})
			leave := func() {
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer cancel()
				began := time.Now()
				at.languageList(ctx)
				if took := time.Since(began); took > 500*time.Millisecond {
					t.Errorf("who leaves was kept for %v", took)
				}
			}
			if leavesFirst {
				leave()
			}
			told := make(chan []string, 1)
			go func() { told <- at.languageList(t.Context()) }()
			if !leavesFirst {
				time.Sleep(50 * time.Millisecond)
				leave()
			}
			if list := <-told; !slices.Contains(list, "de") {
				t.Errorf("who waits was told %q; want what the site has", list)
			}
			if n := w.sim.Calls()[routeServerInfo]; n != 1 {
				t.Errorf("the site was asked %d times; want 1", n)
			}
		})
	}
}
