package proxy

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"portico/proxy/icws/icwssim"
	"portico/translate/htccapi"
)

// state returns what /me says of an agent: each channel's state with reason or work mode, and
// do-not-disturb.
func (c *caller) state() string {
	c.t.Helper()
	got := c.get("/me?subresources=devices,channels")
	var me struct {
		Devices  []htccapi.Device
		Channels []htccapi.Channel
	}
	err := json.Unmarshal([]byte(got.body), &me)
	if err != nil || got.status != http.StatusOK {
		c.t.Fatalf("GET /me = %d %s (%v)", got.status, got.body, err)
	}
	var said []string
	for _, channel := range me.Channels {
		said = append(said, string(channel.Channel)+":"+channel.UserState.State+channel.UserState.WorkMode+channel.UserState.Reason)
	}
	for _, device := range me.Devices {
		said = append(said, "dnd:"+device.DoNotDisturb)
	}
	return strings.Join(said, " ")
}

// step is an operation, what /me is to say at once, and what the site is to hold soon.
type step struct {
	path, operation string
	says            string
	holds           string
	activations     string // workgroups that are activated
}

// TestOperations plays a day. After every operation /me says at once what was asked, and the site
// holds it.
func TestOperations(t *testing.T) {
	w := newDoor(t)
	anna := w.as("anna")
	for _, s := range []step{
		{"/me", "Ready", "voice:Ready email:Ready dnd:Off", "Available", "Mail Sales Support"},
		{"/me", "NotReady", "voice:NotReady email:NotReady dnd:Off", "Available, No ACD", "Mail Sales Support"},
		{"/me", "AtLunch", "voice:NotReadyAt Lunch email:NotReadyAt Lunch dnd:Off", "At Lunch", "Mail Sales Support"},
		{"/me", "AfterCallWork", "voice:NotReadyAfterCallWork email:NotReadyAfterCallWork dnd:Off", "Follow Up", "Mail Sales Support"},
		{"/me", "AvailableRemote", "voice:Ready email:Ready dnd:Off", "Available, Remote", "Mail Sales Support"},
		{"/me", "Ready", "voice:Ready email:Ready dnd:Off", "Available", "Mail Sales Support"},
		{"/me", "DoNotDisturbOn", "voice:Ready email:Ready dnd:On", "Do Not disturb", "Mail Sales Support"},
		{"/me", "NotReady", "voice:NotReady email:NotReady dnd:On", "Do Not disturb", "Mail Sales Support"},
		{"/me", "Ready", "voice:Ready email:Ready dnd:On", "Do Not disturb", "Mail Sales Support"},
		{"/me", "DoNotDisturbOff", "voice:Ready email:Ready dnd:Off", "Available", "Mail Sales Support"},
		{"/me/channels/voice", "NotReady", "voice:NotReady email:Ready dnd:Off", "Available", "Mail"},
		{"/me/channels/voice", "AtPlay", "voice:NotReadyAt Play email:Ready dnd:Off", "Available", "Mail"},
		{"/me/channels/email", "NotReady", "voice:NotReady email:NotReady dnd:Off", "Available, No ACD", "Mail"},
		{"/me/channels/email", "Ready", "voice:NotReady email:Ready dnd:Off", "Available", "Mail"},
		{"/me/channels/voice", "Ready", "voice:Ready email:Ready dnd:Off", "Available", "Mail Sales Support"},
		{"/me/channels/email", "Offline", "voice:Ready email:LoggedOut dnd:Off", "Available", "Sales Support"},
		{"/me/channels/email", "NotReady", "voice:Ready email:NotReady dnd:Off", "Available", "Sales Support"},
		{"/me/devices/ffa26a05-f9eb-59bd-ba56-b86c7970ca4f", "DoNotDisturbOn", "voice:Ready email:NotReady dnd:On", "Do Not disturb", "Sales Support"},
		{"/me/devices/ffa26a05-f9eb-59bd-ba56-b86c7970ca4f", "DoNotDisturbOff", "voice:Ready email:NotReady dnd:Off", "Available", "Sales Support"},
	} {
		anna.operate(s.path, s.operation)
		what := s.operation + " on " + s.path
		if got := anna.state(); got != s.says {
			t.Fatalf("after %s /me says %q; want %q", what, got, s.says)
		}
		w.holds(t, what, s.holds, s.activations)
		if got := anna.state(); got != s.says {
			t.Fatalf("once %s took effect /me says %q; want %q", what, got, s.says)
		}
	}
}

// holds waits until the site holds what it is to hold of anna.
func (w *world) holds(t *testing.T, what, statusID, activations string) {
	t.Helper()
	want := map[string]bool{"Sales": false, "Support": false, "Mail": false}
	for name := range strings.FieldsSeq(activations) {
		want[name] = true
	}
	eventually(t, "after "+what+" the site holds "+statusID+" and "+activations, func() bool {
		state, err := w.sim.State("anna")
		return err == nil && state.StatusID == statusID && maps.Equal(state.Activations, want)
	})
}

