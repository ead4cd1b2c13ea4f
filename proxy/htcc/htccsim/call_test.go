package htccsim

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// raw sends the text of a request, whose writer then says no more, and returns the answer.
func (c *client) raw(text string) received {
	c.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.base, "http://"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close()
	_, err = io.WriteString(conn, text)
	if err != nil {
		c.t.Fatal(err)
	}
	err = conn.(*net.TCPConn).CloseWrite()
	if err != nil {
		c.t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		c.t.Fatalf("%q: %v", text, err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return received{res.StatusCode, res.Header, string(body)}
}

// TestBodiesThatBreakOffAreRefused since an operation of which a half was read must not look done.
func TestBodiesThatBreakOffAreRefused(t *testing.T) {
	const unreadable = `{"statusCode":2,"statusMessage":"The request body cannot be read"}`
	authorized := "Authorization: " + basic("bjorn", "bjorn")[1] + "\r\n"
	for _, test := range []struct {
		name, route, header, body string
		status                    int
		want                      string
	}{
		{"shorter than it says", "POST /api/v2/me", authorized + "Content-Length: 200\r\n", `{"operationName":"NotReady"}`, 400, unreadable},
		{"a chunk without length", "POST /api/v2/me", authorized + "Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n", 400, unreadable},
		{"a document", "POST /api/v2/documents", authorized + "Content-Length: 200\r\n", "half", 400, unreadable},
		{"of nobody", "POST /api/v2/me", "Content-Length: 200\r\n", `{`, 403, deniedBody},
		{"of no path", "POST /api/v2/moods", authorized + "Content-Length: 200\r\n", `{`, 404, `{"statusCode":6,"statusMessage":"Resource not found"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &Server{}
			c := overNetwork(t, s)
			s.Reset()
			got := c.raw(test.route + " HTTP/1.1\r\nHost: htcc.example\r\n" + test.header + "\r\n" + test.body)
			if got.status != test.status || got.body != test.want {
				t.Errorf("%s = %d %q; want %d %s", test.route, got.status, got.body, test.status, test.want)
			}
			if calls, log := s.Calls(), s.Log(); len(calls) != 1 || len(log) != 1 {
				t.Errorf("calls = %v, log = %+v; want one call", calls, log)
			}
		})
	}
}

// TestAnUnreadOperationIsLogged as refused.
func TestAnUnreadOperationIsLogged(t *testing.T) {
	s := &Server{}
	c := overNetwork(t, s)
	s.Reset()
	c.raw("POST /api/v2/me HTTP/1.1\r\nHost: htcc.example\r\nAuthorization: " + basic("bjorn", "bjorn")[1] + "\r\nContent-Length: 9\r\n\r\n{")
	log := s.Log()
	if len(log) != 1 || log[0].Route != "POST /api/v2/me" || log[0].Status != 400 || log[0].Outcome != "statusCode 2" || log[0].User != "bjorn" {
		t.Errorf("log = %+v; want the refusal", log)
	}
}
