package proxy

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/proxy/htcc/htccsim"
)

// Routes of the HTCC site that tests count and let fail.
const (
	routeGetMe    = "GET /api/v2/me"
	routePostMe   = "POST /api/v2/me"
	routeChannel  = "POST /api/v2/me/channels/{channel}"
	routeStates   = "GET /api/v2/settings/agent-states"
	routeServices = "GET /api/v2/services"
	routeWorkbin  = "POST /api/v2/workbins/{workbinId}"
)

// breaks arms a fault at the HTCC site.
func (w *world) breaks(f htccsim.Fault) {
	w.t.Helper()
	err := w.cloud.Fault(f)
	if err != nil {
		w.t.Fatal(err)
	}
}

const (
	pathServices = "/api/v2/services?fields=*"
	pathWorkbin  = "/api/v2/workbins/7"
	subscribe    = `{"operationName":"Subscribe"}`
)

// What callers read when a request was not sent twice, and when the site takes no session.
const (
	renewedB  = `{"statusCode":4,"statusMessage":"the session at the contact centre was renewed: send the request again"}`
	notTakenB = `{"statusCode":4,"statusMessage":"the contact centre does not accept the agent's session"}`
)

// again holds an answer to one that says when to come again.
func (a answer) again(t testing.TB, what, body string) {
	t.Helper()
	a.is(t, what, http.StatusServiceUnavailable, body)
	if a.header.Get("Retry-After") != "1" || a.header.Get("Set-Cookie") != "" || a.header.Get("X-Request-Id") == "" || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s: headers %v; want Retry-After and no cookie", what, a.header)
	}
}

// TestTheUpstreamSessionEnds ends it again and again: what reads is sent twice, nothing else is, and
// the caller does not read that their session has ended, for it has not.
func TestTheUpstreamSessionEnds(t *testing.T) {
	for _, csrf := range []bool{false, true} {
		for _, agent := range []string{"bjorn", "cleo"} {
			t.Run(fmt.Sprintf("%s, CSRF %v", agent, csrf), func(t *testing.T) {
				t.Parallel()
				w := newDoor(t, func(k *knobs) { k.cloud.CSRF = csrf })
				app := w.with(cookieOf(w.as(agent).get("/api/v2/me")))
				services := app.get(pathServices)
				expire := htccsim.Fault{Scenario: "expire-session", User: agent}
				for range 3 {
					w.breaks(expire)
					app.get(pathServices).is(t, "GET", 200, services.body)
					w.breaks(expire)
					head := app.do("HEAD", pathServices, "", app.headers...)
					head.is(t, "HEAD", 200, "")
				}
				w.breaks(htccsim.Fault{Route: routeWorkbin, Status: 403, Times: 1})
				app.post(pathWorkbin, subscribe).again(t, "POST", renewedB)
				app.post(pathWorkbin, subscribe).is(t, "POST again", 200, `{"statusCode":0}`)
				w.breaks(htccsim.Fault{Route: routeServices, Status: 403, Times: 1})
				got := app.do("GET", pathServices, "a body", app.headers...)
				got.again(t, "GET with a body", renewedB)
				w.breaks(htccsim.Fault{Route: routeServices, Status: 403, Times: 2})
				app.get(pathServices).again(t, "GET refused on the new session too", notTakenB)
				app.get(pathServices).is(t, "GET afterwards", 200, services.body)
				app.get("/api/v2/me?fields=userName").is(t, "our session", 200, fmt.Sprintf(`{"statusCode":0,"user":{"userName":%q}}`, agent))
			})
		}
	}
}

// TestOneNewSessionForAll ends the upstream session under many requests.
func TestOneNewSessionForAll(t *testing.T) {
	w := newDoor(t)
	bjorn := w.with(cookieOf(w.as("bjorn").get("/api/v2/me")))
	bjorn.get(pathServices)
	loginsBefore := counts(t, w.reg, "portico_logins_total")["ok cloud"]
	w.breaks(htccsim.Fault{Scenario: "expire-session"})
	var callers sync.WaitGroup
	for range 50 {
		callers.Go(func() {
			if got := bjorn.get(pathServices); got.status != 200 {
				t.Errorf("GET = %d %s", got.status, got.body)
			}
		})
	}
	callers.Wait()
	if n := counts(t, w.reg, "portico_logins_total")["ok cloud"] - loginsBefore; n != 1 {
		t.Errorf("%v log-ins for 50 requests; want 1", n)
	}
}

