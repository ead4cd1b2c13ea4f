package htccsim

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

const deniedBody = `{"statusCode":20,"statusMessage":"Access denied"}`

func TestBasicOpensASession(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := stranger(t, s)
		got := c.do("GET", "/api/v2/me?subresources=features,devices,channels", "") // a page probes for a session
		if got.status != http.StatusForbidden || got.body != deniedBody || got.header.Get("WWW-Authenticate") != "" {
			t.Errorf("probe = %d %s %v; want 403 %s and no challenge", got.status, got.body, got.header, deniedBody)
		}
		got = c.must("GET", "/api/v2/me", "", basic("BJORN", "bjorn")...)
		cookie := got.header.Get("Set-Cookie")
		if !regexp.MustCompile(`^JSESSIONID=node01[0-9a-z]{19,44}; Path=/; HttpOnly$`).MatchString(cookie) {
			t.Errorf("cookie = %q; want one as Jetty makes", cookie)
		}
		if again := c.must("GET", "/api/v2/me/", ""); again.header.Get("Set-Cookie") != "" {
			t.Errorf("the cookie alone sets another one: %q", again.header.Get("Set-Cookie"))
		}
		if again := c.must("GET", "/api/v2/me", "", basic("bjorn", "bjorn")...); again.header.Get("Set-Cookie") != "" {
			t.Errorf("cookie and password set another cookie: %q", again.header.Get("Set-Cookie"))
		}
	})
}

func TestBasicWithoutCookieJarOpensASessionEachTime(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := stranger(t, s)
		c.http.Jar = nil
		for range 3 {
			c.must("GET", "/api/v2/me", "", basic("bjorn", "bjorn")...)
		}
		state, err := s.State("bjorn")
		if err != nil || state.Sessions != 3 {
			t.Errorf("State = %d sessions, %v; want 3", state.Sessions, err)
		}
	})
}

func TestCredentials(t *testing.T) {
	users := append(StockUsers(), User{UserName: "dörte", Password: "grün"})
	for _, test := range []struct {
		name   string
		header []string
		status int
	}{
		{"no credentials", nil, 403},
		{"a wrong password is as none", basic("bjorn", "x"), 403},
		{"an unknown user is as none", basic("nobody", "bjorn"), 403},
		{"an empty password", basic("bjorn", ""), 403},
		{"another scheme", []string{"Authorization", "Bearer x"}, 403},
		{"no base64", []string{"Authorization", "Basic !"}, 403},
		{"a cookie of nobody", []string{"Cookie", "JSESSIONID=x"}, 403},
		{"a cookie without value", []string{"Cookie", "JSESSIONID="}, 403},
		{"UTF-8", basic("dörte", "grün"), 200},
		{"a password in Latin-1", basic("dörte", "gr\xfcn"), 200},
		{"a wrong password in Latin-1", basic("dörte", "gr\xfc"), 403},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &Server{Users: users}
			inBubble(t, s, func(t *testing.T) {
				got := stranger(t, s).do("GET", "/api/v2/me", "", test.header...)
				if got.status != test.status {
					t.Errorf("GET /me = %d %s; want %d", got.status, got.body, test.status)
				}
			})
		})
	}
}

func TestCredentialsBesideACookie(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "bjorn")
		got := c.must("GET", "/api/v2/me", "", basic("cleo", "cleo")...)
		want(t, "right ones of another", got.body, `"userName":"cleo"`)
		c = loggedIn(t, s, "bjorn")
		if got := c.do("GET", "/api/v2/me", "", basic("bjorn", "x")...); got.status != http.StatusForbidden {
			t.Errorf("wrong ones = %d; want 403", got.status)
		}
		c.must("GET", "/api/v2/me", "") // the session lives on
	})
}

func TestVersionNeedsNoCredentials(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		got := stranger(t, s).must("GET", "/api/v2/diagnostics/version", "", basic("bjorn", "wrong")...)
		if got.body != `{"statusCode":0,"version":"8.5.202.96"}` {
			t.Errorf("version = %s", got.body)
		}
	})
}

