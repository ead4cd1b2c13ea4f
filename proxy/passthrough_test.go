package proxy

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A tap stands before the HTCC site, keeps the requests that are passed through, and answers those
// below /api/v2/tap itself.
type tap struct {
	answer http.HandlerFunc

	mu   sync.Mutex
	seen []*http.Request // guarded by mu
}

// newTapped returns a world with a tap.
func newTapped(t testing.TB, answer http.HandlerFunc, options ...func(*knobs)) (*world, *tap) {
	t.Helper()
	tapped := &tap{answer: answer}
	options = append(options, func(k *knobs) { k.before = tapped.before })
	return newDoor(t, options...), tapped
}

func (p *tap) before(site http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.seen = append(p.seen, r)
		p.mu.Unlock()
		if strings.Contains(r.URL.Path, "/tap") {
			p.answer(w, r)
			return
		}
		site.ServeHTTP(w, r)
	})
}

// last returns the last request that reached the site below /tap.
func (p *tap) last(t testing.TB) *http.Request {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range slices.Backward(p.seen) {
		if strings.Contains(r.URL.Path, "/tap") {
			return r
		}
	}
	t.Fatal("nothing was passed through")
	return nil
}

// says answers everything with a status and a body.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// raw sends a request as it is written here, beyond what a client would send, and returns the answer.
func (w *world) raw(request string) answer {
	w.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close()
	_, err = io.WriteString(conn, strings.ReplaceAll(request, "\n", "\r\n"))
	if err != nil {
		w.t.Fatal(err)
	}
	method, _, _ := strings.Cut(request, " ")
	response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(body)}
}

func TestPassedThroughAsItCame(t *testing.T) {
	w, site := newTapped(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s", r.Method, r.RequestURI, body)
	})
	basic := basicAuth("bjorn", "bjorn")
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "BREW", "get"} {
		for _, target := range []string{
			"/api/v2/tap", "/api/v2/tap/", "/api/v2/tap//", "/api/v2//tap", "//api/v2/tap", "/api//v2/tap//x/",
			"/api/v2/tap/a%2Fb", "/api/v2/tap/a%2fb", "/api/v2/tap/%41", "/api/v2/tap/a%20b", "/api/v2/tap/%E4%B8%AD", "/api/v2/tap/%ff",
			"/api/v2/tap/a+b", "/api/v2/tap/a;b=c,d", "/api/v2/tap/a:b@c", "/api/v2/tap/(a)*!'$&=~", "/api/v2/tap/[1]", "/api/v2/tap/...", "/api/v2/tap/a..b",
			"/api/v2/tap?", "/api/v2/tap?a", "/api/v2/tap?a=&b&&c==d", "/api/v2/tap?a=b;c=d", "/api/v2/tap?a=%2f%2F%zz", "/api/v2/tap?a=1&a=2&A=3", "/api/v2/tap/?a=b+c%20d",
			"/api/v2/tap?q=?/#", "/internal-api/tap?fields=*", "/api/v1/stats/tap", "/api/v2/me/tap", "/api/v2/notifications-x/tap",
		} {
			got := w.raw(fmt.Sprintf("%s %s HTTP/1.1\nHost: agents.example\nAuthorization: %s\nContent-Length: 5\nConnection: close\n\nhello", method, target, basic))
			got.is(t, method+" "+target, 200, method+" "+target+" hello")
		}
	}
	if host := site.last(t).Host; host != strings.TrimPrefix(w.direct, "http://") {
		t.Errorf("the site was called by the name %q; want its own", host)
	}
	got := w.raw("HEAD /api/v2/tap HTTP/1.1\nHost: x\nAuthorization: " + basic + "\nConnection: close\n\n")
	if got.status != 200 || got.body != "" || got.header.Get("Content-Length") != "17" || site.last(t).Method != "HEAD" {
		t.Errorf("HEAD = %d %v; want the length of the body that GET has", got.status, got.header)
	}
}

