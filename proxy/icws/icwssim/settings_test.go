package icwssim

import (
	"os"
	"strings"
	"testing"
	"time"
)

// TestSettings holds each setting to what it does, set while the server runs.
func TestSettings(t *testing.T) {
	lunch := func(c *client) {
		c.must("PUT", "/status/user-statuses/anna", `{"statusId":"At Lunch"}`)
		time.Sleep(settle)
	}
	for _, test := range []struct {
		setting string
		play    func(t *testing.T, s *Server, c *client)
	}{
		{`{"alternateHosts":["ic8","ic9"]}`, func(t *testing.T, s *Server, _ *client) {
			want(t, "201", stranger(t, s).tryLogIn("anna", "anna").body, `"alternateHostList":["ic8","ic9"]`)
		}},
		{`{"announceSameStatus":true}`, func(t *testing.T, _ *Server, c *client) {
			lunch(c)
			c.poll()
			lunch(c)
			wantList(t, "messages", c.poll(), `"statusId":"At Lunch"`, "asyncOperationCompletedMessage")
		}},
		{`{"completionFirst":true}`, func(t *testing.T, _ *Server, c *client) {
			lunch(c)
			wantList(t, "messages", c.poll(), `"isDelta":false`, "asyncOperationCompletedMessage", `"statusId":"At Lunch"`)
		}},
		{`{"backup":true}`, func(t *testing.T, s *Server, _ *client) {
			wantStatus(t, stranger(t, s).tryLogIn("anna", "anna"), 503)
		}},
		{`{"idleTimeout":"10s"}`, func(t *testing.T, _ *Server, c *client) {
			c.poll() // time counts from here
			time.Sleep(11 * time.Second)
			wantStatus(t, c.do("GET", "/connection", ""), 401)
		}},
		{`{"keepLoggedOut":true}`, func(t *testing.T, s *Server, c *client) {
			loggedIn(t, s, "cleo")
			want(t, "status", c.must("GET", "/status/user-statuses/cleo", "").body, `"loggedIn":false`)
		}},
		{`{"lenient":true}`, func(t *testing.T, _ *Server, c *client) {
			wantStatus(t, c.do("GET", "/connection", "", "Cookie", ""), 200)
		}},
		{`{"licenceRefusal":400}`, func(t *testing.T, s *Server, _ *client) {
			fail(t, s, Fault{Scenario: "no-licence"})
			wantStatus(t, stranger(t, s).tryLogIn("anna", "anna"), 400)
		}},
		{`{"licenceStatuses":{"A":9}}`, func(t *testing.T, _ *Server, c *client) {
			want(t, "licence", c.must("POST", "/licenses", `{"licenseList":["A"]}`).body, `"licenseStatus":9`)
		}},
		{`{"loseCompletions":true}`, func(t *testing.T, _ *Server, c *client) {
			lunch(c)
			wantList(t, "messages", c.poll(), `"isDelta":false`, `"statusId":"At Lunch"`)
		}},
		{`{"messagingVersion":1}`, func(t *testing.T, _ *Server, c *client) {
			want(t, "features", c.must("GET", "/connection/features", "").body, `"messaging","version":1`)
		}},
		{`{"noHeartbeat":true}`, func(t *testing.T, _ *Server, c *client) {
			wantStatus(t, c.do("POST", "/messaging/heartbeat", ""), 404)
		}},
		{`{"pingInterval":"5s"}`, func(t *testing.T, _ *Server, c *client) {
			events, began := c.listen(), time.Now()
			for range 4 { // at once, the snapshot, and two
				events.next()
			}
			wantSince(t, began, 10*time.Second)
		}},
		{`{"refuseAsync":true}`, func(t *testing.T, _ *Server, c *client) {
			wantStatus(t, c.do("PUT", "/status/user-statuses/anna", `{"statusId":"AcdAgentNotAnswering"}`), 202)
		}},
		{`{"rememberEnded":true}`, func(t *testing.T, _ *Server, c *client) {
			c.must("DELETE", "/connection", "")
			want(t, "connection", c.must("GET", "/connection", "").body, `"connectionState":2`)
		}},
		{`{"revertAtUntil":true}`, func(t *testing.T, _ *Server, c *client) {
			c.must("PUT", "/status/user-statuses/anna", `{"statusId":"At Lunch","until":{"untilDateTime":"20000101T000100Z","hasDate":false,"hasTime":true}}`)
			time.Sleep(2 * time.Minute)
			want(t, "state", c.must("GET", "/_sim/state?user=anna", "").body, `"statusId":"Available, No ACD"`)
		}},
		{`{"stations":["WS-9"]}`, func(t *testing.T, _ *Server, c *client) {
			wantStatus(t, c.do("PUT", station, workstation), 404)
		}},
		{`{"statusAtLogout":"gone home"}`, func(t *testing.T, _ *Server, c *client) {
			lunch(c)
			c.must("DELETE", "/connection", "")
			want(t, "state", c.must("GET", "/_sim/state?user=anna", "").body, `"statusId":"Gone Home"`)
		}},
		{`{"streamMaxAge":"7s"}`, func(t *testing.T, _ *Server, c *client) {
			events, began := c.listen(), time.Now()
			for events.next() != "end" {
			}
			wantSince(t, began, 7*time.Second)
		}},
	} {
		t.Run(test.setting, func(t *testing.T) {
			s := &Server{}
			inBubble(t, s, func(t *testing.T) {
				c := loggedIn(t, s, "anna")
				c.must("PUT", "/messaging/subscriptions/status/user-statuses", `{"userIds":["anna"],"userStatusProperties":["statusId"]}`)
				set := test.setting[1 : len(test.setting)-1]
				want(t, "settings", c.must("POST", "/_sim/settings", test.setting).body, set)
				want(t, "settings", c.must("GET", "/_sim/settings", "").body, set)
				test.play(t, s, c)
			})
		})
	}
}

