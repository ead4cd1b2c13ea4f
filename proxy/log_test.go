package proxy

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"portico/proxy/icws/icwssim"
	"portico/translate/htccapi"
)

// linesOf returns the lines of a log.
func linesOf(t testing.TB, log string) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(log) {
		var one map[string]any
		err := json.Unmarshal([]byte(line), &one)
		if err != nil {
			t.Fatalf("log line %s: %v", line, err)
		}
		all = append(all, one)
	}
	return all
}

// records returns the records of requests in a log.
func records(t testing.TB, log string) []map[string]any {
	t.Helper()
	return slices.DeleteFunc(linesOf(t, log), func(one map[string]any) bool { return one["msg"] != MessageRequest })
}

// keys are those that a record of a request may have.
var keys = []string{"time", "level", "msg", "request_id", "api", "route", "method", "code", "duration_s", "bytes_out",
	"operation", "api_status", "cache_result", "site", "session", "login", "client_ip", "error_class", "error", "error_id"}

func TestOneRecordARequest(t *testing.T) {
	w := newDoor(t)
	anna := w.as("anna")
	var sent []answer
	sent = append(sent, anna.get("/me/status-messages"), anna.post("/api/v2/me", `{"operationName":"AtLunch"}`), anna.get("/nowhere"), w.do("GET", "/api/v2/me", ""))
	err := w.sim.Fault(icwssim.Fault{Route: routeSetStatus, Status: 500, Body: `{"errorId":"error.server.upset"}`, ContentType: "application/vnd.inin.icws+JSON"})
	if err != nil {
		t.Fatal(err)
	}
	sent = append(sent, anna.post("/me", `{"operationName":"Ready"}`))
	eventually(t, "every request is logged", func() bool { return len(records(t, w.log.String())) >= len(sent) })
	logged := records(t, w.log.String())
	if len(logged) != len(sent) {
		t.Fatalf("%d records for %d requests", len(logged), len(sent))
	}
	for i, record := range logged {
		for key := range record {
			if !slices.Contains(keys, key) {
				t.Errorf("record %d has the key %q", i, key)
			}
		}
		if record["request_id"] != sent[i].header.Get("X-Request-Id") || record["code"] != float64(sent[i].status) || record["bytes_out"] != float64(len(sent[i].body)) {
			t.Errorf("record %v of an answer %d with id %s", record, sent[i].status, sent[i].header.Get("X-Request-Id"))
		}
	}
	for i, want := range []map[string]any{
		{"level": "INFO", "route": "/me/status-messages", "method": "GET", "operation": "status_messages", "api_status": 0.0,
			"site": "pureconnect"},
		{"level": "INFO", "route": "/api/v2/me", "method": "POST", "operation": "custom", "api_status": 0.0},
		{"level": "INFO", "route": "unmatched", "method": "GET"},
		{"level": "INFO", "route": "/api/v2/me", "operation": "me", "api_status": 20.0, "error_class": "unauthenticated"},
		{"level": "WARN", "route": "/me", "operation": "Ready", "api_status": 4.0, "error_class": "bad_upstream", "error_id": "error.server.upset"},
	} {
		for key, value := range want {
			if logged[i][key] != value {
				t.Errorf("record %d: %s = %v; want %v", i, key, logged[i][key], value)
			}
		}
	}
	result, _ := logged[0]["cache_result"].(string)
	if !slices.Contains([]string{"miss", "coalesced"}, result) { // the reader, who begins now, may have looked first
		t.Errorf("the first look for the catalogue is logged as %q", result)
	}
	if short, _ := logged[0]["session"].(string); len(short) != 8 || logged[2]["session"] != nil {
		t.Errorf("sessions are logged as %v and %v", logged[0]["session"], logged[2]["session"])
	}
	if text, _ := logged[4]["error"].(string); !strings.Contains(text, "500") {
		t.Errorf("the error is logged as %q; want what the site said", text)
	}
}

