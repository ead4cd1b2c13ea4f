package htccsim

import "testing"

func TestPagesOfOtherOriginsMayCall(t *testing.T) {
	s := &Server{CSRF: true}
	inBubble(t, s, func(t *testing.T) {
		const page = "https://app.example"
		c := stranger(t, s)
		isAllowed := func(what string, got received) {
			t.Helper()
			if h := got.header; h.Get("Access-Control-Allow-Origin") != page || h.Get("Access-Control-Allow-Credentials") != "true" ||
				h.Get("Vary") != "Origin" || h.Get("Access-Control-Expose-Headers") != "X-CSRF-HEADER,X-CSRF-TOKEN" {
				t.Errorf("%s = %d %v; want %s allowed", what, got.status, h, page)
			}
		}
		for _, path := range []string{"/api/v2/me", "/api/v2/notifications/connect"} {
			got := c.do("OPTIONS", path, "", "Origin", page, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,x-csrf-token")
			isAllowed("preflight of "+path, got)
			want(t, "methods", got.header.Get("Access-Control-Allow-Methods"), "POST", "PUT", "DELETE")
			want(t, "headers", got.header.Get("Access-Control-Allow-Headers"), "authorization,x-csrf-token")
			if got.status != 200 || got.body != "" {
				t.Errorf("preflight of %s = %d %s; want 200 and no body", path, got.status, got.body)
			}
		}
		if got := c.do("OPTIONS", "/api/v2/me", ""); got.status != 403 {
			t.Errorf("OPTIONS of nobody = %d; want 403, since it is no preflight", got.status)
		}
		isAllowed("a refusal", c.do("GET", "/api/v2/me", "", "Origin", page))
		c.header.Set("Origin", page)
		got := c.do("GET", "/api/v2/me", "", basic("bjorn", "bjorn")...)
		isAllowed("log-in", got)
		c.header.Set("X-Csrf-Token", got.header.Get("X-CSRF-TOKEN"))
		isAllowed("a handshake", c.must("POST", "/api/v2/notifications",
			`[{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["long-polling"]}]`))
		fail(t, s, Fault{Scenario: "garbage", User: "bjorn", Times: 1})
		isAllowed("a fault", c.do("GET", "/api/v2/me", ""))
		c.header.Del("Origin")
		if got := c.must("GET", "/api/v2/me", "").header; got.Get("Access-Control-Allow-Origin") != "" || got.Get("Vary") != "" {
			t.Errorf("without Origin = %v; want no word of it", got)
		}
	})
}
