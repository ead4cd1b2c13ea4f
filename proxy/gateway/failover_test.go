package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/fault"
	"portico/proxy/htcc"
	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws"
	"portico/proxy/icws/icwssim"
	"portico/proxy/upstream"
	"portico/translate"
	"portico/translate/htccapi"
)

// The hosts of the sites in these tests.
const (
	ic1  = "ic1.example:8018"
	ic2  = "ic2.example:8018"
	gws1 = "gws1.example:8090"
	gws2 = "gws2.example:8090"
)

// twoHosts gives the ICWS site two hosts, both with the same server behind them, and returns what
// switches them.
func twoHosts(sim *icwssim.Server, limits upstream.Limits) (*power, option) {
	switches := newPower(sim.Transport())
	return switches, func(_ *Settings, s *Site) {
		s.ICWS = icws.New(icws.Settings{Site: "pureconnect", Bases: []string{"http://" + ic1, "http://" + ic2}, Application: "Portico", Language: "en-us",
			Timeout: 5 * time.Second, Limits: limits, HTTP: switches, Metrics: upstream.NewMetrics(nil, []string{"pureconnect"})})
	}
}

// twoClouds is twoHosts for an HTCC site, at which agents then work as newUnion has them.
func twoClouds(cloud *htccsim.Server, limits upstream.Limits) (*power, option) {
	switches := newPower(cloud.Transport())
	return switches, func(settings *Settings, _ *Site) {
		settings.Sites = append(settings.Sites, Site{Name: "cloud", HTCC: htcc.New(htcc.Settings{Site: "cloud", Bases: []string{"http://" + gws1, "http://" + gws2},
			Timeout: 5 * time.Second, Limits: limits, HTTP: switches, Metrics: upstream.NewMetrics(nil, []string{"cloud"})})})
		settings.Route = unionRoute
	}
}

// production are limits as the settings have them by default.
var production = upstream.Limits{Calls: 256, CallWait: 2 * time.Second, BreakerCalls: 20, BreakerWithin: 10 * time.Second,
	BreakerPause: 5 * time.Second, Retries: 0.1, Logins: 50, LoginQueue: 1000, LoginWait: 10 * time.Second}

// rhythms are how often an application reads in these tests. Those who read often have reads under way when the host
// dies, and again at any time after.
var rhythms = []time.Duration{500 * time.Millisecond, 2 * time.Second, 10 * time.Second}

// TestASessionWhoseHostDiesMovesToAnother has an application read all the time, as an agent without a reader of their
// own moves by their calls.
func TestASessionWhoseHostDiesMovesToAnother(t *testing.T) {
	for name, limits := range map[string]upstream.Limits{"without limits": {}, "with limits": production} {
		for watch, mode := range modes {
			for _, every := range rhythms {
				t.Run(fmt.Sprint(name, ", ", watch, ", read every ", every), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { testMove(t, limits, mode, every) })
				})
			}
		}
	}
}

func testMove(t *testing.T, limits upstream.Limits, mode option, every time.Duration) {
	sim := &icwssim.Server{}
	switches, hosts := twoHosts(sim, limits)
	w := newWorld(t, sim, mode, hosts)
	anna := w.login("anna")
	w.do(anna, htccapi.Ready, "")
	time.Sleep(2 * time.Second)
	w.expect(anna, "before", showsReady)
	switches.turn(ic1, false)
	w.readEvery(anna, 30*time.Second, every)
	w.expect(anna, "at the other host", showsNotReady)
	if got := anna.icws().connection().Base; got != "http://"+ic2 {
		t.Errorf("the session is at %s; want the other host", got)
	}
	w.do(anna, "AtLunch", "")
	time.Sleep(time.Second)
	w.holds("anna", "At Lunch")
	if got := switches.asked(ic2); got > 2 { // the agent, and the service
		t.Errorf("%d log-ins at the other host; want one each", got)
	}
}

// readEvery has an agent's application read for some time, whatever comes of it.
func (w *world) readEvery(a *Agent, long, every time.Duration) {
	for range long / every {
		time.Sleep(every)
		_, _ = w.Me(w.t.Context(), a, nil)
	}
}

func TestABreakThatASessionOutlivesIsNoMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := &icwssim.Server{}
		switches, hosts := twoHosts(sim, production)
		w := newWorld(t, sim, hosts)
		anna := w.login("anna")
		w.do(anna, htccapi.Ready, "")
		time.Sleep(2 * time.Second)
		switches.turn(ic1, false)
		time.Sleep(3 * time.Second)
		switches.turn(ic1, true)
		time.Sleep(20 * time.Second)
		w.expect(anna, "after the break", "voice:Ready email:Ready Active dnd:Off")
		if switches.asked(ic1) != 1 || switches.asked(ic2) != 0 {
			t.Errorf("%d and %d log-ins; want only the first", switches.asked(ic1), switches.asked(ic2))
		}
	})
}

