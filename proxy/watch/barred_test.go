package watch

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
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

// onLook is a way to a site on which each question about an agent is answered by do, unless it returns 0.
type onLook struct {
	way   http.RoundTripper
	do    func(req *http.Request) (status int)
	looks atomic.Int64
}

func (o *onLook) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodGet || !strings.Contains(req.URL.Path, "/user-statuses/") {
		return o.way.RoundTrip(req)
	}
	o.looks.Add(1)
	status := o.do(req)
	if req.Context().Err() != nil {
		return nil, req.Context().Err()
	}
	if status == 0 {
		return o.way.RoundTrip(req)
	}
	return &http.Response{StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req, Header: http.Header{}, Body: http.NoBody}, nil
}

// A site that is too busy to say whether it knows her by now is not taken to do so.
func TestWhoCannotBeAskedAboutStaysBarred(t *testing.T) {
	sim := &icwssim.Server{}
	rig.InBubble(t, sim, func(t *testing.T) {
		var busy atomic.Bool
		forgets := &forgetful{way: memhttp.Network{"": sim}, status: http.StatusNotFound}
		forgets.on.Store(true)
		way := &onLook{way: forgets, do: func(*http.Request) int {
			if busy.Load() {
				return http.StatusServiceUnavailable
			}
			return 0
		}}
		s, stop := start(t, way)
		defer stop()
		s.Add(&desk{}, "cleo", "en-us")
		anna := &desk{}
		s.Add(anna, "anna", "en-us")
		time.Sleep(time.Hour)
		puts, looks := forgets.puts.Load(), way.looks.Load()
		busy.Store(true)
		time.Sleep(longestBar)
		comes := &desk{}
		s.Add(comes, "agent0001", "en-us")
		time.Sleep(longestBar)
		if puts, looks = forgets.puts.Load()-puts, way.looks.Load()-looks; puts != 1 || looks == 0 {
			t.Errorf("while the site is busy the list of users was put %d times, and %d looks failed; want once, for who comes, and some", puts, looks)
		}
		anna.hears(t, "who is unknown", "live", "broken")
		comes.hears(t, "who comes", "live", "Available, No ACD")
		busy.Store(false)
		forgets.on.Store(false)
		time.Sleep(2 * longestBar)
		anna.hears(t, "once she is known", "live", "broken", "live", "Available, No ACD")
	})
}

// A site that hangs when it is asked about who is barred keeps nobody else from being watched.
func TestWhoComesDoesNotWaitForWhoIsBarred(t *testing.T) {
	sim := &icwssim.Server{}
	rig.InBubble(t, sim, func(t *testing.T) {
		var hangs atomic.Bool
		way := &onLook{way: memhttp.Network{"": sim}, do: func(req *http.Request) int {
			if hangs.Load() {
				<-req.Context().Done()
			}
			return 0
		}}
		s, stop := start(t, way)
		defer stop()
		for _, route := range []string{routeStatuses, routeStatus} {
			arm(t, sim, icwssim.Fault{Route: route, User: "portico", Status: http.StatusForbidden, Times: 1000})
		}
		barred := &desk{}
		for i := range 3 * atOnce {
			s.Add(barred, fmt.Sprintf("agent%04d", i+1), "en-us")
		}
		time.Sleep(time.Minute)
		sim.Reset()
		hangs.Store(true)
		looks := way.looks.Load()
		for i := range 60 {
			comes := &desk{}
			s.Add(comes, fmt.Sprintf("agent%04d", 30+i), "en-us")
			time.Sleep(time.Second)
			if got := comes.All(); len(got) < 2 || got[0] != "live" {
				t.Fatalf("who comes at %d s is told %q within a second; want to be watched", i, got)
			}
		}
		if way.looks.Load() == looks {
			t.Error("nobody was asked about meanwhile")
		}
		hangs.Store(false)
		time.Sleep(2 * longestBar)
		if got := barred.All(); got[len(got)-1] != "Available, No ACD" {
			t.Errorf("who was barred hears %q last; want what the site has", got[len(got)-1])
		}
	})
}

// A service user that has lost its right is told so once at each bar's end, whoever is watched.
func TestOneIsAskedAboutForAllWhileNobodyIsSeen(t *testing.T) {
	sim := &icwssim.Server{}
	rig.InBubble(t, sim, func(t *testing.T) {
		way := &onLook{way: memhttp.Network{"": sim}, do: func(*http.Request) int { return 0 }}
		s, stop := start(t, way)
		defer stop()
		desks := make([]*desk, 90)
		for i := range desks[1:] {
			desks[i] = &desk{}
			s.Add(desks[i], fmt.Sprintf("agent%04d", i+1), "en-us")
		}
		time.Sleep(10 * time.Second)
		for _, route := range []string{routeStatuses, routeStatus} {
			arm(t, sim, icwssim.Fault{Route: route, User: "portico", Status: http.StatusForbidden, Times: 100000})
		}
		desks[89] = &desk{}
		s.Add(desks[89], "cleo", "en-us")
		time.Sleep(10 * time.Minute)
		if n := way.looks.Load(); n < 93 || n > 100 {
			t.Errorf("the site is asked about %d agents within 10 minutes; want all 90 once, then one at a time", n)
		}
		sim.Reset()
		puts := sim.Calls()[routeStatuses]
		time.Sleep(2 * longestBar)
		for i, d := range desks {
			if got := d.All(); got[len(got)-1] != "Available, No ACD" {
				t.Fatalf("agent %d is told %q; want to be watched again", i, got)
			}
		}
		if n := sim.Calls()[routeStatuses] - puts; n != 1 {
			t.Errorf("the list of users is put %d times; want once, for all", n)
		}
	})
}
