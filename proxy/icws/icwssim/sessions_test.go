package icwssim

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestSessionChecks(t *testing.T) {
	for _, test := range []struct {
		name   string
		server *Server
		method string
		path   string   // "SID" stands for the session's id
		header []string // over what a good client sends
		status int
		parts  []string
	}{
		{"all is there", &Server{}, "GET", "/icws/SID/connection", nil, 200, []string{`{"connectionState":1}`}},
		{"no such session", &Server{}, "GET", "/icws/1731001/connection", nil, 401, []string{`"errorCode":1`, "This request requires a session ID!"}},
		{"no cookie", &Server{}, "GET", "/icws/SID/connection", []string{"Cookie", ""}, 401, []string{`"errorCode":4`}},
		{"a cookie of another session", &Server{}, "GET", "/icws/SID/connection", []string{"Cookie", "icws_1=2f6b1f0e"}, 401,
			[]string{`"errorId":"error.request.accessDenied.cookie.invalid"`, `"errorCode":5`, `"alternateHostList":[]`}},
		{"a cookie of a stranger", &Server{}, "GET", "/icws/SID/connection", []string{"Cookie", "JSESSIONID=7"}, 401, []string{`"errorCode":4`}},
		{"no token", &Server{}, "GET", "/icws/SID/connection", []string{"ININ-ICWS-CSRF-Token", ""}, 401,
			[]string{`"errorCode":2`, "An authentication token was expected in the request, but not found."}},
		{"a wrong token", &Server{}, "GET", "/icws/SID/connection", []string{"ININ-ICWS-CSRF-Token", "x"}, 401, []string{`"errorCode":2`}},
		{"the cookie is checked before the token", &Server{}, "GET", "/icws/SID/connection", []string{"ININ-ICWS-CSRF-Token", "", "Cookie", ""}, 401, []string{`"errorCode":4`}},
		{"messages need no token", &Server{}, "GET", "/icws/SID/messaging/messages", []string{"ININ-ICWS-CSRF-Token", ""}, 200, []string{`[]`}},
		{"messages need the cookie", &Server{}, "GET", "/icws/SID/messaging/messages", []string{"Cookie", ""}, 401, []string{`"errorCode":4`}},
		{"lenient: no cookie", &Server{Lenient: true}, "GET", "/icws/SID/connection", []string{"Cookie", ""}, 200, nil},
		{"lenient: no token", &Server{Lenient: true}, "GET", "/icws/SID/connection", []string{"ININ-ICWS-CSRF-Token", ""}, 200, nil},
		{"lenient: neither", &Server{Lenient: true}, "GET", "/icws/SID/connection", []string{"Cookie", "", "ININ-ICWS-CSRF-Token", ""}, 401, nil},
		{"another spelling of the path", &Server{}, "GET", "//ICWS/SID/Connection/", nil, 200, nil},
		{"a wrong method", &Server{}, "PATCH", "/icws/SID/connection", nil, 405, []string{`"errorId":"error.request.accessDenied.httpMethodNotAllowed"`}},
		{"a wrong method without session", &Server{}, "GET", "/icws/connection", nil, 405, []string{`"errorId"`}},
		{"an unknown path", &Server{}, "GET", "/icws/SID/status/mood", nil, 404, []string{`"message":`}},
		{"an unknown path elsewhere", &Server{}, "GET", "/x/y", nil, 404, []string{`"message":`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, test.server, func(t *testing.T) {
				c := loggedIn(t, test.server, "anna")
				id := strings.TrimPrefix(c.prefix, "/icws/")
				c.prefix = ""
				got := c.do(test.method, strings.Replace(test.path, "SID", id, 1), "", test.header...)
				if got.status != test.status {
					t.Errorf("status = %d; want %d", got.status, test.status)
				}
				want(t, "body", got.body, test.parts...)
				challenge := got.header.Get("WWW-Authenticate")
				if (got.status == 401) != (challenge == `ICWS realm="ICWS" location="/ICWS/connection"`) {
					t.Errorf("status %d has WWW-Authenticate %q", got.status, challenge)
				}
				if !strings.HasPrefix(got.header.Get("Content-Type"), "application/vnd.inin.icws+JSON;") {
					t.Errorf("content type = %q", got.header.Get("Content-Type"))
				}
			})
		})
	}
}

