package proxy

import (
	"encoding/base64"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
)

const (
	deniedA = `{"status":"error","errorDescription":"Access denied"}`
	deniedB = `{"statusCode":20,"statusMessage":"Access denied"}`
)

func TestNotLoggedIn(t *testing.T) {
	w := newDoor(t)
	for _, test := range []struct {
		name    string
		headers []string
	}{
		{"no credentials", nil},
		{"an unknown cookie", []string{"Cookie", "JSESSIONID=x"}},
		{"an empty cookie", []string{"Cookie", "JSESSIONID="}},
		{"a wrong password", []string{"Authorization", basicAuth("anna", "x")}},
		{"an unknown name", []string{"Authorization", basicAuth("zoe", "zoe")}},
		{"no password", []string{"Authorization", basicAuth("anna", "")}},
		{"no name", []string{"Authorization", basicAuth("", "anna")}},
		{"another scheme", []string{"Authorization", "Bearer anna"}},
		{"no base64", []string{"Authorization", "Basic ???"}},
		{"no colon", []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("anna"))}},
		{"a scheme alone", []string{"Authorization", "Basic"}},
	} {
		for path, want := range map[string]string{"/me": deniedA, "/settings/agent-states": deniedA, "/me/devices/7": deniedA,
			"/api/v2/me": deniedB, "/api/v2/me/?subresources=*": deniedB, "/api/v2/me/status-messages": deniedB} {
			got := w.do("GET", path, "", test.headers...)
			got.is(t, test.name+": GET "+path, http.StatusForbidden, want)
			if got.header.Get("Set-Cookie") != "" || got.header.Get("WWW-Authenticate") != "" {
				t.Errorf("%s: GET %s sets %v", test.name, path, got.header)
			}
			if content := got.header.Get("Content-Type"); content != "application/json;charset=UTF-8" {
				t.Errorf("%s: GET %s: content type %q", test.name, path, content)
			}
		}
		w.do("POST", "/api/v2/me", `{"operationName":"Ready"}`, test.headers...).is(t, test.name+": POST", http.StatusForbidden, deniedB)
	}
	w.do("GET", "/api/v2/diagnostics/version", "").is(t, "the version", 200, `{"statusCode":0,"version":"8.5.202.96"}`)
}

func TestCookie(t *testing.T) {
	w := newDoor(t)
	first := w.as("anna").get("/me")
	cookie := cookieOf(first)
	line := first.header.Get("Set-Cookie")
	if len(cookie) < 43 || line != "JSESSIONID="+cookie+"; Path=/; HttpOnly; Secure; SameSite=Lax" {
		t.Fatalf("Set-Cookie: %s", line)
	}
	for _, test := range []struct {
		name    string
		headers []string
		gives   string
	}{
		{"the cookie alone", []string{"Cookie", "JSESSIONID=" + cookie}, ""},
		{"cookie and password", []string{"Cookie", "JSESSIONID=" + cookie, "Authorization", basicAuth("anna", "anna")}, ""},
		{"the password again", []string{"Authorization", basicAuth("anna", "anna")}, cookie},
		{"the name in capitals", []string{"Authorization", basicAuth("ANNA", "anna")}, cookie},
		{"a scheme in small letters", []string{"Authorization", "basic " + strings.TrimPrefix(basicAuth("anna", "anna"), "Basic ")}, cookie},
		{"the cookie of another path before it", []string{"Cookie", "JSESSIONID=other; JSESSIONID=" + cookie}, ""},
		{"the cookie of another path after it", []string{"Cookie", "a=b; JSESSIONID=" + cookie + "; JSESSIONID=other"}, ""},
		{"the cookie beside a token for somebody else", []string{"Cookie", "JSESSIONID=" + cookie, "Authorization", "Bearer x.y.z"}, ""},
		{"an old cookie and the password", []string{"Cookie", "JSESSIONID=old", "Authorization", basicAuth("anna", "anna")}, cookie},
	} {
		got := w.do("GET", "/api/v2/me?fields=userName", "", test.headers...)
		got.is(t, test.name, 200, `{"statusCode":0,"user":{"userName":"anna"}}`)
		if given := cookieOf(got); given != test.gives {
			t.Errorf("%s: gives the cookie %q; want %q", test.name, given, test.gives)
		}
	}
	if n := w.calls(routeLogin); n != 1 {
		t.Errorf("%d log-ins reached the site; want 1", n)
	}
}

