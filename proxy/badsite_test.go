package proxy

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"portico/proxy/htcc/htccsim"
)

// TestBadAnswersOfHTCC lets the HTCC site answer in every wrong way. What can be understood is; what
// cannot is an error that says so and shows nothing of the answer. The session goes on, nobody else
// notices, and once the site is well everything is as it was.
func TestBadAnswersOfHTCC(t *testing.T) {
	type want struct {
		status int
		body   string
	}
	failed := func(status int, text string) want {
		return want{status, fmt.Sprintf(`{"statusCode":4,"statusMessage":%s}`, quote(text))}
	}
	done, bad, late := want{200, `{"statusCode":0}`}, failed(500, badUpstream), failed(504, tooLate)
	for name, test := range map[string]struct {
		fault htccsim.Fault
		post  want // the answer to an operation
	}{
		"the dialect without codes":     {htccsim.Fault{Scenario: "dialect-status"}, done},
		"statusCode as a string":        {htccsim.Fault{Scenario: "string-status-code"}, done},
		"a page with 200":               {htccsim.Fault{Scenario: "garbage", Body: "<html>canary</html>"}, bad},
		"text with 200":                 {htccsim.Fault{Scenario: "garbage", Body: "canary", ContentType: "text/plain"}, bad},
		"nothing with 200":              {htccsim.Fault{Scenario: "garbage", Body: " "}, bad},
		"a list with 200":               {htccsim.Fault{Scenario: "garbage", Body: `["canary"]`}, bad},
		"half an object with 200":       {htccsim.Fault{Scenario: "garbage", Body: `{"statusCode":0,"canary":`}, bad},
		"an object that says nothing":   {htccsim.Fault{Scenario: "garbage", Body: `{"canary":1}`}, bad},
		"a statusCode that is a word":   {htccsim.Fault{Scenario: "garbage", Body: `{"statusCode":"canary"}`}, bad},
		"a page with 500":               {htccsim.Fault{Status: 500, Body: "<html>canary</html>"}, bad},
		"a redirect to a foreign host":  {htccsim.Fault{Scenario: "redirect", Location: "http://canary.example/"}, bad},
		"a cookie without value":        {htccsim.Fault{Scenario: "empty-cookie"}, done},
		"headers of 8 MB":               {htccsim.Fault{Scenario: "huge-headers"}, bad},
		"half a body, then nothing":     {htccsim.Fault{Scenario: "hang-body"}, late},
		"half a body, then the end":     {htccsim.Fault{Scenario: "truncate-body"}, bad},
		"no channels where asked for":   {htccsim.Fault{Scenario: "missing-channels"}, done},
		"an answer without end in time": {htccsim.Fault{Scenario: "hang"}, late},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newDoor(t, func(k *knobs) { k.timeout, k.cloud.PublicURL = patience(test.fault), "https://agents.example" })
			bjorn, cleo, anna := w.with(cookieOf(w.as("bjorn").get("/api/v2/me"))), w.as("cleo"), w.as("anna")
			anna.get("/api/v2/me")
			bjorn.post("/api/v2/me", `{"operationName":"StartContactCenterSession","channels":["voice","chat"]}`).is(t, "Start", 200, `{"statusCode":0}`)
			eventually(t, "bjorn has channels", func() bool { return strings.HasPrefix(bjorn.state(), "chat:NotReady dnd:Off") })
			cleos := cleo.get("/api/v2/me?fields=id,userName").body
			bjorns := bjorn.get("/api/v2/me?fields=id,userName").body

			test.fault.User, test.fault.Route = "bjorn", routeChannel
			w.breaks(test.fault)
			got := bjorn.post("/api/v2/me/channels/chat", `{"operationName":"NotReady"}`)
			got.is(t, "an operation", test.post.status, test.post.body)
			clean(t, got)

			test.fault.Route = routeGetMe
			w.breaks(test.fault)
			w.breaks(htccsim.Fault{Scenario: "drop-stream", User: "bjorn"}) // reads go to the site now
			for _, path := range []string{"/api/v2/me?subresources=*", "/me?subresources=*", "/api/v2/me/channels?fields=*", "/me/devices", "/api/v2/me?subresources=calls,skills"} {
				got = bjorn.get(path)
				clean(t, got)
				if got.status != 200 && got.status != 500 && got.status != 504 {
					t.Errorf("GET %s = %d %s", path, got.status, got.body)
				}
			}
			anna.get("/api/v2/me?fields=userName").is(t, "anna meanwhile", 200, `{"statusCode":0,"user":{"userName":"anna"}}`)
			cleo.get("/api/v2/me?fields=id,userName").is(t, "cleo meanwhile", 200, cleos)
			w.cloud.Reset()
			eventually(t, "all is well again", func() bool {
				return bjorn.get("/api/v2/me?subresources=*").status == 200 && strings.HasPrefix(bjorn.state(), "chat:NotReady dnd:")
			})
			bjorn.get("/api/v2/me?fields=id,userName").is(t, "bjorn afterwards", 200, bjorns)
			bjorn.post("/api/v2/me/channels/chat", `{"operationName":"Ready"}`).is(t, "Ready afterwards", 200, `{"statusCode":0}`)
			eventually(t, "it is shown", func() bool { return strings.HasPrefix(bjorn.state(), "chat:Ready dnd:") })
			if n := counts(t, w.reg, "portico_logins_total")["ok cloud"]; n != 2 {
				t.Errorf("%v log-ins at the site; want one of bjorn and one of cleo", n)
			}
		})
	}
}

