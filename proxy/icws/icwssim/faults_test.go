package icwssim

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const putStatus = "PUT /icws/{sessionId}/status/user-statuses/{userId}"

func fail(t testing.TB, s *Server, f Fault) {
	t.Helper()
	err := s.Fault(f)
	if err != nil {
		t.Fatal(err)
	}
}

func TestFaultAnswers(t *testing.T) {
	for _, test := range []struct {
		name                       string
		fault                      Fault
		status                     int
		part, contentType, statusA string
	}{
		{"a status has an error body", Fault{Route: putStatus, Status: 500}, 500, `"errorCode":-2147467259`, "application/vnd.inin.icws+JSON; charset=utf-8", "Available, No ACD"},
		{"a 401 says that the session is gone", Fault{Route: putStatus, Status: 401}, 401, `authenticationFailure`, "", "Available, No ACD"},
		{"a 400 blames the request", Fault{Route: putStatus, Status: 400}, 400, `"errorId":"error.request.invalidRepresentation"`, "", "Available, No ACD"},
		{"a 403 says that a right is missing", Fault{Route: putStatus, Status: 403}, 403, `"errorId":"error.request.accessDenied"`, "", "Available, No ACD"},
		{"a 404 says that there is no such thing", Fault{Route: putStatus, Status: 404}, 404, `"errorId":"error.request.notFound"`, "", "Available, No ACD"},
		{"a 503 has a list of hosts", Fault{Status: 503, Hosts: []string{"ic2"}}, 503, `"alternateHostList":["ic2"]`, "", "Available, No ACD"},
		{"parameters may have any name", Fault{Route: "put /icws/{a}/status/user-statuses/{b}", Status: 500}, 500, ``, "", "Available, No ACD"},
		{"a route without method", Fault{Route: "/icws/{a}/status/user-statuses/{b}", Status: 500}, 500, ``, "", "Available, No ACD"},
		{"another route is not hit", Fault{Route: "GET /icws/{a}/status/user-statuses/{b}", Status: 500}, 202, ``, "", "Available"},
		{"another user is not hit", Fault{User: "cleo", Status: 500}, 202, ``, "", "Available"},
		{"the user is hit", Fault{User: "ANNA", Status: 500}, 500, ``, "", "Available, No ACD"},
		{"another host is not hit", Fault{Host: "ic2.example", Status: 500}, 202, ``, "", "Available"},
		{"the host is hit", Fault{Host: "ic1.example", Status: 500}, 500, ``, "", "Available, No ACD"},
		{"a body of one's own", Fault{Route: "*", Body: `{"x":`, ContentType: "application/json"}, 200, `{"x":`, "application/json", "Available, No ACD"},
		{"an empty success", Fault{Route: putStatus, Status: 200}, 200, ``, "application/vnd.inin.icws+JSON; charset=utf-8", "Available, No ACD"},
		{"garbage", Fault{Scenario: "garbage", Route: putStatus}, 200, `<html>`, "text/html; charset=utf-8", "Available, No ACD"},
		{"After carries the call out", Fault{Route: putStatus, Status: 500, After: true}, 500, ``, "", "Available"},
		{"After without status only delays", Fault{Route: putStatus, Delay: time.Second, After: true}, 202, `{"requestId":"1"}`, "", "Available"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &Server{}
			inBubble(t, s, func(t *testing.T) {
				c := loggedIn(t, s, "anna")
				fail(t, s, test.fault)
				got := c.do("PUT", "/status/user-statuses/anna", `{"statusId":"Available"}`)
				time.Sleep(settle)
				if got.status != test.status {
					t.Errorf("status = %d; want %d", got.status, test.status)
				}
				want(t, "body", got.body, test.part)
				want(t, "content type", got.header.Get("Content-Type"), test.contentType)
				state, err := s.State("anna")
				if err != nil || state.StatusID != test.statusA {
					t.Errorf("status afterwards = %q, %v; want %q", state.StatusID, err, test.statusA)
				}
			})
		})
	}
}

