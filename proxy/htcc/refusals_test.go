package htcc

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/proxy/fault"
	"portico/proxy/upstream/memhttp"
	"portico/translate/htccapi"
)

// A refusing is an answer that is none, and the error it makes of a call.
var refusing = []struct {
	name  string
	reply http.HandlerFunc
	want  error // a kind, ErrSessionGone or ErrTokenRefused
	class string
}{
	{"a parameter missing", says(400, `{"statusCode":1,"statusMessage":"no"}`), fault.Missing, "1"},
	{"not valid now", says(400, `{"statusCode":2}`), fault.Invalid, "2"},
	{"out of range", says(400, `{"statusCode":10}`), fault.Invalid, "10"},
	{"read-only", says(400, `{"statusCode":11}`), fault.Invalid, "11"},
	{"forbidden", says(403, `{"statusCode":3}`), fault.Forbidden, "3"},
	{"no permission", says(403, `{"statusCode":5}`), fault.Forbidden, "5"},
	{"not found", says(404, `{"statusCode":6}`), fault.NotFound, "6"},
	{"an error with HTTP 200", says(200, `{"statusCode":6,"statusMessage":"no"}`), fault.NotFound, "6"},
	{"an error whose code is a string", says(500, `{"statusCode":"6"}`), fault.NotFound, "6"},
	{"an internal error", says(500, `{"statusCode":4}`), fault.BadUpstream, "4"},
	{"a password change demanded", says(200, `{"statusCode":8}`), fault.BadUpstream, "8"},
	{"a code from the future", says(200, `{"statusCode":99}`), fault.BadUpstream, "other"},
	{"a negative code", says(200, `{"statusCode":-6}`), fault.BadUpstream, "other"},
	{"the session is gone", says(403, `{"statusCode":20,"statusMessage":"Access denied"}`), ErrSessionGone, "20"},
	{"the session is gone, with HTTP 200", says(200, `{"statusCode":20}`), ErrSessionGone, "20"},
	{"the session is gone, in the dialect without codes", says(403, `{"status":"error","errorDescription":"Access denied"}`), ErrSessionGone, "other"},
	{"a 401 of a proxy", says(401, `<html>`), ErrSessionGone, "other"},
	{"an error in the dialect without codes", says(200, `{"status":"error","errorDescription":"Device '5101' is not registered."}`), fault.BadUpstream, "other"},
	{"a bad request in the dialect without codes", says(400, `{"status":"error","errorDescription":{"a":1}}`), fault.Invalid, "other"},
	{"forbidden in the dialect without codes", says(403, `{"status":"error","errorDescription":"no"}`), fault.Forbidden, "other"},
	{"a 403 that says nothing", says(403, ``), fault.Forbidden, "other"},
	{"a 404 of a proxy", says(404, `<html>`), fault.NotFound, "other"},
	{"a 405", says(405, ``), fault.BadUpstream, "other"},
	{"a 500 of a proxy", says(500, `<html>`), fault.BadUpstream, "other"},
	{"an error that calls itself success", says(500, `{"statusCode":0}`), fault.BadUpstream, "other"},
	{"a 502", says(502, `<html>`), fault.Unreachable, "other"},
	{"a 503", says(503, `<html>`), fault.Unreachable, "other"},
	{"a 503 with a code", says(503, `{"statusCode":4}`), fault.Unreachable, "4"},
	{"a 504", says(504, `<html>`), fault.Timeout, "other"},
	{"a page", says(200, `<html>`), fault.BadUpstream, "garbage"},
	{"nothing", says(200, ``), fault.BadUpstream, "garbage"},
	{"a 204", says(204, ``), fault.BadUpstream, "garbage"},
	{"half an answer", says(200, `{"statusCode":0,`), fault.BadUpstream, "garbage"},
	{"more than an answer", says(200, `{"statusCode":0}{}`), fault.BadUpstream, "garbage"},
	{"a list", says(200, `[{"statusCode":0}]`), fault.BadUpstream, "garbage"},
	{"null", says(200, `null`), fault.BadUpstream, "garbage"},
	{"no verdict", says(200, `{"hello":1}`), fault.BadUpstream, "garbage"},
	{"a code that is no number", says(200, `{"statusCode":"ok"}`), fault.BadUpstream, "garbage"},
	{"a code that is null", says(200, `{"statusCode":null}`), fault.BadUpstream, "garbage"},
	{"a code that is no integer", says(200, `{"statusCode":0.5}`), fault.BadUpstream, "garbage"},
	{"a status that is none of the dialect's", says(200, `{"status":"UP"}`), fault.BadUpstream, "garbage"},
	{"a redirect", http.RedirectHandler("http://evil.example/", http.StatusFound).ServeHTTP, fault.BadUpstream, "garbage"},
	{"an endless answer", says(200, `{"statusCode":0,"x":"`+strings.Repeat("x", maxMe)+`"}`), fault.BadUpstream, ""},
}

