package proxy

import (
	"strings"
	"testing"
)

func TestCSRFToken(t *testing.T) {
	w := newDoor(t, func(k *knobs) { k.door.CSRFToken = true })
	first := w.as("anna").get("/api/v2/me")
	token, cookie := first.header.Get("X-CSRF-TOKEN"), "JSESSIONID="+cookieOf(first)
	if first.header.Get("X-CSRF-HEADER") != "X-CSRF-TOKEN" || len(token) != 43 {
		t.Fatalf("the pair is %q, %q", first.header.Get("X-CSRF-HEADER"), token)
	}
	if strings.Contains(cookie, token) {
		t.Error("the token is the cookie")
	}
	cleo := w.as("cleo").get("/me")
	const operation = `{"operationName":"NotReady"}`
	const refused = `{"statusCode":3,"statusMessage":"Missing or invalid Csrf token: send X-CSRF-TOKEN with the value that answers to GET carry"}`
	for _, test := range []struct {
		name    string
		headers []string
		status  int
		body    string
	}{
		{"cookie and token", []string{"Cookie", cookie, "X-CSRF-TOKEN", token}, 200, `{"statusCode":0}`},
		{"cookie and token from a page of another site", []string{"Cookie", cookie, "X-CSRF-TOKEN", token, "Sec-Fetch-Site", "cross-site"}, 200, `{"statusCode":0}`},
		{"the cookie alone", []string{"Cookie", cookie}, 403, refused},
		{"the cookie alone from our own page", []string{"Cookie", cookie, "Sec-Fetch-Site", "same-origin"}, 403, refused},
		{"another's token", []string{"Cookie", cookie, "X-CSRF-TOKEN", cleo.header.Get("X-CSRF-TOKEN")}, 403, refused},
		{"a token cut short", []string{"Cookie", cookie, "X-CSRF-TOKEN", token[:20]}, 403, refused},
		{"the cookie beside a token for a proxy", []string{"Cookie", cookie, "Authorization", "Bearer x"}, 403, refused},
		{"name and password", []string{"Authorization", basicAuth("anna", "anna")}, 200, `{"statusCode":0}`},
		{"name and password with the cookie", []string{"Cookie", cookie, "Authorization", basicAuth("anna", "anna")}, 403, refused},
		{"the token alone", []string{"X-CSRF-TOKEN", token}, 403, deniedB},
	} {
		w.do("POST", "/api/v2/me", operation, test.headers...).is(t, test.name, test.status, test.body)
	}
	w.do("POST", "/api/v2/notifications", `[{"channel":"/meta/handshake"}]`, "Cookie", cookie).is(t, "CometD", 403, refused)
	w.do("DELETE", "/api/v2/anything", "", "Cookie", "JSESSIONID="+cookieOf(w.as("bjorn").get("/me"))).is(t, "passed through", 403, refused)
	again := w.do("GET", "/me", "", "Cookie", cookie)
	if again.status != 200 || again.header.Get("X-CSRF-TOKEN") != token {
		t.Errorf("reading with the cookie alone = %d with the token %q; want the same as before", again.status, again.header.Get("X-CSRF-TOKEN"))
	}
}

// What a proxy in between adds to all that a browser sends proves nothing.
func TestAuthorizationOfAProxyIsNoProofOfOrigin(t *testing.T) {
	w := newDoor(t)
	cookie := "JSESSIONID=" + cookieOf(w.as("anna").get("/me"))
	got := w.do("POST", "/me", `{"operationName":"NotReady"}`, "Cookie", cookie, "Authorization", "Bearer x", "Sec-Fetch-Site", "cross-site")
	if got.status != 403 {
		t.Errorf("a page of another site = %d %s; want 403", got.status, got.body)
	}
}

// A socket is as good as a write, also one to the site behind us, which does not see the origin.
func TestSocketsToTheSiteAreForOurPagesAlone(t *testing.T) {
	for name, token := range map[string]bool{"origin": false, "token": true} {
		w, _ := newTapped(t, says(200, "ok"), func(k *knobs) { k.allows, k.door.CSRFToken = true, token })
		cookie := "JSESSIONID=" + cookieOf(w.as("bjorn").get("/me"))
		ask := func(headers ...string) int {
			return w.do("GET", "/api/v2/tap", "", append(headers, "Connection", "Upgrade", "Upgrade", "websocket")...).status
		}
		if got := ask("Cookie", cookie, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); got != 403 {
			t.Errorf("csrf: %s: a socket for a page of another site = %d; want 403", name, got)
		}
		if got := ask("Cookie", cookie, "Origin", "https://agents.example", "Sec-Fetch-Site", "same-site"); got != 200 {
			t.Errorf("csrf: %s: one for a page of ours = %d; want 200", name, got)
		}
	}
}