// TestLateAnswersOfAHostThatIsThereAreNoMove has two reads time out, and nothing be heard between them but what is
// received.
func TestLateAnswersOfAHostThatIsThereAreNoMove(t *testing.T) {
	for watch, mode := range modes {
		t.Run(watch, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim := &icwssim.Server{}
				switches, hosts := twoHosts(sim, production)
				w := newWorld(t, sim, mode, hosts)
				anna := w.login("anna")
				w.do(anna, htccapi.Ready, "")
				time.Sleep(time.Minute)
				before := switches.asked(ic1) + switches.asked(ic2)
				for range 2 {
					err := anna.icws().call(t.Context(), func(icws.Conn) error { return fault.Timeout })
					if !errors.Is(err, fault.Timeout) {
						t.Error(err)
					}
					time.Sleep(5 * time.Minute)
				}
				w.expect(anna, "after the late answers", "voice:Ready email:Ready Active dnd:Off")
				if again := switches.asked(ic1) + switches.asked(ic2) - before; again != 0 {
					t.Errorf("%d log-ins after two late answers; want none", again)
				}
			})
		})
	}
}

// TestALateAnswerAndALaterBreakAreNoMove has an operation time out at HTCC and, when nothing was heard for long but what
// is received, all connections break for a moment.
func TestALateAnswerAndALaterBreakAreNoMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		t.Cleanup(cloud.Close)
		switches, clouds := twoClouds(cloud, production)
		w := newWorld(t, &icwssim.Server{}, clouds)
		bjorn := w.login("bjorn")
		w.working(bjorn)
		w.faultCloud(cloud, htccsim.Fault{Route: "POST /api/v2/me/channels/{channel}", Delay: 8 * time.Second, Times: 1})
		_, err := w.post(bjorn, "chat", `{"operationName":"NotReady"}`)
		if !errors.Is(err, fault.Timeout) {
			t.Fatalf("an operation that takes long: %v; want %v", err, fault.Timeout)
		}
		time.Sleep(15 * time.Minute)
		before := switches.asked(gws1) + switches.asked(gws2)
		switches.turn(gws1, false)
		time.Sleep(300 * time.Millisecond)
		switches.turn(gws1, true)
		time.Sleep(time.Minute)
		if again := switches.asked(gws1) + switches.asked(gws2) - before; again != 0 {
			t.Errorf("%d log-ins after a break of 300 ms; want none", again)
		}
	})
}

// A hanging host answers no calls from a moment on, while what it notifies of goes on.
type hanging struct {
	http.RoundTripper
	host string
	on   atomic.Bool
}

func (h *hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	if h.on.Load() && r.URL.Host == h.host && !strings.Contains(r.URL.Path, "notifications") {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return h.RoundTripper.RoundTrip(r)
}

// TestAHostThatOnlyNotifiesIsLeft has an agent ask for something now and then, of a host that answers connects and no more.
func TestAHostThatOnlyNotifiesIsLeft(t *testing.T) {
	for _, every := range []time.Duration{time.Second, 15 * time.Second, time.Minute} {
		t.Run(every.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := &htccsim.Server{}
				t.Cleanup(cloud.Close)
				half := &hanging{RoundTripper: newPower(cloud.Transport()), host: gws1}
				w := newWorld(t, &icwssim.Server{}, func(settings *Settings, _ *Site) {
					settings.Sites = append(settings.Sites, Site{Name: "cloud", HTCC: htcc.New(htcc.Settings{Site: "cloud", Bases: []string{"http://" + gws1, "http://" + gws2},
						Timeout: 5 * time.Second, Limits: production, HTTP: half, Metrics: upstream.NewMetrics(nil, []string{"cloud"})})})
					settings.Route = unionRoute
				})
				bjorn := w.login("bjorn")
				w.working(bjorn)
				time.Sleep(time.Minute)
				half.on.Store(true)
				failed := 0
				for failed < 20 {
					_, err := w.post(bjorn, "chat", `{"operationName":"NotReady"}`)
					if err == nil {
						break
					}
					failed++
					time.Sleep(every)
				}
				if failed > 4 {
					t.Errorf("%d operations failed; want 4 at most before the other host is asked", failed)
				}
			})
		})
	}
}

func TestWithoutAHostToMoveToASessionWaits(t *testing.T) {
	for name, forget := range map[string]bool{"both hosts are gone": false, "no password is kept": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim := &icwssim.Server{IdleTimeout: -1}
				switches, hosts := twoHosts(sim, production)
				w := newWorld(t, sim, hosts, func(s *Settings, _ *Site) { s.Forget = forget })
				anna := w.login("anna")
				w.do(anna, htccapi.Ready, "")
				time.Sleep(2 * time.Second)
				switches.turn(ic1, false)
				switches.turn(ic2, forget)
				time.Sleep(time.Minute)
				switches.turn(ic1, true)
				time.Sleep(time.Minute)
				w.expect(anna, "when the host is back", "voice:Ready email:Ready Active dnd:Off")
				w.sessions("anna", 1)
			})
		})
	}
}