func TestFaultsEnd(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		fail(t, s, Fault{Status: 500, Times: 2})
		for i, want := range []int{500, 500, 200} {
			if got := c.do("GET", "/connection", ""); got.status != want {
				t.Errorf("call %d = %d; want %d", i, got.status, want)
			}
		}
		fail(t, s, Fault{Status: 500})
		s.Reset()
		c.must("GET", "/connection", "")
	})
}

func TestFaultDelay(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		fail(t, s, Fault{Route: putStatus, Delay: 30 * time.Second})
		begin := time.Now()
		c.must("PUT", "/status/user-statuses/anna", `{"statusId":"Available"}`)
		if time.Since(begin) != 30*time.Second {
			t.Errorf("answered after %v; want 30 s", time.Since(begin))
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := c.http.Do(c.request(ctx, "PUT", "/status/user-statuses/anna", `{"statusId":"At Lunch"}`))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error of a caller who left = %v", err)
		}
		time.Sleep(time.Minute)
		if got := c.status("anna")["statusId"]; got != "Available" {
			t.Errorf("after the caller left = %v; want Available", got)
		}
	})
}

func TestHang(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		fail(t, s, Fault{Scenario: "hang", Times: 2})
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		_, err := c.http.Do(c.request(ctx, "GET", "/icws/connection/version", ""))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after an hour = %v; want no answer", err)
		}
		go func() { time.Sleep(time.Second); s.Close() }()
		_, err = c.try("GET", "/icws/connection/version", "")
		if !errors.Is(err, io.EOF) {
			t.Errorf("when the server closes = %v; want a broken connection", err)
		}
	})
}

func TestResetConnection(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		c.must("PUT", statuses, `{"userIds":["anna"]}`)
		fail(t, s, Fault{Scenario: "reset-connection", User: "anna"})
		_, err := c.try("GET", "/messaging/messages", "")
		if !errors.Is(err, io.EOF) {
			t.Errorf("poll = %v; want a broken connection", err)
		}
		wantList(t, "what the poll lost", c.poll())

		stream := c.listen()
		fail(t, s, Fault{Scenario: "reset-connection", User: "anna"})
		want(t, "stream", stream.message(), "broken: ")
		c.must("GET", "/connection", "")
	})
}

func TestTruncateEvent(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		stream := c.listen()
		fail(t, s, Fault{Scenario: "truncate-event", User: "anna"})
		c.must("PUT", statuses, `{"userIds":["anna"]}`)
		half := stream.message()
		if !strings.HasPrefix(half, `{"__type":"urn:inin.com:status:userStatusMessage"`) || strings.HasSuffix(half, "}") {
			t.Errorf("event = %q; want half of one", half)
		}
		want(t, "then", stream.message(), "broken: ")
		setState(t, s, StateChange{User: "anna", OnPhone: new(true)})
		want(t, "the next stream", c.listen().message(), `"onPhone":true`)
	})
}

func TestDropStream(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		anna, cleo := loggedIn(t, s, "anna"), loggedIn(t, s, "cleo")
		stream, other := anna.listen(), cleo.listen()
		fail(t, s, Fault{Scenario: "drop-stream", User: "anna"})
		if got := stream.message(); got != "end" {
			t.Errorf("stream = %q; want its end", got)
		}
		cleo.must("PUT", statuses, `{"userIds":["cleo"]}`)
		want(t, "another user's stream", other.message(), `"userId":"cleo"`)
		anna.must("GET", "/connection", "")
	})
}

func TestExpireSession(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		anna, cleo := loggedIn(t, s, "anna"), loggedIn(t, s, "cleo")
		stream := anna.listen()
		fail(t, s, Fault{Scenario: "expire-session", User: "anna"})
		if got := stream.message(); got != "end" {
			t.Errorf("stream = %q; want its end", got)
		}
		for _, path := range []string{"/connection", "/messaging/messages"} {
			if got := anna.do("GET", path, ""); got.status != 401 {
				t.Errorf("GET %s = %d; want 401", path, got.status)
			}
		}
		cleo.must("GET", "/connection", "")
	})
}

