package proxy

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"

	"portico/proxy/upstream/rig"
	"portico/translate/htccapi"
)

// TestQuickAnswersAreTheSame asks for everything in both ways, before net/http and by it, and holds answers,
// numbers and records of one to those of the other.
func TestQuickAnswersAreTheSame(t *testing.T) {
	for n, test := range []struct {
		name    string
		change  func(*knobs)
		quick   bool // reads are
		handled bool // changes are
	}{
		{"as usual", func(*knobs) {}, true, true},
		{"over http", func(k *knobs) { k.door.PublicURL = "http://agents.example" }, true, true},
		{"one dialect", func(k *knobs) { k.door.Dialect = htccapi.DialectStatus }, true, true},
		{"addresses", func(k *knobs) {
			k.door.LogClientIP, k.door.TrustedProxies = true, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		}, true, true},
		{"other origins", func(k *knobs) { k.door.Origins = []string{"https://crm.example"} }, true, true},
		{"narrow", func(k *knobs) { k.door.MaxURL, k.door.MaxHeaders = 30, 3 }, true, true},
		{"off", func(k *knobs) { k.door.NoQuickRequests = true }, false, false},
		{"a token", func(k *knobs) { k.door.CSRFToken = true }, false, true},
		{"no places", func(k *knobs) { k.door.Places = NewPlaces(2, nil) }, true, true},
		{"at the end", func(k *knobs) { k.door.Draining = func() bool { return true } }, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newDoor(t, test.change)
			plain := httptest.NewServer(w.handler)
			defer plain.Close()
			cookie := cookieOf(w.as("anna").get("/me/status-messages"))
			bjorn := cookieOf(w.as("bjorn").get("/me"))
			etag := w.with(cookie).get("/me/status-messages").header.Get("Etag")
			zipped := w.with(cookie).get("/me/status-messages", "Accept-Encoding", "gzip").header.Get("Etag")
			eventually(t, "the state is pushed", func() bool {
				before := w.quickly.Load()
				w.with(cookie).get("/me")
				return w.quickly.Load() > before || !test.quick
			})
			before, handled := w.quickly.Load(), w.handled.Load()
			for i, head := range heads(cookie, bjorn, etag, zipped) {
				if n > 0 && i%6 != n%6 { // one world is asked for all
					continue
				}
				for range 2 { // a form of /me is kept from the second time on
					w.exchange(t, plain.Listener.Addr().String(), head)
				}
				w.same(t, head, plain.Listener.Addr().String())
			}
			w.expectQuick(t, "a read", "GET /me/status-messages HTTP/1.1\r\nHost: a\r\nCookie: JSESSIONID="+cookie+"\r\n\r\n",
				func() bool { return w.quickly.Load() > before }, test.quick)
			w.expectQuick(t, "a change", "POST /me HTTP/1.1\r\nHost: a\r\nCookie: JSESSIONID="+cookie+"\r\nContent-Length: 25\r\n\r\n{\"operationName\":\"Ready\"}",
				func() bool { return w.handled.Load() > handled }, test.handled)
		})
	}
}

// expectQuick holds that some requests were answered before net/http, or that none was. Which ones are, chance
// decides: not those that come before net/http has done with the one before.
func (w *world) expectQuick(t *testing.T, what, head string, was func() bool, want bool) {
	t.Helper()
	if !want && was() {
		t.Errorf("%s is answered before net/http", what)
	}
	if want {
		eventually(t, what+" is answered before net/http", func() bool {
			w.exchange(t, strings.TrimPrefix(w.url, "http://"), head)
			return was()
		})
	}
}