// TestOutOfThePrefix asks for what stands elsewhere once a server has made the path short.
func TestOutOfThePrefix(t *testing.T) {
	w, site := newTapped(t, says(200, "tap"))
	bjorn := w.as("bjorn")
	bjorn.get("/api/v2/me")
	for _, path := range []string{"/api/v2/../tap", "/api/v2/%2e%2e/tap", "/api/v2/..%2Ftap", "/api/v2/x/../../../tap", "/api/v2/./tap", "/api/v2/..;/tap",
		"/api/v2/..;a=b/tap", `/api/v2/..\tap`, "/api/v2/%2E%2E%5Ctap", "/api/v2/..", "/internal-api/..", "/tap", "/internal-apis/tap", "/api/v1/statstap", "/api/v1/tap", "/api/v3/tap"} {
		got := w.raw("GET " + path + " HTTP/1.1\nHost: x\nAuthorization: " + basicAuth("bjorn", "bjorn") + "\nConnection: close\n\n")
		if got.status != 404 || !strings.Contains(got.body, "there is no ") {
			t.Errorf("GET %s = %d %s; want 404", path, got.status, got.body)
		}
	}
	site.mu.Lock()
	defer site.mu.Unlock()
	for _, r := range site.seen {
		if strings.Contains(r.URL.Path, "/tap") {
			t.Errorf("%s reached the site", r.RequestURI)
		}
	}
}

func TestHeadersOfRequestsPassedThrough(t *testing.T) {
	for _, csrf := range []bool{false, true} {
		w, site := newTapped(t, says(200, "ok"), func(k *knobs) { k.cloud.CSRF = csrf })
		cookie := cookieOf(w.as("bjorn").get("/api/v2/me"))
		w.do("POST", "/api/v2/tap", "{}", "Cookie", "JSESSIONID="+cookie+"; other=1", "Authorization", "Bearer canary", "X-CSRF-TOKEN", "canary", "X-CSRF-HEADER", "canary",
			"Content-Type", "application/json; charset=UTF-8", "Accept", "application/json, text/*;q=0.5", "Accept-Language", "de", "X-Requested-With", "XMLHttpRequest",
			"ContactCenterId", "7", "Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "Tracestate", "a=b", "X-Own", "1", "X-Own", "2",
			"Connection", "X-Hop", "X-Hop", "canary", "Keep-Alive", "canary", "Proxy-Authorization", "canary", "Proxy-Connection", "canary", "Te", "trailers, canary",
			"X-Forwarded-For", "203.0.113.7", "X-Forwarded-Host", "canary", "X-Forwarded-Proto", "canary", "Forwarded", "for=canary", "X-Request-Id", "seven",
			"User-Agent", "Desktop/1.0", "Range", "bytes=0-1", "If-None-Match", `"x"`)
		sent := site.last(t).Header
		for name, want := range map[string]string{
			"Content-Type": "application/json; charset=UTF-8", "Accept": "application/json, text/*;q=0.5", "Accept-Language": "de", "X-Requested-With": "XMLHttpRequest",
			"Contactcenterid": "7", "Traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "Tracestate": "a=b", "X-Own": "1,2", "X-Hop": "",
			"Te": "trailers", "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": strings.TrimPrefix(w.url, "http://"), "X-Forwarded-Proto": "http",
			"X-Request-Id": "seven", "User-Agent": "Desktop/1.0", "Range": "bytes=0-1", "If-None-Match": `"x"`, "Accept-Encoding": "identity", "Content-Length": "2",
		} {
			if got := strings.Join(sent[name], ","); got != want {
				t.Errorf("the site got %s: %q; want %q", name, got, want)
			}
		}
		cookies := site.last(t).Cookies()
		cookies = slices.DeleteFunc(cookies, func(c *http.Cookie) bool { return c.Name == "BAYEUX_BROWSER" }) // of our own reader
		if len(cookies) != 1 || cookies[0].Name != "JSESSIONID" || cookies[0].Value == cookie {
			t.Errorf("the site got the cookies %v; want its own session's alone", cookies)
		}
		if token := sent.Get("X-CSRF-TOKEN"); (token != "") != csrf {
			t.Errorf("with CSRF %v the site got the token %q", csrf, token)
		}
		for name, values := range sent {
			if text := strings.Join(values, " "); strings.Contains(text, "canary") || strings.Contains(text, cookie) || name == "Authorization" {
				t.Errorf("the site got %s: %s", name, text)
			}
		}
	}
}