func TestSettingsRefused(t *testing.T) {
	for _, test := range []struct{ asked, want string }{
		{`{"mood":"x"}`, `icwssim: unknown setting "mood": want one of alternateHosts, announceSameStatus, backup`},
		{`{"statusAtLogout":"At Sea"}`, `setting statusAtLogout: unknown status "At Sea": want one of Available`},
		{`{"licenceRefusal":200}`, "want an HTTP status of 400 to 599"},
		{`{"licenceStatuses":{"A":10}}`, `10 for "A": want a licenseStatus of 0 to 9`},
		{`{"messagingVersion":3}`, "3: want 1 or 2"},
		{`{"pingInterval":"-1s"}`, "want no negative duration"},
		{`["backup"]`, "the controls are"},
	} {
		s := &Server{}
		inBubble(t, s, func(t *testing.T) {
			got := stranger(t, s).do("POST", "/_sim/settings", test.asked)
			wantStatus(t, got, 400)
			want(t, test.asked, got.body, test.want)
		})
	}
}

func wantStatus(t *testing.T, got received, status int) {
	t.Helper()
	if got.status != status {
		t.Errorf("status = %d %s; want %d", got.status, got.body, status)
	}
}

func wantSince(t *testing.T, began time.Time, d time.Duration) {
	t.Helper()
	if got := time.Since(began); got != d {
		t.Errorf("took %v; want %v", got, d)
	}
}

// TestAllIsDescribed holds the page of the simulators to the settings and scenarios that there are.
func TestAllIsDescribed(t *testing.T) {
	page, err := os.ReadFile("../../simulation/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range (&Server{}).knobs().Values() {
		if !strings.Contains(string(page), "\n| `"+name+"` ") {
			t.Errorf("the page of the simulators does not say what %s does", name)
		}
	}
	_, described, _ := strings.Cut(string(page), "\n## Scenarios\n")
	for _, name := range Scenarios() {
		if !strings.Contains(described, "`"+name+"`") {
			t.Errorf("the page of the simulators does not say what the scenario %s does", name)
		}
	}
}
