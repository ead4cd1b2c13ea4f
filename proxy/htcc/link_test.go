package htcc

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// replies decodes messages that are all readable.
func replies(t testing.TB, text string) []bayeuxReply {
	t.Helper()
	got, failures := decodeReplies([]byte(text))
	if failures != nil {
		t.Fatal(failures)
	}
	return got
}

// shakenLink returns a link that has shaken hands; extra are more members of the reply.
func shakenLink(t testing.TB, extra string) *link {
	t.Helper()
	l := &link{}
	sent := l.handshake()
	err := l.shaken(sent, replies(t, `[{"id":"1","channel":"/meta/handshake","successful":true,"clientId":"c1"`+extra+`}]`))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLinkRequests(t *testing.T) {
	l := &link{}
	got := []bayeuxRequest{l.handshake()}
	l = shakenLink(t, "")
	got = append(got, l.subscribe([]string{"/v2/me", "/v2/me/*"})...)
	got = append(got, l.connect(true), l.connect(false), l.disconnect())
	want := `[{"id":"1","channel":"/meta/handshake","version":"1.0","minimumVersion":"1.0","supportedConnectionTypes":["long-polling"],"ext":{"ack":true}},` +
		`{"id":"2","channel":"/meta/subscribe","clientId":"c1","subscription":"/v2/me"},` +
		`{"id":"3","channel":"/meta/subscribe","clientId":"c1","subscription":"/v2/me/*"},` +
		`{"id":"4","channel":"/meta/connect","clientId":"c1","connectionType":"long-polling","advice":{"timeout":0}},` +
		`{"id":"5","channel":"/meta/connect","clientId":"c1","connectionType":"long-polling"},` +
		`{"id":"6","channel":"/meta/disconnect","clientId":"c1"}]`
	if text := mustJSON(t, got); text != want {
		t.Errorf("requests are\n%s; want\n%s", text, want)
	}
}

func TestShaken(t *testing.T) {
	tests := []struct {
		name  string
		reply string
		want  error
	}{
		{"taken", `"successful":true,"clientId":"c1","supportedConnectionTypes":["websocket","long-polling"]`, nil},
		{"taken, with advice to shake hands should it be lost", `"successful":true,"clientId":"c1","advice":{"reconnect":"handshake"}`, nil},
		{"no clientId", `"successful":true`, errNoClient},
		{"no long-polling", `"successful":true,"clientId":"c1","supportedConnectionTypes":["websocket"]`, errNoPolling},
		{"refused for good", `"successful":false,"error":"403::Handshake denied","advice":{"reconnect":"none"}`, errStopped},
		{"refused for now", `"successful":false,"advice":{"reconnect":"handshake"}`, errHandshake},
		{"refused without advice", `"successful":false`, errHandshake},
		{"refused, to be tried again", `"successful":false,"advice":{"reconnect":"retry"}`, errRefused},
		{"the reply to another", `"id":"99","successful":true,"clientId":"c1"`, errNoReply},
	}
	for _, test := range tests {
		l := &link{}
		err := l.shaken(l.handshake(), replies(t, `{"channel":"/meta/handshake",`+test.reply+`}`))
		if !errors.Is(err, test.want) || (l.clientID == "c1") != (err == nil) {
			t.Errorf("%s: shaken = %v, clientId %q; want %v", test.name, err, l.clientID, test.want)
		}
	}
}

func TestConnected(t *testing.T) {
	const event = `{"channel":"/v2/me/devices","data":{"n":1}}`
	const reply = `{"id":"2","channel":"/meta/connect","successful":true}`
	tests := []struct {
		name   string
		got    string
		events int
		want   error
	}{
		{"nothing", `[` + reply + `]`, 0, nil},
		{"events before the reply", `[` + event + `,` + event + `,` + reply + `]`, 2, nil},
		{"events behind the reply", `[` + reply + `,` + event + `]`, 1, nil},
		{"an event without a reply", `[` + event + `]`, 1, errNoReply},
		{"an event on the protocol's own channels", `[{"channel":"/meta/x","data":1},` + reply + `]`, 0, nil},
		{"an id that is a number", `[{"id":2,"channel":"/meta/connect","successful":true}]`, 0, nil},
		{"no id", `[{"channel":"/meta/connect","successful":true}]`, 0, nil},
		{"the reply to an earlier connect", `[{"id":"1","channel":"/meta/connect","successful":true}]`, 0, errNoReply},
		{"forgotten", `[{"id":"2","channel":"/meta/connect","successful":false,"error":"402::Unknown client","advice":{"reconnect":"handshake"}}]`, 0, errHandshake},
		{"forgotten, without advice", `[{"id":"2","channel":"/meta/connect","successful":false,"error":"402::session_unknown"}]`, 0, errHandshake},
		{"forgotten after its last event", `[` + event + `,{"id":"2","channel":"/meta/connect","successful":false}]`, 1, errHandshake},
		{"to be tried again", `[{"id":"2","channel":"/meta/connect","successful":false,"advice":{"reconnect":"retry"}}]`, 0, errRefused},
		{"ended by the server", `[{"id":"2","channel":"/meta/connect","successful":true,"advice":{"reconnect":"none"}}]`, 0, errStopped},
		{"told to shake hands though it worked", `[{"id":"2","channel":"/meta/connect","successful":true,"advice":{"reconnect":"handshake"}}]`, 0, errHandshake},
		{"an interval that means never", `[{"id":"2","channel":"/meta/connect","successful":true,"advice":{"reconnect":"retry","interval":-1}}]`, 0, errStopped},
	}
	for _, test := range tests {
		l := shakenLink(t, "")
		events, err := l.connected(l.connect(false), replies(t, test.got))
		if !errors.Is(err, test.want) || len(events) != test.events {
			t.Errorf("%s: connected = %d events, %v; want %d, %v", test.name, len(events), err, test.events, test.want)
		}
	}
}

func TestAdvice(t *testing.T) {
	tests := []struct {
		advice     string
		hold, rest time.Duration
	}{
		{``, 20 * time.Second, time.Second}, // as it was
		{`{}`, time.Minute, 0},
		{`{"timeout":30000,"interval":0}`, 30 * time.Second, 0},
		{`{"timeout":0,"interval":5000}`, 0, 5 * time.Second},
		{`{"multiple-clients":true,"reconnect":"retry","interval":2000}`, time.Minute, 2 * time.Second},
		{`{"timeout":1.5e300,"interval":86400000}`, longestHold, longestRest},
		{`{"timeout":-1}`, time.Minute, 0},
		{`{"timeout":0.5}`, 500 * time.Microsecond, 0},
	}
	for _, test := range tests {
		l := shakenLink(t, `,"advice":{"timeout":20000,"interval":1000}`)
		reply := `{"channel":"/meta/connect","successful":true`
		if test.advice != "" {
			reply += `,"advice":` + test.advice
		}
		_, err := l.connected(l.connect(false), replies(t, reply+`}`))
		if err != nil || l.hold != test.hold || l.rest != test.rest {
			t.Errorf("after advice %q hold %v and rest %v, %v; want %v and %v", test.advice, l.hold, l.rest, err, test.hold, test.rest)
		}
	}
}

func TestAcknowledgements(t *testing.T) {
	connected := func(l *link, ack, data string) string {
		sent := l.connect(false)
		text := fmt.Sprintf(`[{"channel":"/v2/me/devices","data":%s},{"id":%q,"channel":"/meta/connect","successful":true%s}]`, data, sent.ID, ack)
		events, err := l.connected(sent, replies(t, text))
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("sent %v, got %d", sent.Ext["ack"], len(events))
	}
	l := shakenLink(t, `,"ext":{"ack":true}`)
	got := []string{
		connected(l, `,"ext":{"ack":0}`, "1"),
		connected(l, `,"ext":{"ack":0}`, "1"), // again, since the server had not heard of the first
		connected(l, `,"ext":{"ack":2}`, "2"),
		connected(l, ``, "3"),
		connected(l, `,"ext":{"ack":"x"}`, "4"),
		connected(l, `,"ext":{"ack":1}`, "2"),
		connected(l, `,"ext":{"ack":3}`, "5"),
	}
	want := []string{"sent -1, got 1", "sent 0, got 0", "sent 0, got 1", "sent 2, got 1", "sent 2, got 1", "sent 2, got 0", "sent 2, got 1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("with acknowledgements (-want +got):\n%s", diff)
	}
	sent := l.connect(false)
	events, err := l.connected(sent, replies(t, `[{"channel":"/v2/me/devices","data":1}]`))
	if !errors.Is(err, errNoReply) || events != nil {
		t.Errorf("without a reply connected = %v, %v; want no events, since they will come again", events, err)
	}
	for ext, want := range map[string]string{
		`{"ack":{"enabled":true,"batch":7}}`: "sent 7, got 1",
		`{"ack":{"enabled":true}}`:           "sent -1, got 1",
		`{"ack":{"enabled":false}}`:          "sent <nil>, got 1",
		`{"ack":false}`:                      "sent <nil>, got 1",
		`{"ack":"yes"}`:                      "sent <nil>, got 1",
		`{}`:                                 "sent <nil>, got 1",
	} {
		got := connected(shakenLink(t, `,"ext":`+ext), `,"ext":{"ack":9}`, "1")
		if got != want {
			t.Errorf("handshake answered with ext %s: %s; want %s", ext, got, want)
		}
	}
}

func TestDecodeReplies(t *testing.T) {
	got, failures := decodeReplies(body(t, "bayeux-connect.http"))
	if len(got) != 3 || len(failures) != 1 {
		t.Fatalf("decodeReplies = %d messages, %v; want 3, and one that cannot be read", len(got), failures)
	}
	events := eventsIn(got)
	if len(events) != 2 || events[0].Channel != "/v2/me/devices" || string(events[1].Data) != "null" {
		t.Errorf("events are %v; want one of devices, and one with null", events)
	}
	devices, err := Devices(object(t, string(events[0].Data)))
	if err != nil || len(devices) != 1 {
		t.Errorf("Devices of a notification = %v, %v; want one", devices, err)
	}
	l := shakenLink(t, "")
	l.lastID = 6
	_, err = l.connected(l.connect(false), got)
	if err != nil || l.hold != 30*time.Second {
		t.Errorf("connected = %v, hold %v; want 30 s", err, l.hold)
	}
	l.lastID = 56
	_, err = l.connected(l.connect(false), replies(t, string(body(t, "bayeux-unknown.http"))))
	if !errors.Is(err, errHandshake) || !strings.Contains(err.Error(), "402::Unknown client") {
		t.Errorf("connected = %v; want %v, and why", err, errHandshake)
	}
	for _, text := range []string{``, `7`, `"x"`, `[1]`, `[{}]`, `[{"channel":""}]`, `[{"channel":"/a"`, `{"channel":7}`, `[{"channel":"/a","advice":7}]`} {
		got, failures := decodeReplies([]byte(text))
		if len(got) != 0 || len(failures) != 1 {
			t.Errorf("decodeReplies(%s) = %v, %v; want one failure", text, got, failures)
		}
	}
	got, failures = decodeReplies([]byte(`[]`))
	if len(got) != 0 || len(failures) != 0 {
		t.Errorf("decodeReplies([]) = %v, %v; want nothing", got, failures)
	}
}

// Whatever a server sends, a link takes it: it keeps times that can be waited for and waits for no
// session that it has not.
func FuzzLink(f *testing.F) {
	f.Add(`[{"id":"1","channel":"/meta/handshake","successful":true,"clientId":"c","ext":{"ack":true}}]`, string(body(f, "bayeux-connect.http")))
	f.Add(`{"channel":"/meta/handshake","successful":true,"clientId":"c","advice":{"timeout":1e999}}`, string(body(f, "bayeux-unknown.http")))
	f.Add(`[]`, `[{"channel":"/meta/connect","ext":{"ack":-9223372036854775808},"advice":{"interval":-0.1}}]`)
	f.Fuzz(func(t *testing.T, shake, connect string) {
		l := &link{}
		got, _ := decodeReplies([]byte(shake))
		err := l.shaken(l.handshake(), got)
		if (err == nil) != (l.clientID != "") {
			t.Errorf("shaken(%q) = %v with clientId %q", shake, err, l.clientID)
		}
		got, _ = decodeReplies([]byte(connect))
		events, _ := l.connected(l.connect(false), got)
		if len(events) > len(got) || l.hold < 0 || l.hold > longestHold || l.rest < 0 || l.rest > longestRest {
			t.Errorf("connected(%q) = %d events, hold %v, rest %v", connect, len(events), l.hold, l.rest)
		}
		for _, event := range events {
			if !json.Valid(event.Data) {
				t.Errorf("connected(%q) delivers %q", connect, event.Data)
			}
		}
	})
}
