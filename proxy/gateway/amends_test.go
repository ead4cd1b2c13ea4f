package gateway

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/fault"
	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/proxy/upstream"
	"portico/translate/htccapi"
)

// outages are how both sites may be away.
var outages = map[string]struct {
	cloud       htccsim.Fault
	pureconnect icwssim.Fault
}{
	"refuses":          {htccsim.Fault{Status: 503}, icwssim.Fault{Status: 503}},
	"is silent":        {htccsim.Fault{Scenario: "hang"}, icwssim.Fault{Scenario: "hang"}},
	"refuses to leave": {htccsim.Fault{Route: "POST /api/v2/me/channels/{channel}", Status: 500}, icwssim.Fault{Route: routePutActivations, Status: 500}},
}

// replicasOf returns so many, which share both sites and all else.
func replicasOf(t *testing.T, n int) (*htccsim.Server, []*world) {
	t.Helper()
	fleet, cloud := newShared(), &htccsim.Server{}
	if n == 1 {
		return cloud, []*world{newUnion(t, fleet.sim, cloud)}
	}
	var all []*world
	for range n {
		w, _ := fleet.teller(t, cloud)
		all = append(all, w)
	}
	return cloud, all
}

// offersCleo has both sites offer cleo work, as another client left them.
func (w *world) offersCleo(cloud *htccsim.Server) {
	w.t.Helper()
	w.set(icwssim.StateChange{User: "cleo", StatusID: new("Available"), Activations: map[string]bool{"Sales": true, "Support": true}})
	w.setCloud(cloud, htccsim.StateChange{User: "cleo", Channels: htccsim.ChannelStates{"chat": "Ready", "email": "Ready"}})
}

// TestAStartHoldsAtASiteThatIsBack has a site be away while cleo starts channels of the other alone, from before her log-in
// or since, shortly or for long. She does nothing more, and that site is to offer her nothing.
func TestAStartHoldsAtASiteThatIsBack(t *testing.T) {
	for name, outage := range outages {
		for _, site := range []string{"HTCC", "PureConnect"} {
			for _, atLogin := range []bool{false, true} {
				for _, replicas := range []int{1, 2} {
					for _, long := range []time.Duration{0, time.Minute} {
						t.Run(fmt.Sprintf("%s %s, at log-in %v, %d replicas, for %v", site, name, atLogin, replicas, long), func(t *testing.T) {
							synctest.Test(t, func(t *testing.T) {
								cloud, all := replicasOf(t, replicas)
								first, w := all[0], all[len(all)-1]
								goAway := func() { w.fault(outage.pureconnect) }
								start, want, shows := "chat", "+chat -voice", "voice:LoggedOut chat:Ready email:LoggedOut Active dnd:Off"
								if site == "HTCC" {
									goAway = func() { w.faultCloud(cloud, outage.cloud) }
									start, want, shows = "voice", "+voice -chat -email", "voice:Ready chat:LoggedOut email:LoggedOut Active dnd:Off"
								}
								w.offersCleo(cloud)
								if atLogin {
									goAway()
								}
								first.login("cleo")
								settle()
								if !atLogin {
									goAway()
								}
								got, err := w.post(w.login("cleo"), "", startOf(start))
								if err != nil || sides(got) != want {
									t.Errorf("Start = %s, %v; want %s", sides(got), err, want)
								}
								time.Sleep(long)
								w.sim.Reset()
								cloud.Reset()
								time.Sleep(upstream.LongestPause + 5*time.Second)
								for _, w := range all {
									w.expect(w.login("cleo"), "once the site is back", shows)
								}
								if site == "HTCC" {
									worksAt(t, cloud, "cleo", "chat:LoggedOut email:LoggedOut")
								} else {
									w.holds("cleo", "Available, No ACD")
								}
							})
						})
					}
				}
			}
		}
	}
}

