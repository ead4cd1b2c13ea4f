package icwssim

import (
	"io"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

func TestStatusIsSetLater(t *testing.T) {
	s := &Server{AsyncDelay: time.Second}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		got := c.do("PUT", "/status/user-statuses/ANNA", `{"statusId":"at lunch","notes":"back soon","until":{"untilDateTime":"2026-01-05T11:45:00.000Z","hasDate":true,"hasTime":true}}`)
		if got.status != 202 || got.body != `{"requestId":"1"}` {
			t.Fatalf("PUT = %d %s; want 202 and a requestId", got.status, got.body)
		}
		time.Sleep(999 * time.Millisecond)
		if got := c.status("anna")["statusId"]; got != "Available, No ACD" {
			t.Errorf("before the delay is over = %v", got)
		}
		wantList(t, "messages", c.poll())
		time.Sleep(time.Millisecond)
		synctest.Wait() // for what happens at this very moment
		body := c.must("GET", "/status/user-statuses/anna", "").body
		want(t, "status", body, `"userId":"anna"`, `"statusId":"At Lunch"`, `"notes":"back soon"`, `"statusChanged":"20000101T000001Z"`,
			`"until":{"untilDateTime":"20260105T114500Z","hasDate":false,"hasTime":true}`) // At Lunch takes a time, no date
		wantList(t, "messages", c.poll(), `{"__type":"urn:inin.com:messaging:asyncOperationCompletedMessage","isDelta":false,"requestId":"1","error":null}`)
	})
}

func TestStatusRefusals(t *testing.T) {
	for _, test := range []struct {
		name, as, user, body string
		status               int
		parts                []string
	}{
		{"an unknown status", "anna", "anna", `{"statusId":"At Sea"}`, 400, []string{`"propertyName":"statusId"`}},
		{"a blank status", "anna", "anna", `{"statusId":" "}`, 400, []string{`"propertyName":"statusId"`}},
		{"no status", "anna", "anna", `{"notes":"x"}`, 400, []string{`missingPropertyError`, `"propertyName":"statusId"`}},
		{"a date that is none", "anna", "anna", `{"statusId":"At Lunch","until":{"untilDateTime":"noon","hasDate":false,"hasTime":true}}`, 400, []string{`"propertyName":"untilDateTime"`}},
		{"a date with an offset", "anna", "anna", `{"statusId":"At Lunch","until":{"untilDateTime":"2026-01-05T12:45:00+01:00","hasDate":false,"hasTime":true}}`, 400, []string{`"propertyName":"untilDateTime"`}},
		{"a compact date", "anna", "anna", `{"statusId":"At Lunch","until":{"untilDateTime":"20260105T114500Z","hasDate":false,"hasTime":true}}`, 202, nil},
		{"an until with null in it", "anna", "anna", `{"statusId":"At Lunch","until":{"untilDateTime":"20260105T114500Z","hasDate":null,"hasTime":true}}`, 400, []string{`"propertyName":"until"`}},
		{"a property spelled otherwise", "anna", "anna", `{"statusID":"At Lunch"}`, 400, []string{`missingPropertyError`, `"propertyName":"statusId"`}},
		{"half an until", "anna", "anna", `{"statusId":"At Lunch","until":{"untilDateTime":"20260105T114500Z"}}`, 400, []string{`"propertyName":"hasDate"`}},
		{"an empty until", "anna", "anna", `{"statusId":"At Lunch","until":{}}`, 400, []string{`"propertyName":"untilDateTime"`}},
		{"an until of null is none", "anna", "anna", `{"statusId":"At Lunch","until":null}`, 202, nil},
		{"notes of another type", "anna", "anna", `{"statusId":"At Lunch","notes":7}`, 400, []string{`"propertyName":"notes"`}},
		{"endless notes", "anna", "anna", `{"statusId":"At Lunch","notes":"` + strings.Repeat("x", maxNotes+1) + `"}`, 400, []string{`"propertyName":"notes"`}},
		{"a body beyond reason", "anna", "anna", strings.Repeat(" ", maxBody) + `{}`, 400, []string{"too long"}},
		{"a forward status without number", "anna", "anna", `{"statusId":"Available, Forward"}`, 400, []string{`"propertyName":"forwardNumber"`}},
		{"a forward status", "anna", "anna", `{"statusId":"Available, Forward","forwardNumber":"4711"}`, 202, nil},
		{"a status for the system only", "anna", "anna", `{"statusId":"AcdAgentNotAnswering"}`, 403, []string{`"message"`}},
		{"somebody else's", "anna", "cleo", `{"statusId":"At Lunch"}`, 403, nil},
		{"somebody else's by a supervisor", "portico", "cleo", `{"statusId":"At Lunch"}`, 202, nil},
		{"nobody's", "anna", "nobody", `{"statusId":"At Lunch"}`, 403, nil},
		{"nobody's by a supervisor", "portico", "nobody", `{"statusId":"At Lunch"}`, 400, nil},
		{"an array", "anna", "anna", `[]`, 400, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &Server{}
			inBubble(t, s, func(t *testing.T) {
				c := loggedIn(t, s, test.as)
				got := c.do("PUT", "/status/user-statuses/"+test.user, test.body)
				if got.status != test.status {
					t.Errorf("status = %d %s; want %d", got.status, got.body, test.status)
				}
				want(t, "body", got.body, test.parts...)
			})
		})
	}
}

