package gateway

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
)

// HTCC loses the session of an agent, and theirs here ends while the log-in takes a second that was to bring it back.
func TestNobodyIsPutBackToWorkWhoseSessionHasEnded(t *testing.T) {
	for name, end := range map[string]func(*lost){
		"after it was idle":                    func(l *lost) { l.end(l.bjorn, endIdle) },
		"on an operator's word":                func(l *lost) { l.end(l.bjorn, endOperator) },
		"here, with the process":               func(l *lost) { l.end(l.bjorn, endStopped) },
		"here, and goes on at another replica": func(l *lost) { l.letGo(l.bjorn) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLost(t)
				before := len(l.cloud.Log())
				l.logOut()
				time.Sleep(500 * time.Millisecond)
				end(l)
				time.Sleep(time.Minute)
				if posts := l.posts(before); len(posts) > 0 {
					t.Errorf("posted %q for an agent whose session had ended", posts)
				}
				if got, want := l.atHTCC(), "voice:LoggedOut chat:LoggedOut "; got != want {
					t.Errorf("HTCC has %q; want %q", got, want)
				}
			})
		})
	}
}

// A read that many share is no goroutine of the agent's, but what it opens at HTCC is the agent's.
func TestCloseWaitsForALogInThatAReadNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLost(t)
		p := l.bjorn.parts[0].(*htccPart)
		l.faultCloud(l.cloud, htccsim.Fault{Route: routeHTCCLogin, Delay: 3 * time.Second})
		ended := make(chan time.Time)
		go func() {
			_, _ = p.joined(t.Context(), p.session)
			ended <- time.Now()
		}()
		time.Sleep(time.Second)
		l.Close(t.Context())
		closed := time.Now()
		if over := <-ended; over.After(closed) {
			t.Errorf("the log-in was over %v after Close", over.Sub(closed))
		}
		_, err := p.joined(t.Context(), p.session)
		if err == nil {
			t.Error("a session was opened after Close")
		}
	})
}

// A log-in that is over may have to wait until an order that was sent before is answered.
func TestNobodyWaitsToPutAnAgentBackWhoseSessionHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLost(t)
		orders := l.bjorn.parts[0].(*htccPart).orders.channel()
		orders <- struct{}{}
		l.logOut()
		time.Sleep(time.Minute)
		ending, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		l.end(l.bjorn, endIdle)
		l.bjorn.wait(ending)
		if ending.Err() != nil {
			t.Error("a minute after the end something of the agent goes on")
		}
		<-orders
	})
}

// What another replica opened is nobody's any more either.
func TestAnEndedSessionTakesNoUpstreamSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLost(t)
		p := l.bjorn.parts[0].(*htccPart)
		record := p.record()
		p.ended(nil)
		if p.beginAgain(record) {
			t.Error("a part of an agent whose session has ended began again")
		}
	})
}

// TestASessionWithoutNotificationsIsNotReplacedAtOnce has HTCC take log-ins, and find no session where notifications
// are asked for.
func TestASessionWithoutNotificationsIsNotReplacedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		sites, line := behindBalancer(t, cloud)
		w := newWorld(t, &icwssim.Server{}, sites)
		w.login("bjorn")
		time.Sleep(time.Second)
		before := line.asked.Load()
		w.faultCloud(cloud, htccsim.Fault{Status: 401, Route: "POST /api/v2/notifications"})
		time.Sleep(time.Minute)
		if n := line.asked.Load() - before; n > 60 {
			t.Errorf("%d requests in a minute; want few", n)
		}
	})
}
