package icws

import (
	"context"
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
	"portico/translate/icwsapi"
)

// A made is one of the client's calls, made on conn.
type made func(ctx context.Context, c *Client, conn Conn) (any, error)

// without is a call that returns only an error.
func without(f func(ctx context.Context, c *Client, conn Conn) error) made {
	return func(ctx context.Context, c *Client, conn Conn) (any, error) { return nil, f(ctx, c, conn) }
}

var (
	getUserStatus = made(func(ctx context.Context, c *Client, conn Conn) (any, error) { return c.UserStatus(ctx, conn, "Anna") })
	getCatalogue  = made(func(ctx context.Context, c *Client, conn Conn) (any, error) { return c.StatusMessages(ctx, conn) })
	setUserStatus = made(func(ctx context.Context, c *Client, conn Conn) (any, error) {
		return c.SetUserStatus(ctx, conn, "Anna", icwsapi.UserStatusUpdate{StatusID: "At Lunch", Notes: "back soon"})
	})
	logout = without(func(ctx context.Context, c *Client, conn Conn) error { return c.Logout(ctx, conn) })
)

func pointer[T any](v T) *T { return &v }

func TestCalls(t *testing.T) {
	const session = "/icws/1402219001"
	const subscriptions = session + "/messaging/subscriptions"
	tests := []struct {
		name  string
		reply string // in testdata
		call  made
		sent  string // method, path and body
		want  any
	}{
		{"the status of a user", "user-status.http", getUserStatus,
			"GET " + session + "/status/user-statuses/Anna ",
			icwsapi.UserStatus{
				UserID: "Anna", StatusID: "At Lunch", Notes: pointer("back soon"), Until: icwsapi.OptUntil{Present: true},
				StatusChanged: pointer(icwsapi.NewTime(time.Date(2026, 1, 5, 11, 0, 1, 0, time.UTC))),
				OnPhone:       pointer(false), LoggedIn: pointer(true), Stations: &[]string{"WS-17"}, ICServers: &[]string{},
			}},
		{"a user whose id needs escaping", "user-status.http",
			func(ctx context.Context, c *Client, conn Conn) (any, error) {
				status, err := c.UserStatus(ctx, conn, "o'neil/anna b@x?y#z")
				return status.UserID, err
			},
			"GET " + session + "/status/user-statuses/o%27neil%2Fanna%20b@x%3Fy%23z ", "Anna"},
		{"a user whose id is a way up", "user-status.http",
			func(ctx context.Context, c *Client, conn Conn) (any, error) {
				status, err := c.UserStatus(ctx, conn, "..")
				return status.UserID, err
			},
			"GET " + session + "/status/user-statuses/%2E%2E ", "Anna"},
		{"setting a status", "accepted-202.http", setUserStatus,
			"PUT " + session + `/status/user-statuses/Anna {"statusId":"At Lunch","notes":"back soon"}`, "7"},
		{"the catalogue", "status-messages.http", getCatalogue,
			"GET " + session + "/status/status-messages ",
			[]icwsapi.StatusMessage{{
				StatusID: "At Lunch", MessageText: "Zu Tisch", IconURI: "/icws/resources/lunch.ico", GroupTag: "BREAK",
				CanHaveTime: true, IsDoNotDisturbStatus: true, IsSelectableStatus: true, SystemID: "7",
			}}},
		{"the statuses a user may have", "user-access.http",
			func(ctx context.Context, c *Client, conn Conn) (any, error) { return c.UserAccess(ctx, conn, "Anna") },
			"GET " + session + "/status/status-messages-user-access/Anna ", []string{"Available", "At Lunch"}},
		{"all activations", "activations.http",
			func(ctx context.Context, c *Client, conn Conn) (any, error) { return c.Activations(ctx, conn, "Anna") },
			"GET " + session + "/activations/users/Anna ", map[string]bool{"Sales": false, "Support": true}},
		{"setting activations", "activations.http", without(func(ctx context.Context, c *Client, conn Conn) error {
			return c.SetActivations(ctx, conn, "Anna", map[string]bool{"Sales": false})
		}), "PUT " + session + `/activations/users/Anna {"activations":{"Sales":false}}`, nil},
		{"setting activations, with no word of the result", "empty-200.http", without(func(ctx context.Context, c *Client, conn Conn) error {
			return c.SetActivations(ctx, conn, "Anna", map[string]bool{"Sales": false})
		}), "PUT " + session + `/activations/users/Anna {"activations":{"Sales":false}}`, nil},
		{"the state of a session", "connection-down.http",
			func(ctx context.Context, c *Client, conn Conn) (any, error) { return c.ConnectionState(ctx, conn) },
			"GET " + session + "/connection ",
			icwsapi.ConnectionSettings{ConnectionState: 2, Reason: "A supervisor logged the session out.", ShouldReconnect: pointer(false)}},
		{"logging out", "empty-200.http", logout, "DELETE " + session + "/connection ", nil},
		{"a heartbeat", "empty-200.http", without(func(ctx context.Context, c *Client, conn Conn) error { return c.Heartbeat(ctx, conn) }),
			"POST " + session + "/messaging/heartbeat ", nil},
		{"subscribing to users", "empty-200.http", without(func(ctx context.Context, c *Client, conn Conn) error {
			return c.SubscribeUserStatuses(ctx, conn, []string{"Anna", "bjorn"})
		}), "PUT " + subscriptions + `/status/user-statuses {"userIds":["Anna","bjorn"]}`, nil},
		{"subscribing to the catalogue", "empty-204.http", without(func(ctx context.Context, c *Client, conn Conn) error {
			return c.SubscribeStatusMessages(ctx, conn)
		}), "PUT " + subscriptions + "/status/status-messages ", nil},
		{"subscribing to users' access", "empty-200.http", without(func(ctx context.Context, c *Client, conn Conn) error {
			return c.SubscribeUserAccess(ctx, conn, []string{"Anna"})
		}), "PUT " + subscriptions + `/status/status-messages-user-access {"userIds":["Anna"]}`, nil},
		{"subscribing to activations", "empty-200.http", without(func(ctx context.Context, c *Client, conn Conn) error {
			return c.SubscribeActivations(ctx, conn, "sub/1", "Anna")
		}), "PUT " + subscriptions + `/activations/users/sub%2F1 {"userId":"Anna","workgroupIds":["*"]}`, nil},
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
			got, err := test.call(t.Context(), client, testConn())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if sent != test.sent {
				t.Errorf("sent %s; want %s", sent, test.sent)
			}
			checkHeaders(t, header, !strings.HasSuffix(sent, " "))
		})
	}
}