// TestWhatAStartLeftUndoneIsShown has both sites refuse to take cleo out, and offer her work meanwhile.
func TestWhatAStartLeftUndoneIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w := newUnion(t, &icwssim.Server{}, cloud)
		w.offersCleo(cloud)
		w.faultCloud(cloud, htccsim.Fault{Status: 503})
		cleo := w.login("cleo")
		w.posts(cleo, startOf("voice"))
		w.expect(cleo, "while HTCC is away", "voice:Ready Active dnd:Off")
		cloud.Reset()
		w.faultCloud(cloud, htccsim.Fault{Route: "POST /api/v2/me/channels/{channel}", Status: 500})
		time.Sleep(time.Minute)
		worksAt(t, cloud, "cleo", "chat:Ready email:Ready")
		w.expect(cleo, "while HTCC refuses", "voice:Ready chat:Ready email:Ready Active dnd:Off")
		before := cloud.Calls()["POST /api/v2/me/channels/{channel}"]
		time.Sleep(10 * time.Minute)
		if got := cloud.Calls()["POST /api/v2/me/channels/{channel}"] - before; got < 20*4 || got > 40*4 {
			t.Errorf("%d calls in ten minutes; want those of one try every 15 to 30 s", got)
		}
		cloud.Reset()
		time.Sleep(30 * time.Second)
		w.expect(cleo, "once HTCC takes it", "voice:Ready chat:LoggedOut email:LoggedOut Active dnd:Off")
		before = cloud.Calls()["POST /api/v2/me/channels/{channel}"]
		time.Sleep(10 * time.Minute)
		if got := cloud.Calls()["POST /api/v2/me/channels/{channel}"] - before; got != 0 {
			t.Errorf("%d calls after that; want none", got)
		}
	})
}

// TestWhatIsSetMeanwhileIsNotUndone has cleo set a channel, or start others, while a Start is left undone.
func TestWhatIsSetMeanwhileIsNotUndone(t *testing.T) {
	for _, test := range []struct {
		start   string
		channel htccapi.MediaChannel
		body    string
		want    string
	}{
		{"voice", "chat", `{"operationName":"Ready"}`, "voice:Ready chat:Ready email:LoggedOut Active dnd:Off"},
		{"voice", "email", `{"operationName":"Offline"}`, "voice:Ready chat:LoggedOut email:LoggedOut Active dnd:Off"},
		{"voice", "", startOf("voice chat"), "voice:Ready chat:Ready email:LoggedOut Active dnd:Off"},
		{"chat", "voice", `{"operationName":"Ready"}`, "voice:Ready chat:Ready email:LoggedOut Active dnd:Off"},
		{"chat", "voice", `{"operationName":"NotReady"}`, "voice:NotReady chat:Ready email:LoggedOut Active dnd:Off"},
		{"chat", "", startOf("chat voice"), "voice:Ready chat:Ready email:LoggedOut Active dnd:Off"},
		{"chat", "email", `{"operationName":"NotReady"}`, "voice:LoggedOut chat:Ready email:NotReady Active dnd:Off"},
	} {
		for _, replicas := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s, %s on %q, %d", test.start, test.body, test.channel, replicas), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					cloud, all := replicasOf(t, replicas)
					w := all[len(all)-1]
					w.offersCleo(cloud)
					all[0].login("cleo")
					settle()
					cleo := w.login("cleo")
					w.posts(cleo, startOf("voice chat email"))
					w.posts(cleo, `{"operationName":"Ready"}`)
					if test.start == "chat" {
						w.fault(icwssim.Fault{Route: routePutActivations, Status: 500})
					} else {
						w.faultCloud(cloud, htccsim.Fault{Route: "POST /api/v2/me/channels/{channel}", Status: 500})
					}
					w.posts(cleo, startOf(test.start))
					time.Sleep(time.Minute)
					w.sim.Reset()
					cloud.Reset()
					_, err := w.post(cleo, test.channel, test.body)
					if err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Minute)
					for _, w := range all {
						w.expect(w.login("cleo"), "in the end", test.want)
					}
				})
			})
		}
	}
}

