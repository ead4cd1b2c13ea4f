package proxy

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"portico/proxy/icws/icwssim"
)

// TestAnApplicationThatSpeaksICWS does what one does in a shift, with a cookie jar and no knowledge
// of Portico.
func TestAnApplicationThatSpeaksICWS(t *testing.T) {
	w := newDoor(t, openToNative)
	anna := w.opens("anna")
	if got, want := anna.first.header.Get("Location"), "/icws/"+anna.session+"/connection"; got != want {
		t.Errorf("Location of the log-in: %q; want %q", got, want)
	}
	cookies := anna.cookies(anna.session)
	if cookies["icws_"+anna.session] == "" || cookies[nativeHostCookie] == "" || len(anna.cookies("29999001")) > 0 {
		t.Errorf("the jar has %v for the session, %v for another; want both cookies for the session alone", cookies, anna.cookies("29999001"))
	}
	if first := anna.first.header.Values("Set-Cookie")[0]; !strings.HasPrefix(first, "icws_") {
		t.Errorf("the first Set-Cookie is %q; want the session's own", first)
	}

	anna.ask("GET", "/connection", "").is(t, "the connection", 200, `{"connectionState":1}`)
	anna.ask("PUT", "/messaging/subscriptions/status/user-statuses", `{"userIds":["anna"]}`).is(t, "a subscription", 200, "")
	anna.ask("PUT", "/status/user-statuses/anna", `{"statusId":"At Lunch"}`).is(t, "a status", 202, `{"requestId":"1"}`)
	var polled string
	eventually(t, "the completion is polled", func() bool {
		polled += anna.call("GET", "/icws/"+anna.session+"/messaging/messages", "").body // without a token, as is allowed
		return strings.Contains(polled, "asyncOperationCompletedMessage") && strings.Contains(polled, `"statusId":"At Lunch"`)
	})
	anna.ask("POST", "/messaging/heartbeat", "").is(t, "a heartbeat", 200, "")
	got := anna.ask("GET", "/status/nothing", "")
	got.is(t, "an unknown path", 404, `{"errorId":"error.request.notFound","message":"The resource does not exist."}`)

	anna.ask("DELETE", "/connection", "").is(t, "the log-out", 200, "")
	got = anna.ask("GET", "/connection", "")
	if got.status != 401 || got.header.Get("Www-Authenticate") != `ICWS realm="ICWS" location="/ICWS/connection"` {
		t.Errorf("after the log-out = %d %v; want 401 and the site's own challenge", got.status, got.header)
	}
	if n := w.calls(routeLogin); n != 1 {
		t.Errorf("%d log-ins at the site; want 1", n)
	}
}

// TestAnswersAreTheSitesOwn compares what comes through with what the site says itself.
func TestAnswersAreTheSitesOwn(t *testing.T) {
	w := newDoor(t, openToNative)
	anna := w.opens("anna")
	direct := &world{t: t, url: "", client: w.client}
	server, _ := serve(t, w.sim)
	direct.url = server
	for _, path := range []string{"/connection", "/status/status-messages", "/status/user-statuses/anna", "/status/user-statuses/nobody",
		"/status/status-messages-user-access/anna", "/connection/version", "/connection/features", "/connection/features/status", "/nothing", "/connection/station"} {
		for range 2 { // the second may come from the cache
			here := anna.ask("GET", path, "")
			there := direct.bare("GET", anna.session, path, anna.token, anna.icwsCookie())
			here.is(t, "GET "+path, there.status, there.body)
			for name := range there.header {
				if name != "Date" && here.header.Get(name) != there.header.Get(name) && !strings.HasPrefix(name, "Access-Control-") && name != "Server" {
					t.Errorf("GET %s: %s: %q; want %q", path, name, here.header.Get(name), there.header.Get(name))
				}
			}
		}
	}
}

