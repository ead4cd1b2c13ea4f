package icwssim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/translate/icwsapi"
)

const statuses = "/messaging/subscriptions/status/user-statuses"

// setState changes a user from outside and fails the test if it cannot.
func setState(t testing.TB, s *Server, change StateChange) {
	t.Helper()
	err := s.SetState(change)
	if err != nil {
		t.Fatal(err)
	}
}

func TestStatusSubscription(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		got := c.must("PUT", statuses, `{"userIds":["ANNA","cleo","anna"]}`)
		if got.status != 200 || got.body != "" || got.header.Get("Content-Type") != icwsapi.ContentType {
			t.Errorf("PUT = %d %q %q; want an empty 200 of the ICWS type", got.status, got.body, got.header.Get("Content-Type"))
		}
		wantList(t, "snapshot", c.poll(), `"isDelta":false,"userStatusList":[{"userId":"anna","statusId":"Available, No ACD","until":null,"statusChanged":"20000101T000000Z","onPhone":false,"onPhoneChanged":"20000101T000000Z","loggedIn":true,"stations":[],"icServers":["IC1"]},{"userId":"cleo",`)
		wantList(t, "drained", c.poll())

		time.Sleep(1500 * time.Millisecond)
		until := icwsapi.Until{UntilDateTime: icwsapi.NewTime(time.Now().Add(time.Hour)), HasTime: true}
		setState(t, s, StateChange{User: "cleo", StatusID: new("at lunch"), Notes: new("x"), Until: &until})
		setState(t, s, StateChange{User: "cleo", OnPhone: new(true)})
		setState(t, s, StateChange{User: "cleo", StatusID: new("At Lunch")})
		setState(t, s, StateChange{User: "agent0001", OnPhone: new(true)})
		wantList(t, "deltas have the required and the changed properties", c.poll(),
			`{"__type":"urn:inin.com:status:userStatusMessage","isDelta":true,"userStatusList":[{"userId":"cleo","statusId":"At Lunch","notes":"x","until":{"untilDateTime":"20000101T010001Z","hasDate":false,"hasTime":true},"statusChanged":"20000101T000001Z"}]}`,
			`[{"userId":"cleo","statusId":"At Lunch","onPhone":true,"onPhoneChanged":"20000101T000001Z"}]`,
			`[{"userId":"cleo","statusId":"At Lunch","notes":"","until":null}]`)

		c.must("PUT", statuses, `{"userIds":["agent0001"]}`)
		wantList(t, "replaced", c.poll(), `"isDelta":false,"userStatusList":[{"userId":"agent0001"`)
		setState(t, s, StateChange{User: "cleo", OnPhone: new(false)})
		wantList(t, "no longer watched", c.poll())

		if got := c.do("DELETE", statuses, ""); got.status != 204 {
			t.Errorf("DELETE = %d; want 204", got.status)
		}
		setState(t, s, StateChange{User: "agent0001", OnPhone: new(false)})
		wantList(t, "after DELETE", c.poll())
	})
}

func TestStatusSubscriptionFiltersProperties(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		c.must("PUT", statuses, `{"userIds":["cleo"],"userStatusProperties":["statusId","loggedIn","notes","mood"]}`)
		wantList(t, "snapshot", c.poll(), `"userStatusList":[{"userId":"cleo","statusId":"Available, No ACD","loggedIn":false}]`)
		setState(t, s, StateChange{User: "cleo", OnPhone: new(true)})
		setState(t, s, StateChange{User: "cleo", StatusID: new("Available")})
		loggedIn(t, s, "cleo")
		wantList(t, "deltas", c.poll(), `[{"userId":"cleo","statusId":"Available"}]`, `[{"userId":"cleo","statusId":"Available","loggedIn":true}]`)
	})
}

func TestStatusSubscriptionRefusals(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		c.must("PUT", statuses, `{"userIds":["anna"]}`)
		c.poll()
		for body, status := range map[string]int{
			`{"userIds":["anna","nobody"]}`: 404,
			`{"userIds":[]}`:                400,
			`{"userIds":["anna",null]}`:     400,
			`{}`:                            400,
			``:                              400,
			`{"userIds":"anna"}`:            400,
			`{"userIds":["cleo"],"userStatusProperties":[]}`:  400,
			`{"userIds":["cleo"],"userStatusProperties":"x"}`: 400,
		} {
			if got := c.do("PUT", statuses, body); got.status != status {
				t.Errorf("PUT %s = %d; want %d", body, got.status, status)
			}
		}
		setState(t, s, StateChange{User: "anna", OnPhone: new(true)})
		wantList(t, "the old subscription stands", c.poll(), `"userId":"anna"`)
	})
}

func TestBigStatusSubscription(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "portico")
		var ids []string
		for i := range 3000 {
			ids = append(ids, fmt.Sprintf("agent%04d", i+1))
		}
		body, err := json.Marshal(icwsapi.UserStatusSubscription{UserIDs: ids})
		if err != nil {
			t.Fatal(err)
		}
		stream := c.listen() // fails on lines that are too long
		c.must("PUT", statuses, string(body))
		seen := 0
		for seen < len(ids) {
			var message icwsapi.UserStatusMessage
			raw := stream.message()
			err := json.Unmarshal([]byte(raw), &message)
			if err != nil {
				t.Fatalf("after %d users: %q", seen, raw)
			}
			if message.IsDelta != (seen > 0) {
				t.Errorf("after %d users isDelta is %v", seen, message.IsDelta)
			}
			seen += len(message.UserStatusList)
		}
	})
}

