package htcc

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/proxy/fault"
	"portico/proxy/upstream/memhttp"
)

// server answers log-ins with login, and the question for features as a real server does.
func server(t testing.TB, login http.HandlerFunc) http.HandlerFunc {
	features := kept(t, "features.http")
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "subresources=features" {
			features(w, r)
			return
		}
		login(w, r)
	}
}

func TestLogin(t *testing.T) {
	var seen log
	site := server(t, kept(t, "login-200.http"))
	client, reg := newClient(t, at(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen.Add(r.Method + " " + r.RequestURI + " " + r.Header.Get("Authorization") + " " + r.Header.Get("Cookie"))
		site(w, r)
	})), nil)
	session, user, err := client.Login(t.Context(), bjorn)
	if err != nil {
		t.Fatal(err)
	}
	conn := session.Snapshot()
	if conn.Opened.IsZero() {
		t.Error("it is not said when the session was opened")
	}
	conn.Opened = time.Time{}
	want := Conn{
		Base: base1, Cookie: "JSESSIONID=node01k2m3n4p5q6r7s8t9u0v; AWSELB=4F2A9B",
		CSRFHeader: "X-CSRF-TOKEN", CSRFToken: "0f0e7f5a-6a53-4b59-9e3c-3a1b7b7f5d10",
		UserID: "5b0c9c0f4f1b4f5e8d5a7a1f6f2e9d11", UserName: "bjorn",
	}
	if conn != want {
		t.Errorf("Login = %s; want %s", mustJSON(t, conn), mustJSON(t, want))
	}
	wantSeen := []string{
		"GET /api/v2/me?subresources=* Basic Ympvcm46czNjcmV0 ",
		"GET /api/v2/me?subresources=features  " + want.Cookie,
	}
	if diff := cmp.Diff(wantSeen, seen.All()); diff != "" {
		t.Errorf("the server saw (-want +got):\n%s", diff)
	}
	// What the server sent, whole, and the features behind it.
	sent := object(t, string(object(t, string(body(t, "login-200.http"))).Get("user")))
	features := object(t, string(object(t, string(body(t, "features.http"))).Get("user"))).Get("features")
	if got, want := mustJSON(t, user), mustJSON(t, sent.With("features", features)); got != want {
		t.Errorf("Login = %s; want %s", got, want)
	}
	if n := value(t, reg, "portico_logins_total", map[string]string{"outcome": "ok"}); n != 1 {
		t.Errorf("log-ins with outcome ok = %v; want 1", n)
	}
}

func TestLoginCanDoWithoutFeatures(t *testing.T) {
	tests := []struct {
		name     string
		login    string
		features http.HandlerFunc
		calls    int
		want     error
	}{
		{"the star brings them", `{"statusCode":0,"user":{"features":[]}}`, nil, 1, nil},
		{"they are refused", `{"statusCode":0,"user":{}}`, says(403, `{"statusCode":5}`), 2, nil},
		{"they are not there", `{"statusCode":0,"user":{}}`, says(200, `{"statusCode":0,"user":{}}`), 2, nil},
		{"the session ended at once", `{"statusCode":0,"user":{}}`, says(403, `{"statusCode":20}`), 2, fault.BadUpstream},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			calls := 0
			client, _ := newClient(t, at(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls++
				if calls == 2 {
					test.features(w, r)
					return
				}
				w.Header().Set("Set-Cookie", "JSESSIONID=a")
				says(200, test.login)(w, r)
			})), nil)
			_, user, err := client.Login(t.Context(), bjorn)
			if !errors.Is(err, test.want) || errors.Is(err, fault.Unauthenticated) || calls != test.calls {
				t.Errorf("Login = %s, %v in %d calls; want %v in %d", mustJSON(t, user), err, calls, test.want, test.calls)
			}
		})
	}
}

