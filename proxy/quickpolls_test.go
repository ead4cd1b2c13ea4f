package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/proxy/push"
)

// A wired is an application on one connection, that sees every byte.
type wired struct {
	*caller
	conn net.Conn
	in   *bufio.Reader
}

func (c *caller) wire() *wired {
	c.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.url, "http://"))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = conn.Close() })
	return &wired{c, conn, bufio.NewReader(conn)}
}

// line returns an application with a connection on which a connect of a client was held, for a moment.
func (c *caller) line(client string) *wired {
	c.t.Helper()
	c.tell(client, "/meta/connect", longPolling)
	w := c.wire()
	w.send(w.post(notificationsPath, strings.Replace(connectOf(client), "}", `,"advice":{"timeout":1}}`, 1)))
	if got := w.receive(); !strings.Contains(got, `"successful":true`) {
		c.t.Fatalf("a connect = %s", got)
	}
	return w
}

// hold sends a connect on a line, and waits until it is held there.
func (w *wired) hold(client string, headers ...string) {
	w.t.Helper()
	before := w.polls.Load()
	w.send(w.post(notificationsPath, connectOf(client), headers...))
	eventually(w.t, "a connect is held on its line", func() bool { return w.polls.Load() == before+1 })
}

func connectOf(client string) string {
	return fmt.Sprintf(`[{"id":"7","channel":"/meta/connect","connectionType":"long-polling","clientId":%q}]`, client)
}

// post returns a request, with the application's headers and others.
func (w *wired) post(path, body string, headers ...string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "POST %s HTTP/1.1\r\nHost: portico.example\r\nContent-Length: %d\r\n", path, len(body))
	for i := 0; i < len(w.headers); i += 2 {
		fmt.Fprintf(&text, "%s: %s\r\n", w.headers[i], w.headers[i+1])
	}
	for _, header := range headers {
		text.WriteString(header + "\r\n")
	}
	return text.String() + "\r\n" + body
}

func (w *wired) send(request string) {
	w.t.Helper()
	_, err := io.WriteString(w.conn, request)
	if err != nil {
		w.t.Fatal(err)
	}
}

var madeUp = regexp.MustCompile(`Date:\[[^\]]*\] ?|X-Request-Id:\[[A-Z2-7]{26}\] ?|BAYEUX_BROWSER=[a-z0-9]*|"clientId":"[^"]*"`)

// receive returns an answer without what is made up for it.
func (w *wired) receive() string {
	w.t.Helper()
	answer, err := http.ReadResponse(w.in, nil)
	if err != nil {
		w.t.Fatalf("no answer: %v", err)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatalf("an answer breaks off: %v", err)
	}
	return madeUp.ReplaceAllString(fmt.Sprintf("%s %s %v %d close=%v\n%s", answer.Proto, answer.Status, answer.Header, answer.ContentLength, answer.Close, body), "")
}