func TestCookieWithoutHTTPS(t *testing.T) {
	w := newDoor(t, func(k *knobs) { k.door.PublicURL = "http://127.0.0.1:8080" })
	line := w.as("anna").get("/me").header.Get("Set-Cookie")
	if !strings.HasSuffix(line, "; Path=/; HttpOnly; SameSite=Lax") {
		t.Errorf("Set-Cookie: %s", line)
	}
}

// TestALoginWhoseRequestFailsSetsTheCookie has agents use a browser in which another is logged in: what they do next
// without a password is theirs.
func TestALoginWhoseRequestFailsSetsTheCookie(t *testing.T) {
	for name, first := range map[string]func(*caller) answer{
		"a channel that there is not": func(c *caller) answer { return c.get("/me/channels/fax") },
		"no JSON":                     func(c *caller) answer { return c.post("/me", "{") },
		"an unknown operation":        func(c *caller) answer { return c.post("/api/v2/me", `{"operationName":"Nap"}`) },
	} {
		w := newDoor(t)
		anna := cookieOf(w.as("anna").get("/me"))
		got := first(w.as("cleo", "Cookie", "JSESSIONID="+anna))
		cookie := cookieOf(got)
		if got.status == 200 || cookie == "" || cookie == anna {
			t.Fatalf("%s: %d %s sets %q; want an error, and cleo's cookie", name, got.status, got.body, got.header.Get("Set-Cookie"))
		}
		w.with(cookie).get("/me?fields=userName").is(t, "after "+name, 200, `{"userName":"cleo"}`)
	}
}

func TestAnEndThatFailsSetsTheCookie(t *testing.T) {
	w := newDoor(t)
	anna := cookieOf(w.as("anna").get("/me"))
	w.breaks(htccsim.Fault{Route: routePostMe, Status: http.StatusInternalServerError, Times: 1000})
	got := w.as("bjorn", "Cookie", "JSESSIONID="+anna).post("/me", `{"operationName":"EndContactCenterSession"}`)
	if cookie := cookieOf(got); got.status == 200 || cookie == "" || cookie == anna {
		t.Errorf("%d %s sets %q; want an error, and bjorn's cookie", got.status, got.body, got.header.Get("Set-Cookie"))
	}
}

// TestARequestThatIsShedSetsTheCookie has an agent who has logged in find no place for what they ask.
func TestARequestThatIsShedSetsTheCookie(t *testing.T) {
	j := newJam()
	w := newDoor(t, withPlaces(4, j))
	bjorn, anna := w.cookied("bjorn"), cookieOf(w.as("anna").get("/me"))
	working := bjorn.work(j, 2)
	got := w.as("bjorn", "Cookie", "JSESSIONID="+anna).get("/me")
	if cookie := cookieOf(got); got.status != http.StatusServiceUnavailable || cookie == "" || cookie == anna {
		t.Errorf("%d %s sets %q; want an error, and bjorn's cookie", got.status, got.body, got.header.Get("Set-Cookie"))
	}
	close(j.release)
	working()
}

func TestErrorsOfNobodySetNoCookie(t *testing.T) {
	w := newDoor(t)
	for _, got := range []answer{w.as("anna").get("/nowhere"), w.do("GET", "/me", "", "Authorization", basicAuth("anna", "wrong"))} {
		if got.status == 200 || got.header.Get("Set-Cookie") != "" {
			t.Errorf("%d %s sets %q; want an error that sets nothing", got.status, got.body, got.header.Get("Set-Cookie"))
		}
	}
}