func TestLoginFindsItsHost(t *testing.T) {
	ok := server(t, kept(t, "login-200.http"))
	noCookie := says(200, `{"statusCode":0,"user":{"id":"1"}}`)
	foreign := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "JSESSIONID=a; Domain=evil.example")
		noCookie(w, r)
	}
	status := kept(t, "me-status.http")
	inStatus := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "JSESSIONID=a")
		status(w, r)
	}
	cut := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	tests := []struct {
		name    string
		handler map[string]http.HandlerFunc // by host; others refuse connections
		want    error                       // nil, or a kind
		visited string                      // by the log-in itself
	}{
		{"the first takes it", map[string]http.HandlerFunc{"gws1": ok, "gws2": ok}, nil, "gws1"},
		{"the first is down", map[string]http.HandlerFunc{"gws2": ok}, nil, "gws2"},
		{"the first is too slow", map[string]http.HandlerFunc{"gws1": hang, "gws2": ok}, nil, "gws1 gws2"},
		{"the first cuts the connection", map[string]http.HandlerFunc{"gws1": cut, "gws2": ok}, nil, "gws1 gws2"},
		{"nobody is there", nil, fault.Unreachable, ""},
		{"all are too slow", map[string]http.HandlerFunc{"gws1": hang, "gws2": hang}, fault.Timeout, "gws1 gws2"},
		{"one is too slow and one is down", map[string]http.HandlerFunc{"gws1": hang}, fault.Unreachable, "gws1"},
		{"refused credentials are shown to no other host", map[string]http.HandlerFunc{"gws1": kept(t, "403-denied.http"), "gws2": ok}, fault.Unauthenticated, "gws1"},
		{"refused in the dialect without codes", map[string]http.HandlerFunc{"gws1": kept(t, "403-denied-status.http"), "gws2": ok}, fault.Unauthenticated, "gws1"},
		{"refused by a proxy", map[string]http.HandlerFunc{"gws1": says(401, "<html>"), "gws2": ok}, fault.Unauthenticated, "gws1"},
		{"another 403", map[string]http.HandlerFunc{"gws1": says(403, "<html>"), "gws2": ok}, fault.Forbidden, "gws1"},
		{"a bad request", map[string]http.HandlerFunc{"gws1": says(400, `{"statusCode":1}`), "gws2": ok}, fault.BadUpstream, "gws1"},
		{"no such resource", map[string]http.HandlerFunc{"gws1": says(404, `<html>`), "gws2": ok}, fault.BadUpstream, "gws1"},
		{"a password change demanded", map[string]http.HandlerFunc{"gws1": says(200, `{"statusCode":8}`), "gws2": ok}, fault.BadUpstream, "gws1"},
		{"not available", map[string]http.HandlerFunc{"gws1": says(503, `<html>`), "gws2": ok}, fault.Unreachable, "gws1"},
		{"an internal error", map[string]http.HandlerFunc{"gws1": says(500, `{"statusCode":4}`), "gws2": ok}, fault.BadUpstream, "gws1"},
		{"a page to log in at", map[string]http.HandlerFunc{"gws1": says(200, `<html>`), "gws2": ok}, fault.BadUpstream, "gws1"},
		{"a redirect to another host is not followed", map[string]http.HandlerFunc{
			"gws1": http.RedirectHandler("http://evil.example:8090/login", http.StatusFound).ServeHTTP, "gws2": ok, "evil": ok}, fault.BadUpstream, "gws1"},
		{"no cookie", map[string]http.HandlerFunc{"gws1": noCookie, "gws2": ok}, fault.BadUpstream, "gws1"},
		{"a cookie of another domain", map[string]http.HandlerFunc{"gws1": foreign, "gws2": ok}, fault.BadUpstream, "gws1"},
		{"the dialect without codes", map[string]http.HandlerFunc{"gws1": server(t, inStatus)}, nil, "gws1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var visited log
				network := memhttp.Network{}
				for host, handler := range test.handler {
					network[host+".example:8090"] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if r.Header.Get("Authorization") != "" {
							visited.Add(host)
						}
						handler(w, r)
					})
				}
				client, reg := newClient(t, network, func(s *Settings) { s.Bases = []string{base1, base2} })
				session, _, err := client.Login(t.Context(), bjorn)
				if test.want == nil && err != nil || test.want != nil && fault.KindOf(err) != test.want {
					t.Errorf("Login = %v, %v; want %v", session, err, test.want)
				}
				if errors.Is(err, fault.Unauthenticated) != (test.want == fault.Unauthenticated) || errors.Is(err, ErrSessionGone) {
					t.Errorf("Login = %v, which must be told from refused credentials, and both from a session's end", err)
				}
				if got := strings.Join(visited.All(), " "); got != test.visited {
					t.Errorf("visited %s; want %s", got, test.visited)
				}
				outcome := map[error]string{nil: "ok", fault.Unauthenticated: "refused"}[test.want]
				if outcome == "" {
					outcome = "error"
				}
				if n := value(t, reg, "portico_logins_total", map[string]string{"outcome": outcome}); n != 1 {
					t.Errorf("log-ins with outcome %s = %v; want 1", outcome, n)
				}
				if err != nil {
					checkText(t, err)
				}
			})
		})
	}
}

func TestLoginBeginsAtTheLastGoodHost(t *testing.T) {
	ok := server(t, kept(t, "login-200.http"))
	network := memhttp.Network{"gws2.example:8090": ok}
	client, _ := newClient(t, network, func(s *Settings) { s.Bases = []string{base1 + "/", base2} })
	for range 2 {
		session, _, err := client.Login(t.Context(), bjorn)
		if err != nil || session.Snapshot().Base != base2 {
			t.Fatalf("Login = %v, %v; want one at the second host", session, err)
		}
		network["gws1.example:8090"] = ok
	}
	delete(network, "gws2.example:8090")
	session, _, err := client.Login(t.Context(), bjorn)
	if err != nil || session.Snapshot().Base != base1 {
		t.Fatalf("Login = %v, %v; want one at the first host", session, err)
	}
}

func TestLoginGivesUpWithItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, reg := newClient(t, at(http.HandlerFunc(hang)), func(s *Settings) { s.Bases = []string{base1, base2} })
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, _, err := client.Login(ctx, bjorn)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Login = %v; want %v", err, context.Canceled)
		}
		if n := value(t, reg, "portico_logins_total", nil); n != 0 {
			t.Errorf("log-ins counted = %v; want none: the site did nothing wrong", n)
		}
		if n := value(t, reg, "portico_upstream_requests_total", nil); n != 1 {
			t.Errorf("requests = %v; want 1", n)
		}
	})
}

func TestLoginRefusesNamesThatBasicCannotCarry(t *testing.T) {
	client, reg := newClient(t, at(kept(t, "login-200.http")), nil)
	_, _, err := client.Login(t.Context(), Credentials{UserName: "bjorn:s3cret", Password: ""})
	if !errors.Is(err, fault.Unauthenticated) {
		t.Errorf("Login = %v; want %v", err, fault.Unauthenticated)
	}
	if n := value(t, reg, "portico_upstream_requests_total", nil); n != 0 {
		t.Errorf("requests = %v; want none", n)
	}
}
