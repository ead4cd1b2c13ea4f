package htcc

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/proxy/fault"
	"portico/proxy/upstream/memhttp"
)

// passing returns a door that passes everything through on a session, and what its ErrorHandler got.
func passing(t testing.TB, site http.Handler, conn Conn) (*httptest.Server, *Session, chan error, func(name string, labels map[string]string) float64) {
	t.Helper()
	client, reg := newClient(t, memhttp.Network{"gws1.example:8090": site}, nil)
	session := Resume(conn)
	failed := make(chan error, 1)
	door := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { client.Rewrite(r, session) },
		Transport:      client.Transport(),
		ModifyResponse: func(res *http.Response) error { return client.Observe(res, session) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			failed <- err
			w.WriteHeader(http.StatusTeapot)
		},
	})
	t.Cleanup(door.Close)
	return door, session, failed, func(name string, labels map[string]string) float64 { return value(t, reg, name, labels) }
}

// ask sends a request as a browser would, and returns the answer with its body.
func ask(t testing.TB, door *httptest.Server, method, path, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, door.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{
		"Cookie": {"JSESSIONID=ours"}, "Authorization": {"Basic b3Vycw=="}, "X-Csrf-Token": {"ours"},
		"Origin": {"https://agents.example"}, "X-Other": {"kept"},
	}
	res, err := door.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(content)
}

func TestPassThrough(t *testing.T) {
	var got *http.Request
	site := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		got = r
		for name, value := range map[string]string{
			"Set-Cookie": "AWSELB=4F2A; Path=/", "X-CSRF-HEADER": "X-CSRF-TOKEN", "X-CSRF-TOKEN": "fresh",
			"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": "true", "X-Other": "kept",
		} {
			w.Header().Set(name, value)
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write(content)
	})
	door, session, _, value := passing(t, site, testConn())
	res, content := ask(t, door, http.MethodPost, "/internal-api/a%2Fb?x=1", "hello")
	if res.StatusCode != http.StatusCreated || content != "hello" || res.Header.Get("X-Other") != "kept" {
		t.Errorf("answer = %d %q %v; want what the site answered", res.StatusCode, content, res.Header)
	}
	for _, name := range []string{"Set-Cookie", "X-Csrf-Header", "X-Csrf-Token", "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"} {
		if values := res.Header.Values(name); values != nil {
			t.Errorf("the caller sees %s: %q", name, values)
		}
	}
	if got.Host != "gws1.example:8090" || got.RequestURI != "/internal-api/a%2Fb?x=1" {
		t.Errorf("the site saw %s%s; want its own host and the same path", got.Host, got.RequestURI)
	}
	want := map[string]string{"Cookie": testConn().Cookie, "X-Csrf-Token": "to-ken", "X-Other": "kept", "Authorization": "", "Origin": ""}
	for name, value := range want {
		if sent := got.Header.Get(name); sent != value {
			t.Errorf("the site saw %s: %q; want %q", name, sent, value)
		}
	}
	conn := testConn()
	conn.Cookie, conn.CSRFToken = conn.Cookie+"; AWSELB=4F2A", "fresh"
	if session.Snapshot() != conn {
		t.Errorf("the session became %s; want %s", mustJSON(t, session.Snapshot()), mustJSON(t, conn))
	}
	if n := value("portico_upstream_requests_total", map[string]string{"operation": "passthrough", "code": "201", "cause": "client"}); n != 1 {
		t.Errorf("requests = %v; want 1", n)
	}
}

func TestPassThroughKeepsTheBasesPath(t *testing.T) {
	var got string
	site := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.RequestURI })
	conn := testConn()
	conn.Base += "/gws"
	door, _, _, _ := passing(t, site, conn)
	ask(t, door, http.MethodGet, "/api/v2/contacts", "")
	if got != "/gws/api/v2/contacts" {
		t.Errorf("the site saw %s; want /gws/api/v2/contacts", got)
	}
}

func TestPassThroughFollowsNoRedirect(t *testing.T) {
	door, _, _, _ := passing(t, http.RedirectHandler("http://evil.example/", http.StatusFound), testConn())
	door.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, _ := ask(t, door, http.MethodGet, "/api/v2/documents", "")
	if res.StatusCode != http.StatusFound {
		t.Errorf("answer = %d; want the redirect itself", res.StatusCode)
	}
}

func TestPassThroughKnowsTheEndOfTheSession(t *testing.T) {
	long := `{"statusCode":5,"statusMessage":"` + strings.Repeat("x", 10*maxPeek) + `"}`
	packed := func(text string) http.HandlerFunc {
		var body bytes.Buffer
		w := gzip.NewWriter(&body)
		_, _ = io.WriteString(w, text)
		_ = w.Close()
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write(body.Bytes())
		}
	}
	tests := []struct {
		name string
		site http.HandlerFunc
		want error  // nil for an answer that is the caller's
		body string // of such an answer
	}{
		{"gone", kept(t, "403-denied.http"), ErrSessionGone, ""},
		{"gone, in the dialect without codes", kept(t, "403-denied-status.http"), ErrSessionGone, ""},
		{"gone, packed", packed(`{"statusCode":20}`), ErrSessionGone, ""},
		{"a 401", says(401, "x"), ErrSessionGone, ""},
		{"a token refused", kept(t, "403-csrf.http"), ErrTokenRefused, ""},
		{"no permission", says(403, `{"statusCode":5}`), nil, `{"statusCode":5}`},
		{"no permission, packed", packed(`{"statusCode":5}`), nil, `{"statusCode":5}`},
		{"no permission, at length", says(403, long), nil, long},
		{"a page", says(403, `<html>`), nil, `<html>`},
		{"nothing", says(403, ``), nil, ``},
		{"a 200 that looks like it", says(200, `{"statusCode":20}`), nil, `{"statusCode":20}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			door, _, failed, _ := passing(t, test.site, testConn())
			res, content := ask(t, door, http.MethodGet, "/api/v2/contacts", "")
			if (res.StatusCode == http.StatusTeapot) != (test.want != nil) || test.want == nil && content != test.body {
				t.Errorf("answer = %d %.100q; want %v", res.StatusCode, content, test.want)
			}
			if test.want == nil {
				return
			}
			err := <-failed
			if !errors.Is(err, test.want) {
				t.Errorf("Observe = %v; want %v", err, test.want)
			}
			checkText(t, err)
		})
	}
}

func TestPassThroughToNobody(t *testing.T) {
	for _, base := range []string{"http://gone.example:8090", "://", ""} {
		conn := testConn()
		conn.Base = base
		door, _, failed, _ := passing(t, nil, conn)
		ask(t, door, http.MethodGet, "/api/v2/contacts", "")
		err := <-failed
		if !errors.Is(err, fault.Unreachable) {
			t.Errorf("passed through to %q: %v; want %v", base, err, fault.Unreachable)
		}
	}
}

// A refusal that breaks off is passed on as far as it goes, and breaks off there too.
func TestObserveKeepsABodyThatBreaksOff(t *testing.T) {
	res := &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}, Body: io.NopCloser(io.MultiReader(
		strings.NewReader(`{"statusCode":`), failing{io.ErrUnexpectedEOF}))}
	client, _ := newClient(t, nil, nil)
	err := client.Observe(res, Resume(testConn()))
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(res.Body)
	got := fmt.Sprintf("%s %v", content, err)
	if want := `{"statusCode": unexpected EOF`; got != want {
		t.Errorf("body = %s; want %s", got, want)
	}
	if diff := cmp.Diff(http.Header{}, res.Header); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}