func TestSloppyCookies(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := stranger(t, s)
		got := c.tryLogIn("anna", "anna")
		c.adopt(got)
		whole := got.header.Get("Set-Cookie")
		pair, _, _ := strings.Cut(whole, ";")
		guid, _, _ := strings.Cut(pair, "|")
		for name, cookie := range map[string]string{
			"the pair":               pair,
			"the whole line":         whole,
			"without language":       guid,
			"escaped":                strings.Replace(pair, "|", "%7C", 1),
			"among others":           "a=b; icws_17=x; " + pair + "; c=d",
			"joined by comma":        "a=b, " + whole,
			"twice, first one stale": "icws_" + strings.TrimPrefix(c.prefix, "/icws/") + "=old; " + pair,
			"without space":          "a=b;" + pair,
		} {
			if got := c.do("GET", "/connection", "", "Cookie", cookie); got.status != 200 {
				t.Errorf("cookie %s: %q = %d; want 200", name, cookie, got.status)
			}
		}
	})
}

func TestSessionEndsWithDelete(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		got := c.do("DELETE", "/connection", "")
		if got.status != 200 || got.body != "" {
			t.Errorf("DELETE = %d %q; want 200 and nothing", got.status, got.body)
		}
		got = c.do("GET", "/connection", "")
		if got.status != 401 {
			t.Errorf("GET afterwards = %d; want 401", got.status)
		}
		want(t, "body", got.body, `"errorId":"error.request.connection.authenticationFailure"`, `"errorCode":-2147221499`)
	})
}

func TestRememberEndedSaysDown(t *testing.T) {
	s := &Server{RememberEnded: true}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		c.must("DELETE", "/connection", "")
		got := c.must("GET", "/connection", "").body
		want(t, "the connection", got, `"connectionState":2`)
		if strings.Contains(got, "shouldReconnect") {
			t.Errorf("who was told nothing is told now whether to come back: %s", got)
		}
		if got := c.do("GET", "/status/status-messages", ""); got.status != 401 {
			t.Errorf("other requests = %d; want 401", got.status)
		}
	})
}

func TestTheConnectionSaysToReconnectAsItsMessageDid(t *testing.T) {
	s := &Server{RememberEnded: true}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		for _, scenario := range []string{"ic-down", "switchover"} {
			fail(t, s, Fault{Scenario: scenario})
			wantList(t, scenario, c.poll(), `"shouldReconnect":true`)
			want(t, scenario, c.must("GET", "/connection", "").body, `"connectionState":2`, `"shouldReconnect":true`)
		}
	})
}

func TestIdleSessionsExpire(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		for range 3 {
			time.Sleep(119 * time.Second)
			if got := c.do("POST", "/messaging/heartbeat", ""); got.status != 200 {
				t.Fatalf("after 119 s: %d; want 200", got.status)
			}
		}
		time.Sleep(120 * time.Second)
		synctest.Wait()
		if got := c.do("GET", "/connection", ""); got.status != 401 {
			t.Errorf("after 120 s: %d; want 401", got.status)
		}
	})
}

func TestOpenStreamKeepsTheSession(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		stream := c.listen()
		for range 41 { // the first comes at once, the others every 15 s
			if got := stream.next(); got != ":ping" {
				t.Fatalf("stream = %q; want :ping", got)
			}
		}
		stream.body.Close()
		time.Sleep(119 * time.Second)
		if got := c.do("GET", "/connection", ""); got.status != 200 {
			t.Errorf("119 s after the stream: %d; want 200", got.status)
		}
	})
}

func TestNegativeIdleTimeoutKeepsSessions(t *testing.T) {
	s := &Server{IdleTimeout: -1}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		time.Sleep(1000 * time.Hour)
		if got := c.do("GET", "/connection", ""); got.status != 200 {
			t.Errorf("after 1000 h: %d; want 200", got.status)
		}
	})
}