func TestStreamHasBacklogThenLive(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		c.must("PUT", statuses, `{"userIds":["anna"]}`)
		setState(t, s, StateChange{User: "anna", OnPhone: new(true)})
		stream := c.listen()
		want(t, "backlog", stream.message(), `"isDelta":false`)
		want(t, "backlog", stream.message(), `"onPhone":true`)
		setState(t, s, StateChange{User: "anna", OnPhone: new(false)})
		want(t, "live", stream.message(), `"onPhone":false`)
		wantList(t, "a poll beside the stream", c.poll())
		begin := time.Now()
		if got := stream.next(); got != ":ping" || time.Since(begin) != 15*time.Second {
			t.Errorf("after %v: %q; want :ping after 15 s", time.Since(begin), got)
		}
	})
}

func TestStreamEnds(t *testing.T) {
	t.Run("when a newer one opens", func(t *testing.T) {
		s := &Server{}
		inBubble(t, s, func(t *testing.T) {
			c := loggedIn(t, s, "anna")
			old := c.listen()
			young := c.listen()
			if got := old.message(); got != "end" {
				t.Errorf("old stream = %q; want its end", got)
			}
			c.must("PUT", statuses, `{"userIds":["anna"]}`)
			want(t, "young stream", young.message(), `"isDelta":false`)
		})
	})
	t.Run("and takes nothing from the newer one", func(t *testing.T) {
		s := &Server{}
		inBubble(t, s, func(t *testing.T) {
			loggedIn(t, s, "anna")
			for _, session := range s.sessions {
				old := s.openStream(session)
				s.openStream(session)
				session.send("news")
				<-session.wake // as if the old one were quicker
				if s.forward(eventWriter{}, session, old) || len(session.queue) != 1 || len(session.wake) != 1 {
					t.Error("the old stream took what is the newer one's")
				}
			}
		})
	})
	t.Run("at its greatest age", func(t *testing.T) {
		s := &Server{StreamMaxAge: time.Minute, PingInterval: time.Hour}
		inBubble(t, s, func(t *testing.T) {
			c := loggedIn(t, s, "anna")
			begin := time.Now()
			if got := c.listen().message(); got != "end" || time.Since(begin) != time.Minute {
				t.Errorf("after %v: %q; want the end after 1 min", time.Since(begin), got)
			}
			c.must("GET", "/connection", "")
		})
	})
	t.Run("with its session", func(t *testing.T) {
		s := &Server{}
		inBubble(t, s, func(t *testing.T) {
			c := loggedIn(t, s, "anna")
			stream := c.listen()
			c.must("DELETE", "/connection", "")
			if got := stream.message(); got != "end" {
				t.Errorf("stream = %q; want its end", got)
			}
		})
	})
	t.Run("with the server", func(t *testing.T) {
		s := &Server{}
		inBubble(t, s, func(t *testing.T) {
			stream := loggedIn(t, s, "anna").listen()
			s.Close()
			if got := stream.message(); got != "end" {
				t.Errorf("stream = %q; want its end", got)
			}
		})
	})
	t.Run("without losing what comes after", func(t *testing.T) {
		s := &Server{}
		inBubble(t, s, func(t *testing.T) {
			c := loggedIn(t, s, "anna")
			c.must("PUT", statuses, `{"userIds":["anna"]}`)
			stream := c.listen()
			want(t, "snapshot", stream.message(), `"isDelta":false`)
			stream.body.Close()
			synctest.Wait()
			setState(t, s, StateChange{User: "anna", OnPhone: new(true)})
			want(t, "next stream", c.listen().message(), `"onPhone":true`)
		})
	})
}

func TestStreamOverANetwork(t *testing.T) {
	s := &Server{PingInterval: 5 * time.Millisecond}
	web := httptest.NewServer(s)
	defer web.Close()
	defer s.Close()

	c := &client{t: t, http: web.Client(), base: web.URL, header: http.Header{}}
	c.adopt(c.tryLogIn("anna", "anna"))
	stream := c.listen()
	c.must("PUT", statuses, `{"userIds":["anna"]}`)
	want(t, "snapshot", stream.message(), `"isDelta":false`)
	c.must("PUT", "/status/user-statuses/anna", `{"statusId":"Available"}`)
	want(t, "status", stream.message(), `"statusId":"Available"`)
	want(t, "completion", stream.message(), `"requestId":"1"`)
	if got := stream.next(); got != ":ping" {
		t.Errorf("then = %q; want :ping", got)
	}
	s.Close()
	if got := stream.message(); !strings.HasPrefix(got, "end") {
		t.Errorf("then = %q; want the end", got)
	}
	c.http.CloseIdleConnections()
}

func TestHeartbeatOfOldServers(t *testing.T) {
	s := &Server{NoHeartbeat: true}
	inBubble(t, s, func(t *testing.T) {
		if got := loggedIn(t, s, "anna").do("POST", "/messaging/heartbeat", ""); got.status != 404 {
			t.Errorf("heartbeat = %d; want 404", got.status)
		}
	})
}