func TestPasswordBeatsCookie(t *testing.T) {
	w := newDoor(t)
	anna := cookieOf(w.as("anna").get("/me"))
	got := w.as("cleo", "Cookie", "JSESSIONID="+anna).get("/me?fields=userName")
	got.is(t, "cleo's password with anna's cookie", 200, `{"userName":"cleo"}`)
	if given := cookieOf(got); given == "" || given == anna {
		t.Errorf("the cookie given is %q; want cleo's own", given)
	}
	w.with(anna).get("/me?fields=userName").is(t, "anna's cookie afterwards", 200, `{"userName":"anna"}`)
}

func TestWrongPasswordBesideALiveSession(t *testing.T) {
	w := newDoor(t)
	cookie := cookieOf(w.as("anna").get("/me"))
	for range 3 {
		got := w.do("GET", "/api/v2/me", "", "Authorization", basicAuth("anna", "wrong"), "Cookie", "JSESSIONID="+cookie)
		got.is(t, "a wrong password", 403, deniedB)
		if got.header.Get("Set-Cookie") != "" {
			t.Errorf("a wrong password gives the cookie %q", got.header.Get("Set-Cookie"))
		}
	}
	if n := w.calls(routeLogin); n != 2 {
		t.Errorf("%d log-ins reached the site; want the session's and one with the wrong password", n)
	}
	w.with(cookie).get("/me?fields=userName").is(t, "the session", 200, `{"userName":"anna"}`)
}

