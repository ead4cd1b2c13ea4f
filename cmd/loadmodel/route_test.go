package main

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestRouteOf(t *testing.T) {
	for _, tt := range []struct {
		kind   kind
		method string
		target string
		who    persona
		route  string
		class  class
	}{
		{icws, "POST", "/icws/connection?include=features", desktop, "POST /icws/connection", sessions},
		{icws, "GET", "/icws/connection/version", nobody, "GET /icws/connection/version", probes},
		{icws, "GET", "/icws/17/status/status-messages", nobody, "GET /icws/{sessionId}/status/status-messages", catalogue},
		{icws, "GET", "/icws/17/status/user-statuses/agent0001", panel, "GET /icws/{sessionId}/status/user-statuses/{userId}", stateReads},
		{icws, "PUT", "/icws/17/status/user-statuses/agent0001", panel, "PUT /icws/{sessionId}/status/user-statuses/{userId}", writes},
		{icws, "PUT", "/icws/17/activations/users/agent0001", phone, "PUT /icws/{sessionId}/activations/users/{userId}", activations},
		{icws, "POST", "/icws/17/messaging/heartbeat", phone, "POST /icws/{sessionId}/messaging/heartbeat", keepAlives},
		{icws, "GET", "/icws/17/licenses", phone, unlisted, otherReads},
		{htcc, "GET", "/api/v2/me", panel, "GET /api/v2/me", otherReads},
		{htcc, "GET", "/api/v2/me/?subresources=devices,calls", desktop, "GET /api/v2/me", stateReads},
		{htcc, "GET", "/api/v2/me?subresources=*", client, "GET /api/v2/me", stateReads},
		{htcc, "GET", "/api/v2/me?subresources=calls,chats", client, "GET /api/v2/me", otherReads},
		{htcc, "GET", "/api/v2/diagnostics/version", desktop, "GET /api/v2/diagnostics/version", otherReads},
		{htcc, "GET", "/api/v2/diagnostics/version", nobody, "GET /api/v2/diagnostics/version", probes},
		{htcc, "POST", "/api/v2/me/channels/voice", desktop, "POST /api/v2/me/channels/{channel}", writes},
		{htcc, "POST", "/api/v2/notifications/connect", phone, "POST /api/v2/notifications", notifications},
	} {
		route, class := routeOf(tt.kind, httptest.NewRequest(tt.method, tt.target, nil), tt.who)
		if route != tt.route || class != tt.class {
			t.Errorf("%s %s of %q = %q, %q; want %q, %q", tt.method, tt.target, tt.who, route, class, tt.route, tt.class)
		}
	}
}

func TestDoorCounts(t *testing.T) {
	sim := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			const asOnTheWire = "ININ-ICWS-Session-ID"
			maps.Copy(w.Header(), http.Header{asOnTheWire: {"17"}})
			w.WriteHeader(http.StatusCreated)
		}
	})
	d := newDoor(icws, sim, newRoster(10))
	d.begin(morning)
	asks := func(method, target, body string) {
		d.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, target, bodyOf(body)))
	}
	asks("POST", "/icws/connection", `{"userID":"agent0002"}`)
	d.begin(afternoon)
	asks("GET", "/icws/17/status/status-messages", "")
	asks("GET", "/icws/17/status/status-messages", "")
	asks("GET", "/icws/18/status/status-messages", "")
	asks("GET", "/_sim/calls", "")
	const fetch = "GET /icws/{sessionId}/status/status-messages"
	for k, want := range map[key]int{
		{icws, "POST /icws/connection", sessions, morning.name, phone}: 1,
		{icws, fetch, catalogue, afternoon.name, phone}:                2,
		{icws, fetch, catalogue, afternoon.name, nobody}:               1,
	} {
		if got := d.counted()[k]; got != want {
			t.Errorf("%+v was counted %d times; want %d", k, got, want)
		}
	}
	asks("GET", "/icws/connection/version", "")
	if d.untimed() != 4 {
		t.Errorf("%d requests in all; want 4, without the controls and the probe", d.untimed())
	}
}

func TestDifferences(t *testing.T) {
	counts := map[key]int{
		{route: "GET /a", phase: "one"}: 2, {route: "GET /a", phase: "two"}: 3,
		{route: "GET /b"}: 1, {route: unlisted}: 1,
	}
	if wrong := differences(counts, map[string]int{"GET /a": 5, "GET /b": 1, unlisted: 1}); len(wrong) != 0 {
		t.Errorf("equal totals differ: %q", wrong)
	}
	wrong := differences(counts, map[string]int{"GET /a": 6, "GET /b": 1, "GET /c": 1})
	want := []string{
		"(not in the model's table): the model counted 1, the simulator 0",
		"GET /a: the model counted 5, the simulator 6",
		"GET /c: the model counted none, the simulator 1",
	}
	if len(wrong) != len(want) || wrong[0] != want[0] || wrong[1] != want[1] || wrong[2] != want[2] {
		t.Errorf("differences are %q; want %q", wrong, want)
	}
}