// TestAStartIsMadeUpForBeforeASingleChannelIsSet has cleo work on voice and email at PureConnect, and start voice there, which
// fails. Ready on voice is to offer her no email.
func TestAStartIsMadeUpForBeforeASingleChannelIsSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w := newUnion(t, &icwssim.Server{}, cloud)
		w.SetPolicy(Policy{Idle: time.Hour, MaxBytes: 1 << 20, Route: func(login string) (Route, bool) {
			route, found := unionRoute(login)
			route.Channels = map[htccapi.MediaChannel]string{htccapi.Voice: "pureconnect", "email": "pureconnect", "chat": "cloud"}
			return route, found
		}})
		w.set(icwssim.StateChange{User: "cleo", StatusID: new("Available, No ACD"), Activations: map[string]bool{"Sales": true, "Mail": true}})
		cleo := w.login("cleo")
		settle()
		w.fault(icwssim.Fault{Route: routePutActivations, Status: 500})
		if got := w.posts(cleo, startOf("voice chat")); got != "+chat -voice -email" {
			t.Errorf("Start = %s; want +chat -voice -email", got)
		}
		_, err := w.post(cleo, htccapi.Voice, `{"operationName":"Ready"}`)
		if fault.KindOf(err) != fault.BadUpstream {
			t.Errorf("Ready on voice while the site refuses = %v; want %v", err, fault.BadUpstream)
		}
		w.holds("cleo", "Available, No ACD")
		w.posted(cleo, htccapi.Voice, `{"operationName":"NotReady"}`)
		w.sim.Reset()
		w.posted(cleo, htccapi.Voice, `{"operationName":"Ready"}`)
		time.Sleep(time.Second)
		state, err := w.sim.State("cleo")
		if err != nil || state.StatusID != "Available" || state.Activations["Mail"] {
			t.Errorf("PureConnect has cleo in %s, email active %v (%v); want Available, and not", state.StatusID, state.Activations["Mail"], err)
		}
		time.Sleep(time.Minute)
		w.expect(cleo, "Ready on voice", "voice:Ready email:LoggedOut chat:NotReady Active dnd:Off")
	})
}

// TestAnAnswerHasAStartMadeUpFor has a read be the first that finds a site there again.
func TestAnAnswerHasAStartMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w := newUnion(t, &icwssim.Server{}, cloud)
		w.offersCleo(cloud)
		w.fault(icwssim.Fault{Status: 503})
		cleo := w.login("cleo")
		w.posts(cleo, startOf("chat"))
		time.Sleep(5 * time.Minute)
		w.sim.Reset()
		w.shows(cleo)
		time.Sleep(time.Second)
		w.holds("cleo", "Available, No ACD")
		w.posts(cleo, startOf("voice chat email"))
		w.posts(cleo, `{"operationName":"Ready"}`)
		w.faultCloud(cloud, htccsim.Fault{Status: 503})
		w.posts(cleo, startOf("voice"))
		time.Sleep(5 * time.Minute)
		cloud.Reset()
		w.shows(cleo)
		time.Sleep(time.Second)
		worksAt(t, cloud, "cleo", "chat:LoggedOut email:LoggedOut")
	})
}

// TestAStartHoldsInAPartThatBeginsAgain has both parts of cleo end, one after the other, and a Start fail to begin it again.
func TestAStartHoldsInAPartThatBeginsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w := newUnion(t, &icwssim.Server{}, cloud)
		cleo := w.login("cleo")
		w.posts(cleo, startOf("voice chat email"))
		w.fault(icwssim.Fault{Scenario: "force-logoff", User: "cleo"})
		time.Sleep(time.Second)
		w.fault(icwssim.Fault{Status: 503})
		if got := w.posts(cleo, startOf("chat")); got != "+chat -voice" {
			t.Errorf("Start = %s; want +chat -voice", got)
		}
		time.Sleep(time.Minute)
		w.sim.Reset()
		w.offersCleo(cloud)
		time.Sleep(time.Minute)
		err := cleo.icws().reopen(t.Context(), "") // as the next Start would
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		w.holds("cleo", "Available, No ACD")
		w.expect(cleo, "once it has begun again", "voice:LoggedOut chat:Ready email:LoggedOut Active dnd:Off")
	})
}

// TestTheNextReaderMakesUpForAStart has the replica stop that read for cleo while a Start was left undone at both sites.
func TestTheNextReaderMakesUpForAStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud, all := replicasOf(t, 2)
		a, b := all[0], all[1]
		atA := a.login("cleo")
		a.posted(atA, "", startAll)
		a.posted(atA, "", `{"operationName":"Ready"}`)
		settle()
		b.cookie(atA.SessionID())
		a.fault(icwssim.Fault{Route: routePutActivations, Status: 500})
		a.faultCloud(cloud, htccsim.Fault{Route: "POST /api/v2/me/channels/{channel}", Status: 500})
		a.posts(atA, startOf("chat"))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		a.Close(ctx)
		settle()
		b.sim.Reset()
		cloud.Reset()
		time.Sleep(upstream.LongestPause)
		worksAt(t, cloud, "cleo", "chat:Ready email:LoggedOut")
		b.holds("cleo", "Available, No ACD")
	})
}

