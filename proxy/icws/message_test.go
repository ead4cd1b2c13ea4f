package icws

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/translate/icwsapi"
)

// body returns the body of a kept reply.
func body(t testing.TB, name string) []byte {
	t.Helper()
	w := httptest.NewRecorder()
	kept(t, name)(w, nil)
	return w.Body.Bytes()
}

func TestDecodeMessages(t *testing.T) {
	head := func(kind string, isDelta bool) icwsapi.Head { return icwsapi.Head{Type: kind, IsDelta: isDelta} }
	want := []icwsapi.Message{
		icwsapi.UserStatusMessage{Head: head(icwsapi.TypeUserStatus, false), UserStatusList: []icwsapi.UserStatus{{
			UserID: "anna", StatusID: "Available", Until: icwsapi.OptUntil{Present: true}, LoggedIn: pointer(true),
			StatusChanged: pointer(icwsapi.NewTime(time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC))),
		}}},
		icwsapi.AsyncOperationCompletedMessage{Head: head(icwsapi.TypeAsyncOperationCompleted, false), RequestID: "8"},
		icwsapi.StatusMessagesMessage{Head: head(icwsapi.TypeStatusMessages, true), StatusMessagesRemoved: []string{"At Play"}},
		icwsapi.UserAccessMessage{Head: head(icwsapi.TypeUserAccess, true), StatusMessagesUserAccessChanges: []icwsapi.UserAccessChange{
			{UserID: "anna", StatusMessagesRemoved: []string{"On Vacation"}}}},
		icwsapi.UserActivationMessage{Head: head(icwsapi.TypeUserActivation, true), SubscriptionID: "anna", UserID: "anna",
			ActivationsChanged: map[string]bool{"Support": false}},
		icwsapi.ConnectionStateChangeMessage{Head: head(icwsapi.TypeConnectionStateChange, false), PreviousConnectionState: 1,
			NewConnectionState: 2, Reason: "gone", ShouldReconnect: pointer(true)},
		icwsapi.EffectiveStationChangeMessage{Head: head(icwsapi.TypeEffectiveStationChange, false)},
		icwsapi.SubscriptionStateMessage{Head: head(icwsapi.TypeSubscriptionState, false), State: 3},
		head("urn:inin.com:future:unheardOfMessage", true),
	}
	got, failures := decodeMessages(body(t, "messages.http"))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("decodeMessages (-want +got):\n%s", diff)
	}
	if len(failures) != 1 || !strings.Contains(failures[0].Error(), icwsapi.TypeUserStatus) {
		t.Errorf("failures = %v; want one, of a %s", failures, icwsapi.TypeUserStatus)
	}
}

func TestDecodeMessageFails(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":                    ``,
		"no object":                  `7`,
		"null":                       `null`,
		"half an object":             `{"__type":"urn:`,
		"no type":                    `{"isDelta":true}`,
		"a type that is no string":   `{"__type":7}`,
		"something behind it":        `{"__type":"x","isDelta":true} more`,
		"a list where there is none": `{"__type":"urn:inin.com:status:userStatusMessage","userStatusList":{}}`,
		"a date that is none":        `{"__type":"urn:inin.com:status:userStatusMessage","userStatusList":[{"userId":"a","statusId":"b","statusChanged":"today"}]}`,
	} {
		got, err := DecodeMessage([]byte(text))
		if err == nil || got != nil {
			t.Errorf("%s: DecodeMessage(%s) = %v, %v; want an error", name, text, got, err)
		}
	}
}

func TestTheLastTypeOfAMessageCounts(t *testing.T) {
	twice := `{"__type":"` + icwsapi.TypeUserStatus + `","__type":"` + icwsapi.TypeSubscriptionState + `"}`
	for _, text := range []string{twice, strings.Replace(twice, icwsapi.TypeSubscriptionState, `urn:of no\u0062ody`, 1)} {
		got, err := DecodeMessage([]byte(text))
		_, wrong := got.(icwsapi.UserStatusMessage)
		if err != nil || wrong {
			t.Errorf("DecodeMessage(%s) = %T, %v; want one of the last type", text, got, err)
		}
	}
}