func TestCallsThatFail(t *testing.T) {
	calls := map[string]made{"get_me": getMe, "post_me": notReady, "get_agent_states": states, "end_session": end}
	for _, test := range refusing {
		for operation, call := range calls {
			t.Run(test.name+"/"+operation, func(t *testing.T) {
				var hosts log
				client, reg := newClient(t, at(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					hosts.Add(r.Host)
					test.reply(w, r)
				})), nil)
				session := Resume(testConn())
				got, err := call(t.Context(), client, session)
				if !errors.Is(err, test.want) || fault.KindOf(err) != fault.KindOf(test.want) {
					t.Errorf("call = %v, %v; want %v", got, err, test.want)
				}
				if errors.Is(err, ErrSessionGone) != (test.want == ErrSessionGone) {
					t.Errorf("call = %v; the end of the session must be told from all else", err)
				}
				if n := value(t, reg, "portico_upstream_api_errors_total", map[string]string{"operation": operation, "error": test.class}); test.class != "" && n != 1 {
					t.Errorf("errors of class %s = %v; want 1 (%v)", test.class, n, err)
				}
				if len(hosts.All()) != 1 || hosts.All()[0] != "gws1.example:8090" {
					t.Errorf("asked %q; want one call to the session's host", hosts.All())
				}
				if session.Snapshot() != testConn() {
					t.Errorf("the session became %s", mustJSON(t, session.Snapshot()))
				}
				checkText(t, err)
			})
		}
	}
}

// checkText checks that an error says whose it is, and no secret.
func checkText(t *testing.T, err error) {
	t.Helper()
	text := fmt.Sprint(err)
	for _, secret := range []string{"node01secret", "brow5er", "to-ken", bjorn.Password} {
		if strings.Contains(text, secret) {
			t.Errorf("error %q holds %q", text, secret)
		}
	}
	if !strings.HasPrefix(text, "htcc: ") || len(text) > 1000 {
		t.Errorf("error %q; want a short text that begins with the room", text)
	}
}

func TestCallsThatGetNoAnswer(t *testing.T) {
	half := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"statusCode":0,"user":{`)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	cut := func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"statusCode":0,"user":{`)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	endless := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Set-Cookie", "JSESSIONID="+strings.Repeat("x", 8<<20))
	}
	tests := []struct {
		name  string
		reply http.HandlerFunc // nil for nobody
		want  error
	}{
		{"nobody is there", nil, fault.Unreachable},
		{"no answer in time", hang, fault.Timeout},
		{"it hangs in the middle of a body", half, fault.Timeout},
		{"it is cut in the middle of a body", cut, fault.BadUpstream},
		{"8 MB of headers", endless, fault.BadUpstream},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := memhttp.Network{"gws2.example:8090": kept(t, "login-200.http")}
				if test.reply != nil {
					network["gws1.example:8090"] = test.reply
				}
				client, _ := newClient(t, network, func(s *Settings) { s.Bases = []string{base1, base2} })
				session := Resume(testConn())
				began := time.Now()
				got, err := getMe(t.Context(), client, session)
				if !errors.Is(err, test.want) || time.Since(began) > defaultTimeout {
					t.Errorf("Me = %v, %v after %v; want %v in time", got, err, time.Since(began), test.want)
				}
				if session.Snapshot() != testConn() {
					t.Errorf("the session became %s", mustJSON(t, session.Snapshot()))
				}
				checkText(t, err)
			})
		})
	}
}