// patience is how long upstream calls may take: as short as can be where an answer is awaited in vain.
func patience(f htccsim.Fault) time.Duration {
	if strings.HasPrefix(f.Scenario, "hang") {
		return 2 * time.Second
	}
	return 5 * time.Second
}

// clean holds an answer to show nothing of what a site said amiss.
func clean(t testing.TB, got answer) {
	t.Helper()
	if text := fmt.Sprint(got); strings.Contains(text, "canary") || strings.Contains(text, "127.0.0.1") || len(text) > 64<<10 {
		t.Errorf("the caller sees %.300s", text)
	}
}

// TestBadAnswersPassedThrough passes through what is bad and can be passed, and keeps back what is not
// for callers.
func TestBadAnswersPassedThrough(t *testing.T) {
	w := newDoor(t)
	bjorn := w.with(cookieOf(w.as("bjorn").get("/api/v2/me")))
	services := bjorn.get(pathServices)
	for _, test := range []struct {
		name   string
		fault  htccsim.Fault
		status int
		body   string
	}{
		{"the dialect without codes", htccsim.Fault{Scenario: "dialect-status"}, 200, "{" + strings.TrimPrefix(services.body, `{"statusCode":0,`)},
		{"statusCode as a string", htccsim.Fault{Scenario: "string-status-code"}, 200, strings.Replace(services.body, ":0", `:"0"`, 1)},
		{"a page", htccsim.Fault{Scenario: "garbage", Body: "<html>"}, 200, "<html>"},
		{"a cookie without value", htccsim.Fault{Scenario: "empty-cookie"}, 200, services.body},
		{"headers of 8 MB", htccsim.Fault{Scenario: "huge-headers"}, 500, fmt.Sprintf(`{"statusCode":4,"statusMessage":%s}`, quote(badUpstream))},
	} {
		test.fault.Route, test.fault.Times = routeServices, 1
		w.breaks(test.fault)
		got := bjorn.get(pathServices)
		got.is(t, test.name, test.status, test.body)
		if got.header.Get("Set-Cookie") != "" || len(got.header) > 20 {
			t.Errorf("%s: headers %.300v", test.name, got.header)
		}
		bjorn.get(pathServices).is(t, "after "+test.name, 200, services.body)
	}
	if n := counts(t, w.reg, "portico_logins_total")["ok cloud"]; n != 1 {
		t.Errorf("%v log-ins; want 1", n)
	}
}

// TestBadAnswersToLogins lets the first request of an agent meet each of them.
func TestBadAnswersToLogins(t *testing.T) {
	for name, test := range map[string]struct {
		fault  htccsim.Fault
		status int
		text   string
	}{
		"a page":                      {htccsim.Fault{Scenario: "garbage"}, 500, badUpstream},
		"a cookie without value":      {htccsim.Fault{Scenario: "empty-cookie"}, 500, badUpstream},
		"headers of 8 MB":             {htccsim.Fault{Scenario: "huge-headers"}, 500, badUpstream},
		"a redirect":                  {htccsim.Fault{Scenario: "redirect"}, 500, badUpstream},
		"half a body, then nothing":   {htccsim.Fault{Scenario: "hang-body"}, 504, tooLate},
		"half a body, then the end":   {htccsim.Fault{Scenario: "truncate-body"}, 500, badUpstream},
		"the dialect without codes":   {htccsim.Fault{Scenario: "dialect-status"}, 200, ""},
		"statusCode as a string":      {htccsim.Fault{Scenario: "string-status-code"}, 200, ""},
		"no channels where asked for": {htccsim.Fault{Scenario: "missing-channels"}, 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newDoor(t, func(k *knobs) { k.timeout = patience(test.fault) })
			test.fault.Route = routeGetMe
			w.breaks(test.fault)
			got := w.as("bjorn").get("/api/v2/me?fields=userName")
			want := `{"statusCode":0,"user":{"userName":"bjorn"}}`
			if test.status != 200 {
				want = fmt.Sprintf(`{"statusCode":4,"statusMessage":%s}`, quote(test.text))
			}
			got.is(t, "the log-in", test.status, want)
			if test.status != 200 && got.header.Get("Set-Cookie") != "" {
				t.Error("a log-in that failed sets a cookie")
			}
			w.cloud.Reset()
			w.as("bjorn").get("/api/v2/me?fields=userName").is(t, "the next log-in", http.StatusOK, `{"statusCode":0,"user":{"userName":"bjorn"}}`)
		})
	}
}