// heads are the requests to compare.
func heads(cookie, bjorn, etag, zipped string) []string {
	ours := "Cookie: JSESSIONID=" + cookie + "\r\n"
	basic := "Authorization: " + basicAuth("anna", "anna") + "\r\n"
	var all []string
	for _, target := range []string{"/me/status-messages", "/api/v2/me/status-messages", "/me", "/api/v2/me", "/me?subresources=*", "/api/v2/me?subresources=devices,channels",
		"/api/v2/me?fields=id,userName&subresources=features", "/me?", "/me/", "//me", "/me/subresources=*", "/me/devices", "/nowhere", "/me?fields=" + strings.Repeat("x", 300)} {
		for _, headers := range []string{ours, basic, ours + basic, ours + "Accept-Encoding: gzip\r\n"} {
			all = append(all, "GET "+target+" HTTP/1.1\r\nHost: a\r\n"+headers+"\r\n")
		}
	}
	for _, headers := range []string{
		"", "Cookie: JSESSIONID=\r\n", "Cookie: JSESSIONID=unknown\r\n", "Cookie: a=b; JSESSIONID=" + cookie + "; c=\"d\"\r\n", "Cookie: JSESSIONID=x; JSESSIONID=" + cookie + "\r\n",
		"Cookie: jsessionid=" + cookie + "\r\n", "Cookie: JSESSIONID=\"" + cookie + "\"\r\n", "Cookie: JSESSIONID =" + cookie + "\r\n", "Cookie:JSESSIONID=" + cookie + "  \r\n",
		"Cookie: JSESSIONID=" + bjorn + "\r\n", "Cookie: JSESSIONID=x\r\n" + basic, "Cookie: JSESSIONID=" + bjorn + "\r\n" + basic,
		"Authorization: Bearer x\r\n" + ours, "Authorization: Basic x\r\n" + ours, "Authorization: " + basicAuth("anna", "wrong") + "\r\n",
		"Authorization:  basic " + strings.TrimPrefix(basicAuth("Anna", "anna"), "Basic ") + "\r\n",
		ours + "Accept-Encoding: br, GZIP;q=0.5\r\n", ours + "Accept-Encoding: gzip;q=0\r\n", ours + "Accept-Encoding: *\r\n",
		ours + "If-None-Match: " + etag + "\r\n", ours + "If-None-Match: W/" + etag + "\r\n", ours + "If-None-Match: *\r\n", ours + "If-None-Match: \"x\", " + etag + "\r\n",
		ours + "If-None-Match: " + zipped + "\r\n", ours + "If-None-Match: " + zipped + "\r\nAccept-Encoding: gzip\r\n", ours + "If-None-Match: x\r\n",
		ours + "X-Request-Id: given-by.me_1\r\n", ours + "X-Request-Id: not one\r\n", ours + "X-Request-Id: " + strings.Repeat("x", 65) + "\r\n",
		ours + "X-Forwarded-For: 192.0.2.7, 127.0.0.5\r\n", basic + "X-Forwarded-For: 192.0.2.7\r\n",
		ours + "Origin: https://crm.example\r\n", ours + "Origin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\n", ours + "Sec-Fetch-Site: cross-site\r\n",
		ours + "Connection: keep-alive\r\n", ours + "Connection: close\r\n", ours + "X-Anything: x\r\n", ours + "Content-Length: 0\r\n", ours + "Upgrade: websocket\r\nConnection: Upgrade\r\n",
		ours + "Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n", ours + "User-Agent: Mozilla/5.0 (X11)\r\nAccept: */*\r\nReferer: https://agents.example/a?b\r\n",
	} {
		all = append(all, "GET /api/v2/me/status-messages HTTP/1.1\r\nHost: a\r\n"+headers+"\r\n", "GET /me HTTP/1.1\r\nHost: a\r\n"+headers+"\r\n")
	}
	const ready = `{"operationName":"Ready"}`
	for _, ask := range [][2]string{{"/me", ready}, {"/api/v2/me", ready}, {"/api/v2/me?a=b", ready}, {"/me/channels/voice", ready}, {"/api/v2/me/channels/fax", ready}, {"/me/devices/x", ready},
		{"/me/devices", ready}, {"/me", `{"operationName":"AtLunch"}`}, {"/api/v2/me", `{"operationName":"Nonsense"}`}, {"/me", `{"operationName":"StartContactCenterSession","channels":["voice"]}`}, {"/me", "{"}, {"/api/v2/me", ""}} {
		all = append(all, fmt.Sprintf("POST %s HTTP/1.1\r\nHost: a\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", ask[0], ours, len(ask[1]), ask[1]))
	}
	for _, headers := range []string{"", "Cookie: JSESSIONID=unknown\r\n", basic, ours + "Origin: https://crm.example\r\n",
		ours + "Origin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\n", ours + "X-Request-Id: given-by.me_1\r\nX-Anything: x\r\nX-Anything: y\r\n",
		ours + "Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n", ours + "Connection: close\r\n"} {
		all = append(all, "POST /me HTTP/1.1\r\nHost: a\r\n"+headers+"Content-Length: 25\r\n\r\n"+ready)
	}
	return append(all, "HEAD /me HTTP/1.1\r\nHost: a\r\n"+ours+"\r\n", "GET /me HTTP/1.0\r\nHost: a\r\n"+ours+"\r\n", "OPTIONS /me HTTP/1.1\r\nHost: a\r\n"+ours+"\r\n")
}

// same compares what comes of a request in both ways.
func (w *world) same(t *testing.T, head, plain string) {
	t.Helper()
	before, records := w.numbers(t), w.log.length()
	want := w.exchange(t, plain, head)
	between := w.numbers(t)
	wantNumbers, wantRecords := since(before, between), recordsOf(t, w.log.since(records))
	records = w.log.length()
	got := w.exchange(t, strings.TrimPrefix(w.url, "http://"), head)
	gotNumbers, gotRecords := since(between, w.numbers(t)), recordsOf(t, w.log.since(records))
	for what, diff := range map[string]string{"answer": cmp.Diff(want, got, cmp.AllowUnexported(answer{})), "counts": cmp.Diff(wantNumbers, gotNumbers), "records": cmp.Diff(wantRecords, gotRecords)} {
		if diff != "" {
			t.Errorf("%q: %s (-net/http +before):\n%s", head, what, diff)
		}
	}
}