func TestMeThatLacksWhatItMustHave(t *testing.T) {
	for name, text := range map[string]string{
		"no user":                 `{"statusCode":0}`,
		"a user that is none":     `{"statusCode":0,"user":7}`,
		"a user that is null":     `{"statusCode":0,"user":null}`,
		"devices that are none":   `{"statusCode":0,"user":{"devices":"x"}}`,
		"channels that are none":  `{"statusCode":0,"user":{"channels":[1]}}`,
		"without code, the same":  `{"channels":{}}`,
		"without code, no member": `{"user":null,"userName":null}`,
	} {
		client, _ := newClient(t, at(says(200, text)), nil)
		user, err := client.Me(t.Context(), Resume(testConn()), "*")
		if !errors.Is(err, fault.BadUpstream) {
			t.Errorf("%s: Me = %s, %v; want %v", name, mustJSON(t, user), err, fault.BadUpstream)
		}
	}
}

func TestListsThatAreNone(t *testing.T) {
	for _, text := range []string{`{"statusCode":0}`, `{"statusCode":0,"settings":null}`, `{"statusCode":0,"settings":[1]}`,
		`{"statusCode":0,"settings":{}}`, `{"statusCode":0,"uris":[]}`} {
		client, _ := newClient(t, at(says(200, text)), nil)
		got, err := client.AgentStates(t.Context(), Resume(testConn()))
		if !errors.Is(err, fault.BadUpstream) {
			t.Errorf("AgentStates of %s = %v, %v; want %v", text, got, err, fault.BadUpstream)
		}
	}
	client, _ := newClient(t, at(says(200, `{"settings":[]}`)), nil)
	got, err := client.AgentStates(t.Context(), Resume(testConn()))
	if err != nil || got == nil || len(got) != 0 {
		t.Errorf("AgentStates without code = %v, %v; want an empty list", got, err)
	}
}

func TestOutcomesThatAreNone(t *testing.T) {
	for _, text := range []string{`{"statusCode":7,"failed":{}}`, `{"statusCode":7,"succeeded":[1]}`, `{"statusCode":7,"failed":[{"statusCode":"x"}]}`} {
		client, _ := newClient(t, at(says(200, text)), nil)
		got, err := notReady(t.Context(), client, Resume(testConn()))
		if !errors.Is(err, fault.BadUpstream) {
			t.Errorf("Operation answered %s = %v, %v; want %v", text, got, err, fault.BadUpstream)
		}
	}
	client, _ := newClient(t, at(says(200, `{"statusCode":"7","failed":[{"statusCode":"4","channel":"chat"}]}`)), nil)
	got, err := client.Operation(t.Context(), Resume(testConn()), PathMe, json.RawMessage(`{}`))
	want := []htccapi.ChannelResult{{StatusCode: 4, Channel: "chat"}}
	if err != nil || !got.Partial || got.Succeeded != nil || !cmp.Equal(got.Failed, want) {
		t.Errorf("Operation = %v, %v; want it done in part, without %v", got, err, want)
	}
}

func TestRefusalSaysWhatTheServerSaid(t *testing.T) {
	client, _ := newClient(t, at(kept(t, "500-device.http")), nil)
	_, err := client.Operation(t.Context(), Resume(testConn()), ChannelPath("voice"), json.RawMessage(`{}`))
	want := `htcc: post to /me/channels/voice: the contact centre answered with an error: HTTP 500 statusCode 4: Device '5101' is not registered.`
	if fmt.Sprint(err) != want {
		t.Errorf("Operation = %v; want %s", err, want)
	}
	refusal := AsRefusal(err)
	if refusal == nil || refusal.Code != 4 || refusal.Message != "Device '5101' is not registered." || fault.Public(err) != fault.BadUpstream.Error() {
		t.Errorf("AsRefusal = %v; want the server's code and text, and none of it public", refusal)
	}
	if AsRefusal(errors.New("x")) != nil {
		t.Error("AsRefusal finds a refusal in another error")
	}
}