func TestIdleSessionsEnd(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := started(t, s, "bjorn", "voice", "chat")
		for range 3 {
			time.Sleep(29 * time.Minute)
			c.must("GET", "/api/v2/me", "")
		}
		time.Sleep(30*time.Minute + time.Second)
		if got := c.do("GET", "/api/v2/me", ""); got.status != http.StatusForbidden {
			t.Errorf("after 30 min = %d; want 403", got.status)
		}
		// The contact-centre session goes on: the next log-in meets it.
		c = loggedIn(t, s, "bjorn")
		if got := c.states()["voice"]; got != "Ready" {
			t.Errorf("voice = %q; want Ready as before", got)
		}
	})
}

func TestIdleTimeoutIsAKnob(t *testing.T) {
	for _, test := range []struct {
		name   string
		idle   time.Duration
		status int
	}{
		{"shorter", time.Minute, 403},
		{"never", -1, 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &Server{IdleTimeout: test.idle}
			inBubble(t, s, func(t *testing.T) {
				c := loggedIn(t, s, "bjorn")
				time.Sleep(5 * time.Hour)
				if got := c.do("GET", "/api/v2/me", ""); got.status != test.status {
					t.Errorf("GET /me = %d; want %d", got.status, test.status)
				}
			})
		})
	}
}

func TestAHeldConnectIsActivity(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "bjorn")
		c.listen("/v2/me/*")
		for range 200 { // connects of 30 s
			c.connect()
		}
		c.must("GET", "/api/v2/me", "")
	})
}

func TestAConnectHeldLongerThanTheIdleTimeKeepsItsSession(t *testing.T) {
	s := &Server{IdleTimeout: time.Minute, ConnectTimeout: 5 * time.Minute}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "bjorn")
		c.listen("/v2/me/*")
		c.connect()
		c.must("GET", "/api/v2/me", "")
	})
}

func TestCSRF(t *testing.T) {
	s := &Server{CSRF: true}
	inBubble(t, s, func(t *testing.T) {
		c := stranger(t, s)
		shown := c.must("GET", "/api/v2/me", "", basic("bjorn", "bjorn")...).header
		token := shown.Get("X-CSRF-TOKEN")
		if shown.Get("X-CSRF-HEADER") != "X-CSRF-TOKEN" || len(token) != 36 {
			t.Fatalf("headers = %v; want the pair", shown)
		}
		const start = `{"operationName":"StartContactCenterSession","channels":["voice"]}`
		refused := func(name, path, body string, header ...string) {
			t.Helper()
			got := c.do("POST", path, body, header...)
			if got.status != http.StatusForbidden || got.body != "Missing or invalid Csrf token" {
				t.Errorf("POST %s = %d %s; want the refusal", name, got.status, got.body)
			}
		}
		refused("without token", "/api/v2/me", start)
		refused("with a wrong one", "/api/v2/me", start, "X-CSRF-TOKEN", strings.Repeat("0", 36))
		refused("to notifications", "/api/v2/notifications/handshake", `[{"channel":"/meta/handshake"}]`)
		c.must("POST", "/api/v2/me", start, "X-CSRF-TOKEN", token)
		c.header.Set("X-CSRF-TOKEN", token)
		c.listen("/v2/me/devices")

		fail(t, s, Fault{Scenario: "csrf-change", User: "bjorn"})
		refused("with an old one", "/api/v2/me", start)
		c.header.Set("X-CSRF-TOKEN", c.must("GET", "/api/v2/me/devices", "").header.Get("X-CSRF-TOKEN"))
		c.operate("/api/v2/me", "NotReady")

		jar := c.http.Jar
		c.http.Jar = nil
		refused("with the token and no cookie", "/api/v2/me", start, basic("bjorn", "bjorn")...)
		c.http.Jar = jar
	})
}

func TestCSRFIsOffByDefault(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		got := stranger(t, s).must("GET", "/api/v2/me", "", basic("bjorn", "bjorn")...)
		if got.header.Get("X-CSRF-TOKEN") != "" || got.header.Get("X-CSRF-HEADER") != "" {
			t.Errorf("headers = %v; want no token", got.header)
		}
	})
}

// fail arms a fault that must be one.
func fail(t testing.TB, s *Server, f Fault) {
	t.Helper()
	err := s.Fault(f)
	if err != nil {
		t.Fatal(err)
	}
}