// TestNoSecretsInTheLog sends canaries wherever a secret can stand and looks for them in the log,
// with a site that works and with one that fails.
func TestNoSecretsInTheLog(t *testing.T) {
	w := newDoor(t, func(k *knobs) {
		k.sim = &icwssim.Server{Users: []icwssim.User{{ID: "anna", Password: "canary-password", Activations: map[string]bool{"Sales": true}}}}
		k.timeout = 2 * time.Second
	})
	first := w.do("GET", "/me", "", "Authorization", basicAuth("anna", "canary-password"))
	cookie := cookieOf(first)
	headers := []string{"Cookie", "JSESSIONID=canary-cookie; JSESSIONID=" + cookie, "X-CSRF-TOKEN", "canary-token", "Accept-Language", "canary-language",
		"X-Request-Id", "canary id with blanks", "User-Agent", "canary-agent"}
	for _, fault := range []icwssim.Fault{{}, {Route: routeSetStatus, Status: 500, Body: `{"message":"upset"}`, ContentType: "application/vnd.inin.icws+JSON"},
		{Route: routeSetStatus, Scenario: "garbage"}, {Route: routeSetStatus, Scenario: "hang"}, {Route: routeSetStatus, Scenario: "reset-connection"}} {
		w.sim.Reset()
		if fault.Route != "" {
			err := w.sim.Fault(fault)
			if err != nil {
				t.Fatal(err)
			}
		}
		w.do("GET", "/me?fields=canary-query", "", headers...)
		w.do("POST", "/me", `{"operationName":"AtLunch","notes":"canary-notes","loginCode":"canary-code"}`, headers...)
		w.do("POST", "/me", `{"operationName":"Ready","until":"canary-until"}`, headers...)
		w.do("POST", "/me", `{"operationName":"Ready" canary-syntax}`, headers...)
		w.do("POST", "/me", `{"operationName":"CanaryOperation"}`, headers...)
		w.do("GET", "/canary-path", "", headers...)
		w.do("POST", "/me/channels/canary-channel", "", headers...)
		w.do("POST", "/me", `{"operationName":"Ready"}`, "Authorization", basicAuth("anna", "canary-wrong"))
		w.do("GET", "/me", "", "Authorization", "Canary canary-scheme")
	}
	w.over(t)
	log := w.log.String()
	for line := range strings.Lines(log) {
		if strings.Contains(line, "anary") {
			t.Errorf("a canary is in the log: %s", line)
		}
	}
	secrets := []string{cookie, "icws_", "29113001", "29114001"}
	for _, secret := range secrets {
		if strings.Contains(log, secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}

func TestRequestIDs(t *testing.T) {
	w := newDoor(t)
	for given, kept := range map[string]bool{"a-B_3.4": true, strings.Repeat("x", 64): true, strings.Repeat("x", 65): false, "": false, "a b": false,
		"ä": false, "a\tb": false, `"`: false} {
		got := w.do("GET", "/diagnostics/version", "", "X-Request-Id", given).header.Get("X-Request-Id")
		if (got == given) != kept || got == "" {
			t.Errorf("request id %q is answered as %q", given, got)
		}
	}
}

func TestClientAddresses(t *testing.T) {
	for _, test := range []struct {
		name    string
		trusted []netip.Prefix
		want    string
	}{
		{"a proxy that is trusted", []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, "203.0.113.7"},
		{"a stranger", nil, "127.0.0.1"},
	} {
		w := newDoor(t, func(k *knobs) { k.door.TrustedProxies, k.door.LogClientIP = test.trusted, true })
		w.do("GET", "/diagnostics/version", "", "X-Forwarded-For", "198.51.100.1, 203.0.113.7")
		eventually(t, "the request is logged", func() bool { return len(records(t, w.log.String())) == 1 })
		if got := records(t, w.log.String())[0]["client_ip"]; got != test.want {
			t.Errorf("%s: client_ip = %v; want %s", test.name, got, test.want)
		}
	}
}

// serveOnce answers one request with h.
func serveOnce(t testing.TB, log *logged, dialect htccapi.Dialect, h handler, request *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	d := build(Settings{Logger: slog.New(slog.NewJSONHandler(log, nil))})
	engine := gin.New()
	engine.GET("/x", d.handle(h, dialect, opMe, d.metrics.endpoint(apiMe, "/x", "GET")))
	answered := httptest.NewRecorder()
	engine.ServeHTTP(answered, request)
	return answered
}

func TestPanics(t *testing.T) {
	for dialect, want := range map[htccapi.Dialect]string{
		htccapi.DialectStatus:     `{"status":"error","errorDescription":"internal error"}`,
		htccapi.DialectStatusCode: `{"statusCode":4,"statusMessage":"internal error"}`,
	} {
		log := &logged{}
		boom := func(c *call) (any, error) { panic("the cat is on the keyboard") }
		got := serveOnce(t, log, dialect, boom, httptest.NewRequest("GET", "/x", nil))
		if got.Code != 500 || got.Body.String() != want {
			t.Errorf("a panic in dialect %s = %d %s; want 500 %s", dialect, got.Code, got.Body, want)
		}
		text, _ := records(t, log.String())[0]["error"].(string)
		if !strings.Contains(text, "the cat is on the keyboard") || !strings.Contains(text, "log_test.go") {
			t.Errorf("the panic is logged as %q; want its value and stack", text)
		}
	}
	unencodable := func(*call) (any, error) { return func() {}, nil }
	if got := serveOnce(t, &logged{}, htccapi.DialectStatusCode, unencodable, httptest.NewRequest("GET", "/x", nil)); got.Code != 500 {
		t.Errorf("an answer that cannot be encoded = %d; want 500", got.Code)
	}
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("http.ErrAbortHandler is not handed on")
		}
	}()
	serveOnce(t, &logged{}, "", func(*call) (any, error) { panic(http.ErrAbortHandler) }, httptest.NewRequest("GET", "/x", nil))
}

