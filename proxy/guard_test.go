package proxy

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"portico/proxy/guesses"
)

func TestSizesOfRequests(t *testing.T) {
	w := newDoor(t, openToNative, func(k *knobs) { k.door.MaxURL, k.door.MaxHeaders = 300, 20 })
	many := []string{"Authorization", basicAuth("anna", "anna")}
	for i := range 20 {
		many = append(many, fmt.Sprintf("X-%d", i), "x")
	}
	long := strings.Repeat("x", 300)
	for _, test := range []struct {
		name, path string
		headers    []string
		body       string
	}{
		{"a long path", "/api/v2/" + long, nil, `{"statusCode":10,"statusMessage":"the URL is longer than 300 bytes"}`},
		{"a long query", "/me?fields=" + long, nil, `{"status":"error","errorDescription":"the URL is longer than 300 bytes"}`},
		{"many headers", "/api/v2/me", many, `{"statusCode":10,"statusMessage":"there are more than 20 headers"}`},
		{"a long path of ICWS", "/icws/" + long, nil, `{"message":"the URL is longer than 300 bytes"}`},
	} {
		got := w.do("GET", test.path, "", test.headers...)
		if got.status != http.StatusRequestEntityTooLarge || got.body != test.body {
			t.Errorf("%s = %d %s; want 413 %s", test.name, got.status, got.body, test.body)
		}
	}
}

func TestSizesOfLogins(t *testing.T) {
	w := newDoor(t)
	long := strings.Repeat("x", 2000)
	for name, credentials := range map[string]string{"name": long + ":x", "password": "anna:" + long} {
		got := w.do("GET", "/api/v2/me", "", "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(credentials)))
		got.is(t, "a long "+name, http.StatusForbidden, deniedB)
	}
	if n := w.calls(routeLogin); n != 0 {
		t.Errorf("%d log-ins reached the site; want none", n)
	}
	cookie := cookieOf(w.as("anna", "Accept-Language", strings.Repeat("de,", 200)).get("/me"))
	w.do("GET", "/me?fields=userName", "", "Cookie", strings.Repeat("JSESSIONID=x; ", 7)+"JSESSIONID="+cookie).is(t, "eight cookies", 200, `{"userName":"anna"}`)
	w.do("GET", "/me", "", "Cookie", strings.Repeat("JSESSIONID=x; ", 8)+"JSESSIONID="+cookie).is(t, "nine", 403, deniedA)
}

func TestFailedLoginsAreLimited(t *testing.T) {
	w := newDoor(t, func(k *knobs) {
		k.door.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		k.gateway.Guesses = guesses.Limits{PerName: 2}
	})
	from := func(address, password string) answer {
		return w.do("GET", "/api/v2/me?fields=userName", "", "Authorization", basicAuth("anna", password), "X-Forwarded-For", address)
	}
	from("198.51.100.7", "wrong").is(t, "a wrong password", 403, deniedB)
	limited := from("198.51.100.7", "wronger")
	limited.is(t, "a second one", http.StatusTooManyRequests, `{"statusCode":20,"statusMessage":"too many failed log-ins"}`)
	if after := limited.header.Get("Retry-After"); after != "900" && after != "899" {
		t.Errorf("Retry-After is %q; want 15 minutes", after)
	}
	from("203.0.113.1", "anna").is(t, "the agent at another address", 200, `{"statusCode":0,"user":{"userName":"anna"}}`)
}

func TestAddresses(t *testing.T) {
	d := build(Settings{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8"), netip.MustParsePrefix("fe80::/10")}})
	for _, test := range []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"a caller of our own", "203.0.113.7:1234", nil, "203.0.113.7"},
		{"a stranger who says where they come from", "203.0.113.7:1234", []string{"198.51.100.1"}, "203.0.113.7"},
		{"a trusted proxy", "10.0.0.1:1234", []string{"198.51.100.1"}, "198.51.100.1"},
		{"what the caller invented before it", "10.0.0.1:1234", []string{"192.0.2.1, 198.51.100.1"}, "198.51.100.1"},
		{"what the caller invented in a header of its own", "10.0.0.1:1234", []string{"192.0.2.1", "198.51.100.1"}, "198.51.100.1"},
		{"two trusted proxies", "10.0.0.1:1234", []string{"192.0.2.1, 198.51.100.1, fd00::2"}, "198.51.100.1"},
		{"nobody but trusted proxies", "10.0.0.1:1234", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"a trusted proxy that says nothing", "10.0.0.1:1234", nil, "10.0.0.1"},
		{"no address", "10.0.0.1:1234", []string{"198.51.100.1, unknown"}, "10.0.0.1"},
		{"with a port", "10.0.0.1:1234", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		{"IPv6 with a port", "10.0.0.1:1234", []string{"[2001:db8::1]:4711"}, "2001:db8::1"},
		{"IPv4 in IPv6", "[::ffff:10.0.0.1]:1234", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"a trusted proxy on the same link", "[fe80::1%eth0]:1234", []string{"198.51.100.1, fe80::2%eth1"}, "198.51.100.1"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = test.peer
		r.Header["X-Forwarded-For"] = test.forwarded
		if got := d.addressOf(r.RemoteAddr, strings.Join(r.Header["X-Forwarded-For"], ",")).String(); got != test.want {
			t.Errorf("%s: %s; want %s", test.name, got, test.want)
		}
	}
}

func TestSecurityHeaders(t *testing.T) {
	for url, https := range map[string]string{"https://agents.example": "max-age=31536000", "http://agents.example": ""} {
		w := newDoor(t, openToNative, func(k *knobs) { k.door.PublicURL = url })
		anna := w.as("anna")
		for _, got := range []answer{anna.get("/me"), anna.get("/nowhere"), w.do("GET", "/api/v2/me", ""), w.do("OPTIONS", "/me", "")} {
			h := got.header
			if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" ||
				h.Get("Content-Security-Policy") != "default-src 'none'; frame-ancestors 'none'" || h.Get("Strict-Transport-Security") != https {
				t.Errorf("%d %s: %v", got.status, got.body, h)
			}
		}
		passed := w.do("GET", "/icws/connection/version", "").header
		if passed.Get("Content-Security-Policy")+passed.Get("Referrer-Policy") != "" || passed.Get("Strict-Transport-Security") != https {
			t.Errorf("passed through: %v", passed)
		}
	}
}
