package proxy

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"portico/proxy/push"
)

// newPushing returns a world whose door answers CometD, with websockets unless an option says otherwise.
func newPushing(t testing.TB, options ...func(*knobs)) *world {
	t.Helper()
	var server *push.Server
	var w *world
	offered := func(k *knobs) {
		if k.push == nil {
			k.push = &push.Options{TrustClientSession: true, WebSocket: true, Origins: []string{"agents.example"}}
		}
		k.push.Returns = k.returns
		k.push.Next = func(line *push.Line, came []byte) bool { return w.next(line, came) }
		server = push.New(*k.push)
		k.door.Push, k.gateway.Push = server, server
	}
	w = newDoor(t, append(options, offered)...)
	t.Cleanup(server.Close)
	return w
}

const (
	notificationsPath = "/api/v2/notifications"
	handshake         = `[{"id":"1","channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["long-polling"]}]`
)

// shake shakes hands at path and returns the client's id.
func (c *caller) shake(path string) string {
	c.t.Helper()
	got := c.post(path, handshake)
	var replies []struct {
		ClientID   string
		Successful bool
	}
	err := json.Unmarshal([]byte(got.body), &replies)
	if err != nil || len(replies) != 1 || !replies[0].Successful {
		c.t.Fatalf("handshake at %s = %d %s", path, got.status, got.body)
	}
	return replies[0].ClientID
}

// tell posts one message of a client, with fields given as JSON.
func (c *caller) tell(client, channel, fields string) answer {
	c.t.Helper()
	return c.post(notificationsPath, fmt.Sprintf(`[{"id":"2","channel":%q,"clientId":%q%s}]`, channel, client, fields))
}

const longPolling = `,"connectionType":"long-polling"`

// open returns how many connects are held and sockets open.
func (w *world) open() float64 { return counts(w.t, w.reg, "portico_http_requests_in_flight")["push"] }

// hold starts a connect that is held beside others, and returns what gives its answer once it has one.
func (c *caller) hold(client string, beside float64) func() answer {
	c.t.Helper()
	eventually(c.t, "what was answered is over", func() bool { return c.open() == beside })
	came := make(chan answer, 1)
	go func() { came <- c.tell(client, "/meta/connect", longPolling) }()
	eventually(c.t, "a connect is held", func() bool { return c.open() == beside+1 })
	return func() answer {
		select {
		case got := <-came:
			return got
		case <-time.After(20 * time.Second):
			c.t.Fatal("a held connect has no answer")
			return answer{}
		}
	}
}

func TestCometDIsServedAtEveryURLOfItsClients(t *testing.T) {
	w := newPushing(t)
	anna := w.as("anna")
	for _, path := range []string{"", "/", "/handshake", "/connect", "/disconnect", "/anything"} {
		anna.shake(notificationsPath + path)
	}
	client := anna.shake(notificationsPath)
	got := anna.do("POST", notificationsPath+"/connect", `message=`+`[{"channel":"/meta/connect","clientId":"`+client+`","connectionType":"long-polling"}]`,
		append(anna.headers, "Content-Type", "application/x-www-form-urlencoded")...)
	if got.status != http.StatusOK || !strings.Contains(got.body, `"successful":true`) {
		t.Errorf("a connect in a form = %d %s", got.status, got.body)
	}
	for _, method := range []string{"PUT", "DELETE", "HEAD"} {
		got = anna.do(method, notificationsPath, "", anna.headers...)
		if got.status != http.StatusMethodNotAllowed {
			t.Errorf("%s = %d; want 405", method, got.status)
		}
	}
	got = w.do("OPTIONS", notificationsPath+"/connect", "")
	if got.status != http.StatusNoContent || got.header.Get("Allow") != "GET, POST, OPTIONS" {
		t.Errorf("OPTIONS = %d, allowed are %q; want 204 and what is served", got.status, got.header.Get("Allow"))
	}
	got = anna.get(notificationsPath + "?jsonp=f&message=[]")
	if got.status != http.StatusBadRequest {
		t.Errorf("callback-polling = %d; want 400", got.status)
	}
	got = anna.post("/notifications", handshake)
	if got.status != http.StatusNotFound {
		t.Errorf("without the prefix = %d; want 404", got.status)
	}
}

func TestCometDNeedsALogIn(t *testing.T) {
	w := newPushing(t)
	const denied = `{"statusCode":20,"statusMessage":"Access denied"}`
	w.do("POST", notificationsPath, handshake).is(t, "no credentials", http.StatusForbidden, denied)
	w.do("POST", notificationsPath, handshake, "Authorization", basicAuth("anna", "wrong")).is(t, "a wrong password", http.StatusForbidden, denied)
	w.with("stale").post(notificationsPath+"/handshake", handshake).is(t, "a cookie that nobody has", http.StatusForbidden, denied)

	first := w.as("anna").post(notificationsPath, handshake)
	cookie := cookieOf(first)
	if cookie == "" {
		t.Fatalf("a handshake with Basic set no cookie: %v", first.header)
	}
	client := w.with(cookie).shake(notificationsPath)
	for name, c := range map[string]*caller{"the cookie": w.with(cookie), "Basic": w.as("anna")} {
		got := c.tell(client, "/meta/subscribe", `,"subscription":"/v2/me/*"`)
		if !strings.Contains(got.body, `"successful":true`) {
			t.Errorf("subscribe with %s = %s", name, got.body)
		}
	}
	got := w.as("bjorn").tell(client, "/meta/connect", longPolling)
	if !strings.Contains(got.body, "402::Unknown client") {
		t.Errorf("the client of another agent connects: %s", got.body)
	}
}