func TestEventsArriveBeforeTheStreamEnds(t *testing.T) {
	w := newDoor(t, openToNative)
	anna := w.opens("anna")
	lines := anna.listens(t, t.Context())
	anna.ask("PUT", "/messaging/subscriptions/status/user-statuses", `{"userIds":["anna"]}`).is(t, "a subscription", 200, "")
	if got := message(t, lines); !strings.Contains(got, `"isDelta":false`) {
		t.Errorf("the first message is %s; want the whole list", got)
	}
	anna.ask("PUT", "/status/user-statuses/anna", `{"statusId":"At Lunch"}`).is(t, "a status", 202, `{"requestId":"1"}`)
	if got := message(t, lines) + message(t, lines); !strings.Contains(got, `"statusId":"At Lunch"`) || !strings.Contains(got, `"requestId":"1"`) {
		t.Errorf("the next two messages are %s; want the change and its completion", got)
	}
	w.over(t)
	if n := w.open(); n != 1 {
		t.Errorf("%v are in flight as push; want the stream", n)
	}
	w.gateway.ReleaseNative()
	for range lines { // until its end
	}
	eventually(t, "the stream has ended", func() bool { return w.open() == 0 })
	w.over(t)
	for series := range counts(t, w.reg, "portico_http_request_duration_seconds") {
		if strings.HasPrefix(series, "icws 2xx GET") {
			t.Errorf("there are durations %q; want none of streams", series)
		}
	}
	if n := counts(t, w.reg, "portico_http_requests_total")["icws 200 GET passthrough"]; n != 1 {
		t.Errorf("%v streams are counted as answered; want 1", n)
	}
	anna.ask("GET", "/connection", "").is(t, "the session, which lives on", 200, `{"connectionState":1}`)
}

// listens opens an event stream and returns its lines, closed at its end.
func (a *application) listens(t testing.TB, ctx context.Context) <-chan string {
	t.Helper()
	response := a.must(ctx, "GET", "/icws/"+a.session+"/messaging/messages", http.NoBody, "Accept", "text/event-stream")
	if kind := response.Header.Get("Content-Type"); response.StatusCode != 200 || kind != "text/event-stream" {
		t.Fatalf("the stream = %d %s", response.StatusCode, kind)
	}
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		defer response.Body.Close()
		scanner := bufio.NewScanner(response.Body)
		for scanner.Scan() {
			lines <- scanner.Text()
		}
	}()
	return lines
}

func TestAnApplicationThatLeavesItsStream(t *testing.T) {
	w := newDoor(t, openToNative)
	anna := w.opens("anna")
	ctx, leave := context.WithCancel(t.Context())
	lines := anna.listens(t, ctx)
	leave()
	for range lines {
	}
	eventually(t, "the request is over", func() bool {
		inFlight := counts(t, w.reg, "portico_http_requests_in_flight")
		return inFlight["push"] == 0 && counts(t, w.reg, "portico_http_requests_total")["icws 499 GET passthrough"] == 1
	})
	anna.ask("GET", "/connection", "").is(t, "the session, which lives on", 200, `{"connectionState":1}`)
}

