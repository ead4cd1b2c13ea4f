package htcc

import (
	"context"
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

// A made is one of the client's calls, made on a session.
type made func(ctx context.Context, c *Client, s *Session) (any, error)

var (
	getMe = made(func(ctx context.Context, c *Client, s *Session) (any, error) {
		user, err := c.Me(ctx, s, "*")
		return user.Text("userName"), err
	})
	notReady = post(PathMe, `{"operationName":"NotReady","futureMember":1}`)
	states   = made(func(ctx context.Context, c *Client, s *Session) (any, error) {
		list, err := c.AgentStates(ctx, s)
		return len(list), err
	})
	services = made(func(ctx context.Context, c *Client, s *Session) (any, error) {
		list, err := c.Services(ctx, s)
		return len(list), err
	})
	version = made(func(ctx context.Context, c *Client, _ *Session) (any, error) { return c.Version(ctx) })
	end     = made(func(ctx context.Context, c *Client, s *Session) (any, error) {
		return nil, c.EndContactCenterSession(ctx, s)
	})
)

func post(path, body string) made {
	return func(ctx context.Context, c *Client, s *Session) (any, error) {
		outcome, err := c.Operation(ctx, s, path, json.RawMessage(body))
		outcome.Answer = Object{}
		return outcome, err
	}
}

func TestCalls(t *testing.T) {
	lunch := htccapi.AgentStateSetting{ID: "6E0B5A52-9B5F-4A0B-9C7D-0B1D2C3E4F50", OperationName: "OutToLunch",
		DisplayName: "Out to Lunch", State: "NotReady", WorkMode: "AuxWork", Reason: "Lunch"}
	tests := []struct {
		name  string
		reply string // in testdata
		call  made
		sent  string // method, path and body
		want  any
	}{
		{"the agent with everything", "login-200.http", getMe, "GET /api/v2/me?subresources=* ", "bjorn"},
		{"the agent alone", "me.http", func(ctx context.Context, c *Client, s *Session) (any, error) {
			user, err := c.Me(ctx, s)
			return user.Text("id"), err
		}, "GET /api/v2/me ", "5b0c9c0f4f1b4f5e8d5a7a1f6f2e9d11"},
		{"the agent with some sub-resources", "me.http", func(ctx context.Context, c *Client, s *Session) (any, error) {
			user, err := c.Me(ctx, s, "devices", "x&y", "*")
			return user.Get("channels") == nil && user.has("calls"), err
		}, "GET /api/v2/me?subresources=devices,x%26y,* ", true},
		{"the agent in the dialect without codes", "me-status.http", func(ctx context.Context, c *Client, s *Session) (any, error) {
			user, err := c.Me(ctx, s, "*")
			if err != nil {
				return nil, err
			}
			channels, err := Channels(user)
			return string(channels[0].Name()), err
		}, "GET /api/v2/me?subresources=* ", "email"},
		{"an operation on everything", "operation-ok.http", notReady,
			`POST /api/v2/me {"operationName":"NotReady","futureMember":1}`, Outcome{}},
		{"an operation on a channel", "operation-ok.http", post(ChannelPath("voice"), `{"operationName":"Ready"}`),
			`POST /api/v2/me/channels/voice {"operationName":"Ready"}`, Outcome{}},
		{"an operation on a channel whose name needs escaping", "operation-ok.http", post(ChannelPath("a/b c"), `{}`),
			`POST /api/v2/me/channels/a%2Fb%20c {}`, Outcome{}},
		{"an operation on a device whose id is a way up", "operation-ok.http", post(DevicePath(".."), `{}`),
			`POST /api/v2/me/devices/%2E%2E {}`, Outcome{}},
		{"success in the dialect without codes", "operation-ok-status.http", notReady,
			`POST /api/v2/me {"operationName":"NotReady","futureMember":1}`, Outcome{}},
		{"a statusCode that is a string", "operation-ok-string.http", notReady,
			`POST /api/v2/me {"operationName":"NotReady","futureMember":1}`, Outcome{}},
		{"success in part", "operation-partial.http", post(PathMe, `{}`), "POST /api/v2/me {}", Outcome{
			Partial:   true,
			Succeeded: []htccapi.ChannelResult{{Channel: "voice"}},
			Failed:    []htccapi.ChannelResult{{StatusCode: 4, StatusMessage: "Interaction server connection is not opened", Channel: "multimedia"}},
		}},
		{"the states to choose from", "agent-states.http", func(ctx context.Context, c *Client, s *Session) (any, error) {
			list, err := c.AgentStates(ctx, s)
			if err != nil {
				return nil, err
			}
			return []any{list[0].Setting(), list[1].Setting(), string(list[1].Get("futureMember"))}, err
		}, "GET /api/v2/settings/agent-states ", []any{htccapi.SettingOffline, lunch, "1"}},
		{"the servers behind it", "services.http", func(ctx context.Context, c *Client, s *Session) (any, error) {
			list, err := c.Services(ctx, s)
			if err != nil {
				return nil, err
			}
			return []htccapi.Service{list[0].Service(), list[1].Service()}, err
		}, "GET /api/v2/services?fields=* ", []htccapi.Service{
			{ID: "7d0e4f1a-3b62-4a55-8f8e-6d5b4c3a2f10", Name: "SIP_P", Type: "Voice", State: "Active",
				URI: "http://gws1.example:8090/api/v2/services/7d0e4f1a", Path: "/services/7d0e4f1a"},
			{Type: "MultiMediaState", State: "Inactive"},
		}},
		{"the end", "operation-ok.http", end, `POST /api/v2/me {"operationName":"EndContactCenterSession"}`, nil},
		{"a new token", "me.http", func(ctx context.Context, c *Client, s *Session) (any, error) {
			return nil, c.RefreshToken(ctx, s)
		}, "GET /api/v2/me ", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var sent string
			var header http.Header
			reply := kept(t, test.reply)
			client, _ := newClient(t, at(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				sent, header = fmt.Sprintf("%s %s %s", r.Method, r.RequestURI, body), r.Header
				reply(w, r)
			})), nil)
			got, err := test.call(t.Context(), client, Resume(testConn()))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if sent != test.sent {
				t.Errorf("sent %s; want %s", sent, test.sent)
			}
			checkHeaders(t, header, strings.HasPrefix(sent, "POST"))
		})
	}
}

