package htcc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
)

func TestConnIsStoredWhole(t *testing.T) {
	stored, err := json.Marshal(testConn())
	if err != nil {
		t.Fatal(err)
	}
	var got Conn
	err = json.Unmarshal(stored, &got)
	if err != nil {
		t.Fatal(err)
	}
	if got != testConn() {
		t.Errorf("after a round trip %s; want %s", mustJSON(t, got), stored)
	}
}

func mustJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestSecretsAreNotPrinted(t *testing.T) {
	conn, credentials := testConn(), bjorn
	session := Resume(conn)
	var printed bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{conn, &conn, []Conn{conn}, struct{ C Conn }{conn}, session, []*Session{session},
			credentials, &credentials, struct{ C Credentials }{credentials}} {
			fmt.Fprintf(&printed, verb+"\n", v)
		}
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&printed, nil), slog.NewJSONHandler(&printed, nil)} {
		slog.New(handler).Info("look", "conn", conn, "session", session, "credentials", credentials)
	}
	for _, secret := range []string{"node01secret", conn.CSRFToken, "brow5er", credentials.Password} {
		if strings.Contains(printed.String(), secret) {
			t.Errorf("%q was printed:\n%s", secret, printed.String())
		}
	}
	if want := `connection of user "bjorn" at gws1.example:8090`; conn.String() != want {
		t.Errorf("String() = %s; want %s", conn, want)
	}
	for _, v := range []any{credentials, session} {
		_, err := json.Marshal(v)
		if err == nil {
			t.Errorf("%T was written as JSON", v)
		}
	}
}

func TestSessionKeepsUpWithAnswers(t *testing.T) {
	tests := []struct {
		name   string
		header http.Header
		change func(*Conn)
	}{
		{"an answer that sets nothing", http.Header{"Content-Type": {"text/plain"}}, func(*Conn) {}},
		{"another cookie", http.Header{"Set-Cookie": {"AWSELB=4F2A; PATH=/"}},
			func(c *Conn) { c.Cookie = "JSESSIONID=node01secret; BAYEUX_BROWSER=brow5er; AWSELB=4F2A" }},
		{"another token", http.Header{"X-Csrf-Header": {"X-CSRF-TOKEN"}, "X-Csrf-Token": {"new"}},
			func(c *Conn) { c.CSRFToken = "new" }},
		{"a token without the name of its header", http.Header{"X-Csrf-Token": {"new"}}, func(c *Conn) { c.CSRFToken = "new" }},
		{"a token for a header of another name", http.Header{"X-Csrf-Header": {"X-XSRF"}, "X-Csrf-Token": {"new"}},
			func(c *Conn) { c.CSRFHeader, c.CSRFToken = "X-XSRF", "new" }},
		{"a token in a header of another name", http.Header{"X-Csrf-Header": {"X-XSRF"}, "X-Xsrf": {"new"}},
			func(c *Conn) { c.CSRFHeader, c.CSRFToken = "X-XSRF", "new" }},
		{"a name without a token", http.Header{"X-Csrf-Header": {"X-CSRF-TOKEN"}}, func(*Conn) {}},
		{"a name that is none", http.Header{"X-Csrf-Header": {"a b"}, "X-Csrf-Token": {"new"}}, func(*Conn) {}},
		{"a name that means something else", http.Header{"X-Csrf-Header": {"cookie"}, "X-Csrf-Token": {"new"}}, func(*Conn) {}},
		{"a token that cannot be sent", http.Header{"X-Csrf-Token": {"a\nb"}}, func(*Conn) {}},
		{"a token without end", http.Header{"X-Csrf-Token": {strings.Repeat("x", maxToken+1)}}, func(*Conn) {}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			session := Resume(testConn())
			session.observe(test.header, "")
			want := testConn()
			test.change(&want)
			if got := session.Snapshot(); got != want {
				t.Errorf("Conn is %s; want %s", mustJSON(t, got), mustJSON(t, want))
			}
		})
	}
}

func TestAuthorize(t *testing.T) {
	tests := []struct {
		method string
		token  string
		want   string // the token sent
	}{
		{http.MethodGet, "t", ""}, {http.MethodHead, "t", ""}, {http.MethodOptions, "t", ""},
		{http.MethodPost, "t", "t"}, {http.MethodPut, "t", "t"}, {http.MethodDelete, "t", "t"}, {http.MethodPost, "", ""},
	}
	for _, test := range tests {
		conn := testConn()
		conn.CSRFToken = test.token
		req := mustRequest(t)
		req.Method = test.method
		req.Header = http.Header{"Cookie": {"JSESSIONID=ours"}, "Authorization": {"Basic x"}, "X-Csrf-Token": {"ours"}}
		Resume(conn).authorize(req)
		if got := req.Header.Get("X-CSRF-TOKEN"); got != test.want {
			t.Errorf("%s with token %q sends %q; want %q", test.method, test.token, got, test.want)
		}
		if req.Header.Get("Cookie") != conn.Cookie || req.Header.Get("Authorization") != "" {
			t.Errorf("%s sends %v; want the session's cookies alone", test.method, req.Header)
		}
	}
}

// An answer that was made before the token changed may come after one that shows the new.
func TestALateAnswerBringsNoOldTokenBack(t *testing.T) {
	session := Resume(testConn())
	before := session.authorize(mustRequest(t))
	old, renewed := http.Header{"X-Csrf-Token": {before}}, http.Header{"X-Csrf-Token": {"new"}}
	session.observe(renewed, before)
	session.observe(old, before)
	if got := session.Snapshot().CSRFToken; got != "new" {
		t.Errorf("token = %q after a late answer with %q; want new", got, before)
	}
	session.observe(old, "new") // the server's latest word, old or not
	if got := session.Snapshot().CSRFToken; got != before {
		t.Errorf("token = %q; want %q, which the server shows now", got, before)
	}
}

// Answers of calls made side by side each leave what they set.
func TestSessionIsForManyGoroutines(t *testing.T) {
	session := Resume(Conn{Base: base1})
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			session.observe(http.Header{"Set-Cookie": {fmt.Sprintf("c%d=1", i)}, "X-Csrf-Token": {"t"}}, "")
			session.authorize(mustRequest(t))
		})
	}
	all.Wait()
	if n := strings.Count(session.Snapshot().Cookie, "=1"); n != 20 {
		t.Errorf("%d cookies; want 20", n)
	}
}
