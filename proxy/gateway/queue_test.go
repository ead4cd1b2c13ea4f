package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/fault"
	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/proxy/upstream"
	"portico/translate"
	"portico/translate/htccapi"
)

// slow are limits of one log-in a second.
var slow = upstream.Limits{Logins: 1, LoginQueue: 10, LoginWait: 5 * time.Second}

// waitInLine has so many agents wait for their log-ins.
func (w *world) waitInLine(n int) *sync.WaitGroup {
	var work sync.WaitGroup
	for n := range n {
		work.Go(func() { w.login(fmt.Sprintf("agent%04d", n+1)) })
		synctest.Wait()
	}
	return &work
}

func TestALogInThatNobodyWaitsForLeavesTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := &icwssim.Server{}
		_, hosts := twoHosts(sim, slow)
		w := newWorld(t, sim, hosts)
		others := w.waitInLine(3)
		ctx, leave := context.WithCancel(t.Context())
		var callers sync.WaitGroup
		for range 2 { // who both ask for the same
			callers.Go(func() {
				_, err := w.Login(ctx, Caller{Basic: true, Login: "anna", Password: "anna"})
				if !errors.Is(err, fault.Timeout) {
					t.Errorf("a caller who left: %v; want %v", err, fault.Timeout)
				}
			})
		}
		synctest.Wait()
		leave()
		callers.Wait()
		again := make(chan *Agent)
		go func() { again <- w.login("anna") }() // at the same moment as the first is given up
		others.Wait()
		began := time.Now()
		<-again
		if waited := time.Since(began); waited > time.Second {
			t.Errorf("who came again waited %v longer than those before them; want 1s", waited)
		}
		if got := w.logins(); got != 4 {
			t.Errorf("%d log-ins; want 4: nobody waited for the one that was given up", got)
		}
	})
}

func TestACallersNeedOfASessionGoesBeforeReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const agents = 60
		sim := &icwssim.Server{}
		_, hosts := twoHosts(sim, upstream.Limits{Logins: 2, LoginQueue: 100, LoginWait: time.Minute})
		w := newWorld(t, sim, hosts)
		var all []*Agent
		for n := range agents {
			all = append(all, w.login(fmt.Sprintf("agent%04d", n+1)))
		}
		time.Sleep(10 * time.Second)
		w.fault(icwssim.Fault{Scenario: "expire-session"})
		w.fault(icwssim.Fault{Scenario: "drop-stream"})
		time.Sleep(5 * time.Second)
		began := time.Now()
		for _, agent := range all[agents-3:] {
			w.do(agent, "AtLunch", "")
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("three callers waited %v; want their turns at once", took)
		}
		time.Sleep(time.Minute)
		for n, agent := range all {
			if shown := w.shows(agent); shown == "Inactive dnd:Off" {
				t.Errorf("agent%04d is not back: %s", n+1, shown)
			}
		}
	})
}

func TestAFullQueueIsToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := &icwssim.Server{}
		_, hosts := twoHosts(sim, slow)
		w := newWorld(t, sim, hosts)
		others := w.waitInLine(6)
		began := time.Now()
		_, err := w.Login(t.Context(), Caller{Basic: true, Login: "anna", Password: "anna"})
		if fault.Status(err) != 503 || fault.Code(err) != 4 || fault.RetryAfter(err) < 5*time.Second || time.Since(began) != 0 {
			t.Errorf("a log-in whose turn is 6 s away: %v after %v, again after %v; want 503 and 4 at once", err, time.Since(began), fault.RetryAfter(err))
		}
		others.Wait()
		time.Sleep(fault.RetryAfter(err))
		w.login("anna")
	})
}

// The promise of TestAThousandAgentsSurviveTheirSite for an HTCC site, where a lost session is no outage.
func TestAgentsOfAnHTCCSiteComeBackAtItsPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const agents, pace = 100, 5
		limits := production
		limits.Logins, limits.LoginWait = pace, 25*time.Second
		users := []htccsim.User{}
		for n := range agents {
			users = append(users, htccsim.User{UserName: fmt.Sprint("agent", n), Password: fmt.Sprint("agent", n), Phone: fmt.Sprint(6000 + n)})
		}
		cloud := &htccsim.Server{Users: users}
		t.Cleanup(cloud.Close)
		switches, clouds := twoClouds(cloud, limits)
		w := newWorld(t, &icwssim.Server{}, clouds, func(s *Settings, _ *Site) {
			s.Route = func(login string) (Route, bool) { return Route{Stops: []Stop{{"cloud", login}}}, true }
		})
		all := make([]*Agent, agents)
		var work sync.WaitGroup
		for n := range all {
			work.Go(func() { all[n] = w.login(fmt.Sprint("agent", n)) })
		}
		work.Wait()
		states := []htccapi.Operation{htccapi.Ready, htccapi.NotReady}
		before := map[int]string{}
		for n, agent := range all {
			for _, body := range []string{`{"operationName":"StartContactCenterSession","channels":["voice"]}`, fmt.Sprintf(`{"operationName":%q}`, states[n%2])} {
				_, err := w.post(agent, "", body)
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		time.Sleep(5 * time.Second)
		for n, agent := range all {
			before[n] = w.shows(agent)
		}
		switches.turn(gws1, false)
		switches.turn(gws2, false)
		for n := range all {
			err := cloud.Fault(htccsim.Fault{Scenario: "expire-session", User: fmt.Sprint("agent", n)})
			if err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(30 * time.Second)
		switches.turn(gws1, true)
		time.Sleep(2 * time.Minute)
		for n, agent := range all {
			w.expect(agent, fmt.Sprint("agent", n, " after all"), before[n])
		}
		if got := max(switches.most(gws1), switches.most(gws2)); got > pace {
			t.Errorf("%d log-ins within a second at one host; want at most %d", got, pace)
		}
	})
}

func TestAWriteAtAHostThatIsNotCalledIsToldWhenToComeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := &icwssim.Server{}
		switches, hosts := twoHosts(sim, production)
		w := newWorld(t, sim, hosts)
		anna := w.login("anna")
		w.shows(anna)
		time.Sleep(2 * time.Second)
		switches.turn(ic1, false)
		switches.turn(ic2, false)
		var err error
		for range 40 {
			err = w.change(t.Context(), anna, translate.Request{Operation: "AtLunch"})
			time.Sleep(100 * time.Millisecond)
		}
		if fault.Status(err) != 503 || fault.Code(err) != 4 || fault.RetryAfter(err) == 0 {
			t.Errorf("a write while no host is called: %v, again after %v; want 503 and 4", err, fault.RetryAfter(err))
		}
		switches.turn(ic1, true)
		time.Sleep(time.Minute)
		w.do(anna, "AtLunch", "")
	})
}