// checkHeaders checks what every call on testConn sends.
func checkHeaders(t *testing.T, got http.Header, writes bool) {
	t.Helper()
	want := http.Header{"Accept": {"application/json"}, "Cookie": {"JSESSIONID=node01secret; BAYEUX_BROWSER=brow5er"}}
	if writes {
		want["X-Csrf-Token"] = []string{"to-ken"}
		want["Content-Type"] = []string{"application/json;charset=UTF-8"}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

func TestOperationKeepsTheAnswer(t *testing.T) {
	client, _ := newClient(t, at(kept(t, "operation-partial.http")), nil)
	outcome, err := client.Operation(t.Context(), Resume(testConn()), PathMe, json.RawMessage(`{}`))
	if err != nil || string(outcome.Answer.Get("referenceId")) != "12" {
		t.Errorf("Operation = %s, %v; want the answer as it came", mustJSON(t, outcome.Answer), err)
	}
}

func TestVersionNeedsNoSession(t *testing.T) {
	var header http.Header
	reply := kept(t, "version.http")
	client, _ := newClient(t, memhttp.Network{"gws2.example:8090": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header = r.Header
		reply(w, r)
	})}, func(s *Settings) { s.Bases = []string{base1, base2} })
	got, err := client.Version(t.Context())
	if err != nil || got != "8.5.202.96" {
		t.Errorf("Version = %q, %v; want 8.5.202.96, from the host that is there", got, err)
	}
	if diff := cmp.Diff(http.Header{"Accept": {"application/json"}}, header); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

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
	calls := map[string]made{"get_me": getMe, "post_me": notReady, "get_agent_states": states, "services": services, "end_session": end}
	for _, test := range refusing {
		for operation, call := range calls {
			t.Run(test.name+"/"+operation, func(t *testing.T) {
				var hosts log
				client, reg := newClient(t, at(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					hosts.add(r.Host)
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
				if len(hosts.all()) != 1 || hosts.all()[0] != "gws1.example:8090" {
					t.Errorf("asked %q; want one call to the session's host", hosts.all())
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
	for _, text := range []string{`{"statusCode":0}`, `{"statusCode":0,"settings":null,"services":null}`,
		`{"statusCode":0,"settings":[1],"services":{}}`, `{"statusCode":0,"uris":[]}`} {
		for name, call := range map[string]made{"AgentStates": states, "Services": services} {
			client, _ := newClient(t, at(says(200, text)), nil)
			got, err := call(t.Context(), client, Resume(testConn()))
			if !errors.Is(err, fault.BadUpstream) {
				t.Errorf("%s of %s = %v, %v; want %v", name, text, got, err, fault.BadUpstream)
			}
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
	want := `htcc: post to /me/channels/voice of user "bjorn": the contact centre answered with an error: HTTP 500 statusCode 4: Device '5101' is not registered.`
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

// csrfServer refuses a POST whose token is not the one it shows in answers to GET.
func csrfServer(t *testing.T, seen *log, refusal http.HandlerFunc, gone bool) http.HandlerFunc {
	ok, me, denied := kept(t, "operation-ok.http"), kept(t, "me.http"), kept(t, "403-denied.http")
	return func(w http.ResponseWriter, r *http.Request) {
		seen.add(r.Method + " " + r.URL.Path + " " + r.Header.Get("X-Csrf-Token"))
		switch {
		case r.Method == http.MethodPost && r.Header.Get("X-CSRF-TOKEN") == "fresh":
			ok(w, r)
		case r.Method == http.MethodPost:
			refusal(w, r)
		case gone:
			denied(w, r)
		default:
			w.Header().Set("X-CSRF-HEADER", "X-CSRF-TOKEN")
			w.Header().Set("X-CSRF-TOKEN", "fresh")
			me(w, r)
		}
	}
}

func TestARefusedTokenIsFetchedAnewOnce(t *testing.T) {
	text, inJSON := kept(t, "403-csrf.http"), kept(t, "403-csrf-json.http")
	repeated := []string{"POST /api/v2/me to-ken", "GET /api/v2/me ", "POST /api/v2/me fresh"}
	tests := []struct {
		name   string
		server func(seen *log) http.HandlerFunc
		want   error
		seen   []string
	}{
		{"refused in text", func(l *log) http.HandlerFunc { return csrfServer(t, l, text, false) }, nil, repeated},
		{"refused in JSON", func(l *log) http.HandlerFunc { return csrfServer(t, l, inJSON, false) }, nil, repeated},
		{"the session is gone", func(l *log) http.HandlerFunc { return csrfServer(t, l, text, true) }, ErrSessionGone, repeated[:2]},
		{"refused for ever", func(l *log) http.HandlerFunc {
			refuse, me := text, kept(t, "me.http")
			return func(w http.ResponseWriter, r *http.Request) {
				l.add(r.Method)
				if r.Method == http.MethodGet {
					me(w, r)
					return
				}
				refuse(w, r)
			}
		}, ErrTokenRefused, []string{"POST", "GET", "POST"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var seen log
			client, reg := newClient(t, at(test.server(&seen)), nil)
			session := Resume(testConn())
			_, err := notReady(t.Context(), client, session)
			if !errors.Is(err, test.want) {
				t.Errorf("Operation = %v; want %v", err, test.want)
			}
			if diff := cmp.Diff(test.seen, seen.all()); diff != "" {
				t.Errorf("the server saw (-want +got):\n%s", diff)
			}
			if test.want != nil {
				return
			}
			if session.Snapshot().CSRFToken != "fresh" {
				t.Errorf("the token is %q; want the new one", session.Snapshot().CSRFToken)
			}
			for cause, want := range map[string]float64{"client": 1, "session": 1, "retry": 1} {
				if n := value(t, reg, "portico_upstream_requests_total", map[string]string{"cause": cause}); n != want {
					t.Errorf("calls with cause %s = %v; want %v", cause, n, want)
				}
			}
		})
	}
}

func TestCallsTakeWhatAnswersSet(t *testing.T) {
	client, _ := newClient(t, at(kept(t, "login-200.http")), nil)
	session := Resume(testConn())
	_, err := getMe(t.Context(), client, session)
	if err != nil {
		t.Fatal(err)
	}
	want := testConn()
	want.Cookie = "JSESSIONID=node01k2m3n4p5q6r7s8t9u0v; BAYEUX_BROWSER=brow5er; AWSELB=4F2A9B"
	want.CSRFToken = "0f0e7f5a-6a53-4b59-9e3c-3a1b7b7f5d10"
	if got := session.Snapshot(); got != want {
		t.Errorf("the session became %s; want %s", mustJSON(t, got), mustJSON(t, want))
	}
}

// Whatever a server answers is an answer or an error, and never an accepted operation without the
// word for it.
func FuzzAnswers(f *testing.F) {
	for _, text := range []string{`{"statusCode":0,"user":{"channels":[]}}`, `{"statusCode":"7","failed":[{"statusCode":4,"channel":"multimedia"}]}`,
		`{"status":"ok"}`, `{"status":"error","errorDescription":{}}`, `{"devices":[{"userState":{}}]}`, `Missing or invalid Csrf token`} {
		for _, status := range []int{200, 302, 403, 500} {
			f.Add(status, []byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, status int, content []byte) {
		status = 200 + (status%400+400)%400
		client, _ := newClient(t, at(says(status, string(content))), nil)
		for _, call := range []made{getMe, notReady, states, services, version, end} {
			got, err := call(t.Context(), client, Resume(testConn()))
			if err == nil && (status/100 != 2 || !json.Valid(content)) {
				t.Errorf("answered %d %q, a call = %v", status, content, got)
			}
			if err != nil && fault.KindOf(err) == fault.Internal {
				t.Errorf("answered %d %q, a call = %v; want a kind", status, content, err)
			}
		}
	})
}
