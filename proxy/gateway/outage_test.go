package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"portico/proxy/fault"
	"portico/proxy/icws/icwssim"
	"portico/proxy/session"
	"portico/proxy/upstream"
	"portico/translate"
	"portico/translate/htccapi"
)

func TestACatchUpThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		anna := w.login("anna")
		w.do(anna, htccapi.Ready, "")
		time.Sleep(time.Second)
		w.fault(icwssim.Fault{Scenario: "ic-down"})
		synctest.Wait()
		w.expect(anna, "while the site is down", "Inactive dnd:Off")
		w.fault(icwssim.Fault{Route: routeGetStatus, Status: 500, Times: 2})
		w.fault(icwssim.Fault{Scenario: "ic-up"})
		time.Sleep(10 * time.Second)
		w.expect(anna, "after it is up", "voice:NotReady email:NotReady Active dnd:Off")
		w.holds("anna", "Available, No ACD")
		before := w.sim.Calls()[routeGetStatus]
		w.shows(anna)
		if got := w.sim.Calls()[routeGetStatus]; got != before {
			t.Errorf("a read after the outage took %d calls; want none", got-before)
		}
		if got := w.logins(); got != 1 {
			t.Errorf("%d log-ins; want 1", got)
		}
	})
}

func TestASiteThatRefusesNotReadyLocksNobodyOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		anna := w.login("anna")
		w.do(anna, htccapi.Ready, "")
		time.Sleep(time.Second)
		w.fault(icwssim.Fault{Route: routePutStatus, Status: 403})
		w.fault(icwssim.Fault{Scenario: "expire-session", User: "anna"})
		time.Sleep(time.Minute)
		w.expect(anna, "after the outage", "voice:Ready email:Ready Active dnd:Off")
	})
}

func TestARefusedPasswordIsNotSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		anna := w.login("anna")
		w.shows(anna)
		time.Sleep(time.Second)
		w.fault(icwssim.Fault{Route: routeLogin, Status: 401, Times: 1})
		w.fault(icwssim.Fault{Scenario: "expire-session", User: "anna"})
		time.Sleep(time.Minute)
		asked := w.logins()
		_, err := w.Login(t.Context(), Caller{Basic: true, Login: "anna", Password: "anna"})
		if !errors.Is(err, fault.Unauthenticated) || w.logins() != asked {
			t.Errorf("the password the site refused was answered %v with %d log-ins; want %v and none", err, w.logins()-asked, fault.Unauthenticated)
		}
	})
}

func TestASiteThatTakesLogInsAndEndsThemIsNotStormed(t *testing.T) {
	for _, route := range []string{"*", routeMessages, routeGetStatus} {
		t.Run(route, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, &icwssim.Server{})
				anna := w.login("anna")
				w.shows(anna)
				time.Sleep(time.Second)
				w.fault(icwssim.Fault{Route: routeLogin, Delay: time.Millisecond}) // and right
				w.fault(icwssim.Fault{Route: route, Status: 401})
				w.fault(icwssim.Fault{Scenario: "drop-stream"})
				time.Sleep(5 * time.Minute)
				if got := w.logins(); got > 40 {
					t.Errorf("%d log-ins in 5 minutes", got)
				}
				w.sim.Reset()
				time.Sleep(time.Minute)
				w.works()
			})
		})
	}
}

func TestASessionThatEndsDuringALogInLeavesNothing(t *testing.T) {
	for name, end := range map[string]func(w *world, a *Agent){
		"an agent who ends the session": func(w *world, a *Agent) { w.end(a, endByAgent) },
		"a gateway that closes": func(w *world, _ *Agent) {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			w.Close(ctx)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, &icwssim.Server{})
				anna := w.login("anna")
				w.shows(anna)
				time.Sleep(time.Second)
				w.fault(icwssim.Fault{Route: routeLogin, Delay: 3 * time.Second, After: true, Times: 1})
				w.fault(icwssim.Fault{Scenario: "expire-session", User: "anna"})
				time.Sleep(time.Second)
				w.sessions("anna", 1)
				end(w, anna)
				time.Sleep(5 * time.Second)
				w.sessions("anna", 0)
			})
		})
	}
}

func TestAReadThatFailsBreaksNoLogInOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		w.fault(icwssim.Fault{Route: routeGetStatus, Status: 401, Times: 1})
		w.fault(icwssim.Fault{Route: routeCatalogue, Status: 500, Delay: time.Second, Times: 1})
		w.fault(icwssim.Fault{Route: routeLogin, Delay: 2 * time.Second, After: true, Times: 2})
		anna := w.login("anna")
		time.Sleep(time.Minute)
		w.expect(anna, "after all", "voice:NotReady email:NotReady Active dnd:Off")
		w.sessions("anna", 2) // one is taken to be gone, and lives on only in the simulator
	})
}

func TestCloseWaitsForLogIns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		w.fault(icwssim.Fault{Route: routeLogin, Delay: 3 * time.Second, After: true, Times: 1})
		refused := make(chan error, 1)
		go func() {
			_, err := w.Login(t.Context(), Caller{Basic: true, Login: "anna", Password: "anna"})
			refused <- err
		}()
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		w.Close(ctx)
		w.sessions("anna", 0)
		if err := <-refused; !errors.Is(err, fault.Overloaded) {
			t.Errorf("a log-in during the end: %v; want %v", err, fault.Overloaded)
		}
		asked := w.logins()
		_, err := w.Login(t.Context(), Caller{Basic: true, Login: "cleo", Password: "cleo"})
		if !errors.Is(err, fault.Overloaded) || w.logins() != asked {
			t.Errorf("a log-in after the end: %v, %d sent; want %v and none", err, w.logins()-asked, fault.Overloaded)
		}
		n, err := w.store.Len(t.Context())
		if n != 0 || err != nil {
			t.Errorf("%d sessions are left in the store (%v); want 0", n, err)
		}
	})
}

// TestCloseWaitsForSessionsThatEnd has an agent log out a moment before the process stops, at a site that takes its time.
func TestCloseWaitsForSessionsThatEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		anna := w.login("anna")
		w.shows(anna)
		w.fault(icwssim.Fault{Route: "DELETE /icws/{sessionId}/connection", Delay: 3 * time.Second, Times: 1})
		err := w.EndContactCenterSession(t.Context(), anna)
		if err != nil {
			t.Fatal(err)
		}
		w.sessions("anna", 1)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		w.Close(ctx)
		w.sessions("anna", 0)
		w.mu.RLock()
		defer w.mu.RUnlock()
		if len(w.leaving) != 0 {
			t.Errorf("%d agents are still leaving; want none", len(w.leaving))
		}
	})
}

func TestCloseWaitsForWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		anna := w.login("anna")
		w.shows(anna)
		w.fault(icwssim.Fault{Route: routePutStatus, Delay: 3 * time.Second, Times: 1})
		answered := make(chan error, 1)
		go func() { answered <- w.change(t.Context(), anna, translate.Request{Operation: "AtLunch"}) }()
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		w.Close(ctx)
		synctest.Wait()
		select {
		case <-answered:
		default:
			t.Error("Close returned while a write was under way")
		}
		w.sessions("anna", 0)
	})
}

func TestTwoHundredSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const sessions = 200
		w := newWorld(t, &icwssim.Server{})
		var agents sync.WaitGroup
		for n := range sessions {
			agents.Go(func() {
				agent := w.login(agentName(n + 1))
				w.do(agent, htccapi.Ready, "")
				w.shows(agent)
			})
		}
		agents.Wait()
		w.fault(icwssim.Fault{Scenario: "expire-session"})
		time.Sleep(time.Minute)
		if got := w.logins(); got != 2*sessions {
			t.Errorf("%d log-ins; want %d", got, 2*sessions)
		}
		if got := w.sim.Calls()[routeCatalogue]; got != sessions {
			t.Errorf("%d fetches of the catalogue; want %d", got, sessions)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		w.Close(ctx)
		for n := range sessions {
			w.sessions(agentName(n+1), 0)
		}
		left := w.sites["pureconnect"].(*icwsSite).directories.Len()
		if left != 0 {
			t.Errorf("%d directories are left", left)
		}
	})
}

// broken is a store that cannot look names up.
type broken struct{ session.Store }

func (broken) ByLogin(context.Context, string) (session.Session, error) {
	return session.Session{}, errors.New("no connection")
}

func TestAStoreThatIsDownCostsNoLogIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{}, func(s *Settings, _ *Site) { s.Store = broken{s.Store} })
		_, err := w.Login(t.Context(), Caller{Basic: true, Login: "anna", Password: "anna"})
		if !errors.Is(err, fault.Overloaded) || w.logins() != 0 {
			t.Errorf("%v, %d log-ins; want %v and none", err, w.logins(), fault.Overloaded)
		}
	})
}