func TestLogInsThatFailNameTheirSites(t *testing.T) {
	w := newDoor(t)
	err := w.sim.Fault(icwssim.Fault{Route: "POST /icws/connection", User: "agent0001", Status: 503, Body: `{"errorId":"error.server.notAcceptingConnections"}`})
	if err != nil {
		t.Fatal(err)
	}
	wants := []any{site, cloud, site + "," + cloud, site, nil}
	for _, login := range []string{"anna", "Bjorn", "cleo", "agent0001"} {
		w.do("GET", "/me", "", "Authorization", basicAuth(login, "wrong"))
	}
	w.do("GET", "/me", "", "Cookie", "JSESSIONID=ended") // whose it was nobody knows
	eventually(t, "every request is logged", func() bool { return len(records(t, w.log.String())) == len(wants) })
	for i, record := range records(t, w.log.String()) {
		if record["site"] != wants[i] {
			t.Errorf("record %d, %v (%v), is of the site %v; want %v", i, record["code"], record["error"], record["site"], wants[i])
		}
	}
}

func TestCallersThatLeave(t *testing.T) {
	log := &logged{}
	leave := func(c *call) (any, error) { return nil, errors.New("nobody waits") }
	request := httptest.NewRequest("GET", "/x", nil)
	ctx, cancel := contextOf(request)
	cancel()
	serveOnce(t, log, htccapi.DialectStatus, leave, request.WithContext(ctx))
	if record := records(t, log.String())[0]; record["code"] != 499.0 || record["level"] != "INFO" {
		t.Errorf("a caller that left is logged as %v", record)
	}
}

func TestDraining(t *testing.T) {
	for draining, want := range map[bool]string{false: "", true: "close"} {
		w := newDoor(t, func(k *knobs) { k.door.Draining = func() bool { return draining } })
		got := httptest.NewRecorder()
		w.handler.ServeHTTP(got, httptest.NewRequest("GET", "/diagnostics/version", nil))
		if header := got.Header().Get("Connection"); header != want {
			t.Errorf("draining %v: Connection is %q; want %q", draining, header, want)
		}
	}
}

func TestHeadersOfAllAnswers(t *testing.T) {
	w := newDoor(t)
	anna := w.as("anna")
	for _, got := range []answer{anna.get("/me"), anna.get("/api/v2/me/devices"), anna.get("/nowhere"), anna.post("/me", "{"), w.do("GET", "/me", ""),
		w.do("GET", "/diagnostics/version", ""), anna.get("/settings/agent-states"), anna.get("/me/status-messages/x")} {
		for name, want := range map[string]string{"Content-Type": "application/json;charset=UTF-8", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
			if got.header.Get(name) != want {
				t.Errorf("%d %s: %s = %q; want %q", got.status, got.body, name, got.header.Get(name), want)
			}
		}
		if got.header.Get("X-Request-Id") == "" || got.header.Get("WWW-Authenticate") != "" {
			t.Errorf("%d %s: %v", got.status, got.body, got.header)
		}
	}
}
