package gateway

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/translate/htccapi"
)

func TestNobodyHearsOfAnotherAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTellingUnion(t, &htccsim.Server{})
		names := []string{"anna", "bjorn", "cleo", "agent0001"}
		desktops := map[string]*desktop{}
		for _, name := range names {
			desktops[name] = w.open(w.login(name), everything, "/v2/me/*", "/v2/me/devices")
		}
		time.Sleep(time.Second)
		w.set(icwssim.StateChange{User: "anna", StatusID: ptr("At Lunch")})
		time.Sleep(time.Second)
		for _, name := range names {
			got := desktops[name].heard()
			if (len(got) > 0) != (name == "anna") {
				t.Errorf("%s hears %q of what anna does", name, got)
			}
		}
	})
}

func TestTwoDesktopsShareAReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTelling(t, &icwssim.Server{})
		anna := w.login("anna")
		time.Sleep(time.Second)
		streams := w.sim.Calls()["GET /icws/{sessionId}/messaging/messages"]
		one, two := w.open(anna, everything), w.open(anna, "/v2/me/*", "/v2/me/devices")
		w.do(anna, "AtLunch", "")
		time.Sleep(time.Second)
		got, same := one.heardWhole(), two.heardWhole()
		if len(got) != 2 || !slices.Equal(got, same) {
			t.Errorf("one desktop hears\n%q\nthe other\n%q\nwant the same two", got, same)
		}
		if more := w.sim.Calls()["GET /icws/{sessionId}/messaging/messages"] - streams; more != 0 {
			t.Errorf("two desktops opened %d streams; want none beside the agent's own", more)
		}
	})
}

func TestADesktopIsToldHowItsSessionEnded(t *testing.T) {
	const again = "402::Unknown client handshake"
	for _, tt := range []struct {
		name string
		end  func(*world, *Agent)
		want string
	}{
		{"the agent ends it", func(w *world, a *Agent) {
			err := w.EndContactCenterSession(w.t.Context(), a)
			if err != nil {
				w.t.Error(err)
			}
		}, "none"},
		{"the site logs the agent off", func(w *world, _ *Agent) { w.fault(icwssim.Fault{Scenario: "force-logoff", User: "anna"}) }, "none"},
		{"an operator ends it", func(w *world, a *Agent) { w.end(a, endOperator) }, "none"},
		{"the process stops", func(w *world, a *Agent) { w.end(a, endStopped) }, again},
		{"the site refuses a new session", func(w *world, a *Agent) {
			_, ok := a.change(a.proof(), "")
			if !ok {
				w.t.Error("the session has ended")
			}
			w.fault(icwssim.Fault{Scenario: "expire-session", User: "anna"})
		}, again},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTelling(t, &icwssim.Server{})
				anna := w.login("anna")
				w.do(anna, htccapi.Ready, "")
				time.Sleep(time.Second)
				desktop := w.open(anna, everything)
				tt.end(w, anna)
				time.Sleep(3 * time.Second)
				if got := desktop.ending(); got != tt.want {
					t.Errorf("the held connect ends with %q; want %q; before it came %q", got, tt.want, desktop.heard())
				}
			})
		})
	}
}

func TestADesktopIsActivity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTelling(t, &icwssim.Server{})
		anna := w.login("anna")
		desktop := w.open(anna, everything)
		time.Sleep(2 * w.settings.Idle)
		if w.settings.Push.Clients(anna.SessionID()) != 1 || anna.life.Err() != nil {
			t.Error("the session of an open desktop ended")
		}
		desktop.leave()
		time.Sleep(w.settings.Idle + time.Minute)
		if anna.life.Err() == nil {
			t.Error("the session of a desktop that was closed goes on")
		}
	})
}

func TestWithoutDesktopsNothingWaits(t *testing.T) {
	for _, options := range [][]option{{telling}, nil} {
		synctest.Test(t, func(t *testing.T) {
			w := newUnion(t, &icwssim.Server{}, &htccsim.Server{}, options...)
			for _, name := range []string{"anna", "bjorn", "cleo"} {
				agent := w.login(name)
				w.shows(agent)
				for _, op := range []string{"Ready", "NotReady", "DoNotDisturbOn"} {
					_, _ = w.post(agent, "", `{"operationName":"`+op+`"}`)
					time.Sleep(time.Second)
				}
				w.tellServices("pureconnect", false)
				agent.outbox.mu.Lock()
				if agent.outbox.waiting != nil {
					t.Errorf("%d notifications wait for %s, who has no desktop", len(agent.outbox.waiting), name)
				}
				agent.outbox.mu.Unlock()
			}
		})
	}
}

// TestNotificationsKeepTheirOrder has agents' state change from all sides at once.
func TestNotificationsKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTelling(t, &icwssim.Server{AsyncDelay: -1})
		anna := w.login("anna")
		w.shows(anna)
		time.Sleep(time.Second)
		desktop := w.open(anna, everything)
		statuses := []string{"At Lunch", "At Play", "Available"}
		for round := range 60 {
			go w.set(icwssim.StateChange{User: "anna", StatusID: &statuses[round%3]})
			go w.set(icwssim.StateChange{User: "anna", Activations: map[string]bool{"Mail": round%2 == 0}})
			go func() { _, _ = w.post(anna, "", `{"operationName":"NotReady"}`) }()
			synctest.Wait()
			got := desktop.heard()
			last := ""
			for _, one := range got {
				if len(one) > 8 && one[:8] == "channels" {
					last = one[9:]
				}
			}
			if shows := w.shows(anna); last != "" && last+" Active dnd:Off" != shows {
				t.Fatalf("round %d: /me shows %q after %q", round, shows, got)
			}
		}
	})
}