func TestForwardedByATrustedProxy(t *testing.T) {
	w, site := newTapped(t, says(200, "ok"), func(k *knobs) { k.door.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	w.as("bjorn").get("/api/v2/tap", "X-Forwarded-For", "203.0.113.7, 198.51.100.1", "X-Forwarded-Host", "agents.example", "X-Forwarded-Proto", "https")
	sent := site.last(t).Header
	for name, want := range map[string]string{"X-Forwarded-For": "203.0.113.7, 198.51.100.1, 127.0.0.1", "X-Forwarded-Host": "agents.example", "X-Forwarded-Proto": "https"} {
		if got := sent.Get(name); got != want {
			t.Errorf("the site got %s: %q; want %q", name, got, want)
		}
	}
}

func TestHeadersOfAnswersPassedThrough(t *testing.T) {
	w, _ := newTapped(t, func(w http.ResponseWriter, r *http.Request) {
		for name, value := range map[string]string{
			"Set-Cookie": "JSESSIONID=canary; Path=/", "X-CSRF-HEADER": "X-CSRF-TOKEN", "X-CSRF-TOKEN": "canary", "Access-Control-Allow-Origin": "canary",
			"Access-Control-Allow-Credentials": "canary", "Access-Control-Expose-Headers": "canary", "Connection": "X-Hop", "X-Hop": "canary", "Keep-Alive": "timeout=canary",
			"Proxy-Authenticate": "canary", "X-Request-Id": "canary",
			"Content-Type": "text/html;charset=ISO-8859-1", "Cache-Control": "public, max-age=60", "Etag": `"7"`, "Last-Modified": "Mon, 05 Jan 2026 08:15:00 GMT",
			"Content-Disposition": `attachment; filename="a.pdf"`, "X-Content-Type-Options": "theirs", "Vary": "Accept", "Warning": "199 - x", "Server": "Jetty", "Allow": "GET, BREW",
			"Retry-After": "7", "Www-Authenticate": "Basic", "Location": "/elsewhere", "X-Own": "1", "Date": "Mon, 05 Jan 2026 08:15:00 GMT",
		} {
			w.Header().Set(name, value)
		}
		w.Header().Add("X-Own", "2")
		w.Header().Add("Set-Cookie", "AWSELB=canary")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "short and stout")
	})
	got := w.as("bjorn").get("/api/v2/tap", "X-Request-Id", "seven")
	got.is(t, "the answer", http.StatusTeapot, "short and stout")
	cookie := cookieOf(got)
	if cookie == "" || len(got.header["Set-Cookie"]) != 1 {
		t.Errorf("Set-Cookie: %q; want our own alone", got.header["Set-Cookie"])
	}
	for name, want := range map[string]string{
		"Content-Type": "text/html;charset=ISO-8859-1", "Cache-Control": "public, max-age=60", "Etag": `"7"`, "Last-Modified": "Mon, 05 Jan 2026 08:15:00 GMT",
		"Content-Disposition": `attachment; filename="a.pdf"`, "X-Content-Type-Options": "theirs", "Vary": "Accept", "Warning": "199 - x", "Server": "Jetty", "Allow": "GET, BREW",
		"Retry-After": "7", "Www-Authenticate": "Basic", "Location": "/elsewhere", "X-Own": "1,2", "X-Request-Id": "seven", "Date": "Mon, 05 Jan 2026 08:15:00 GMT",
	} {
		if value := strings.Join(got.header[http.CanonicalHeaderKey(name)], ","); value != want {
			t.Errorf("%s: %q; want %q", name, value, want)
		}
	}
	for name, values := range got.header {
		if strings.Contains(strings.Join(values, " "), "canary") || strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("the caller sees %s: %q", name, values)
		}
	}
	if again := w.with(cookie).get("/api/v2/tap"); again.header.Get("Set-Cookie") != "" {
		t.Errorf("who has the cookie gets Set-Cookie: %q", again.header.Get("Set-Cookie"))
	}
	if bare := w.with(cookie).get("/api/v2/services?fields=*"); bare.header.Get("Cache-Control") != "" || bare.status != 200 {
		t.Errorf("an answer without Cache-Control came with %q", bare.header.Get("Cache-Control"))
	}
}

// TestInterimAnswers passes answers through that a 103 comes before.
func TestInterimAnswers(t *testing.T) {
	w, _ := newTapped(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</style.css>")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		_, _ = io.WriteString(w, "done")
	})
	got := w.as("bjorn").get("/api/v2/tap")
	got.is(t, "the final answer", 200, "done")
	if cookieOf(got) == "" || got.header.Get("X-Request-Id") == "" || got.header.Get("Link") != "" {
		t.Errorf("the final answer has the headers %v; want our cookie and id, and none of the interim one's", got.header)
	}
}