// TestPlainMessages reads what a site sends with each change of status, which is to be read the fast way.
func TestPlainMessages(t *testing.T) {
	for _, text := range []string{
		statusEvent,
		`data: {"__type":"urn:inin.com:messaging:asyncOperationCompletedMessage","isDelta":false,"requestId":"1","error":null}`,
		`data: {"__type":"urn:inin.com:status:userStatusMessage","isDelta":false,"userStatusList":[{"userId":"åsa","statusId":"Available, No ACD",
			"until":null,"statusChanged":"20261122T141928Z","onPhone":false,"onPhoneChanged":"20261122T141928Z","loggedIn":true,"stations":["S1", "S2"],"icServers":[] , "forwardNumber":"1"}]}`,
	} {
		b := []byte(strings.TrimPrefix(text, "data: "))
		message, ok := plainMessage(b)
		if !ok {
			t.Errorf("plainMessage(%s) leaves it to encoding/json", b)
		}
		want, err := decodeMessage(b)
		if diff := cmp.Diff(want, message); diff != "" || err != nil {
			t.Errorf("plainMessage(%s) (-encoding/json +got), %v:\n%s", b, err, diff)
		}
	}
}

// Whatever a site sends is a message of its type or an error, the same by the fast way, and a message can be
// written and read again.
func FuzzDecodeMessage(f *testing.F) {
	var items []json.RawMessage
	err := json.Unmarshal(body(f, "messages.http"), &items)
	if err != nil {
		f.Fatal(err)
	}
	for _, item := range append(items, json.RawMessage(strings.TrimPrefix(statusEvent, "data: "))) {
		f.Add([]byte(item))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		plain, ok := plainMessage(b)
		same, err := decodeMessage(b)
		if ok && (err != nil || !reflect.DeepEqual(plain, same)) {
			t.Errorf("plainMessage(%q) = %+v; encoding/json says %+v, %v", b, plain, same, err)
		}
		message, err := DecodeMessage(b)
		if err != nil {
			return
		}
		if message.MessageType() == "" {
			t.Errorf("DecodeMessage(%q) has no type", b)
		}
		written, err := json.Marshal(message)
		if err != nil {
			t.Fatalf("DecodeMessage(%q) cannot be written: %v", b, err)
		}
		again, err := DecodeMessage(written)
		if err != nil || fmt.Sprintf("%T", again) != fmt.Sprintf("%T", message) {
			t.Errorf("DecodeMessage(%q) = %T; written and read again %T, %v", b, message, again, err)
		}
	})
}

func TestAListThatComesAgainIsNotReadAgain(t *testing.T) {
	text := func(id string) []byte {
		entry := `{"statusId":"` + id + `","messageText":"` + strings.Repeat("x", longList) + `"}`
		return []byte(`{"__type":"` + icwsapi.TypeStatusMessages + `","isDelta":false,"statusMessagesAdded":[` + entry + `]}`)
	}
	first := func(l *lists, b []byte) *icwsapi.StatusMessage {
		messages, failures := l.decode(b)
		if len(messages) != 1 || len(failures) > 0 {
			t.Fatalf("decode = %v, %v", messages, failures)
		}
		return &messages[0].(icwsapi.StatusMessagesMessage).StatusMessagesAdded[0]
	}
	var l lists
	a := text("Available")
	read := first(&l, a)
	clear(a) // its buffer is used again
	if again := first(&l, text("Available")); again != read || again.StatusID != "Available" {
		t.Errorf("an equal list is read again, or is %q", again.StatusID)
	}
	if other := first(&l, text("At Lunch")); other.StatusID != "At Lunch" {
		t.Errorf("another list is %q", other.StatusID)
	}
	delta := bytes.Replace(text("Available"), []byte("false"), []byte("true"), 1)
	change := first(&l, delta)
	if first(&l, delta) == change {
		t.Error("a change is kept")
	}
}