func TestCometDRefusesPagesOfOtherSites(t *testing.T) {
	w := newPushing(t)
	cookie := "JSESSIONID=" + cookieOf(w.as("anna").get("/me"))
	for _, tt := range []struct {
		name    string
		headers []string
		want    int
	}{
		{"a page of another site", []string{"Cookie", cookie, "Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		{"an old browser's page of another site", []string{"Cookie", cookie, "Origin", "https://evil.example"}, http.StatusForbidden},
		{"a page of the same name without encryption", []string{"Cookie", cookie, "Origin", "http://agents.example"}, http.StatusForbidden},
		{"a page of ours", []string{"Cookie", cookie, "Origin", "https://agents.example"}, http.StatusOK},
		{"a program with a cookie", []string{"Cookie", cookie}, http.StatusOK},
		{"a program with a password", []string{"Authorization", basicAuth("anna", "anna")}, http.StatusOK},
	} {
		got := w.do("POST", notificationsPath, handshake, tt.headers...)
		if got.status != tt.want {
			t.Errorf("%s: a handshake = %d %s; want %d", tt.name, got.status, got.body, tt.want)
		}
		header := http.Header{}
		for i := 0; i < len(tt.headers); i += 2 {
			header.Set(tt.headers[i], tt.headers[i+1])
		}
		conn, response, err := websocket.Dial(t.Context(), w.url+notificationsPath, &websocket.DialOptions{HTTPHeader: header, HTTPClient: w.client})
		if (err == nil) != (tt.want == http.StatusOK) || err != nil && response.StatusCode != tt.want {
			t.Errorf("%s: a websocket: %v; want status %d", tt.name, err, tt.want)
		}
		if err == nil {
			_ = conn.CloseNow()
		}
	}
}

func TestNotificationsReachSocketsAndHeldConnects(t *testing.T) {
	w := newPushing(t)
	anna := w.as("anna")
	anna.get("/me")
	client := anna.shake(notificationsPath)
	anna.tell(client, "/meta/subscribe", `,"subscription":"/**"`)
	anna.tell(client, "/meta/connect", longPolling)

	conn, _, err := websocket.Dial(t.Context(), w.url+notificationsPath,
		&websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {anna.headers[1]}}, HTTPClient: w.client})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	say := func(message string) string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if message != "" {
			err := conn.Write(ctx, websocket.MessageText, []byte(message))
			if err != nil {
				t.Fatal(err)
			}
		}
		_, got, err := conn.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return string(got)
	}
	var shaken []struct{ ClientID string }
	err = json.Unmarshal([]byte(say(strings.Replace(handshake, "long-polling", "websocket", 1))), &shaken)
	if err != nil {
		t.Fatal(err)
	}
	say(fmt.Sprintf(`[{"channel":"/meta/subscribe","clientId":%q,"subscription":"/v2/me/devices"}]`, shaken[0].ClientID))
	say(fmt.Sprintf(`[{"channel":"/meta/connect","clientId":%q,"connectionType":"websocket"}]`, shaken[0].ClientID))

	answered := anna.hold(client, 1)
	anna.operate("/me", "AtLunch")
	if got := answered(); !strings.Contains(got.body, `"displayName":"At Lunch"`) || strings.Index(got.body, "DeviceStateChangeMessage") > strings.Index(got.body, "/meta/connect") {
		t.Errorf("the held connect = %s; want the device before the reply", got.body)
	}
	if got := say(""); !strings.Contains(got, `"displayName":"At Lunch"`) {
		t.Errorf("the socket = %s", got)
	}
}

