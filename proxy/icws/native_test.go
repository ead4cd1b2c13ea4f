package icws

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/fault"
	"portico/proxy/upstream/memhttp"
)

func nativeRequest(t *testing.T, method, path, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body == "" {
		req.Body = http.NoBody
	}
	return req
}

// TestRequestsWithoutASessionFindAHost asks hosts that take no calls and name others.
func TestRequestsWithoutASessionFindAHost(t *testing.T) {
	for _, test := range []struct {
		name, method, body string
		want               int
		asked              string
	}{
		{"a read is sent on", "GET", "", 200, "ic1 ic3"},
		{"a body is spent", "POST", "x", 503, "ic1"},
	} {
		var asked log
		host := func(name string, answer http.HandlerFunc) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				asked.Add(name)
				answer(w, r)
			}
		}
		client, _ := newClient(t, memhttp.Network{
			"ic1.example:8018": host("ic1", says(503, `{"alternateHostList":["ic3.example"],"message":"x"}`)),
			"ic2.example:8018": host("ic2", says(200, `{}`)),
			"ic3.example:8018": host("ic3", says(200, `{}`)),
		}, func(s *Settings) { s.Bases, s.Alternates = []string{base1, base2}, []string{"ic*.example"} })
		res, err := client.NativeAnywhere(nativeRequest(t, test.method, "/icws/connection/server-info", test.body))
		if err != nil || res.StatusCode != test.want || strings.Join(asked.All(), " ") != test.asked {
			t.Errorf("%s: %v, %v of %v; want %d of %s", test.name, res, err, asked.All(), test.want, test.asked)
		}
	}
}

func TestANativeLoginIsSentToTheNextHostWhole(t *testing.T) {
	var bodies log
	noted := func(answer http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			bodies.Add(fmt.Sprintf("%s %s %s %s", r.RequestURI, r.Header.Get("Accept-Language"), r.Header.Get("Accept-Encoding"), body))
			answer(w, r)
		}
	}
	client, _ := newClient(t, memhttp.Network{
		"ic1.example:8018": noted(says(404, "<html>")), "ic2.example:8018": noted(kept(t, "login-201.http")),
	}, func(s *Settings) { s.Bases = []string{base1, base2} })
	req := nativeRequest(t, "POST", "/icws/connection?include=features", "{ as it is }")
	req.Header.Set("Accept-Language", "de")
	req.Header.Set("Accept-Encoding", "gzip")
	res, conn, err := client.NativeLogin(req)
	if err != nil || res.StatusCode != 201 || conn.Base != base2 || conn.SessionID != "1402219001" || conn.Language != "de" {
		t.Errorf("NativeLogin = %v, %v, %v", res, conn, err)
	}
	if want := "/icws/connection?include=features de identity { as it is }"; !slices.Equal(bodies.All(), []string{want, want}) {
		t.Errorf("the hosts got %q; want %q each", bodies.All(), want)
	}
	if first := client.FirstHost(); first != base2 {
		t.Errorf("the next log-in begins at %s; want %s", first, base2)
	}
}

// TestHowNativeLoginsEnd holds that a refusal is final and counted as one.
func TestHowNativeLoginsEnd(t *testing.T) {
	const refusal = `{"errorId":"error.request.connection.authenticationFailure","message":"x"}`
	for _, test := range []struct {
		name    string
		answer  http.HandlerFunc
		status  int
		kind    error
		outcome string // "" = counted nowhere
	}{
		{"refused", says(400, refusal), 400, nil, "refused"},
		{"malformed", says(400, `{"errorId":"error.request.invalidRepresentation","message":"x"}`), 400, nil, ""},
		{"no licence", says(403, `{"message":"x"}`), 403, nil, ""},
		{"a redirect", http.RedirectHandler("http://ic7.example:8018/icws/connection", http.StatusTemporaryRedirect).ServeHTTP, 307, nil, "error"},
		{"garbage", says(201, "<html>"), 201, nil, "ok"},
		{"a server's error", says(500, `{"message":"x"}`), 500, nil, "error"},
		{"nobody takes sessions", says(503, `{"alternateHostList":[],"message":"x"}`), 503, nil, "error"},
		{"too slow", hang, 0, fault.Timeout, "error"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var calls log
			client, reg := newClient(t, at(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls.Add(r.Host)
				test.answer(w, r)
			})), func(s *Settings) { s.Bases = []string{base1, base2} })
			res, conn, err := client.NativeLogin(nativeRequest(t, "POST", "/icws/connection", "{}"))
			if !errors.Is(err, test.kind) || err == nil && res.StatusCode != test.status || conn.SessionID != "" {
				t.Errorf("%s: %v, %v, %v; want %d, %v", test.name, res, conn, err, test.status, test.kind)
			}
			for _, outcome := range []string{"ok", "refused", "error"} {
				want := 0.0
				if outcome == test.outcome {
					want = 1
				}
				if n := value(t, reg, "portico_logins_total", map[string]string{"outcome": outcome}); n != want {
					t.Errorf("%s: log-ins with outcome %s = %v; want %v", test.name, outcome, n, want)
				}
			}
			if once := test.status/100 == 3 || test.status/100 == 4; once && len(calls.All()) != 1 {
				t.Errorf("%s: sent to %v; want one host", test.name, calls.All())
			}
		})
	}
}

// TestAnEventStreamMayBeSilentForLonger lets a stream ping every two minutes, and an answer stop.
func TestAnEventStreamMayBeSilentForLonger(t *testing.T) {
	trickle := func(kind string, pause time.Duration) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", kind)
			for range 3 {
				_, _ = io.WriteString(w, ":ping\n\n")
				_ = http.NewResponseController(w).Flush()
				select {
				case <-time.After(pause):
				case <-r.Context().Done():
				}
			}
		}
	}
	for _, test := range []struct {
		kind  string
		pause time.Duration
		kept  bool
	}{
		{"text/event-stream", 2 * time.Minute, true},
		{"Text/Event-Stream; charset=utf-8", 2 * time.Minute, true},
		{"text/event-stream", 4 * time.Minute, false},
		{"application/json", 2 * time.Minute, false},
		{"application/json", 30 * time.Second, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, _ := newClient(t, at(trickle(test.kind, test.pause)), nil)
			res, err := client.Native(nativeRequest(t, "GET", "/icws/1/messaging/messages", ""), base1)
			if err != nil {
				t.Fatal(err)
			}
			_, err = io.ReadAll(res.Body)
			_ = res.Body.Close()
			if kept := err == nil; kept != test.kept || !kept && !errors.Is(err, fault.Timeout) {
				t.Errorf("%s every %v ends in %v; want that it is kept: %v", test.kind, test.pause, err, test.kept)
			}
		})
	}
}