func TestAnswersPassUnchanged(t *testing.T) {
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, _ = io.WriteString(zip, strings.Repeat("hello ", 1000))
	_ = zip.Close()
	w, site := newTapped(t, nil)
	bjorn := w.as("bjorn")
	for _, status := range []int{200, 201, 204, 206, 301, 302, 303, 304, 307, 308, 400, 401 + 1, 403, 404, 405, 409, 410, 413, 418, 429, 500, 501, 502, 503, 504, 599} {
		for _, body := range []string{"", `{"statusCode":6}`, `{"statusCode":5,"statusMessage":"no"}`, "<html>"} {
			if status == 204 || status == 304 {
				body = ""
			}
			site.answer = func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", "http://foreign.example/x")
				says(status, body)(w, r)
			}
			for _, method := range []string{"GET", "DELETE"} {
				got := bjorn.do(method, "/api/v2/tap", "", bjorn.headers...)
				got.is(t, fmt.Sprintf("%s answered with %d", method, status), status, body)
				if got.header.Get("Location") != "http://foreign.example/x" {
					t.Errorf("%d came without its Location", status)
				}
			}
			if got := bjorn.do("PUT", "/api/v2/me", "", bjorn.headers...); got.status != 405 {
				t.Fatalf("PUT /me = %d; want what the site says", got.status)
			}
		}
	}
	site.answer = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed.Bytes())
	}
	for _, accept := range []string{"gzip", "gzip, deflate, br", "identity", ""} {
		got := bjorn.get("/api/v2/tap", "Accept-Encoding", accept)
		if got.body != packed.String() || got.header.Get("Content-Encoding") != "gzip" || got.header.Get("Content-Length") != fmt.Sprint(packed.Len()) {
			t.Errorf("a packed body with Accept-Encoding %q came as %d bytes with %v", accept, len(got.body), got.header)
		}
	}
}

func TestOtherMethodsOnOurPaths(t *testing.T) {
	w := newDoor(t)
	anna, bjorn, cleo := w.as("anna"), w.as("bjorn"), w.as("cleo")
	ours := `{"statusCode":3,"statusMessage":"DELETE is not allowed here; allowed are `
	for _, test := range []struct {
		agent *caller
		path  string
		ours  bool
	}{
		{anna, "/api/v2/me", true}, {anna, "/api/v2/me/channels/voice", true}, {anna, "/api/v2/me/devices/7", true},
		{bjorn, "/api/v2/me", false}, {bjorn, "/api/v2/me/", false}, {bjorn, "/api/v2/me/channels/chat", false}, {bjorn, "/api/v2/me/devices/7", false}, {bjorn, "/me", true},
		{cleo, "/api/v2/me", true}, {cleo, "/api/v2/me/channels", true}, {cleo, "/api/v2/me/channels/voice", true}, {cleo, "/api/v2/me/channels/chat", false},
		{cleo, "/api/v2/me/devices/7", true}, {cleo, "/me/channels/chat", true},
	} {
		before := w.cloud.Calls()
		got := test.agent.do("DELETE", test.path, "", test.agent.headers...)
		passed := !maps.Equal(deletes(before), deletes(w.cloud.Calls()))
		if got.status != 405 || passed == test.ours || test.ours && strings.HasPrefix(test.path, "/api") && !strings.HasPrefix(got.body, ours) || len(got.header["Allow"]) != 1 {
			t.Errorf("DELETE %s of %s = %d %s, Allow %q, passed through: %v; want it ours: %v",
				test.path, test.agent.headers[1], got.status, got.body, got.header["Allow"], passed, test.ours)
		}
	}
	w.do("DELETE", "/api/v2/me", "").is(t, "DELETE without credentials", 405, ours+`GET, HEAD, POST, OPTIONS"}`)
}

// deletes are the calls that had the method DELETE.
func deletes(calls map[string]int) map[string]int {
	calls = maps.Clone(calls)
	maps.DeleteFunc(calls, func(route string, _ int) bool { return !strings.HasPrefix(route, "DELETE ") })
	return calls
}

func TestMethodsThatAreNotPassedThrough(t *testing.T) {
	w, site := newTapped(t, says(200, "ok"))
	basic := basicAuth("bjorn", "bjorn")
	for _, path := range []string{"/api/v2/tap", "/api/v2/me"} {
		got := w.raw("TRACE " + path + " HTTP/1.1\nHost: x\nAuthorization: " + basic + "\nConnection: close\n\n")
		got.is(t, "TRACE "+path, 405, `{"statusCode":3,"statusMessage":"TRACE is not passed through"}`)
	}
	site.mu.Lock()
	defer site.mu.Unlock()
	for _, r := range site.seen {
		if r.Method == "TRACE" {
			t.Errorf("TRACE %s reached the site, which would repeat its cookie", r.URL)
		}
	}
}