// TestAnOperationThatWaitsForAStartMakesUpForItFirst has cleo go Ready while PureConnect takes its time to refuse a Start.
func TestAnOperationThatWaitsForAStartMakesUpForItFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w, cleo := atWork(t, cloud)
		w.posted(cleo, htccapi.Voice, `{"operationName":"NotReady"}`)
		time.Sleep(10 * time.Second)
		w.fault(icwssim.Fault{Route: routePutActivations, Status: 500, Delay: time.Second, Times: 1})
		var both sync.WaitGroup
		both.Go(func() { _, _ = w.post(cleo, "", startOf("chat")) })
		time.Sleep(100 * time.Millisecond)
		got, err := w.post(cleo, "", `{"operationName":"Ready"}`)
		if err != nil || strings.Contains(sides(got), "+voice") {
			t.Errorf("Ready while a Start is being refused = %s, %v; want it without voice", sides(got), err)
		}
		both.Wait()
		w.holds("cleo", "Available, No ACD")
	})
}

// TestAStartThatIsRepeatedSetsItsStatus has the first Start fail at PureConnect, which is made up for without the status of
// at_start, and the agent's own repeat set it.
func TestAStartThatIsRepeatedSetsItsStatus(t *testing.T) {
	for _, wait := range []time.Duration{0, time.Minute} {
		t.Run(wait.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newUnion(t, &icwssim.Server{IdleTimeout: time.Hour}, &htccsim.Server{IdleTimeout: time.Hour}, func(_ *Settings, s *Site) {
					s.Rules.Statuses.AtStart = "Available"
				})
				cleo := w.login("cleo")
				w.shows(cleo)
				settle()
				w.fault(icwssim.Fault{Route: routePutStatus, Status: http.StatusServiceUnavailable})
				w.fault(icwssim.Fault{Route: routeGetStatus, Status: http.StatusServiceUnavailable})
				_, _ = w.post(cleo, "", startAll)
				w.sim.Reset()
				time.Sleep(wait)
				settle()
				w.posted(cleo, "", startAll)
				time.Sleep(5 * time.Second)
				w.holds("cleo", "Available")
			})
		})
	}
}

// TestAnOperationThatIsRefusedLeavesTheStartOwed has the agent set a channel that the last Start was to take them from, which the
// site refuses: they are taken from it all the same once the site lets that be.
func TestAnOperationThatIsRefusedLeavesTheStartOwed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, cleo := newAtWork(t)
		w.fault(icwssim.Fault{Status: http.StatusServiceUnavailable})
		outcome, err := w.post(cleo, "", `{"operationName":"StartContactCenterSession","channels":["chat"]}`)
		if err != nil || len(outcome.Failed) != 1 {
			t.Errorf("the Start: %+v, %v; want voice to fail", outcome, err)
		}
		w.sim.Reset()
		w.fault(icwssim.Fault{Route: "PUT /icws/{sessionId}/activations/users/{userId}", Status: http.StatusForbidden})
		w.fault(icwssim.Fault{Route: routePutStatus, Status: http.StatusForbidden})
		time.Sleep(time.Second)
		_, err = w.post(cleo, "voice", `{"operationName":"AtLunch"}`)
		if err == nil {
			t.Error("an operation that the site refuses succeeded")
		}
		w.sim.Reset()
		time.Sleep(time.Minute)
		state, err := w.sim.State("cleo")
		if err != nil || state.Activations["Sales"] || state.Activations["Support"] {
			t.Errorf("cleo is activated for %v (%v); want nothing", state.Activations, err)
		}
	})
}

// A Start may be made up for after the site has refused an operation, and before that is taken back.
func TestARefusalIsTakenBackFromAStartThatWasMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, cleo := newAtWork(t)
		w.fault(icwssim.Fault{Status: http.StatusServiceUnavailable})
		_, err := w.post(cleo, "", `{"operationName":"StartContactCenterSession","channels":["chat"]}`)
		if err != nil {
			t.Errorf("the Start: %v", err)
		}
		w.sim.Reset()
		p := cleo.parts[0].(*icwsPart)
		refused := p.wanted([]htccapi.MediaChannel{htccapi.Voice}, htccapi.Ready)
		err = p.makeUp(t.Context(), "")
		if err != nil || p.isIndebted() {
			t.Errorf("made up for: %v, and owes %t; want nothing", err, p.isIndebted())
		}
		refused()
		time.Sleep(time.Minute)
		state, err := w.sim.State("cleo")
		if err != nil || p.isIndebted() || state.Activations["Sales"] || state.Activations["Support"] {
			t.Errorf("cleo is activated for %v (%v), and owes %t; want nothing", state.Activations, err, p.isIndebted())
		}
	})
}
