package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/guesses"
	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/translate/icwsapi"
)

// endsAt has an agent who is at work end their session while something is wrong, which is over a minute later.
func (w *world) endsAt(a *Agent, wrong, right func()) {
	w.t.Helper()
	wrong()
	err := w.EndContactCenterSession(w.t.Context(), a)
	if err != nil {
		w.t.Errorf("End: %v", err)
	}
	time.Sleep(time.Minute)
	right()
	time.Sleep(2 * time.Minute)
}

// TestALateEndLogsInWhereHTCCHasForgottenTheSession has HTCC restart around an End, and its log-ins be away.
func TestALateEndLogsInWhereHTCCHasForgottenTheSession(t *testing.T) {
	away := htccsim.Fault{Status: http.StatusServiceUnavailable}
	noLogin := htccsim.Fault{Route: "GET /api/v2/me", Status: http.StatusServiceUnavailable}
	once := noLogin
	once.Times = 1
	gone := htccsim.Fault{Scenario: "expire-session", User: "cleo"}
	for name, c := range map[string]struct{ before, after []htccsim.Fault }{
		"away, and its sessions are gone when it is back": {[]htccsim.Fault{away}, []htccsim.Fault{gone}},
		"takes no log-in for a moment":                    {[]htccsim.Fault{once, gone}, nil},
		"takes no log-in for a minute":                    {[]htccsim.Fault{noLogin, gone}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, cloud, cleo := newAtWork(t)
				w.endsAt(cleo, func() {
					for _, f := range c.before {
						w.faultCloud(cloud, f)
					}
				}, func() {
					cloud.Reset()
					for _, f := range c.after {
						w.faultCloud(cloud, f)
					}
				})
				w.outOfWork(cloud, "cleo")
			})
		})
	}
}

// TestALateEndIsSaidToBeImpossible has PureConnect forget the session, and take no log-in, when the agent ends theirs.
func TestALateEndIsSaidToBeImpossible(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &strings.Builder{}
		w := newWorld(t, &icwssim.Server{IdleTimeout: time.Hour}, func(s *Settings, _ *Site) { s.Logger = slog.New(slog.NewTextHandler(log, nil)) })
		anna := w.login("anna")
		w.do(anna, "Ready", "")
		settle()
		w.endsAt(anna, func() {
			w.fault(icwssim.Fault{Route: routeLogin, Status: http.StatusServiceUnavailable})
			w.fault(icwssim.Fault{Scenario: "expire-session", User: "anna"})
			settle()
		}, w.sim.Reset)
		if !strings.Contains(log.String(), textMayWork) {
			t.Errorf("the log has nothing of an agent who may still be at work:\n%s", log)
		}
	})
}

// TestALateEndNeedsNoStateThatWasRead has the End come to a replica that has only just taken the session up.
func TestALateEndNeedsNoStateThatWasRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cloud, a, b := twoTellers(t)
		cleo := a.login("cleo")
		settle()
		a.posted(cleo, "", startAll)
		a.posted(cleo, "", `{"operationName":"Ready"}`)
		settle()
		a.fault(icwssim.Fault{Status: http.StatusServiceUnavailable})
		there, err := b.Login(t.Context(), Caller{SessionID: cleo.SessionID()})
		if err != nil {
			t.Fatal(err)
		}
		b.endsAt(there, func() {}, a.sim.Reset)
		a.holds("cleo", "Available, No ACD")
		b.outOfWork(cloud, "cleo")
	})
}

// TestALateEndStandsBackForANativeLogIn has the agent come back by an ICWS application, and go to work there. A try may
// be under way then. A token's log-in names nobody.
func TestALateEndStandsBackForANativeLogIn(t *testing.T) {
	for _, token := range []bool{false, true} {
		for _, amid := range []bool{false, true} {
			t.Run(fmt.Sprintf("with a token %v, amid a try %v", token, amid), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, &icwssim.Server{IdleTimeout: time.Hour}, func(_ *Settings, s *Site) { s.Native = true })
					anna, app := w.login("anna"), w.opens("anna")
					w.do(anna, "Ready", "")
					settle()
					w.endsAt(anna, func() { w.fault(icwssim.Fault{Status: http.StatusServiceUnavailable}) }, func() {
						w.sim.Reset()
						if amid {
							w.fault(icwssim.Fault{Route: routePutStatus, Delay: 4 * time.Second, Times: 1})
							for before := w.sim.Calls()[routePutStatus]; w.sim.Calls()[routePutStatus] == before; {
								time.Sleep(100 * time.Millisecond)
							}
						}
						login := w.nativeLogin("Anna", "anna")
						if token {
							login = app.tokenLogin()
						}
						status, err := w.sends("192.0.2.1", login)
						if err != nil || status/100 != 2 {
							t.Fatalf("native: %d %v", status, err)
						}
						w.set(icwssim.StateChange{User: "anna", StatusID: ptr("At Lunch")})
						w.set(icwssim.StateChange{User: "anna", StatusID: ptr("Available")})
					})
					w.holds("anna", "Available")
				})
			})
		}
	}
}

// tokenLogin returns a log-in with a token of the application's session.
func (a *nativeApp) tokenLogin() *http.Request {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), http.MethodPost, "/icws/"+a.session+"/connection/unique-auth-token", strings.NewReader(`{"authTokenSeed":"s"}`))
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header = a.proof.Clone()
	res := a.passes(req)
	defer res.Body.Close()
	var given icwsapi.AuthToken
	err = json.NewDecoder(res.Body).Decode(&given)
	if err != nil || given.AuthToken == "" {
		a.t.Fatalf("a token: %v (%v)", res, err)
	}
	login := a.nativeLogin("", "")
	body := fmt.Sprintf(`{"__type":%q,"applicationName":"Own","authTokenSeed":"s","authToken":%q,"authTokenSourceSession":%q}`, icwsapi.TypeAuthToken, given.AuthToken, a.session)
	login.Body, login.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	return login
}

// TestALogInOfNobodyHoldsBackItsSite has somebody log in who may be any of a site's agents.
func TestALogInOfNobodyHoldsBackItsSite(t *testing.T) {
	all := newLateEnds()
	here, there := all.add(guesses.Account{Site: "one", Name: "Anna"}), all.add(guesses.Account{Site: "another", Name: "anna"})
	anybody := []guesses.Account{{Site: "one"}}
	begin := func(one *takingOut) (context.Context, func()) {
		t.Helper()
		ctx, over := all.begin(one)
		if ctx == nil {
			t.Fatal("a try is held back")
		}
		return ctx, over
	}
	ended, over := begin(here)
	goesOn, overThere := begin(there)
	go func() {
		<-ended.Done()
		over()
	}()
	all.hold(anybody)
	if goesOn.Err() != nil {
		t.Error("a try at another site is broken off")
	}
	overThere()
	if ctx, _ := all.begin(here); ctx != nil {
		t.Error("a try begins amid the log-in")
	}
	all.release(anybody)
	_, over = begin(here)
	over()
	all.take(here)
	all.take(there)
}
