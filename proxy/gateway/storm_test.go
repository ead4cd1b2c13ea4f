package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/fault"
	"portico/proxy/icws/icwssim"
	"portico/translate"
	"portico/translate/htccapi"
)

func TestFiftyFirstLogInsOfWhichHalfGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		w.fault(icwssim.Fault{Route: routeLogin, Delay: 2 * time.Second, Times: 1})
		var callers sync.WaitGroup
		agents := make([]*Agent, 50)
		for n := range agents {
			callers.Go(func() {
				ctx, cancel := t.Context(), func() {}
				if n%2 == 0 {
					ctx, cancel = context.WithTimeout(ctx, time.Second)
				}
				defer cancel()
				agent, err := w.Login(ctx, Caller{Basic: true, Login: "anna", Password: "anna"})
				agents[n] = agent
				if n%2 == 0 && !errors.Is(err, fault.Timeout) || n%2 == 1 && err != nil {
					t.Errorf("caller %d: %v", n, err)
				}
			})
		}
		callers.Wait()
		for n := 1; n < len(agents); n += 2 {
			if agents[n] != agents[1] {
				t.Error("two callers have different sessions")
			}
		}
		if got := w.logins(); got != 1 {
			t.Errorf("%d log-ins; want 1", got)
		}
		w.sessions("anna", 1)
	})
}

func TestAStormOfWrongPasswords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{}, func(s *Settings, _ *Site) { s.Guesses.PerName = 10 })
		anna := w.login("anna")
		w.do(anna, htccapi.Ready, "")
		var callers sync.WaitGroup
		for n := range 100 {
			callers.Go(func() {
				_, err := w.Login(t.Context(), Caller{Basic: true, Login: "anna", Password: fmt.Sprint("wrong", n%5)})
				if !errors.Is(err, fault.Unauthenticated) {
					t.Errorf("a wrong password: %v; want %v", err, fault.Unauthenticated)
				}
				if w.login("anna") != anna {
					t.Error("the right password led to another session")
				}
			})
		}
		callers.Wait()
		if got := w.logins(); got != 6 {
			t.Errorf("%d log-ins; want 1 and one for each wrong password", got)
		}
		w.expect(anna, "after the storm", "voice:Ready email:Ready Active dnd:Off")
	})
}

func TestAPasswordThatChangesDuringWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		users := icwssim.StockUsers()
		users = append(users, icwssim.User{ID: "twin", Password: "new", Activations: map[string]bool{"Sales": true}})
		// The site takes both passwords: each is of a user of its own, who are one agent to us.
		password := "twin"
		w := newWorld(t, &icwssim.Server{Users: append(users, icwssim.User{ID: "old", Password: "old"})}, func(s *Settings, _ *Site) {
			s.Route = func(string) (Route, bool) { return Route{Stops: []Stop{{Site: "pureconnect", Login: password}}}, true }
		})
		agent, err := w.Login(t.Context(), Caller{Basic: true, Login: "agent", Password: "new"})
		if err != nil {
			t.Fatal(err)
		}
		w.shows(agent)
		time.Sleep(time.Second)
		password = "old"
		w.fault(icwssim.Fault{Route: routePutStatus, Delay: time.Second})
		var writes sync.WaitGroup
		for range 5 {
			writes.Go(func() { w.do(agent, "AtLunch", "") })
		}
		same, err := w.Login(t.Context(), Caller{Basic: true, Login: "agent", Password: "old"})
		if err != nil || same != agent {
			t.Errorf("another password that the site takes: %v, the same session: %v", err, same == agent)
		}
		writes.Wait()
		w.sessions("old", 0)
		w.sessions("twin", 1)
		asked := w.logins()
		same, err = w.Login(t.Context(), Caller{Basic: true, Login: "agent", Password: "old"})
		if err != nil || same != agent || w.logins() != asked {
			t.Errorf("the changed password is not known: %v", err)
		}
	})
}