func TestStatusOutsideTheAccessList(t *testing.T) {
	users := []User{{ID: "anna", Password: "anna", Access: []string{"Available"}}}
	t.Run("is refused at once", func(t *testing.T) {
		s := &Server{Users: users}
		inBubble(t, s, func(t *testing.T) {
			if got := loggedIn(t, s, "anna").do("PUT", "/status/user-statuses/anna", `{"statusId":"At Lunch"}`); got.status != 403 {
				t.Errorf("PUT = %d; want 403", got.status)
			}
		})
	})
	t.Run("is refused later with RefuseAsync", func(t *testing.T) {
		s := &Server{Users: users, RefuseAsync: true}
		inBubble(t, s, func(t *testing.T) {
			c := loggedIn(t, s, "anna")
			c.must("PUT", "/status/user-statuses/anna", `{"statusId":"At Lunch"}`)
			time.Sleep(settle)
			wantList(t, "messages", c.poll(), `"requestId":"1","error":{"errorId":"error.request.accessDenied"`)
			if got := c.status("anna")["statusId"]; got != "Available, No ACD" {
				t.Errorf("statusId = %v; want it unchanged", got)
			}
		})
	})
}

func TestCompletions(t *testing.T) {
	const status, completion = `"statusId":"At Lunch"`, `"requestId":"1"`
	for _, test := range []struct {
		name   string
		server *Server
		want   []string
	}{
		{"come after the status message", &Server{}, []string{status, completion}},
		{"come before it with CompletionFirst", &Server{CompletionFirst: true}, []string{completion, status}},
		{"are lost with LoseCompletions", &Server{LoseCompletions: true}, []string{status}},
		{"come at once with a negative delay", &Server{AsyncDelay: -1}, []string{status, completion}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, test.server, func(t *testing.T) {
				c := loggedIn(t, test.server, "anna")
				c.must("PUT", "/messaging/subscriptions/status/user-statuses", `{"userIds":["anna"]}`)
				c.poll()
				c.must("PUT", "/status/user-statuses/anna", `{"statusId":"At Lunch"}`)
				if test.server.AsyncDelay >= 0 {
					time.Sleep(settle)
				}
				wantList(t, "messages", c.poll(), test.want...)
			})
		})
	}
}

func TestChangesKeepTheirOrder(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		for range 50 {
			c.must("PUT", "/status/user-statuses/anna", `{"statusId":"At Lunch"}`)
			c.must("PUT", "/status/user-statuses/anna", `{"statusId":"Available"}`)
		}
		time.Sleep(settle)
		if got := c.status("anna")["statusId"]; got != "Available" {
			t.Errorf("the last of many = %v; want Available", got)
		}
		messages := c.poll()
		want(t, "first completion", messages[0], `"requestId":"1"`)
		want(t, "last completion", messages[99], `"requestId":"100"`)
	})
}

