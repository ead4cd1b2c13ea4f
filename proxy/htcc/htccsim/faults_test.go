package htccsim

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func TestFaults(t *testing.T) {
	const me = "/api/v2/me"
	for _, test := range []struct {
		name   string
		fault  Fault
		method string
		path   string
		body   string
		status int
		want   string
	}{
		{"an error", Fault{Route: "GET /api/v2/me", Status: 500}, "GET", me, "", 500, `{"statusCode":4,"statusMessage":"An internal error occurred"}`},
		{"an error of a proxy", Fault{Route: "*", Status: 503, Body: "<h1>503</h1>", ContentType: "text/html"}, "GET", me, "", 503, `<h1>503</h1>`},
		{"session gone, it says", Fault{Route: "/api/v2/me", Status: 403}, "POST", me, `{}`, 403, deniedBody},
		{"not found", Fault{Status: 404}, "GET", me, "", 404, `{"statusCode":6,`},
		{"an empty success", Fault{Status: 204}, "GET", me, "", 204, ``},
		{"another route", Fault{Route: "GET /api/v2/me/devices", Status: 500}, "GET", me, "", 200, `{"statusCode":0`},
		{"another parameter's name", Fault{Route: "POST /api/v2/me/channels/{x}", Status: 400}, "POST", me + "/channels/chat", `{"operationName":"Ready"}`, 400, `{"statusCode":2`},
		{"another user", Fault{User: "cleo", Status: 500}, "GET", me, "", 200, `{"statusCode":0`},
		{"another host", Fault{Host: "gws2.example", Status: 500}, "GET", me, "", 200, `{"statusCode":0`},
		{"this host", Fault{Host: "htcc.example", Status: 500}, "GET", me, "", 500, `{"statusCode":4`},
		{"notifications", Fault{Route: "POST /api/v2/notifications", Status: 502}, "POST", "/api/v2/notifications/connect", `[]`, 502, ``},
		{"HTML and 200", Fault{Scenario: "garbage"}, "GET", me, "", 200, `<html>`},
		{"no JSON and 200", Fault{Scenario: "garbage", Body: "{", ContentType: "application/json"}, "GET", me, "", 200, `{`},
		{"a foreign host", Fault{Scenario: "redirect"}, "GET", me + "?x=1", "", 302, ``},
		{"the other dialect", Fault{Scenario: "dialect-status", Route: "POST /api/v2/me"}, "POST", me, `{"operationName":"Ready"}`, 200, `{"status":"ok"}`},
		{"the other dialect of a read", Fault{Scenario: "dialect-status"}, "GET", me + "?fields=userName", "", 200, `{"userName":"bjorn"}`},
		{"a string", Fault{Scenario: "string-status-code"}, "POST", me, `{"operationName":"Ready"}`, 200, `{"statusCode":"0"}`},
		{"no channels in the user", Fault{Scenario: "missing-channels"}, "GET", me + "?fields=userName&subresources=channels", "", 200, `{"statusCode":0,"user":{"userName":"bjorn"}}`},
		{"no channels in the list", Fault{Scenario: "missing-channels"}, "GET", me + "/channels?fields=*", "", 200, `{"statusCode":0}`},
		{"carried out all the same", Fault{Status: 504, After: true}, "POST", me, `{"operationName":"NotReady"}`, 504, `{"statusCode":4`},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &Server{}
			inBubble(t, s, func(t *testing.T) {
				c := started(t, s, "bjorn", "voice", "chat")
				fail(t, s, test.fault)
				got := c.do(test.method, test.path, test.body)
				if got.status != test.status || !strings.HasPrefix(got.body, test.want) {
					t.Errorf("%s %s = %d %s; want %d %s", test.method, test.path, got.status, got.body, test.status, test.want)
				}
				if test.status == 302 && got.header.Get("Location") != "http://foreign.example/api/v2/me?x=1" {
					t.Errorf("Location = %q", got.header.Get("Location"))
				}
				s.Reset()
				c.must("GET", me, "") // the session survives
				if got := c.states()["voice"]; test.fault.After && got != "Not Ready" {
					t.Errorf("voice = %q; want it to be changed", got)
				}
			})
		})
	}
}

func TestHeaderFaults(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "bjorn")
		jar := c.http.Jar
		c.http.Jar = nil
		fail(t, s, Fault{Scenario: "empty-cookie", Times: 1})
		got := c.must("GET", "/api/v2/me", "", basic("bjorn", "bjorn")...)
		if got := got.header.Values("Set-Cookie"); len(got) != 1 || got[0] != "JSESSIONID=; Path=/; HttpOnly" {
			t.Errorf("cookies = %q; want one without value", got)
		}
		c.http.Jar = jar
		fail(t, s, Fault{Scenario: "huge-headers", Times: 1})
		size := 0
		for name, values := range c.must("GET", "/api/v2/me", "").header {
			for _, value := range values {
				size += len(name) + len(value)
			}
		}
		if size < 8<<20 {
			t.Errorf("header = %d bytes; want 8 MB", size)
		}
		c.must("GET", "/api/v2/me", "")
	})
}

func TestSlowAndSilentAnswers(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault Fault
		want  error
		after time.Duration // when the caller knows
	}{
		{"slow", Fault{Delay: 3 * time.Second}, nil, 3 * time.Second},
		{"slow after it was carried out", Fault{Delay: 3 * time.Second, After: true}, nil, 3 * time.Second},
		{"slower than the caller waits", Fault{Delay: time.Hour}, context.DeadlineExceeded, time.Minute},
		{"silence", Fault{Scenario: "hang"}, context.DeadlineExceeded, time.Minute},
		{"silence for a while", Fault{Scenario: "hang", Delay: time.Second}, io.EOF, time.Second},
		{"silence in the middle", Fault{Scenario: "hang-body"}, context.DeadlineExceeded, time.Minute},
		{"silence in the middle for a while", Fault{Scenario: "hang-body", Delay: time.Second}, io.ErrUnexpectedEOF, time.Second},
		{"an end in the middle", Fault{Scenario: "truncate-body"}, io.ErrUnexpectedEOF, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &Server{}
			inBubble(t, s, func(t *testing.T) {
				c := loggedIn(t, s, "bjorn")
				fail(t, s, test.fault)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				began := time.Now()
				got, err := c.try(ctx, "GET", "/api/v2/me", "")
				if !errors.Is(err, test.want) || err == nil && test.want != nil || time.Since(began) != test.after {
					t.Errorf("GET /me = %d %q, %v after %v; want %v after %v", got.status, got.body, err, time.Since(began), test.want, test.after)
				}
				s.Reset()
				c.must("GET", "/api/v2/me", "")
			})
		})
	}
}

func TestAHangingConnectIsNoLeak(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "bjorn")
		c.listen("/v2/me/*")
		fail(t, s, Fault{Scenario: "hang-body", Route: "POST /api/v2/notifications", Delay: time.Second})
		_, err := c.trySpeak(t.Context(), connectMessage)
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("connect = %v; want %v", err, io.ErrUnexpectedEOF)
		}
		s.Reset()
		c.connect()
		time.Sleep(31 * time.Minute)
		if got := c.do("GET", "/api/v2/me", ""); got.status != 403 {
			t.Errorf("after 31 min = %d; want the session to have ended", got.status)
		}
	})
}

func TestTimes(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "bjorn")
		fail(t, s, Fault{Status: 500, Times: 2})
		for i, want := range []int{500, 500, 200} {
			if got := c.do("GET", "/api/v2/me", "").status; got != want {
				t.Errorf("call %d = %d; want %d", i, got, want)
			}
		}
	})
}