// TestALogInThatNobodyWaitsFor closes the session that it opened: it may hold a licence.
func TestALogInThatNobodyWaitsFor(t *testing.T) {
	w := newDoor(t, openToNative)
	err := w.sim.Fault(icwssim.Fault{Route: routeLogin, Delay: 300 * time.Millisecond, Times: 1, Status: 0, After: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, "POST", w.url+"/icws/connection", strings.NewReader(
		`{"__type":"urn:inin.com:connection:icAuthConnectionRequestSettings","applicationName":"Own","userID":"anna","password":"anna"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept-Language", "en-us")
	go func() {
		for w.calls(routeLogin) == 0 {
			time.Sleep(time.Millisecond)
		}
		leave()
	}()
	_, err = w.client.Do(request)
	if err == nil {
		t.Fatal("the log-in was answered to nobody")
	}
	eventually(t, "the session is closed at the site", func() bool { return w.calls("DELETE /icws/{sessionId}/connection") == 1 })
}

func TestRequestsOfNativeApplicationsReachTheSiteAsTheyAre(t *testing.T) {
	var got *http.Request
	var body string
	_, hosts := behind(t, map[string]http.Handler{"ic1.example": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		got, body = r, string(content)
		w.Header().Set("X-Own", "1")
		w.Header().Add("Set-Cookie", "JSESSIONID=theirs; Path=/")
		w.Header().Add("Set-Cookie", "other=1; Path=/")
		w.Header().Set("Access-Control-Allow-Origin", "https://elsewhere.example")
		w.WriteHeader(207)
		_, _ = io.WriteString(w, "as it is")
	})}, "http://ic1.example:8018")
	w := newDoor(t, hosts)
	large := strings.Repeat("0123456789abcdef", 1<<16) // 1 MiB
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"} {
		for _, target := range []string{"/icws/1/a%2Fb?x=%2f&y", "/ICWS/connection/x", "/icws/1//b/", "/icws/connection/single-sign-on/response?a=b"} {
			answered := w.do(method, target, large, "Cookie", "icws_1=a|b; JSESSIONID=secret, "+nativeHostCookie+"=x;  other=\"1\"", "Authorization", basicAuth("anna", "secret"),
				"ININ-ICWS-CSRF-Token", "token==", "Accept-Language", "de", "Origin", "https://elsewhere.example", "Sec-Fetch-Site", "cross-site", "Content-Type", "text/plain", "Expect", "")
			answered.is(t, method+" "+target, 207, "as it is")
			if got := answered.header.Values("Set-Cookie"); len(got) != 1 || got[0] != "other=1; Path=/" {
				t.Errorf("%s %s sets the cookies %q; want none of ours", method, target, got)
			}
			if answered.header.Get("X-Own") != "1" || answered.header.Get("Access-Control-Allow-Origin") != "https://elsewhere.example" {
				t.Errorf("%s %s: headers %v", method, target, answered.header)
			}
			if got.Method != method || got.RequestURI != target || body != large || got.Host != "ic1.example:8018" {
				t.Errorf("%s %s came as %s %s to %s with %d bytes", method, target, got.Method, got.RequestURI, got.Host, len(body))
			}
			for name, want := range map[string]string{"Cookie": `icws_1=a|b;  other="1"`, "Authorization": "", "ININ-ICWS-CSRF-Token": "token==",
				"Accept-Language": "de", "Origin": "https://elsewhere.example", "Content-Type": "text/plain"} {
				if sent := got.Header.Get(name); sent != want {
					t.Errorf("the site got %s: %q; want %q", name, sent, want)
				}
			}
		}
	}
}

func TestRefusedLogInsAreCounted(t *testing.T) {
	w := newDoor(t, openToNative)
	refused := w.application().logIn("anna", "wrong")
	refused.is(t, "a wrong password", 400, `{"errorId":"error.request.connection.authenticationFailure","errorCode":-2147221503,"message":"The authentication process failed."}`)
	w.do("POST", "/icws/connection", "nonsense", "Accept-Language", "de")
	logins := counts(t, w.reg, "portico_logins_total")
	if logins["refused "+site] != 1 || logins["error "+site] != 0 {
		t.Errorf("log-ins: %v; want one refused, and nonsense counted nowhere", logins)
	}
	w.opens("anna")
	if n := counts(t, w.reg, "portico_logins_total")["ok "+site]; n != 1 {
		t.Errorf("%v log-ins ok; want 1", n)
	}
}

func TestErrorsOfNativeApplications(t *testing.T) {
	closed := newDoor(t)
	for _, path := range []string{"/icws", "/icws/connection", "/icws/1/connection", "/ICWS/connection/"} {
		got := closed.do("GET", path, "")
		got.is(t, "GET "+path, 404, noNative)
		if got.header.Get("Content-Type") != "application/vnd.inin.icws+JSON; charset=utf-8" {
			t.Errorf("GET %s: %v", path, got.header)
		}
	}
	_, away := behind(t, nil, "http://ic1.example:8018")
	w := newDoor(t, away)
	const unreachableICWS = `{"errorId":"error.server.unavailable","message":"the contact centre cannot be reached","alternateHostList":[]}`
	w.do("POST", "/icws/connection", "{}").is(t, "a log-in while the site is away", 503, unreachableICWS)
	w.do("GET", "/icws/connection/version", "").is(t, "a version while the site is away", 503, unreachableICWS)
	w.do("GET", "/icws/1/connection", "").is(t, "a request while the site is away", 503, unreachableICWS)
	w.do("TRACE", "/icws/1/connection", "").is(t, "TRACE", 405,
		`{"errorId":"error.request.accessDenied.httpMethodNotAllowed","message":"TRACE is not passed through"}`)
	w.do("GET", "/icws/1/%2e%2e/%2e%2e/_sim/calls", "").is(t, "a path that leads out", 404, `{"message":"there is no \"/icws/1/../../_sim/calls\" here"}`)
	w.do("POST", "/icws/connection", strings.Repeat("x", 100<<10)).is(t, "an endless log-in", 413, `{"message":"a log-in has at most 65536 bytes"}`)

	slow := newDoor(t, openToNative, func(k *knobs) { k.timeout = 300 * time.Millisecond; k.icws.PassthroughTimeout = k.timeout })
	err := slow.sim.Fault(icwssim.Fault{Scenario: "hang"})
	if err != nil {
		t.Fatal(err)
	}
	slow.do("GET", "/icws/1/connection", "").is(t, "a request that hangs", 504, `{"message":"the contact centre did not answer in time"}`)
	slow.do("POST", "/icws/connection", "{}", "Accept-Language", "de").is(t, "a log-in that hangs", 504, `{"message":"the contact centre did not answer in time"}`)
}

// TestTheLogOfNativeApplications says of each request which site it was for, how the cache served it, and which error the
// site named.
func TestTheLogOfNativeApplications(t *testing.T) {
	w := newDoor(t, openToNative)
	anna := w.opens("anna")
	w.application().logIn("anna", "wrong")
	w.do("GET", "/icws/connection/version", "")
	w.do("GET", "/icws/connection/version", "")
	anna.ask("GET", "/connection/features", "")
	anna.ask("GET", "/status/status-messages", "")
	anna.ask("GET", "/status/nothing", "", "Accept-Encoding", "gzip")
	w.bare("GET", anna.session, "/status/user-statuses/anna", "wrong", anna.icwsCookie()) // an error without an id
	w.bare("GET", anna.session, "/status/user-statuses/anna", anna.token, "icws_"+anna.session+"=made-up")
	w.do("GET", "/icws/1/%2e%2e/x", "")
	wants := []map[string]any{
		{"code": 201.0},
		{"code": 400.0, "error_id": "error.request.connection.authenticationFailure"},
		{"code": 200.0, "cache_result": "miss"},
		{"code": 200.0, "cache_result": "hit"},
		{"code": 200.0, "cache_result": "miss"},
		{"code": 200.0, "cache_result": "bypass"}, // nobody holds a subscription
		{"code": 404.0, "error_id": "error.request.notFound"},
		{"code": 401.0},
		{"code": 401.0, "error_id": "error.request.accessDenied.cookie.invalid"},
		{"code": 404.0, "site": nil, "error_class": "not_found"},
	}
	eventually(t, "every request is logged", func() bool { return len(records(t, w.log.String())) == len(wants) })
	for i, record := range records(t, w.log.String()) {
		for _, key := range []string{"code", "site", "cache_result", "error_class", "error_id"} {
			want, told := wants[i][key]
			if key == "site" && !told {
				want = site
			}
			if record[key] != want {
				t.Errorf("record %d: %s is %v; want %v, of %v", i, key, record[key], want, record)
			}
		}
	}
	_, gone := behind(t, nil, "http://ic1.example:8018")
	away := newDoor(t, gone)
	away.do("GET", "/icws/1/connection", "")
	away.isLogged(t, "a site that is away", 503.0, "unreachable", "")
	if got := records(t, away.log.String())[0]["site"]; got != site {
		t.Errorf("a request to a site that is away is logged with the site %v; want %s", got, site)
	}
}