func agentName(n int) string { return fmt.Sprintf("agent%04d", n) }

// heardLog is a log whose readers take what was said.
type heardLog struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (s *heardLog) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(line)
}

func (s *heardLog) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.text.Reset()
	return s.text.String()
}

func TestTheLogSaysWhyASiteDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &heardLog{}
		w := newWorld(t, &icwssim.Server{}, func(s *Settings, _ *Site) { s.Logger = slog.New(slog.NewTextHandler(log, nil)) })
		synctest.Wait()
		expect := func(when string, want ...string) {
			t.Helper()
			text := log.take()
			if lines := strings.Count(text, "\n"); lines != min(len(want), 1) {
				t.Errorf("%s the log has %d lines:\n%s", when, lines, text)
			}
			for _, one := range want {
				if !strings.Contains(text, one) {
					t.Errorf("%s it does not say %s:\n%s", when, one, text)
				}
			}
		}
		expect("at first")
		w.fault(icwssim.Fault{Route: "GET /icws/connection/version", Status: 503, Times: 6})
		time.Sleep(6 * upstream.ProbeEvery)
		synctest.Wait()
		expect("while the site is down", "level=WARN", `msg="the site does not answer"`, "site=pureconnect", "503")
		time.Sleep(upstream.ProbeEvery)
		synctest.Wait()
		expect("when it is up", "level=INFO", `msg="the site answers again"`)
	})
}

// A line leads to whichever site is behind it.
type line struct {
	to atomic.Pointer[http.RoundTripper]
}

func (l *line) lead(to http.RoundTripper) { l.to.Store(&to) }

func (l *line) RoundTrip(r *http.Request) (*http.Response, error) { return (*l.to.Load()).RoundTrip(r) }

// TestASiteThatCountsSessionsAnewIsLoggedInToOnce has the server restarted: the first session of the new one has the id of
// the one that is lost.
func TestASiteThatCountsSessionsAnewIsLoggedInToOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before, after := &icwssim.Server{}, &icwssim.Server{}
		site := &line{}
		site.lead(before.Transport())
		w := newWorld(t, after, func(_ *Settings, s *Site) { s.ICWS = newClient(site, prometheus.NewRegistry()) })
		anna := w.login("anna")
		w.shows(anna)
		time.Sleep(time.Second)
		was := anna.icws().connection()
		w.fault(icwssim.Fault{Route: routeLogin, Delay: 100 * time.Millisecond})
		site.lead(after.Transport())
		before.Close()
		var reads sync.WaitGroup
		for range 5 {
			reads.Go(func() { w.shows(anna) })
			time.Sleep(10 * time.Millisecond)
		}
		reads.Wait()
		time.Sleep(time.Minute)
		if now := anna.icws().connection(); now.SessionID != was.SessionID || now.IsSame(was) {
			t.Fatalf("the session is %s, the same: %v; want another one of the id %s", now.SessionID, now.IsSame(was), was.SessionID)
		}
		w.sessions("anna", 1)
		w.expect(anna, "after the restart", "voice:NotReady email:NotReady Active dnd:Off")
	})
}

// An agent's state takes several reads, of which one tries whether the host is back: that the others may not be made
// meanwhile must not end it, or the host would not be found to be back.
func TestAStateIsReadFromAHostThatIsBack(t *testing.T) {
	for took, reads := range map[time.Duration]int{time.Millisecond: 1, 1500 * time.Millisecond: 2} {
		t.Run(fmt.Sprint("in ", took), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, &icwssim.Server{}, beating)
				anna := w.login("anna")
				w.shows(anna)
				time.Sleep(time.Second)
				p := anna.icws()
				w.fault(icwssim.Fault{Route: routeGetStatus, Status: 503})
				for range production.BreakerCalls {
					_, _ = p.site.ICWS.UserStatus(t.Context(), p.connection(), "anna")
				}
				w.sim.Reset()
				time.Sleep(production.BreakerPause + time.Second)
				w.fault(icwssim.Fault{Route: routeGetStatus, Delay: took})
				w.fault(icwssim.Fault{Route: routeGetActivations, Delay: took})
				var err error
				for range reads {
					_, err = p.read(t.Context())
				}
				if err != nil {
					t.Errorf("read %d of a host that is back: %v", reads, err)
				}
			})
		})
	}
}
