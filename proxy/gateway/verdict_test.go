package gateway

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"portico/proxy/fault"
	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/translate"
	"portico/translate/htccapi"
)

const (
	allReady = "voice:Ready email:Ready Active dnd:Off"
	noneIs   = "voice:NotReady email:NotReady Active dnd:Off"
)

// A lame site answers 503 to what is about its agents' status, to streams, or to both.
type lame struct {
	http.RoundTripper
	status, streams atomic.Bool
}

func (l *lame) RoundTrip(r *http.Request) (*http.Response, error) {
	status := r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/user-statuses/")
	if l.status.Load() && status || l.streams.Load() && strings.HasSuffix(r.URL.Path, "/messaging/messages") {
		return &http.Response{StatusCode: http.StatusServiceUnavailable, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	}
	return l.RoundTripper.RoundTrip(r)
}

// newLame returns a world with an agent who is not ready and takes no work, whose site may become lame, or be away.
func newLame(t *testing.T, more ...option) (*world, *lame, *power, *Agent) {
	sim := &icwssim.Server{LoseCompletions: true, AsyncDelay: 300 * time.Millisecond}
	supply := newPower(sim.Transport())
	site := &lame{RoundTripper: supply}
	w := newTelling(t, sim, append(more, func(_ *Settings, s *Site) { s.ICWS = newClient(site, prometheus.NewRegistry()) })...)
	anna := w.login("anna")
	w.shows(anna)
	time.Sleep(time.Second)
	w.set(icwssim.StateChange{User: "anna", StatusID: ptr("Available, No ACD"), Activations: map[string]bool{"Sales": false, "Support": false, "Mail": false}})
	time.Sleep(10 * time.Second)
	return w, site, supply, anna
}

// takesWork holds whether all of anna's workgroups are activated, or none.
func (w *world) takesWork(when string, want bool) {
	w.t.Helper()
	state, err := w.sim.State("anna")
	for workgroup, active := range state.Activations {
		if err != nil || active != want {
			w.t.Errorf("%s: workgroup %s is activated: %v (%v); want %v", when, workgroup, active, err, want)
		}
	}
}

// decided holds that nothing is left undecided.
func (w *world) decided(a *Agent) {
	w.t.Helper()
	p := a.icws()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.writes.byID) != 0 || len(p.state.Pending) != 0 {
		w.t.Errorf("%d writes and %d pending changes are left", len(p.writes.byID), len(p.state.Pending))
	}
}

func isErrorMessage(one string) bool { return strings.HasSuffix(one, "ErrorMessage") }

// TestSilenceIsNoRefusal has a site accept a change and carry it out, then be away when its completion is overdue.
func TestSilenceIsNoRefusal(t *testing.T) {
	for _, row := range []struct {
		name  string
		reset bool // by somebody else, before the site is back
		shows string
	}{
		{"the change is found to have taken place", false, allReady},
		{"the site shows another status when it is back", true, noneIs},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, _, supply, anna := newLame(t)
				desktop := w.open(anna, everything)
				w.do(anna, htccapi.Ready, "")
				supply.turn("ic1.example:8018", false)
				time.Sleep(completionWithin + 4*time.Second)
				if slices.ContainsFunc(desktop.heard(), isErrorMessage) {
					t.Error("a site that is silent is said to have refused the change")
				}
				if row.reset {
					w.set(icwssim.StateChange{User: "anna", StatusID: ptr("Available, No ACD")})
				}
				supply.turn("ic1.example:8018", true)
				time.Sleep(time.Minute)
				w.expect(anna, "when the site is back", row.shows)
				w.takesWork("when the site is back", !row.reset)
				if got := slices.ContainsFunc(desktop.heard(), isErrorMessage); got != row.reset {
					t.Errorf("an ErrorMessage came: %v; want %v", got, row.reset)
				}
				w.decided(anna)
			})
		})
	}
}

// TestAStatusThatCannotBeReadDecidesNothing has a site that works but for its streams and reads of the status. What ends the
// doubt is a caller's read, a full list, or neither.
func TestAStatusThatCannotBeReadDecidesNothing(t *testing.T) {
	for _, row := range []struct {
		name  string
		ends  func(w *world, site *lame, anna *Agent)
		after time.Duration
	}{
		{"until a caller asks", func(_ *world, site *lame, _ *Agent) { site.status.Store(false) }, 0},
		{"until it is read after a pause", func(_ *world, site *lame, _ *Agent) { site.status.Store(false) }, time.Minute},
		{"until it is listed", func(_ *world, site *lame, _ *Agent) { site.streams.Store(false) }, time.Minute},
	} {
		for _, took := range []bool{true, false} {
			name := row.name + ", and it took place"
			if !took {
				name = row.name + ", and it did not"
			}
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w, site, _, anna := newLame(t)
					shows, holds := allReady, "Available"
					if !took {
						w.fault(icwssim.Fault{Scenario: "refuse-async", User: "anna", Times: 1})
						shows, holds = noneIs, "Available, No ACD"
					}
					w.do(anna, htccapi.Ready, "")
					site.status.Store(true)
					site.streams.Store(true)
					w.fault(icwssim.Fault{Scenario: "drop-stream", User: "anna"})
					time.Sleep(completionWithin + 4*time.Second)
					w.holds("anna", holds)
					w.takesWork("while nothing is known", true)
					row.ends(w, site, anna)
					time.Sleep(row.after)
					if row.after > 0 {
						w.decided(anna)
					}
					w.expect(anna, "when it is known", shows)
					w.decided(anna)
					time.Sleep(5 * time.Second)
					w.takesWork("when it is known", took)
				})
			})
		}
	}
}

func TestACallerDoesNotWaitForAVerdict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, site, _, anna := newLame(t, func(_ *Settings, s *Site) { s.WaitCompleted = true })
		site.status.Store(true)
		site.streams.Store(true)
		w.fault(icwssim.Fault{Scenario: "drop-stream", User: "anna"})
		began := time.Now()
		err := w.change(t.Context(), anna, translate.Request{Operation: htccapi.Ready})
		if took := time.Since(began); !errors.Is(err, fault.Timeout) || took > completionWithin+2*time.Second {
			t.Errorf("after %v: %v; want %v after %v", took, err, fault.Timeout, completionWithin)
		}
		site.status.Store(false)
		w.expect(anna, "when the status can be read", allReady)
		w.decided(anna)
	})
}

// TestAWriteOfAPartThatHasEndedIsOver has a supervisor log the agent off at PureConnect while a completion is awaited.
func TestAWriteOfAPartThatHasEndedIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newUnion(t, &icwssim.Server{LoseCompletions: true, AsyncDelay: 30 * time.Second}, &htccsim.Server{})
		cleo := w.login("cleo")
		w.started(cleo, "")
		time.Sleep(time.Minute)
		w.posted(cleo, "", `{"operationName":"Ready"}`)
		time.Sleep(time.Second)
		w.fault(icwssim.Fault{Scenario: "force-logoff", User: "cleo"})
		time.Sleep(20 * time.Second)
		before := w.sim.Calls()[routeGetStatus]
		time.Sleep(time.Hour)
		if n := w.sim.Calls()[routeGetStatus] - before; n > 0 {
			t.Errorf("the status is read %d times in the hour after the part has ended", n)
		}
		p := cleo.icws()
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(p.writes.byID) > 0 {
			t.Error("a write of a part that has ended is left undecided")
		}
	})
}
