package gateway

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc"
	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/proxy/upstream"
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

// A site loses the session of an agent, and theirs here ends at another replica while the reader logs in again. What that
// opened is nobody's.
func TestNobodyIsPutBackToWorkWhoseSessionHasEndedElsewhere(t *testing.T) {
	for name, end := range map[string]func(*world, *Agent){
		"after it was idle":     func(b *world, agent *Agent) { b.end(agent, endIdle) },
		"on an operator's word": func(b *world, agent *Agent) { b.end(agent, endOperator) },
	} {
		for _, login := range []string{"bjorn", "cleo"} {
			t.Run(name+", "+login, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					fleet, cloud, a, b := twoTellers(t)
					fleet.sim.IdleTimeout = -1
					p := newPair(t, a, b, login, false)
					b.shows(p.atB)
					a.posted(p.atA, "", startTwo)
					settle()
					a.fault(icwssim.Fault{Route: routeLogin, Delay: time.Second})
					a.faultCloud(cloud, htccsim.Fault{Route: routeHTCCLogin, Delay: time.Second})
					a.fault(icwssim.Fault{Scenario: "expire-session"})
					a.faultCloud(cloud, htccsim.Fault{Scenario: "expire-session"})
					a.faultCloud(cloud, htccsim.Fault{Scenario: "end-contact-center-session", User: login})
					time.Sleep(500 * time.Millisecond)
					end(b, p.atB)
					time.Sleep(5 * time.Minute)
					a.outOfWork(cloud, login)
					if login == "cleo" {
						a.sessions(login, 0)
					}
					if a.agent(p.atA.SessionID()) != nil {
						t.Error("the reader still has the agent")
					}
				})
			})
		}
	}
}

// TestTheEndWhileTheReaderWaitsForItsTurnToLogIn has HTCC log an agent out, and the agent end the session at another
// replica, while the reader waits behind the log-ins of others: for longer than the end waits for it, in the last case.
func TestTheEndWhileTheReaderWaitsForItsTurnToLogIn(t *testing.T) {
	for _, wait := range []time.Duration{5 * time.Second, 15 * time.Second, 23 * time.Second} {
		t.Run(wait.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fleet, cloud := newShared(), &htccsim.Server{}
				t.Cleanup(cloud.Close)
				var free atomic.Int64 // when the line is empty, in Unix nanoseconds
				limits := unpaced()
				limits.Logins, limits.LoginQueue, limits.LoginWait = 10, 1000, 30*time.Second
				limits.LoginTurn = func(context.Context, time.Duration, int) (time.Duration, error) {
					return max(0, time.Until(time.Unix(0, free.Load()))), nil
				}
				sites := func(s *Settings, _ *Site) {
					s.Sites = []Site{{Name: "cloud", HTCC: htcc.New(htcc.Settings{Site: "cloud", Bases: []string{"http://gws.example:8090"}, Limits: limits,
						Timeout: 5 * time.Second, HTTP: cloud.Transport(), Metrics: upstream.NewMetrics(nil, nil)})}}
					s.Route = unionRoute
				}
				a, _ := fleet.replica(t, sites)
				b, _ := fleet.replica(t, sites)
				p := newPair(t, a, b, "bjorn", false)
				b.shows(p.atB)
				a.working(p.atA)
				free.Store(time.Now().Add(wait).UnixNano())
				a.faultCloud(cloud, htccsim.Fault{Scenario: "expire-session", User: "bjorn"})
				a.faultCloud(cloud, htccsim.Fault{Scenario: "end-contact-center-session", User: "bjorn"})
				time.Sleep(time.Second)
				b.ends(p.atA.SessionID())
				a.outOfWork(cloud, "bjorn")
				time.Sleep(5 * time.Minute)
				a.outOfWork(cloud, "bjorn")
			})
		})
	}
}

// TestTheEndWhereTheSiteWasAwayWhenTheAgentCame has HTCC be away while cleo comes to both replicas. She works by way of the
// first, and ends at the second, which has no session at HTCC.
func TestTheEndWhereTheSiteWasAwayWhenTheAgentCame(t *testing.T) {
	for name, c := range map[string]struct {
		cookie bool // at the second replica, which keeps no password then
		lost   bool // the session, before the end
	}{
		"by name and password": {false, false},
		"by cookie":            {true, false},
		"by name and password, and the session is lost": {false, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, cloud, a, b := twoTellers(t)
				a.faultCloud(cloud, htccsim.Fault{Route: routeHTCCLogin, Status: http.StatusServiceUnavailable, Times: 1000})
				p := newPair(t, a, b, "cleo", c.cookie)
				cloud.Reset()
				time.Sleep(time.Minute)
				a.working(p.atA)
				time.Sleep(time.Minute)
				if c.lost {
					a.faultCloud(cloud, htccsim.Fault{Scenario: "expire-session", User: "cleo"})
				}
				b.ends(p.atA.SessionID())
				b.outOfWork(cloud, "cleo")
				time.Sleep(5 * time.Minute)
				b.outOfWork(cloud, "cleo")
				a.sessionsAtHTCC(cloud, "cleo", 0)
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
		p.end(nil)
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

// TestSessionsThatDoNotLastAreReplacedLessAndLessOften has HTCC take log-ins, and a balancer bring what is held to
// another host, which knows no session. The first session is replaced at once, also when all has been well again.
func TestSessionsThatDoNotLastAreReplacedLessAndLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		sites, line := behindBalancer(t, cloud)
		w := newWorld(t, &icwssim.Server{}, sites)
		bjorn := w.login("bjorn")
		for range 2 {
			time.Sleep(time.Minute)
			before := line.logins.Load()
			line.strays.Store(1)
			w.lose(cloud, "bjorn")
			for line.strays.Load() > 0 || !bjorn.parts[0].current() {
				time.Sleep(10 * time.Millisecond)
			}
			took := time.Since(time.Unix(0, line.strayed.Load()))
			if n := line.logins.Load() - before; n != 1 || took > 200*time.Millisecond {
				t.Errorf("%d log-ins, and the state known %v after a session was lost; want 1, at once", n, took)
			}
		}
		before := line.logins.Load()
		line.strays.Store(1_000_000)
		w.lose(cloud, "bjorn")
		time.Sleep(time.Minute)
		if n := line.logins.Load() - before; n > 12 {
			t.Errorf("%d log-ins in a minute; want few", n)
		}
		line.strays.Store(0)
		time.Sleep(time.Minute)
		if !bjorn.parts[0].current() {
			t.Error("the state is not kept current once sessions last; want that it is")
		}
	})
}