func TestAnHTCCSessionWhoseHostDiesMovesToAnother(t *testing.T) {
	for _, every := range append(rhythms, time.Minute) { // and by its reader alone
		t.Run(fmt.Sprint("read every ", every), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := &htccsim.Server{}
				t.Cleanup(cloud.Close)
				switches, clouds := twoClouds(cloud, production)
				w := newWorld(t, &icwssim.Server{}, clouds)
				bjorn := w.login("bjorn")
				time.Sleep(2 * time.Second)
				before := w.shows(bjorn)
				switches.turn(gws1, false)
				w.readEvery(bjorn, time.Minute, every)
				w.expect(bjorn, "at the other host", before)
				at := bjorn.parts[0].(*htccPart)
				at.mu.Lock()
				if !at.synced {
					t.Error("the reader does not read the other host")
				}
				at.mu.Unlock()
				if got := switches.asked(gws2); got != 1 {
					t.Errorf("%d log-ins at the other host; want 1", got)
				}
			})
		})
	}
}

// A password that is refused is sent once, to one host: each try counts towards locking the agent out.
func TestARefusedPasswordIsTriedOnceOnOneHost(t *testing.T) {
	for name, login := range map[string]string{"ICWS": "anna", "HTCC": "bjorn", "both": "cleo"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim, cloud := &icwssim.Server{}, &htccsim.Server{}
				atICWS, hosts := twoHosts(sim, production)
				atHTCC, clouds := twoClouds(cloud, production)
				t.Cleanup(cloud.Close)
				w := newWorld(t, sim, hosts, clouds)
				for range 3 {
					_, err := w.Login(t.Context(), Caller{Basic: true, Login: login, Password: "wrong"})
					if !errors.Is(err, fault.Unauthenticated) {
						t.Errorf("a wrong password: %v; want %v", err, fault.Unauthenticated)
					}
				}
				time.Sleep(time.Minute)
				asked := fmt.Sprint(atICWS.asked(ic1), atICWS.asked(ic2), atHTCC.asked(gws1), atHTCC.asked(gws2))
				want := map[string]string{"anna": "1 0 0 0", "bjorn": "0 0 1 0", "cleo": "1 0 1 0"}[login]
				if asked != want {
					t.Errorf("the hosts were asked %s times; want %s", asked, want)
				}
			})
		})
	}
}

// An agent of the crowd, and the notes that are theirs alone.
type crowded struct {
	name, notes string
	agent       *Agent
}

// want holds what the agent is shown and what the site has of them to what is theirs.
func (c crowded) want(w *world) {
	w.t.Helper()
	w.expect(c.agent, c.name, "voice:NotReadyAt Lunch email:NotReadyAt Lunch Active dnd:Off")
	p := c.agent.icws()
	p.mu.Lock()
	held := p.state.Status
	p.mu.Unlock()
	if held.Notes == nil || *held.Notes != c.notes || held.UserID != c.name {
		w.t.Errorf("%s has the state of %q with other notes; want %q", c.name, held.UserID, c.notes)
	}
}

// The promise: a site that is killed and comes back is not stormed, and a thousand agents are right
// again without doing anything.
func TestAThousandAgentsSurviveTheirSite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const agents, pace = 1000, 50
		sim := &icwssim.Server{}
		switches, hosts := twoHosts(sim, production)
		w := newWorld(t, sim, hosts)
		crowd := make([]crowded, agents)
		arrive := func(n int) {
			name := fmt.Sprintf("agent%04d", n+1)
			crowd[n] = crowded{name: name, notes: "notes of " + name}
			for crowd[n].agent == nil {
				agent, err := w.Login(t.Context(), Caller{Basic: true, Login: name, Password: name})
				if err != nil && fault.RetryAfter(err) == 0 {
					t.Errorf("%s logs in: %v; want an answer that says when to come again", name, err)
					return
				}
				crowd[n].agent = agent
				time.Sleep(fault.RetryAfter(err))
			}
			err := w.change(t.Context(), crowd[n].agent, translate.Request{Operation: "AtLunch", Notes: crowd[n].notes})
			if err != nil {
				t.Errorf("%s goes to lunch: %v", name, err)
			}
		}
		var work sync.WaitGroup
		for n := range crowd {
			work.Go(func() { arrive(n) })
		}
		work.Wait()
		time.Sleep(10 * time.Second)
		for _, c := range crowd {
			c.want(w)
		}

		switches.turn(ic1, false)
		switches.turn(ic2, false)
		for _, c := range crowd {
			w.fault(icwssim.Fault{Scenario: "expire-session", User: c.name})
		}
		time.Sleep(30 * time.Second)
		switches.turn(ic1, true)
		back := time.Now()
		time.Sleep(90 * time.Second)
		for _, c := range crowd {
			c.want(w)
			w.sessions(c.name, 1)
		}
		for _, host := range []string{ic1, ic2} {
			if got := switches.most(host); got > pace {
				t.Errorf("%d log-ins within a second at %s; want at most %d", got, host, pace)
			}
		}
		t.Logf("%d log-ins at the host that came back, the last %v after it did", switches.asked(ic1), switches.last(ic1).Sub(back))
	})
}