// TestPollsAreAnsweredAsByNetHTTP sends each request to a new connection, which net/http reads, and to one on which
// a connect was held.
func TestPollsAreAnsweredAsByNetHTTP(t *testing.T) {
	type request struct {
		name    string
		path    string
		body    string
		headers []string
		here    bool // it is answered before net/http on the second
	}
	connect := `[{"id":"1","channel":"/meta/connect","connectionType":"long-polling","clientId":"x"}]`
	requests := []request{
		{"a connect of nobody", "", connect, nil, true},
		{"with a page's path", "/connect", connect, nil, true},
		{"with a slash more", "/", connect, nil, false},
		{"below that path", "/a/b", connect, nil, false},
		{"a handshake", "/handshake", handshake, nil, true},
		{"two messages", "", strings.Replace(connect, "]", `,{"channel":"/x","id":"2"}]`, 1), nil, true},
		{"with an id", "", connect, []string{"X-Request-Id: mine.7"}, true},
		{"with an id that no log can hold", "", connect, []string{"X-Request-Id: mine 7"}, true},
		{"of a page of ours", "", connect, []string{"Origin: https://agents.example", "Sec-Fetch-Site: same-origin"}, true},
		{"of a page of this host", "", connect, []string{"Origin: http://portico.example"}, true},
		{"of a page of another site", "", connect, []string{"Origin: https://evil.example"}, false},
		{"of another site, says the browser", "", connect, []string{"Sec-Fetch-Site: cross-site"}, false},
		{"of a page that is listed", "", connect, []string{"Origin: https://desk.example"}, true},
		{"with any header", "", connect, []string{"X-Any: thing", "X-Any: more"}, true},
		{"with a charset", "", connect, []string{"Content-Type: application/json;charset=UTF-8"}, true},
		{"as a form", "", "message=" + connect, []string{"Content-Type: application/x-www-form-urlencoded"}, true},
		{"as a text", "", connect, []string{"Content-Type: text/plain"}, false},
		{"no JSON", "", "[", nil, false},
		{"nothing", "", "", nil, false},
		{"too many headers", "", connect, strings.Split(strings.Repeat("X-A: 1|", defaultMaxHeaders)+"X-A: 1", "|"), false},
		{"the last", "", connect, []string{"Connection: close"}, false},
		{"that goes on", "", connect, []string{"Connection: keep-alive"}, true},
		{"in pieces", "", "", []string{"Transfer-Encoding: chunked"}, false},
		{"of a trace", "", connect, []string{"Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}, false},
		{"a cookie more", "", connect, []string{"Cookie: BAYEUX_BROWSER=firefox"}, true},
	}
	for name, options := range map[string]func(*knobs){
		"as it comes":        func(*knobs) {},
		"with other origins": func(k *knobs) { k.door.Origins = []string{"https://desk.example"} },
		"with a token":       func(k *knobs) { k.door.CSRFToken = true },
		"behind a proxy": func(k *knobs) {
			k.door.LogClientIP, k.door.TrustedProxies = true, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		},
		"without quick requests": func(k *knobs) { k.door.NoQuickRequests = true },
	} {
		t.Run(name, func(t *testing.T) {
			w := newPushing(t, options)
			first := w.as("anna").get("/me")
			callers := map[string]*caller{"a cookie": w.with(cookieOf(first))}
			if name == "as it comes" {
				callers["a name"] = w.as("anna")
			}
			for who, anna := range callers {
				for _, r := range requests {
					if name == "with a token" && who == "a cookie" {
						anna = &caller{w, append([]string{"X-CSRF-TOKEN", csrfToken(cookieOf(first))}, w.with(cookieOf(first)).headers...)}
					}
					client := anna.shake(notificationsPath)
					line, wire := anna.line(client), anna.wire()
					anna.tell(client, "/meta/disconnect", "")
					before := w.polls.Load()
					var said []string
					for _, one := range []*wired{wire, line} {
						text := one.post(notificationsPath+r.path, r.body, r.headers...)
						if strings.Contains(text, "chunked") {
							text = strings.Replace(text, "Content-Length: 0\r\n", "", 1) + "2\r\n[]\r\n0\r\n\r\n"
						}
						one.send(text)
						said = append(said, one.receive())
					}
					if diff := cmp.Diff(said[0], said[1]); diff != "" {
						t.Errorf("%s, by %s, by net/http, then on a line:\n%s", r.name, who, diff)
					}
					here := r.here && name != "with a token" && name != "without quick requests"
					if r.name == "of a page that is listed" && name != "with other origins" ||
						strings.HasPrefix(r.name, "of a page of this host") && name == "with other origins" ||
						r.name == "a cookie more" && who == "a cookie" {
						here = false // two lines of cookies, or an origin whose headers are not known
					}
					if here {
						eventually(t, r.name+", by "+who+", is answered before net/http", func() bool { return w.polls.Load() == before+1 })
					} else if w.polls.Load() != before {
						t.Errorf("%s, by %s, is answered before net/http", r.name, who)
					}
				}
			}
		})
	}
}

// TestTheNextConnectIsHeldOnItsConnection counts and logs it as any other.
func TestTheNextConnectIsHeldOnItsConnection(t *testing.T) {
	w := newPushing(t)
	anna := w.as("anna")
	client := anna.shake(notificationsPath)
	anna.tell(client, "/meta/subscribe", `,"subscription":"/**"`)
	line := anna.line(client)
	for i, state := range []string{"AtLunch", "NotReady", "AtLunch"} {
		line.hold(client, fmt.Sprintf("X-Request-Id: connect-%d", i))
		if got := w.open(); got != 1 {
			t.Errorf("%v connects are in flight; want 1", got)
		}
		anna.operate("/me", state)
		if got := line.receive(); !strings.Contains(got, "DeviceStateChangeMessage") || !strings.Contains(got, fmt.Sprintf("connect-%d", i)) {
			t.Errorf("connect %d = %s; want what happened", i, got)
		}
		eventually(t, "it is over", func() bool { return w.open() == 0 })
	}
	eventually(t, "all are logged", func() bool { return strings.Count(w.log.String(), `"request_id":"connect-`) == 3 })
	for _, record := range records(t, w.log.String()) {
		if id, _ := record["request_id"].(string); strings.HasPrefix(id, "connect-") && (record["route"] != notificationsPath || record["session"] == nil || record["code"] != 200.0 || record["level"] != "DEBUG") {
			t.Errorf("a connect is logged as %v", record)
		}
	}
}

// TestALogOutAnswersAConnectHeldOnItsLine, and the next one has no session any more.
func TestALogOutAnswersAConnectHeldOnItsLine(t *testing.T) {
	w := newPushing(t)
	anna := w.with(cookieOf(w.as("anna").get("/me")))
	client := anna.shake(notificationsPath)
	line := anna.line(client)
	line.hold(client)
	anna.operate("/me", "EndContactCenterSession")
	if got := line.receive(); !strings.Contains(got, `"reconnect":"none"`) {
		t.Errorf("the held connect = %s; want that it is the last", got)
	}
	line.send(line.post(notificationsPath, connectOf(client)))
	if got := line.receive(); !strings.Contains(got, "403") {
		t.Errorf("a connect after the log-out = %s; want 403", got)
	}
}

// TestALineOfADrainingDoor is answered by net/http, which ends the connection.
func TestALineOfADrainingDoor(t *testing.T) {
	var draining atomic.Bool
	w := newPushing(t, func(k *knobs) { k.door.Draining = draining.Load })
	anna := w.as("anna")
	line := anna.line(anna.shake(notificationsPath))
	draining.Store(true)
	line.send(line.post(notificationsPath, connectOf("x")))
	if got := line.receive(); !strings.Contains(got, "close=true") || !strings.Contains(got, "402::Unknown client") {
		t.Errorf("a connect while the door drains = %s; want an answer that ends the connection", got)
	}
}

// TestConnectsHeldOnLinesTakeNoPlaces holds more of them than there are places.
func TestConnectsHeldOnLinesTakeNoPlaces(t *testing.T) {
	w := newPushing(t, func(k *knobs) {
		k.door.Places = NewPlaces(2, nil)
		k.push = &push.Options{TrustClientSession: true, MaxSessionsPerBrowser: -1}
	})
	anna := w.as("anna")
	for range 4 {
		client := anna.shake(notificationsPath)
		anna.line(client).hold(client)
	}
	if got := w.open(); got != 4 {
		t.Errorf("%v connects are held; want 4", got)
	}
}