func TestForceLogoff(t *testing.T) {
	const message = `{"__type":"urn:inin.com:connection:connectionStateChangeMessage","isDelta":false,"previousConnectionState":1,"newConnectionState":2,"reason":"The session was logged out by a supervisor.","shouldReconnect":false}`
	t.Run("is told in the stream", func(t *testing.T) {
		s := &Server{}
		inBubble(t, s, func(t *testing.T) {
			c := loggedIn(t, s, "anna")
			stream := c.listen()
			fail(t, s, Fault{Scenario: "force-logoff", User: "anna"})
			if got := stream.message(); got != message {
				t.Errorf("stream = %s; want %s", got, message)
			}
			if got := stream.message(); got != "end" {
				t.Errorf("then = %s; want the end", got)
			}
			if got := c.do("GET", "/messaging/messages", ""); got.status != 401 {
				t.Errorf("then = %d; want 401", got.status)
			}
		})
	})
	t.Run("is told to one poll", func(t *testing.T) {
		s := &Server{}
		inBubble(t, s, func(t *testing.T) {
			c := loggedIn(t, s, "anna")
			fail(t, s, Fault{Scenario: "force-logoff"})
			if got := c.do("GET", "/connection", ""); got.status != 401 {
				t.Errorf("other requests = %d; want 401", got.status)
			}
			wantList(t, "poll", c.poll(), message)
			if got := c.do("GET", "/messaging/messages", ""); got.status != 401 {
				t.Errorf("next poll = %d; want 401", got.status)
			}
		})
	})
}

func TestSwitchover(t *testing.T) {
	s := &Server{AlternateHosts: []string{"ic1.example", "ic2.example"}}
	inBubble(t, s, func(t *testing.T) {
		here, there := loggedIn(t, s, "anna"), stranger(t, s)
		there.base = "http://ic2.example:8018"
		there.adopt(there.tryLogIn("cleo", "cleo"))

		fail(t, s, Fault{Scenario: "switchover", Host: "ic1.example", Hosts: []string{"ic2.example"}})
		wantList(t, "sessions of the host are told", here.poll(), `"newConnectionState":2,"reason":"A switchover is in progress.","shouldReconnect":true`)
		if got := here.do("GET", "/connection", ""); got.status != 401 {
			t.Errorf("then = %d; want 401", got.status)
		}
		got := here.tryLogIn("anna", "anna")
		if got.status != 503 {
			t.Errorf("log-in = %d; want 503", got.status)
		}
		want(t, "body", got.body, `"alternateHostList":["ic2.example"]`)
		there.must("GET", "/connection", "")
		if got := there.tryLogIn("anna", "anna"); got.status != 201 {
			t.Errorf("log-in at the other host = %d; want 201", got.status)
		}
		s.Reset()
		fail(t, s, Fault{Scenario: "switchover", Hosts: []string{}, KeepSessions: true, Times: 1})
		there.must("GET", "/connection", "")
		want(t, "an empty list", here.tryLogIn("anna", "anna").body, `"alternateHostList":[]`)
		if got := here.tryLogIn("anna", "anna"); got.status != 201 {
			t.Errorf("after one refusal = %d; want 201", got.status)
		}
	})
}

func TestICServerDownAndUp(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		fail(t, s, Fault{Scenario: "ic-down"})
		fail(t, s, Fault{Scenario: "ic-down"})
		want(t, "connection", c.must("GET", "/connection", "").body, `"connectionState":2`)
		if got := c.do("GET", "/status/status-messages", ""); got.status != 503 {
			t.Errorf("other requests = %d; want 503", got.status)
		}
		if got := c.tryLogIn("cleo", "cleo"); got.status != 503 {
			t.Errorf("log-in = %d; want 503", got.status)
		}
		fail(t, s, Fault{Scenario: "ic-up"})
		wantList(t, "messages", c.poll(), `"previousConnectionState":1,"newConnectionState":2`, `"previousConnectionState":2,"newConnectionState":1`)
		c.must("GET", "/status/status-messages", "")
	})
}

