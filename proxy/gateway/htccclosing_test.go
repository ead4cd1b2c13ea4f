package gateway

import (
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/fault"
	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/translate/htccapi"
)

// uses are what finds the upstream session gone that an End under way has ended.
var uses = map[string]func(*world, *Agent) error{
	"a read": func(w *world, a *Agent) error {
		_, err := w.Me(w.t.Context(), a, nil)
		return err
	},
	"a read of more than is kept": func(w *world, a *Agent) error {
		_, err := w.Me(w.t.Context(), a, []string{htccapi.SubSkills})
		return err
	},
	"an operation": func(w *world, a *Agent) error {
		_, err := w.post(a, "chat", `{"operationName":"Ready"}`)
		return err
	},
	"a Start where HTCC had taken the password no more": func(w *world, a *Agent) error {
		a.atHTCC()[0].end(nil)
		_, err := w.StartContactCenterSession(w.t.Context(), a, []htccapi.MediaChannel{"chat"}, Ask{Body: json.RawMessage(startTwo)})
		return err
	},
	"the reader": func(_ *world, a *Agent) error {
		part := a.atHTCC()[0]
		_, err := part.receive(a.life)
		return err
	},
}

// TestAnEndUnderWayIsTheLastOfTheSession has PureConnect take three seconds for the end, and the agent's session used
// meanwhile, which HTCC has ended at once.
func TestAnEndUnderWayIsTheLastOfTheSession(t *testing.T) {
	for name, use := range uses {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := &htccsim.Server{}
				w := newUnion(t, &icwssim.Server{}, cloud)
				cleo := w.login("cleo")
				w.working(cleo)
				w.fault(icwssim.Fault{Route: routePutStatus, Delay: 3 * time.Second})
				var work sync.WaitGroup
				work.Go(func() {
					time.Sleep(time.Second)
					err := cleo.BrokenOff(t.Context(), use(w, cleo))
					if !errors.Is(err, fault.Unauthenticated) {
						t.Errorf("%s, amid the end: %v; want %v", name, err, fault.Unauthenticated)
					}
				})
				err := w.EndContactCenterSession(t.Context(), cleo)
				if err != nil {
					t.Error(err)
				}
				work.Wait()
				time.Sleep(time.Minute)
				w.outOfWork(cloud, "cleo")
				w.sessionsAtHTCC(cloud, "cleo", 0)
			})
		})
	}
}

// TestAnEndThatPureConnectRefusesLetsTheAgentWorkOn is the same where the end fails after three seconds.
func TestAnEndThatPureConnectRefusesLetsTheAgentWorkOn(t *testing.T) {
	for name, use := range uses {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := &htccsim.Server{}
				w := newUnion(t, &icwssim.Server{}, cloud)
				cleo := w.login("cleo")
				w.working(cleo)
				w.fault(icwssim.Fault{Route: routePutStatus, Delay: 3 * time.Second, Status: 500})
				var work sync.WaitGroup
				work.Go(func() {
					time.Sleep(time.Second)
					err := use(w, cleo)
					if errors.Is(err, fault.Unauthenticated) && name != "the reader" {
						t.Errorf("%s, amid the end: %v; want none that says that the session has ended", name, err)
					}
				})
				err := w.EndContactCenterSession(t.Context(), cleo)
				if err == nil {
					t.Error("the end succeeded; want it refused")
				}
				work.Wait()
				w.sim.Reset()
				w.started(cleo, "")
				w.posted(cleo, "", `{"operationName":"Ready"}`)
				settle()
				w.expect(cleo, "working on", "voice:Ready chat:Ready email:Ready Active dnd:Off")
				w.sessionsAtHTCC(cloud, "cleo", 1)
				err = w.EndContactCenterSession(t.Context(), cleo)
				if err != nil {
					t.Error(err)
				}
				time.Sleep(time.Minute)
				w.outOfWork(cloud, "cleo")
				w.sessionsAtHTCC(cloud, "cleo", 0)
			})
		})
	}
}

// TestAnEndThatPureConnectRefusesLeavesWhatWasAskedForAtAnHTCCThatWasAway has HTCC offer channels later that the agent has
// not started.
func TestAnEndThatPureConnectRefusesLeavesWhatWasAskedForAtAnHTCCThatWasAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{IdleTimeout: time.Hour}
		w := newUnion(t, &icwssim.Server{IdleTimeout: time.Hour}, cloud)
		cleo := w.login("cleo")
		w.posted(cleo, "", startOf("voice chat"))
		w.posted(cleo, "", `{"operationName":"Ready"}`)
		settle()
		w.faultCloud(cloud, htccsim.Fault{Status: http.StatusServiceUnavailable})
		w.fault(icwssim.Fault{Route: routePutStatus, Status: http.StatusInternalServerError})
		err := w.EndContactCenterSession(t.Context(), cleo)
		if err == nil {
			t.Error("the end succeeded; want it refused")
		}
		cloud.Reset()
		w.sim.Reset()
		time.Sleep(time.Minute)
		w.setCloud(cloud, htccsim.StateChange{User: "cleo", Channels: htccsim.ChannelStates{"chat": "NotReady", "email": "NotReady"}})
		settle()
		w.expect(cleo, "once HTCC is back", "voice:Ready chat:NotReady email:LoggedOut Active dnd:Off")
		w.posted(cleo, "", `{"operationName":"Ready"}`)
		settle()
		worksAt(t, cloud, "cleo", "chat:Ready email:NotReady")
		w.faultCloud(cloud, htccsim.Fault{Scenario: "expire-session", User: "cleo"})
		time.Sleep(time.Minute)
		w.sessionsAtHTCC(cloud, "cleo", 1)
	})
}
