package icws

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/icws/icwssim"
)

const routeServerInfo = "GET /icws/connection/server-info"

func TestLanguageIsTheOneThatSuitsBest(t *testing.T) {
	sim := &icwssim.Server{}
	defer sim.Close()
	client, _ := newClient(t, at(sim), nil)
	for _, c := range []struct{ name, accept, want string }{
		{"without a wish it is the settings'", "", ""},
		{"so it is with a wish that cannot be read", "?", ""},
		{"the one wished for", "de", "de"},
		{"the one of a region", "de-AT", "de"},
		{"the wish that the site has", "ja, de;q=0.5", "de"},
		{"without one that the site has it is the settings'", "ja", ""},
	} {
		if got := client.Language(t.Context(), c.accept); got != c.want {
			t.Errorf("%s: Language(%q) = %q; want %q", c.name, c.accept, got, c.want)
		}
	}
	if n := sim.Calls()[routeServerInfo]; n != 1 {
		t.Errorf("the site was asked %d times; want 1", n)
	}
}

func TestLanguagesOutlastAnUpdateThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := &icwssim.Server{}
		defer sim.Close()
		client, _ := newClient(t, at(sim), nil)
		german := func(asked int) {
			t.Helper()
			if got := client.Language(t.Context(), "de"); got != "de" {
				t.Errorf("Language = %q; want de", got)
			}
			if n := sim.Calls()[routeServerInfo]; n != asked {
				t.Errorf("the site was asked %d times; want %d", n, asked)
			}
		}
		german(1)
		time.Sleep(languagesFor - time.Minute)
		german(1)
		time.Sleep(2 * time.Minute)
		breaks(t, sim, icwssim.Fault{Route: routeServerInfo, Status: 500, Times: 1})
		german(2)
		german(2)
		time.Sleep(noLanguagesFor)
		german(3)
	})
}

// TestWhoWaitsForTheLanguagesOfASiteMayLeave asks a site that takes its time. It runs in real time: who waited for a
// mutex would stop that of a bubble.
func TestWhoWaitsForTheLanguagesOfASiteMayLeave(t *testing.T) {
	for name, leavesFirst := range map[string]bool{"before others come": true, "after others came": false} {
		t.Run(name, func(t *testing.T) {
			sim := &icwssim.Server{}
			defer sim.Close()
			client, _ := newClient(t, at(sim), nil)
			breaks(t, sim, icwssim.Fault{Route: routeServerInfo, Delay: time.Second})
			leave := func() {
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer cancel()
				began := time.Now()
				client.Languages(ctx)
				if took := time.Since(began); took > 500*time.Millisecond {
					t.Errorf("who leaves was kept for %v", took)
				}
			}
			if leavesFirst {
				leave()
			}
			told := make(chan []string, 1)
			go func() { told <- client.Languages(t.Context()) }()
			if !leavesFirst {
				time.Sleep(50 * time.Millisecond)
				leave()
			}
			if list := <-told; !slices.Contains(list, "de") {
				t.Errorf("who waits was told %q; want what the site has", list)
			}
			if n := sim.Calls()[routeServerInfo]; n != 1 {
				t.Errorf("the site was asked %d times; want 1", n)
			}
		})
	}
}

func breaks(t *testing.T, sim *icwssim.Server, fault icwssim.Fault) {
	t.Helper()
	err := sim.Fault(fault)
	if err != nil {
		t.Fatal(err)
	}
}