func TestSameStatusAgain(t *testing.T) {
	for _, test := range []struct {
		name   string
		server *Server
		want   []string
	}{
		{"has only a completion", &Server{}, []string{`"requestId":"1"`}},
		{"has a status message too with AnnounceSameStatus", &Server{AnnounceSameStatus: true}, []string{`userStatusMessage`, `"requestId":"1"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, test.server, func(t *testing.T) {
				c := loggedIn(t, test.server, "anna")
				c.must("PUT", "/messaging/subscriptions/status/user-statuses", `{"userIds":["anna"]}`)
				c.poll()
				c.must("PUT", "/status/user-statuses/anna", `{"statusId":"Available, No ACD"}`)
				time.Sleep(settle)
				wantList(t, "messages", c.poll(), test.want...)
			})
		})
	}
}

func TestUntilPasses(t *testing.T) {
	for _, test := range []struct {
		name   string
		server *Server
		want   string
	}{
		{"and nothing happens", &Server{}, "At Lunch"},
		{"and the status before comes back with RevertAtUntil", &Server{RevertAtUntil: true}, "Available, No ACD"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, test.server, func(t *testing.T) {
				c := loggedIn(t, test.server, "anna")
				c.must("PUT", "/status/user-statuses/anna", `{"statusId":"At Lunch","until":{"untilDateTime":"20000101T000100Z","hasDate":false,"hasTime":true}}`)
				time.Sleep(59 * time.Second)
				if got := c.status("anna")["statusId"]; got != "At Lunch" {
					t.Errorf("before = %v", got)
				}
				time.Sleep(2 * time.Second)
				if got := c.status("anna")["statusId"]; got != test.want {
					t.Errorf("after = %v; want %v", got, test.want)
				}
			})
		})
	}
}

func TestReadingStatuses(t *testing.T) {
	s := &Server{Users: []User{{ID: "Anna Berg@x", Password: "p"}, {ID: "cleo", Password: "cleo"}}}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "cleo")
		for _, path := range []string{url.PathEscape("Anna Berg@x"), "anna%20berg@X", "Anna%20Berg%40x"} {
			if got := c.status(path); got["userId"] != "Anna Berg@x" || got["loggedIn"] != false {
				t.Errorf("status of %s = %v", path, got)
			}
		}
		body := c.must("GET", "/status/user-statuses/cleo", "").body
		want(t, "status", body, `"until":null`, `"stations":[]`, `"icServers":["IC1"]`, `"onPhone":false`, `"statusChanged":"20000101T000000Z"`)
		if strings.Contains(body, "notes") || strings.Contains(body, "forwardNumber") {
			t.Errorf("status = %s; want what is not there left out", body)
		}
		if got := c.do("GET", "/status/user-statuses/nobody", ""); got.status != 404 {
			t.Errorf("unknown user = %d; want 404", got.status)
		}
	})
}

func TestPreviousInfo(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		const path = "/status/user-status-previous-info/anna"
		if got := c.do("GET", path, ""); got.status != 204 || got.header.Get("Content-Type") != "" {
			t.Errorf("without any = %d %q; want a bare 204", got.status, got.header.Get("Content-Type"))
		}
		c.must("PUT", "/messaging/subscriptions/status/user-status-previous-info", "")
		for _, body := range []string{`{"statusId":"At Lunch","notes":"one"}`, `{"statusId":"Available"}`, `{"statusId":"At Lunch","notes":"two"}`} {
			c.must("PUT", "/status/user-statuses/anna", body)
			time.Sleep(settle)
		}
		want(t, "previous", c.must("GET", path, "").body, `{"userStatusPreviousInfoList":[{"statusId":"At Lunch","notes":"two"}]}`)
		wantList(t, "messages", c.poll(), `"isDelta":false,"userStatusPreviousInfoList":[]`,
			`"isDelta":true,"userStatusPreviousInfoList":[{"statusId":"At Lunch","notes":"one"}]`, `"requestId":"1"`, `"requestId":"2"`, `"notes":"two"`, `"requestId":"3"`)
	})
}

// TestABodyThatBreaksOffIsNoSuccess sends half of a body: an answer without any would be taken for success.
func TestABodyThatBreaksOffIsNoSuccess(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		for _, test := range []struct {
			who    *client
			path   string
			status int
		}{{c, "/status/user-statuses/anna", 400}, {stranger(t, s), "/icws/connection", 400}, {stranger(t, s), c.prefix + "/status/user-statuses/anna", 401}} {
			r := test.who.request(t.Context(), "PUT", test.path, "", "Accept-Language", "en")
			if test.path == "/icws/connection" {
				r.Method = "POST"
			}
			r.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"statusId":`), iotest.ErrReader(io.ErrUnexpectedEOF)))
			got := httptest.NewRecorder()
			s.ServeHTTP(got, r)
			if got.Code != test.status || got.Body.Len() == 0 {
				t.Errorf("%s = %d %q; want %d and why", test.path, got.Code, got.Body, test.status)
			}
		}
	})
}