// TestTheTokenChanges changes it behind Portico's back.
func TestTheTokenChanges(t *testing.T) {
	w := newDoor(t, func(k *knobs) { k.cloud.CSRF = true })
	bjorn := w.with(cookieOf(w.as("bjorn").get("/api/v2/me")))
	// Handshake, subscribe, connect and a held connect, and the state is read: nothing comes from the site by
	// itself any more, and no answer that could show a token.
	eventually(t, "the reader waits for notifications", func() bool {
		live := counts(t, w.reg, "portico_upstream_streams")["cloud live cometd"] == 1
		return live && w.cloud.Calls()["POST /api/v2/notifications"] == 4
	})
	bjorn.post(pathWorkbin, subscribe).is(t, "POST", 200, `{"statusCode":0}`)
	w.breaks(htccsim.Fault{Scenario: "csrf-change"})
	bjorn.post(pathWorkbin, subscribe).again(t, "POST with the old token", renewedB)
	bjorn.post(pathWorkbin, subscribe).is(t, "POST with the new one", 200, `{"statusCode":0}`)
	w.breaks(htccsim.Fault{Scenario: "csrf-change"})
	got := bjorn.get(pathServices) // shows the new one to Portico
	if got.status != 200 || got.header.Get("X-CSRF-TOKEN")+got.header.Get("X-CSRF-HEADER") != "" {
		t.Errorf("GET = %d with %v; want no token for the caller", got.status, got.header)
	}
	bjorn.post(pathWorkbin, subscribe).is(t, "POST after a GET", 200, `{"statusCode":0}`)
	w.breaks(htccsim.Fault{Scenario: "csrf-change"})
	bjorn.post("/api/v2/me/channels/voice", `{"operationName":"Offline"}`).is(t, "a translated POST, which is sent again", 200, `{"statusCode":0}`)
}

// TestThePasswordChangesAtTheSite lets the site refuse the password that is kept: that ends the
// session of an agent who works nowhere else, and the HTCC part of another. The refused password is
// not tried again.
func TestThePasswordChangesAtTheSite(t *testing.T) {
	refuse := htccsim.Fault{Status: 403}
	logins := func(w *world) float64 { return counts(t, w.reg, "portico_logins_total")["refused cloud"] }
	t.Run("bjorn", func(t *testing.T) {
		w := newDoor(t)
		bjorn := w.with(cookieOf(w.as("bjorn").get("/api/v2/me")))
		w.breaks(refuse)
		bjorn.get(pathServices).is(t, "the request that found out", 403, deniedB)
		bjorn.get("/api/v2/me").is(t, "the next one", 403, deniedB)
		if n := logins(w); n != 1 {
			t.Errorf("%v log-ins; want 1", n)
		}
	})
	t.Run("cleo", func(t *testing.T) {
		w := newDoor(t)
		cleo := w.with(cookieOf(w.as("cleo").get("/api/v2/me")))
		w.breaks(refuse)
		cleo.get(pathServices).is(t, "the request that found out", 503, notTakenB)
		for range 5 {
			cleo.get(pathServices).is(t, "the next one", 503, notTakenB)
			cleo.post(pathWorkbin, subscribe).is(t, "a POST", 503, notTakenB)
		}
		if got, want := cleo.state(), "voice:NotReady chat:LoggedOut email:LoggedOut dnd:Off"; got != want {
			t.Errorf("/me says %q; want %q", got, want)
		}
		cleo.post("/api/v2/me", `{"operationName":"Ready"}`).is(t, "an operation on all", 200, `{"statusCode":0}`)
		if got, want := cleo.state(), "voice:Ready chat:LoggedOut email:LoggedOut dnd:Off"; got != want {
			t.Errorf("/me says %q; want %q", got, want)
		}
		if n := logins(w); n != 1 {
			t.Errorf("%v log-ins with the refused password; want 1", n)
		}
	})
}