// exchange sends a request as the second on a connection, and returns the answer without what is different
// each time.
func (w *world) exchange(t *testing.T, address, head string) answer {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	w.over(t) // or the record of the request before comes now
	before := w.log.length()
	var got answer
	for i, request := range []string{"GET /diagnostics/version HTTP/1.1\r\nHost: a\r\n\r\n", head} {
		_, _ = io.WriteString(conn, request)
		method, _, _ := strings.Cut(request, " ")
		response, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			t.Fatalf("%q: %v", request, err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatalf("%q: %v", request, err)
		}
		if i == 0 && response.Close { // it is stopping
			conn, _ = net.Dial("tcp", address)
			defer conn.Close()
			in = bufio.NewReader(conn)
		}
		got = answer{response.StatusCode, response.Header, string(body)}
	}
	eventually(t, "both requests are logged", func() bool { return strings.Count(w.log.since(before), `"msg":"request"`) == 2 })
	for _, name := range []string{"Date", "X-Request-Id", headerStateAge} {
		value := got.header.Get(name)
		if name == "X-Request-Id" && strings.Contains(head, "given-by.me_1") != (value == "given-by.me_1") || name == "Date" && value == "" {
			t.Errorf("%q is answered with %s %q", head, name, value)
		}
		if value != "" {
			got.header.Set(name, "some")
		}
	}
	return got
}

// numbers returns what is counted, histograms by their number.
func (w *world) numbers(t *testing.T) map[string]float64 {
	t.Helper()
	// A request in flight may end a moment later, and the sites tell of their agents meanwhile.
	wanted := func(name string) bool {
		return !strings.HasSuffix(name, "_in_flight") && (!strings.HasPrefix(name, "portico_upstream_") || strings.Contains(name, "avoided"))
	}
	all := map[string]float64{}
	rig.Series(t, w.reg, wanted, func(name string, one *dto.Metric) {
		for _, label := range one.GetLabel() {
			name += " " + label.GetName() + "=" + label.GetValue()
		}
		all[name] = valueOf(one)
	})
	return all
}

// since returns what has changed.
func since(before, after map[string]float64) map[string]float64 {
	changed := maps.Clone(after)
	for name, value := range after {
		changed[name] = value - before[name]
	}
	maps.DeleteFunc(changed, func(_ string, value float64) bool { return value == 0 })
	return changed
}

// recordsOf returns the records of a log without what is different each time.
func recordsOf(t *testing.T, text string) []map[string]any {
	t.Helper()
	t.Helper()
	all := linesOf(t, text)
	for _, one := range all {
		for _, name := range []string{"time", "duration_s"} {
			one[name] = "some"
		}
		if one["request_id"] != "given-by.me_1" {
			one["request_id"] = "some"
		}
	}
	return all
}

// FuzzSessionCookie holds what is read of a Cookie header before net/http to what net/http reads.
func FuzzSessionCookie(f *testing.F) {
	for _, header := range []string{"", "JSESSIONID=a", "a=b; JSESSIONID=a; c=d", "JSESSIONID=a;JSESSIONID=b", " JSESSIONID = a", "JSESSIONID=\"a\"", "JSESSIONID", ";;=;JSESSIONID=a-_.;", "x y=JSESSIONID=a"} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		if strings.ContainsFunc(header, func(r rune) bool { return r < ' ' || r > '~' }) || strings.TrimSpace(header) != header {
			return // no such header comes here
		}
		got, ok := sessionCookieIn([]byte(header))
		if !ok {
			return
		}
		var want []string
		if got != "" {
			want = []string{got}
		}
		var read []string
		for _, cookie := range (&http.Request{Header: http.Header{"Cookie": {header}}}).CookiesNamed(cookieName) {
			read = append(read, cookie.Value)
		}
		if !slices.Equal(read, want) {
			t.Errorf("of %q is read %q; net/http reads %q", header, want, read)
		}
	})
}

// Whose a request is that net/http does not see is told too.
func TestWhoIsLoggedInIsToldOfQuickRequests(t *testing.T) {
	var mu sync.Mutex
	told := map[string]bool{}
	w := newDoor(t, func(k *knobs) {
		k.door.LoggedIn = func(_ context.Context, session string) {
			mu.Lock()
			defer mu.Unlock()
			told[session] = true
		}
	})
	cookie := cookieOf(w.as("anna").get("/me"))
	eventually(t, "a read is answered before net/http", func() bool {
		mu.Lock()
		clear(told)
		mu.Unlock()
		before := w.quickly.Load()
		w.with(cookie).get("/me")
		return w.quickly.Load() > before
	})
	mu.Lock()
	defer mu.Unlock()
	if !told[cookie] || len(told) != 1 {
		t.Errorf("told of are %v; want the agent's session", told)
	}
}