func TestAPasswordThatChangesAsTheSessionEnds(t *testing.T) {
	for why, want := range map[ending]error{endIdle: nil, endOperator: fault.Unauthenticated} {
		t.Run(string(why), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				users := icwssim.StockUsers()
				user := "anna"
				w := newWorld(t, &icwssim.Server{Users: users}, func(s *Settings, _ *Site) {
					s.Route = func(string) (Route, bool) { return Route{Stops: []Stop{{Site: "pureconnect", Login: user}}}, true }
				})
				first, err := w.Login(t.Context(), Caller{Basic: true, Login: "agent", Password: "anna"})
				if err != nil {
					t.Fatal(err)
				}
				user = "cleo"
				w.fault(icwssim.Fault{Route: routeLogin, Delay: 2 * time.Second, Times: 1})
				answered := make(chan error, 1)
				go func() {
					agent, err := w.Login(t.Context(), Caller{Basic: true, Login: "agent", Password: "cleo"})
					if agent == first {
						t.Error("a session that has ended is given out")
					}
					answered <- err
				}()
				time.Sleep(time.Second)
				w.end(first, why)
				err = <-answered
				if !errors.Is(err, want) {
					t.Errorf("%v; want %v", err, want)
				}
				w.sessions("anna", 0)
				open := 1
				if want != nil {
					open = 0
				}
				w.sessions("cleo", open)
				n, err := w.store.Len(t.Context())
				if n != open || err != nil {
					t.Errorf("%d sessions in the store (%v); want %d", n, err, open)
				}
			})
		})
	}
}

func TestTheLanguageOfASession(t *testing.T) {
	for accept, want := range map[string]string{
		"":                       "en-us",
		"de":                     "de",
		"de-AT,de;q=0.9":         "de",
		"fr, de;q=0.5, en;q=0.1": "de",
		"en-GB":                  "en-us",
		"fr":                     "en-us",
		"*":                      "en-us",
		"not a language":         "en-us",
	} {
		t.Run(accept, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, &icwssim.Server{})
				agent, err := w.Login(t.Context(), Caller{Basic: true, Login: "anna", Password: "anna", Language: accept})
				if err != nil {
					t.Fatal(err)
				}
				if got := agent.icws().connection().Language; got != want {
					t.Errorf("Accept-Language %q: %q; want %q", accept, got, want)
				}
			})
		})
	}
}

func TestTheLogNamesUnmappedWorkgroupsAndNoSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		users := []icwssim.User{{ID: "anna", Password: "s3cret", Activations: map[string]bool{"Sales": true, "Gold": true, "Silver": false}}}
		w := newWorld(t, &icwssim.Server{Users: users}, func(s *Settings, _ *Site) { s.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		agent, err := w.Login(t.Context(), Caller{Basic: true, Login: "anna", Password: "s3cret"})
		if err != nil {
			t.Fatal(err)
		}
		w.shows(agent)
		time.Sleep(time.Second)
		conn := agent.icws().connection()
		for _, scenario := range []string{"expire-session", "drop-stream", "reset-connection", "garbage", "hang"} {
			w.fault(icwssim.Fault{Scenario: scenario, Times: 2})
			_ = w.change(t.Context(), agent, translate.Request{Operation: "AtLunch"})
			time.Sleep(time.Minute)
		}
		w.end(agent, endForced)
		time.Sleep(20 * time.Second)
		text := log.String()
		if !strings.Contains(text, `workgroups=[Gold]`) {
			t.Error("the log does not name the activated workgroup that no channel maps")
		}
		for what, secret := range map[string]string{"password": "s3cret", "upstream session": conn.SessionID, "token": conn.CSRFToken,
			"cookie": conn.Cookie, "session": agent.SessionID()} {
			if strings.Contains(text, secret) {
				t.Errorf("the log has the %s", what)
			}
		}
	})
}