func TestPasswordsInLatin1(t *testing.T) {
	w := newDoor(t, func(k *knobs) { k.sim = &icwssim.Server{Users: []icwssim.User{{ID: "jürgen", Password: "größe:1"}}} })
	utf8, latin1 := "jürgen:größe:1", "j\xfcrgen:gr\xf6\xdfe:1"
	for _, pair := range []string{utf8, latin1} {
		got := w.do("GET", "/me?fields=userName", "", "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
		got.is(t, "a name that is not ASCII", 200, `{"userName":"jürgen"}`)
	}
	if n := w.calls(routeLogin); n != 1 {
		t.Errorf("%d log-ins reached the site; want 1 for both spellings", n)
	}
}

// TestManyFirstRequests sends an agent's first requests at once, without a cookie.
func TestManyFirstRequests(t *testing.T) {
	w := newDoor(t)
	cookies := make(chan string, 50)
	var asked sync.WaitGroup
	for range cap(cookies) {
		asked.Go(func() {
			got := w.as("anna").get("/me?fields=userName")
			got.is(t, "a first request", 200, `{"userName":"anna"}`)
			cookies <- cookieOf(got)
		})
	}
	asked.Wait()
	close(cookies)
	first := <-cookies
	for cookie := range cookies {
		if cookie != first || cookie == "" {
			t.Errorf("cookies %q and %q; want all the same", first, cookie)
		}
	}
	if n := w.calls(routeLogin); n != 1 {
		t.Errorf("%d log-ins reached the site; want 1", n)
	}
}

func TestEndOfASession(t *testing.T) {
	w := newDoor(t)
	anna := w.with(cookieOf(w.as("anna").get("/me")))
	got := anna.post("/me", `{"operationName":"EndContactCenterSession"}`)
	got.is(t, "the end", 200, `{"status":"ok"}`)
	if line := got.header.Get("Set-Cookie"); line != "JSESSIONID=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax" {
		t.Errorf("Set-Cookie at the end: %s", line)
	}
	anna.get("/me").is(t, "the cookie afterwards", 403, deniedA)
	eventually(t, "the site's session is closed", func() bool {
		state, err := w.sim.State("anna")
		return err == nil && state.Sessions == 0
	})
	w.as("anna").get("/me?fields=userName").is(t, "the password afterwards", 200, `{"userName":"anna"}`)
}

// TestWhatTheEndBreaksOffSaysSo ends a session while HTCC keeps reads of it waiting, and others wait for those.
func TestWhatTheEndBreaksOffSaysSo(t *testing.T) {
	for agent, paths := range map[string][]string{
		"bjorn": {"/api/v2/me?subresources=devices", "/api/v2/me/devices", "/api/v2/settings/agent-states"},
		"cleo":  {"/api/v2/me?subresources=devices", "/api/v2/me/channels"}, // PureConnect tells the states she may choose
	} {
		t.Run(agent, func(t *testing.T) {
			t.Parallel()
			w := newDoor(t)
			w.breaks(htccsim.Fault{Route: "POST /api/v2/notifications", Status: 503}) // what is not pushed is read
			agent := w.with(cookieOf(w.as(agent).get("/api/v2/me")))
			reads := func() int { return w.cloud.Calls()[routeGetMe] + w.cloud.Calls()[routeStates] }
			before := reads()
			for _, route := range []string{routeGetMe, routeStates} {
				w.breaks(htccsim.Fault{Route: route, Delay: 4 * time.Second})
			}
			var asked sync.WaitGroup
			for _, path := range paths {
				asked.Go(func() { agent.get(path).is(t, path, 403, deniedB) })
			}
			eventually(t, "HTCC is asked", func() bool { return reads() >= before+len(paths)-1 }) // of two that are one read, one waits
			agent.end()
			asked.Wait()
			if strings.Contains(w.log.String(), `"error_class":"timeout"`) || strings.Contains(w.log.String(), `"error_class":"internal"`) {
				t.Errorf("logged: %s", w.log)
			}
		})
	}
}

func TestCrossSiteRequests(t *testing.T) {
	w := newDoor(t)
	cookie := "JSESSIONID=" + cookieOf(w.as("anna").get("/me"))
	password := basicAuth("anna", "anna")
	const refusedB = `{"statusCode":3,"statusMessage":"cross-site request refused: send it from a page of this origin, or with an Authorization header and no cookie"}`
	const refusedA = `{"status":"error","errorDescription":"cross-site request refused: send it from a page of this origin, or with an Authorization header and no cookie"}`
	for _, test := range []struct {
		name    string
		headers []string
		status  int
		a, b    string
	}{
		{"no browser", []string{"Cookie", cookie}, 200, `{"status":"ok"}`, `{"statusCode":0}`},
		{"the same origin", []string{"Cookie", cookie, "Sec-Fetch-Site", "same-origin"}, 200, `{"status":"ok"}`, `{"statusCode":0}`},
		{"the address bar", []string{"Cookie", cookie, "Sec-Fetch-Site", "none"}, 200, `{"status":"ok"}`, `{"statusCode":0}`},
		{"the public URL behind a proxy", []string{"Cookie", cookie, "Origin", "https://agents.example"}, 200, `{"status":"ok"}`, `{"statusCode":0}`},
		{"another site", []string{"Cookie", cookie, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, 403, refusedA, refusedB},
		{"another host of the site", []string{"Cookie", cookie, "Sec-Fetch-Site", "same-site", "Origin", "https://x.agents.example"}, 403, refusedA, refusedB},
		{"an old browser on another site", []string{"Cookie", cookie, "Origin", "https://evil.example"}, 403, refusedA, refusedB},
		{"a page from a file", []string{"Cookie", cookie, "Origin", "null"}, 403, refusedA, refusedB},
		{"another site that knows the password", []string{"Authorization", password, "Sec-Fetch-Site", "cross-site"}, 200,
			`{"status":"ok"}`, `{"statusCode":0}`},
		{"a browser that knows both", []string{"Cookie", cookie, "Authorization", password, "Sec-Fetch-Site", "cross-site"}, 403, refusedA, refusedB},
		{"another site with nothing", []string{"Sec-Fetch-Site", "cross-site"}, 403, deniedA, deniedB},
	} {
		for path, want := range map[string]string{"/me": test.a, "/api/v2/me": test.b, "/api/v2/me/channels/voice": test.b} {
			w.do("POST", path, `{"operationName":"NotReady"}`, test.headers...).is(t, test.name+": POST "+path, test.status, want)
		}
	}
	w.do("GET", "/me?fields=userName", "", "Cookie", cookie, "Sec-Fetch-Site", "cross-site").is(t, "reading", 200, `{"userName":"anna"}`)
}