func TestOperationsAnswerExactly(t *testing.T) {
	for path, want := range map[string]string{"/me": `{"status":"ok"}`, "/api/v2/me": `{"statusCode":0}`} {
		w := newDoor(t)
		anna := w.as("anna")
		for _, operation := range []string{"Ready", "NotReady", "DoNotDisturbOn", "DoNotDisturbOff", "AtLunch"} {
			got := anna.post(path, `{"operationName":"`+operation+`"}`)
			got.is(t, "POST "+path+" "+operation, 200, want)
			if content, cache := got.header.Get("Content-Type"), got.header.Get("Cache-Control"); content != "application/json;charset=UTF-8" || cache != "no-store" {
				t.Errorf("POST %s %s: content type %q, cache control %q", path, operation, content, cache)
			}
		}
	}
}

// TestNoWorkOnAChannelNotAskedFor makes one channel Ready while the other has activated workgroups,
// and looks at every write in the site's log: at no moment may voice be active in an ACD status.
func TestNoWorkOnAChannelNotAskedFor(t *testing.T) {
	w := newDoor(t)
	anna := w.as("anna")
	anna.operate("/me/channels/email", "Ready")
	w.holds(t, "Ready on email", "Available", "Mail")
	anna.operate("/me/channels/email", "NotReady")
	w.holds(t, "NotReady on email", "Available, No ACD", "Mail")
	writes := 0
	for _, entry := range w.sim.Log() {
		if entry.Was == nil {
			continue
		}
		writes++
		if entry.Was.IsACD && (entry.Was.Activations["Sales"] || entry.Was.Activations["Support"]) {
			t.Errorf("before %s %v anna was %+v: voice is offered", entry.Route, entry.Written, *entry.Was)
		}
		if entry.Path == "/icws/{sessionId}/status/user-statuses/{userId}" && entry.Written["statusId"] == "Available" &&
			(entry.Was.Activations["Sales"] || entry.Was.Activations["Support"]) {
			t.Errorf("%s %v with voice active: %+v", entry.Route, entry.Written, *entry.Was)
		}
	}
	if writes < 3 {
		t.Errorf("%d writes in the log; want the deactivation, the activation and the statuses", writes)
	}
}

func TestChangesFromElsewhere(t *testing.T) {
	w := newDoor(t)
	anna := w.as("anna")
	if got := anna.state(); got != "voice:NotReady email:NotReady dnd:Off" {
		t.Fatalf("at first /me says %q", got)
	}
	for _, change := range []struct{ statusID, says string }{
		{"Available", "voice:Ready email:NotReady dnd:Off"},
		{"At Lunch", "voice:NotReadyAt Lunch email:NotReadyAt Lunch dnd:Off"},
		{"Do Not disturb", "voice:NotReadyAt Lunch email:NotReadyAt Lunch dnd:On"},
		{"Available, No ACD", "voice:NotReady email:NotReady dnd:Off"},
	} {
		err := w.sim.SetState(icwssim.StateChange{User: "anna", StatusID: &change.statusID})
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, change.statusID+" shows as "+change.says, func() bool { return anna.state() == change.says })
	}
}

// routeSubscribeLast is what a reader subscribes to last.
const routeSubscribeLast = "PUT /icws/{sessionId}/messaging/subscriptions/activations/users/{subId}"

// TestReadsCostNothing reads /me again and again while the site pushes.
func TestReadsCostNothing(t *testing.T) {
	w := newDoor(t)
	anna := w.as("anna")
	anna.operate("/me", "NotReady")
	began := time.Now()
	settled := func() map[string]int {
		calls := w.sim.Calls()
		delete(calls, "GET /icws/{sessionId}/messaging/messages")
		return calls
	}
	eventually(t, "the site is asked to push", func() bool { return w.calls(routeSubscribeLast) == 1 })
	eventually(t, "reads are answered from what is pushed, and not from a read at the log-in", func() bool {
		before := settled()
		anna.state()
		return maps.Equal(before, settled()) && time.Since(began) > 2*time.Second
	})
	before := settled()
	for range 50 {
		anna.get("/me?subresources=*")
		anna.get("/api/v2/me/devices?fields=*")
		anna.get("/api/v2/me/channels/voice")
		anna.get("/settings/agent-states")
	}
	if after := settled(); !maps.Equal(before, after) {
		t.Errorf("200 reads changed the site's calls from %v to %v", before, after)
	}
}

// TestACallerWhoDoesNotWait has operations come from callers who left, or ended their half of the connection.
func TestACallerWhoDoesNotWait(t *testing.T) {
	w := newDoor(t, func(k *knobs) { k.sim.AsyncDelay = -1 })
	anna := w.with(cookieOf(w.as("anna").get("/me")))
	for i, path := range []string{"/me", "/me/channels/voice", "/api/v2/me"} {
		anna.operate("/me", "NotReady")
		left, leave := context.WithCancel(t.Context())
		leave()
		request := httptest.NewRequestWithContext(left, http.MethodPost, path, strings.NewReader(`{"operationName":"Ready"}`))
		request.Header.Set(anna.headers[0], anna.headers[1])
		got := httptest.NewRecorder()
		w.handler.ServeHTTP(got, request)
		if got.Code != http.StatusOK || !strings.Contains(anna.state(), "voice:Ready") {
			t.Errorf("%d: POST %s is answered %d %s, and /me shows %s", i, path, got.Code, got.Body, anna.state())
		}
	}
}