func TestNoLicence(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		fail(t, s, Fault{Scenario: "no-licence", User: "anna"})
		if got := c.tryLogIn("anna", "anna"); got.status != 403 {
			t.Errorf("log-in = %d; want 403", got.status)
		}
		if got := c.tryLogIn("cleo", "cleo"); got.status != 201 {
			t.Errorf("another user's log-in = %d; want 201", got.status)
		}
		want(t, "licences", c.must("POST", "/licenses", `{"licenseList":["X"]}`).body, `"isAvailable":false`, `"licenseStatus":4`)
	})
}

func TestMessaging1ForOneUser(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		anna, cleo := loggedIn(t, s, "anna"), loggedIn(t, s, "cleo")
		fail(t, s, Fault{Scenario: "messaging-1", User: "anna"})
		want(t, "anna's", anna.must("GET", "/connection/features/messaging", "").body, `"version":1`)
		want(t, "cleo's", cleo.must("GET", "/connection/features/messaging", "").body, `"version":2`)
		want(t, "everybody's", anna.must("GET", "/icws/connection/features/messaging", "").body, `"version":2`)
		if got := anna.do("GET", "/messaging/messages", "", "Accept", "text/event-stream"); got.body != "[]" {
			t.Errorf("stream = %q; want a poll's answer", got.body)
		}
	})
}

func TestCompletionScenarios(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		fail(t, s, Fault{Scenario: "refuse-async", User: "anna", Times: 1})
		fail(t, s, Fault{Scenario: "lose-completion", Times: 1})
		for range 3 {
			c.must("PUT", "/status/user-statuses/anna", `{"statusId":"Available"}`)
			time.Sleep(settle)
		}
		wantList(t, "completions", c.poll(), `"requestId":"2","error":null`, `"requestId":"3","error":null`)
		fail(t, s, Fault{Scenario: "refuse-async", Times: 1})
		c.must("PUT", "/status/user-statuses/anna", `{"statusId":"At Lunch"}`)
		time.Sleep(settle)
		wantList(t, "completions", c.poll(), `"requestId":"4","error":{"errorId":`)
		if got := c.status("anna")["statusId"]; got != "Available" {
			t.Errorf("statusId = %v; want Available", got)
		}
	})
}

func TestWhatTheSystemDoes(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		statusID := func() any { return c.status("anna")["statusId"] }
		setState(t, s, StateChange{User: "anna", StatusID: new("Available")})
		fail(t, s, Fault{Scenario: "call", User: "anna"})
		if got := c.status("anna"); got["onPhone"] != true || got["statusId"] != "Available" {
			t.Errorf("in a call = %v", got)
		}
		fail(t, s, Fault{Scenario: "end-call", User: "anna", Delay: time.Minute})
		if got := c.status("anna"); got["onPhone"] != false || got["statusId"] != "Follow Up" {
			t.Errorf("after a call = %v", got)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if statusID() != "Available" {
			t.Errorf("after follow-up = %v", statusID())
		}
		fail(t, s, Fault{Scenario: "end-call", User: "anna"})
		setState(t, s, StateChange{User: "anna", StatusID: new("At Lunch")})
		time.Sleep(time.Minute)
		if statusID() != "At Lunch" {
			t.Errorf("chosen during follow-up = %v; want At Lunch", statusID())
		}
		fail(t, s, Fault{Scenario: "end-call", User: "anna"})
		if statusID() != "At Lunch" {
			t.Errorf("a status without follow-up = %v; want At Lunch", statusID())
		}
		fail(t, s, Fault{Scenario: "no-answer", User: "anna"})
		if statusID() != "AcdAgentNotAnswering" {
			t.Errorf("after no answer = %v", statusID())
		}
	})
}
