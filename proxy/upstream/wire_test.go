package upstream

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzRequest holds what is written here to what net/http writes.
func FuzzRequest(f *testing.F) {
	f.Add("PUT", "http://pc.example:8018/icws/12/status/user-statuses/anna", "Cookie", "icws_12=a-b-c", "Accept-Language", "en-us", `{"statusId":"Available"}`)
	f.Add("DELETE", "https://[::1]/a%20b?include=features,version", "Inin-Icws-Csrf-Token", "dG9r=", "", "", "")
	f.Add("POST", "http://pc.example", "X", " spaces ", "Host", "other.example", "x")
	f.Add("PUT", "http://pc.example/", "X", "a\r\nY: b", "Connection", "close", "")
	f.Add("PUT", "http://pc.example?", "Content-Length", "7", "content-length", "8", "")
	f.Fuzz(func(t *testing.T, method, target, name, value, name2, value2, body string) {
		u, err := url.Parse(target)
		if err != nil {
			return // no request is made for it
		}
		build := func() *http.Request {
			req := &http.Request{Method: method, URL: u, Header: http.Header{name: {value}, name2: {value2, value}}}
			if body != "" {
				req.Body, req.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
			}
			return req
		}
		got, ok, err := appendRequest(nil, build())
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return // net/http writes it
		}
		var want bytes.Buffer
		err = build().Write(&want)
		if err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Errorf("written as %q; net/http writes %q, %v", got, want.Bytes(), err)
		}
	})
}

func TestRequestsOfSitesArePlain(t *testing.T) {
	for _, method := range []string{"PUT", "POST", "DELETE"} {
		req := newPut(t, t.Context(), "http://ic1.example:8018/icws/123/status/user-statuses/anna%20b", `{"statusId":"Available"}`)
		req.Method = method
		req.Header.Set("ININ-ICWS-CSRF-Token", "abc=")
		_, ok, err := appendRequest(nil, req)
		if !ok || err != nil {
			t.Errorf("a %s is left to net/http, %v", method, err)
		}
	}
}

// TestWholeBodiesAreSent has a body be shorter than announced: the call after it would be taken for its rest.
func TestWholeBodiesAreSent(t *testing.T) {
	req := newPut(t, t.Context(), "http://pc.example/", "x")
	req.ContentLength = 2
	_, _, err := appendRequest(nil, req)
	if err == nil {
		t.Error("half a body is sent; want an error")
	}
}

// siteAnswers are answers to changes as sites give them.
var siteAnswers = []string{
	"HTTP/1.1 202 Accepted\r\nContent-Type: application/vnd.inin.icws+JSON; charset=utf-8\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: 17\r\n\r\n{\"requestId\":\"1\"}",
	"HTTP/1.1 200 OK\r\ncache-control: no-cache, no-store, must-revalidate\r\nPragma: no-cache\r\nExpires: 0\r\nConnection: Keep-Alive\r\nSet-Cookie: a=b; path=/icws\r\nSet-Cookie: c=d\r\ncontent-length: 0\r\n\r\n",
}

func TestAnswersOfSitesArePlain(t *testing.T) {
	for _, text := range siteAnswers {
		_, ok := parseAnswer([]byte(text))
		if !ok {
			t.Errorf("%q is left to net/http", text)
		}
	}
}

// FuzzAnswer holds what is read here to what net/http reads.
func FuzzAnswer(f *testing.F) {
	for _, text := range append(siteAnswers,
		"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 202 Accepted\r\nContent-Length: +2\r\n\r\nok",
		"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok",
		"HTTP/1.1 202 Accepted\r\nContent-Length : 2\r\n\r\nok",
		"HTTP/1.1 202 Accepted\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 202 Accepted\r\nPragma: no-cache\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 202 Accepted\r\nConnection: keep-alive, close\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 103 Early Hints\r\nContent-Length: 0\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 202 Accepted\nContent-Length: 2\n\nok",
		"HTTP/1.1 202\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.0 202 Accepted\r\nContent-Length: 0\r\n\r\n",
	) {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, ok := parseAnswer(text)
		if !ok || len(text) < got.head+got.body {
			return // net/http reads it, or it has not come whole
		}
		in := bufio.NewReader(bytes.NewReader(text))
		want, err := http.ReadResponse(in, &http.Request{Method: http.MethodPut})
		if err != nil {
			t.Fatalf("net/http reads %q with %v; want an answer", text, err)
		}
		body, err := io.ReadAll(want.Body)
		if err != nil || string(body) != string(text[got.head:got.head+got.body]) || in.Buffered() != len(text)-got.head-got.body {
			t.Errorf("the body of %q is %q to net/http, %v", text, body, err)
		}
		header := Reply{lines: text[got.lines:got.head]}.Header()
		if got.status != want.StatusCode || want.Close || want.Uncompressed || !cmp.Equal(header, want.Header) {
			t.Errorf("%q is read as %d %v; net/http reads %d %v, the last on its connection: %v", text, got.status, header, want.StatusCode, want.Header, want.Close)
		}
	})
}