// The idle time that is set while the server runs is that of the sessions that are open, from their last call on.
func TestIdleTimeoutReachesOpenSessions(t *testing.T) {
	for _, test := range []struct {
		name, before, after string
		wait                time.Duration // after 10 s with the one before
		status              int
	}{
		{"shorter, and not yet over", "null", `"20s"`, 9 * time.Second, 200},
		{"shorter", "null", `"20s"`, 10 * time.Second, 401},
		{"shorter, and over", "null", `"5s"`, 0, 401},
		{"longer", `"20s"`, `"40s"`, 29 * time.Second, 200},
		{"longer, and over", `"20s"`, `"40s"`, 30 * time.Second, 401},
		{"never", "null", `"-1s"`, 1000 * time.Hour, 200},
		{"no longer never", `"-1s"`, "null", 110 * time.Second, 401},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &Server{}
			inBubble(t, s, func(t *testing.T) {
				c, controls := loggedIn(t, s, "anna"), stranger(t, s)
				controls.must("POST", "/_sim/settings", `{"idleTimeout":`+test.before+`}`)
				time.Sleep(10 * time.Second)
				controls.must("POST", "/_sim/settings", `{"idleTimeout":`+test.after+`}`)
				time.Sleep(test.wait)
				synctest.Wait()
				if got := c.do("GET", "/connection", ""); got.status != test.status {
					t.Errorf("the session = %d; want %d", got.status, test.status)
				}
			})
		})
	}
}

func TestAnOpenStreamKeepsTheSessionAtAnyIdleTimeout(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		stream := c.listen()
		defer stream.body.Close()
		time.Sleep(time.Minute)
		stranger(t, s).must("POST", "/_sim/settings", `{"idleTimeout":"5s"}`)
		time.Sleep(time.Minute)
		if got := c.do("GET", "/connection", ""); got.status != 200 {
			t.Errorf("the session = %d; want 200", got.status)
		}
	})
}

func TestSessionsSetLoggedIn(t *testing.T) {
	for _, test := range []struct {
		name   string
		server *Server
		during bool
	}{{"by default", &Server{}, true}, {"not with KeepLoggedOut", &Server{KeepLoggedOut: true}, false}} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, test.server, func(t *testing.T) {
				observer := loggedIn(t, test.server, "portico")
				first, second := loggedIn(t, test.server, "anna"), loggedIn(t, test.server, "anna")
				for i, c := range []*client{first, second} {
					if got := observer.status("anna")["loggedIn"]; got != test.during {
						t.Errorf("with %d sessions: loggedIn = %v; want %v", 2-i, got, test.during)
					}
					c.must("DELETE", "/connection", "")
				}
				if got := observer.status("anna")["loggedIn"]; got != false {
					t.Errorf("without sessions: loggedIn = %v; want false", got)
				}
			})
		})
	}
}

func TestStatusAtLogout(t *testing.T) {
	for _, test := range []struct{ name, held, want string }{
		{"replaces one that does not persist", "At Lunch", "Gone Home"},
		{"leaves one that does", "Available", "Available"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &Server{StatusAtLogout: "Gone Home"}
			inBubble(t, s, func(t *testing.T) {
				c := loggedIn(t, s, "anna")
				c.must("PUT", "/status/user-statuses/anna", `{"statusId":"`+test.held+`"}`)
				time.Sleep(settle)
				c.must("DELETE", "/connection", "")
				state, err := s.State("anna")
				if err != nil || state.StatusID != test.want {
					t.Errorf("status = %q, %v; want %q", state.StatusID, err, test.want)
				}
			})
		})
	}
}

func TestBasePathOfAProxy(t *testing.T) {
	s := &Server{BasePath: "/api/{host}"}
	inBubble(t, s, func(t *testing.T) {
		c := stranger(t, s)
		c.base += "/api/ic1"
		got := c.tryLogIn("anna", "anna")
		want(t, "Location", got.header.Get("Location"), "/api/ic1/icws/")
		want(t, "Set-Cookie", got.header.Get("Set-Cookie"), "; Path=/api/ic1/icws/")
		c.adopt(got)
		c.must("GET", "/connection", "")
		c.base = strings.TrimSuffix(c.base, "/api/ic1")
		if got := c.do("GET", "/connection", ""); got.status != 404 {
			t.Errorf("without the proxy's path = %d; want 404", got.status)
		}
	})
}

func TestBrowsersMayAsk(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := stranger(t, s)
		got := c.do("OPTIONS", "/icws/connection", "", "Origin", "https://app.example", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "x-y")
		h := got.header
		if got.status != http.StatusOK || h.Get("Access-Control-Allow-Origin") != "https://app.example" ||
			h.Get("Access-Control-Allow-Credentials") != "true" || h.Get("Access-Control-Allow-Headers") != "x-y" ||
			!strings.Contains(h.Get("Access-Control-Allow-Methods"), "PUT") {
			t.Errorf("preflight = %d %v", got.status, h)
		}
	})
}