func TestWhatIsCountedOfCometD(t *testing.T) {
	w := newPushing(t)
	anna := w.as("anna")
	client := anna.shake(notificationsPath + "/handshake")
	anna.tell(client, "/meta/connect", longPolling)
	first := anna.hold(client, 0)
	eventually(t, "a connect is held", func() bool { return w.open() == 1 })
	w.over(t)
	second := make(chan answer, 1)
	go func() { second <- anna.tell(client, "/meta/connect", longPolling) }()
	if got := first(); got.status != http.StatusInternalServerError {
		t.Errorf("the connect that a newer one replaced = %d; want 500", got.status)
	}
	anna.tell(client, "/meta/disconnect", "")
	<-second

	ctx, leave := context.WithCancel(t.Context())
	client = anna.shake(notificationsPath)
	anna.tell(client, "/meta/connect", longPolling)
	eventually(t, "what was answered is over", func() bool { return w.open() == 0 })
	request, err := http.NewRequestWithContext(ctx, "POST", w.url+notificationsPath+"/connect",
		strings.NewReader(`[{"channel":"/meta/connect","clientId":"`+client+`"`+longPolling+`}]`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", anna.headers[1])
	left := make(chan error, 1)
	go func() {
		response, err := w.client.Do(request)
		if err == nil {
			_, err = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
		left <- err
	}()
	eventually(t, "a connect is held", func() bool { return w.open() == 1 })
	leave()
	<-left
	w.do("POST", notificationsPath, handshake)

	want := map[string]float64{
		"cometd 200 POST /api/v2/notifications": 6, "cometd 403 POST /api/v2/notifications": 1, "cometd 499 POST /api/v2/notifications": 2,
	}
	eventually(t, "each is counted by its end", func() bool { return maps.Equal(counts(t, w.reg, "portico_http_requests_total"), want) })
	w.over(t)
	if n := w.open(); n != 0 {
		t.Errorf("%v are in flight as push; want none", n)
	}
	for series := range counts(t, w.reg, "portico_http_request_duration_seconds") {
		if strings.HasPrefix(series, "cometd") {
			t.Errorf("there is a series of the times of connects: %q", series)
		}
	}
	for series := range counts(t, w.reg, "portico_api_responses_total") {
		if strings.HasPrefix(series, "cometd") {
			t.Errorf("CometD counts as an answer of the API: %q", series)
		}
	}
}

func TestWhatIsLoggedOfCometD(t *testing.T) {
	w := newPushing(t)
	anna := w.as("anna")
	client := anna.shake(notificationsPath + "/handshake")
	var record map[string]any
	eventually(t, "the handshake is logged", func() bool {
		all := records(t, w.log.String())
		if len(all) > 0 {
			record = all[0]
		}
		return record != nil
	})
	for key, want := range map[string]any{"api": apiCometD, "route": notificationsPath, "method": "POST", "code": 200.0, "level": "DEBUG"} {
		if record[key] != want {
			t.Errorf("the record has %s = %v; want %v", key, record[key], want)
		}
	}
	if record["session"] == nil || record["operation"] != nil {
		t.Errorf("the record is %v; want a session and no operation", record)
	}
	if strings.Contains(w.log.String(), client) {
		t.Error("the log has the id of a client, with which its notifications could be read")
	}
}

func TestAHeldConnectIsLoggedOnceItIsAnswered(t *testing.T) {
	w := newPushing(t)
	anna := w.as("anna")
	client := anna.shake(notificationsPath)
	anna.tell(client, "/meta/connect", longPolling)
	held := anna.hold(client, 0)
	eventually(t, "a connect is held", func() bool { return w.open() == 1 })
	anna.tell(client, "/meta/disconnect", "")
	got := held()
	want := `"route":"/api/v2/notifications","method":"POST","code":200,"duration_s":`
	eventually(t, "all four are logged", func() bool { return strings.Count(w.log.String(), want) == 4 })
	if size := fmt.Sprintf(`"bytes_out":%d,"session":`, len(got.body)); !strings.Contains(w.log.String(), size) {
		t.Errorf("no record has %s:\n%s", size, w.log)
	}
	if got.header.Get("X-Request-Id") == "" || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("its answer has the header %v; want that of all answers", got.header)
	}
}

func TestWithoutAPushServerThereIsNoCometD(t *testing.T) {
	w := newDoor(t)
	got := w.as("anna").post(notificationsPath, handshake)
	if got.status != http.StatusNotFound {
		t.Errorf("a handshake = %d %s; want 404", got.status, got.body)
	}
}

// TestSocketsAreCounted opens websockets and closes them in three ways.
func TestSocketsAreCounted(t *testing.T) {
	w := newPushing(t)
	var sockets []*websocket.Conn
	for i := range 3 {
		conn, _, err := websocket.Dial(t.Context(), w.url+notificationsPath, &websocket.DialOptions{
			HTTPHeader: http.Header{"Authorization": {basicAuth("anna", "anna")}}, HTTPClient: w.client})
		if err != nil {
			t.Fatal(err)
		}
		sockets = append(sockets, conn)
		eventually(t, "it is counted", func() bool { return w.open() == float64(i+1) })
	}
	_ = sockets[0].Close(websocket.StatusNormalClosure, "")
	eventually(t, "one is closed", func() bool { return w.open() == 2 })
	_ = sockets[1].CloseNow()
	eventually(t, "one is broken off", func() bool { return w.open() == 1 })
	ended := sockets[2].CloseRead(t.Context())
	w.as("anna").operate("/me", "EndContactCenterSession")
	<-ended.Done()
	eventually(t, "one ends with the session", func() bool { return w.open() == 0 })
}
