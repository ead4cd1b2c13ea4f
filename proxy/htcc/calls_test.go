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
	version = made(func(ctx context.Context, c *Client, _ *Session) (any, error) {
		got, _, err := c.version(ctx)
		return got, err
	})
	end = made(func(ctx context.Context, c *Client, s *Session) (any, error) {
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
	got, base, err := client.version(t.Context())
	if err != nil || got != "8.5.202.96" || base != base2 {
		t.Errorf("version = %q of %s, %v; want 8.5.202.96, from the host that is there", got, base, err)
	}
	if diff := cmp.Diff(http.Header{"Accept": {"application/json"}}, header); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

// csrfServer refuses a POST whose token is not the one it shows in answers to GET.
func csrfServer(t *testing.T, seen *log, refusal http.HandlerFunc, gone bool) http.HandlerFunc {
	ok, me, denied := kept(t, "operation-ok.http"), kept(t, "me.http"), kept(t, "403-denied.http")
	return func(w http.ResponseWriter, r *http.Request) {
		seen.Add(r.Method + " " + r.URL.Path + " " + r.Header.Get("X-Csrf-Token"))
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
				l.Add(r.Method)
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
			if diff := cmp.Diff(test.seen, seen.All()); diff != "" {
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
		for _, call := range []made{getMe, notReady, states, version, end} {
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