func TestWhoHasNoHTCCSite(t *testing.T) {
	w := newDoor(t)
	anna := w.as("anna")
	for _, path := range []string{"/api/v2/services", "/internal-api/me/settings", "/api/v1/stats/7", "/api/v2/me/calls"} {
		for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
			anna.do(method, path, "", anna.headers...).is(t, method+" "+path, 404,
				fmt.Sprintf(`{"statusCode":6,"statusMessage":"there is no %s here, and this agent has no HTCC site that could have it"}`, strings.ReplaceAll(quote(path), `"`, `\"`)))
		}
		w.do("GET", path, "").is(t, "nobody's "+path, 403, deniedB)
	}
	if calls := w.cloud.Calls(); len(calls) != 0 {
		t.Errorf("anna's requests made calls to the HTCC site: %v", calls)
	}
}

func TestPassedThroughIsCountedAndLogged(t *testing.T) {
	w, site := newTapped(t, says(200, "canary-body"))
	bjorn, anna := w.as("bjorn"), w.as("anna")
	bjorn.get("/api/v2/tap/canary-path?canary=query")
	bjorn.do("PUT", "/internal-api/tap", "canary-body", bjorn.headers...)
	site.answer = says(503, "canary")
	bjorn.do("BREW", "/api/v1/stats/tap", "", append(bjorn.headers, "X-Canary", "canary")...)
	anna.get("/api/v2/tap")
	w.do("GET", "/api/v2/tap", "")
	eventually(t, "every request is logged", func() bool { return len(records(t, w.log.String())) == 5 })
	requests := counts(t, w.reg, "portico_http_requests_total")
	want := map[string]float64{"htcc 200 GET passthrough": 1, "htcc 200 PUT passthrough": 1, "htcc 503 OTHER passthrough": 1, "htcc 404 GET passthrough": 1, "htcc 403 GET passthrough": 1}
	if !maps.Equal(requests, want) {
		t.Errorf("portico_http_requests_total = %v; want %v", requests, want)
	}
	for i, record := range records(t, w.log.String()) {
		if record["api"] != "htcc" || record["route"] != "passthrough" {
			t.Errorf("record %d: %v", i, record)
		}
		for key := range record {
			if !slices.Contains(keys, key) {
				t.Errorf("record %d has the key %q", i, key)
			}
		}
	}
	first := records(t, w.log.String())[0]
	if first["bytes_out"] != float64(len("canary-body")) || first["code"] != 200.0 || first["session"] == nil {
		t.Errorf("the first record is %v", first)
	}
	if strings.Contains(w.log.String(), "canary") {
		t.Errorf("a canary is in the log: %s", w.log)
	}
	upstreams := counts(t, w.reg, "portico_upstream_requests_total")
	if upstreams["client 200 passthrough cloud"] != 2 || upstreams["client 503 passthrough cloud"] != 1 {
		t.Errorf("portico_upstream_requests_total = %v", upstreams)
	}
}

func TestUpgrades(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "websocket" {
			says(200, "plain "+r.Header.Get("Upgrade")+r.Header.Get("Connection"))(w, r)
			return
		}
		conn, both, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSet-Cookie: JSESSIONID=canary\r\n\r\n")
		_, _ = io.Copy(conn, both)
	}
	ask := func(w *world, protocol string) (net.Conn, *http.Response) {
		conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_, err = fmt.Fprintf(conn, "GET /api/v2/tap HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", basicAuth("bjorn", "bjorn"), protocol)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		return conn, response
	}

	w, _ := newTapped(t, echo)
	_, response := ask(w, "WebSocket")
	body, _ := io.ReadAll(response.Body)
	answer{response.StatusCode, response.Header, string(body)}.is(t, "a WebSocket", 400,
		`{"statusCode":2,"statusMessage":"the contact centre takes no request for another protocol"}`)
	_, response = ask(w, "h2c")
	body, _ = io.ReadAll(response.Body)
	answer{response.StatusCode, response.Header, string(body)}.is(t, "HTTP/2, which can be ignored", 200, "plain ")

	w, _ = newTapped(t, echo, func(k *knobs) { k.allows = true })
	conn, response := ask(w, "websocket")
	if response.StatusCode != http.StatusSwitchingProtocols || response.Header.Get("Upgrade") != "websocket" || strings.Contains(fmt.Sprint(response.Header), "canary") {
		t.Fatalf("an upgrade that the site takes = %d %v; want 101", response.StatusCode, response.Header)
	}
	for _, message := range []string{"hello", "world"} {
		_, err := io.WriteString(conn, message)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(message))
		_, err = io.ReadFull(conn, got)
		if err != nil || string(got) != message {
			t.Fatalf("the echo of %q is %q (%v)", message, got, err)
		}
	}
	_ = conn.Close()
	eventually(t, "the connection is counted when it ends", func() bool {
		return counts(t, w.reg, "portico_http_requests_total")["htcc 101 GET passthrough"] == 1
	})
}