// checkHeaders checks what every call on testConn sends.
func checkHeaders(t *testing.T, got http.Header, hasBody bool) {
	t.Helper()
	want := map[string]string{
		"Accept":               "application/vnd.inin.icws+JSON",
		"ININ-ICWS-CSRF-Token": "tok/en==",
		"Cookie":               "icws_1402219001=secret|languageId=de",
		"Accept-Language":      "de",
		"Content-Type":         "",
	}
	if hasBody {
		want["Content-Type"] = "application/vnd.inin.icws+JSON; charset=utf-8"
	}
	for name, value := range want {
		if got.Get(name) != value {
			t.Errorf("%s: %q; want %q", name, got.Get(name), value)
		}
	}
}

func TestCallsFail(t *testing.T) {
	html := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>sign in</html>") }
	asJSON := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"userId":"anna","statusId":"Available"}`)
	}
	tests := []struct {
		name  string
		reply http.HandlerFunc
		call  made
		want  error // a fault.Kind
		class string
	}{
		{"the session is gone", kept(t, "401-session.http"), getUserStatus, fault.Unauthenticated, "session"},
		{"the cookie is another session's", kept(t, "401-cookie.http"), getUserStatus, fault.Unauthenticated, "session"},
		{"401 without a body", says(401, ""), getUserStatus, fault.Unauthenticated, "session"},
		{"a property is missing", kept(t, "400-missing-property.http"), setUserStatus, fault.Missing, "invalid_request"},
		{"a property is wrong", kept(t, "400-invalid-property.http"), setUserStatus, fault.Invalid, "invalid_request"},
		{"400 for another reason", says(400, `{"message":"no"}`), setUserStatus, fault.Invalid, "invalid_request"},
		{"400 for a station", says(400, `{"errorId":"-2147221496","message":"no"}`), setUserStatus, fault.Invalid, "not_found"},
		{"no right", says(403, `{"message":"no"}`), setUserStatus, fault.Forbidden, "forbidden"},
		{"no such user", says(404, `{"message":"no"}`), getUserStatus, fault.NotFound, "not_found"},
		{"no longer in the API", says(410, `{"message":"no"}`), getUserStatus, fault.Gone, "removed"},
		{"an internal error", says(500, `{"errorCode":-2147467259,"message":"oh"}`), getUserStatus, fault.BadUpstream, "server"},
		{"not taking sessions", says(503, `{"errorId":"error.server.unavailable","message":"no"}`), getUserStatus, fault.Unreachable, "not_accepting"},
		{"503 of a proxy", says(503, `<html>`), getUserStatus, fault.BadUpstream, "server"},
		{"a redirect", http.RedirectHandler("/login", http.StatusFound).ServeHTTP, getUserStatus, fault.BadUpstream, "other"},
		{"wrong method", says(405, `{"errorId":"error.request.accessDenied.httpMethodNotAllowed"}`), logout, fault.BadUpstream, "invalid_request"},
		{"a page of a proxy", html, getUserStatus, fault.BadUpstream, "garbage"},
		{"the wrong content type", asJSON, getUserStatus, fault.BadUpstream, "garbage"},
		{"no JSON", says(200, `{"userId":`), getUserStatus, fault.BadUpstream, "garbage"},
		{"an array for an object", says(200, `[]`), getUserStatus, fault.BadUpstream, "garbage"},
		{"no body where one is needed", kept(t, "empty-200.http"), getUserStatus, fault.BadUpstream, "garbage"},
		{"204 where a body is needed", kept(t, "empty-204.http"), getUserStatus, fault.BadUpstream, "garbage"},
		{"a status without its id", says(200, `{"userId":"anna"}`), getUserStatus, fault.BadUpstream, "garbage"},
		{"an empty 202", says(202, ""), setUserStatus, fault.BadUpstream, "garbage"},
		{"a 202 without request id", says(202, "{}"), setUserStatus, fault.BadUpstream, "garbage"},
		{"a catalogue without its list", says(200, "{}"), getCatalogue, fault.BadUpstream, "garbage"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			client, reg := newClient(t, at(test.reply), nil)
			got, err := test.call(t.Context(), client, testConn())
			if fault.KindOf(err) != test.want {
				t.Errorf("call = %v, %v; want %v", got, err, test.want)
			}
			if gone := errors.Is(err, ErrSessionGone); gone != (test.want == fault.Unauthenticated) {
				t.Errorf("errors.Is(%v, ErrSessionGone) = %v", err, gone)
			}
			if strings.Contains(fmt.Sprint(err), "1402219001") {
				t.Errorf("error %q names the session", err)
			}
			n := value(t, reg, "portico_upstream_api_errors_total", map[string]string{"error": test.class})
			if all := value(t, reg, "portico_upstream_api_errors_total", nil); n != 1 || all != 1 {
				t.Errorf("api errors of class %s = %v, of all = %v; want 1 each", test.class, n, all)
			}
		})
	}
}

func TestCallsTimeOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := newClient(t, at(http.HandlerFunc(hang)), func(s *Settings) { s.Timeout = 3 * time.Second })
		began := time.Now()
		_, err := setUserStatus(t.Context(), client, testConn())
		if !errors.Is(err, fault.Timeout) || time.Since(began) != 3*time.Second {
			t.Errorf("SetUserStatus = %v after %v; want %v after 3s", err, time.Since(began), fault.Timeout)
		}
	})
}

func TestCallsCannotReachTheHost(t *testing.T) {
	client, _ := newClient(t, at(nil), func(s *Settings) { s.HTTP = nowhere{} })
	_, err := setUserStatus(t.Context(), client, testConn())
	want := `icws: set status "At Lunch": ` + fault.Unreachable.Error()
	if !errors.Is(err, fault.Unreachable) || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("SetUserStatus = %v; want %s", err, want)
	}
}

// nowhere is a transport without hosts.
type nowhere struct{}

func (nowhere) RoundTrip(*http.Request) (*http.Response, error) { return nil, io.EOF }

func TestLongAnswersAreRefused(t *testing.T) {
	long := says(200, `{"userId":"anna","statusId":"`+strings.Repeat("x", maxReply)+`"}`)
	client, _ := newClient(t, at(long), nil)
	_, err := getUserStatus(t.Context(), client, testConn())
	if !errors.Is(err, fault.BadUpstream) {
		t.Errorf("UserStatus with a long answer = %v; want %v", err, fault.BadUpstream)
	}
	catalogue := says(200, `{"statusMessageList":[{"statusId":"`+strings.Repeat("x", maxReply)+`"}]}`)
	client, _ = newClient(t, at(catalogue), nil)
	_, err = client.StatusMessages(t.Context(), testConn())
	if err != nil {
		t.Errorf("StatusMessages with as long an answer = %v; want success", err)
	}
}

func TestErrorID(t *testing.T) {
	client, _ := newClient(t, at(kept(t, "400-invalid-property.http")), nil)
	_, err := setUserStatus(t.Context(), client, testConn())
	if got, want := ErrorID(err), icwsapi.ErrorInvalidProperty; got != want {
		t.Errorf("ErrorID(%v) = %q; want %q", err, got, want)
	}
	if got, want := fault.Public(err), `PureConnect refused "until"`; got != want {
		t.Errorf("callers read %q; want %q", got, want)
	}
	if got := ErrorID(io.EOF); got != "" {
		t.Errorf("ErrorID(io.EOF) = %q; want none", got)
	}
}

func TestSessionless(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("GET /icws/connection/version", kept(t, "version.http"))
	mux.Handle("GET /icws/connection/server-info", kept(t, "server-info.http"))
	client, reg := newClient(t, at(mux), nil)
	version, _, err := client.version(t.Context())
	if err != nil || version.MajorVersion != "17" {
		t.Errorf("version = %+v, %v; want major version 17", version, err)
	}
	info, err := client.ServerInfo(t.Context())
	if err != nil || len(info.Languages) != 2 || info.Languages[1].LanguageID != "de" {
		t.Errorf("ServerInfo = %+v, %v; want en-us and de", info, err)
	}
	err = client.Probe(t.Context())
	if err != nil || value(t, reg, "portico_site_up", nil) != 1 {
		t.Errorf("Probe = %v with site_up %v; want 1", err, value(t, reg, "portico_site_up", nil))
	}
	if value(t, reg, "portico_site_info", map[string]string{"version": "17.3.2", "host": "ic1.example", "kind": "icws"}) != 1 {
		t.Error("portico_site_info does not tell of version 17.3.2 at ic1.example")
	}
}

func TestProbeFails(t *testing.T) {
	client, reg := newClient(t, at(says(500, "")), nil)
	client.Metrics().Up(true)
	err := client.Probe(t.Context())
	if !errors.Is(err, fault.BadUpstream) || value(t, reg, "portico_site_up", nil) != 0 {
		t.Errorf("Probe = %v with site_up %v; want %v and 0", err, value(t, reg, "portico_site_up", nil), fault.BadUpstream)
	}
}