func TestRedirectsAreTheCallers(t *testing.T) {
	var followed sync.Map
	elsewhere, transport := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { followed.Store(r.URL.Path, r.Header) }))
	defer transport.CloseIdleConnections()
	for _, status := range []int{301, 302, 303, 307, 308} {
		w := newDoor(t)
		bjorn := w.as("bjorn")
		bjorn.get("/api/v2/me")
		for _, location := range []string{elsewhere + "/stolen", "/internal", "//foreign.example/x", "relative?x=%2F"} {
			w.breaks(htccsim.Fault{Scenario: "redirect", Location: location, Status: status, Route: routeServices, Times: 1})
			got := bjorn.get(pathServices)
			if got.status != status || got.header.Get("Location") != location {
				t.Errorf("a redirect = %d to %q; want %d to %q", got.status, got.header.Get("Location"), status, location)
			}
		}
	}
	followed.Range(func(path, header any) bool {
		t.Errorf("%v was asked for with %v", path, header)
		return true
	})
}

func TestTheSiteIsAway(t *testing.T) {
	unreachableB := fmt.Sprintf(`{"statusCode":4,"statusMessage":%s}`, quote(unreachable))
	for _, agent := range []string{"bjorn", "cleo"} {
		w := newDoor(t)
		app := w.with(cookieOf(w.as(agent).get("/api/v2/me")))
		w.breaks(htccsim.Fault{Scenario: "reset-connection", Route: "*", Times: 1_000_000})
		for _, method := range []string{"GET", "POST", "DELETE"} {
			got := app.do(method, "/api/v2/services", "", app.headers...)
			got.is(t, method+" of "+agent, 503, unreachableB)
			if got.header.Get("Content-Type") != "application/json;charset=UTF-8" || got.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %v", method, got.header)
			}
		}
		w.cloud.Reset()
		eventually(t, "the site is back", func() bool { return app.get(pathServices).status == 200 })
	}
	// A site that nobody listens for, from the first log-in on.
	w := newDoor(t, func(k *knobs) {
		k.before = func(http.Handler) http.Handler {
			return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		}
	})
	w.as("bjorn").get(pathServices).is(t, "bjorn cannot log in", 503, unreachableB)
	w.as("cleo").get(pathServices).is(t, "cleo works at the other site", 503, unreachableB)
}

// TestAHangLeavesOthersAlone lets a passed-through request hang while everything else goes on.
func TestAHangLeavesOthersAlone(t *testing.T) {
	w := newDoor(t)
	bjorn := w.with(cookieOf(w.as("bjorn").get("/api/v2/me")))
	w.breaks(htccsim.Fault{Scenario: "hang-body", Route: routeServices, Times: 1})
	response := bjorn.must("GET", pathServices, nil)
	part := make([]byte, 20)
	_, err := io.ReadFull(response.Body, part)
	if err != nil || response.StatusCode != 200 || !strings.HasPrefix(string(part), `{"statusCode":0`) {
		t.Fatalf("the first half = %q (%v)", part, err)
	}
	if got := bjorn.get(pathServices); got.status != 200 {
		t.Errorf("the same request meanwhile = %d %s", got.status, got.body)
	}
	bjorn.post("/api/v2/me", `{"operationName":"StartContactCenterSession","channels":["voice"]}`).is(t, "an operation meanwhile", 200, `{"statusCode":0}`)
	_ = response.Body.Close()
	w.over(t)
}

// TestASiteThatNeverAnswersIsNotWaitedForWithoutEnd lets a passed-through request hang for good.
func TestASiteThatNeverAnswersIsNotWaitedForWithoutEnd(t *testing.T) {
	w := newDoor(t, func(k *knobs) { k.timeout = 2 * time.Second })
	bjorn := w.with(cookieOf(w.as("bjorn").get("/api/v2/me")))
	services := bjorn.get(pathServices)
	w.breaks(htccsim.Fault{Scenario: "hang", Route: routeServices, Times: 1})
	bjorn.get(pathServices).is(t, "a request that hangs", 504, fmt.Sprintf(`{"statusCode":4,"statusMessage":%s}`, quote(tooLate)))
	bjorn.get(pathServices).is(t, "the next one", 200, services.body)
}
