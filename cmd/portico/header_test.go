package main

import (
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"portico/config"
)

// requestOf returns a request whose line and headers are of a length, in bytes.
func requestOf(length int) string {
	const head, tail = "GET / HTTP/1.1\r\nHost: x\r\nX-Long: ", "\r\n\r\n"
	return head + strings.Repeat("x", length-len(head)-len(tail)) + tail
}

// TestLongHeadersAreRefused holds a new connection to limits.header, but for a few bytes, and one that has served to
// what net/http reads ahead of a request beyond it.
func TestLongHeadersAreRefused(t *testing.T) {
	for _, limit := range []int{4 << 10, 32 << 10} {
		s := openServer(t, http.NotFoundHandler(), func(s *server) {
			limits := config.Default().Limits
			limits.Header = config.Bytes(limit)
			s.bound(limits, nil)
		})
		expect := func(conn *handmade, length, want int) {
			t.Helper()
			conn.send(requestOf(length))
			reply, err := http.ReadResponse(conn.in, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, reply.Body)
			if reply.StatusCode != want {
				t.Errorf("limit %d: a request of %d bytes = %d; want %d", limit, length, reply.StatusCode, want)
			}
		}
		served := dial(t, s.address())
		expect(served, limit, http.StatusNotFound)
		expect(served, limit, http.StatusNotFound)
		expect(served, limit+readAhead+10, http.StatusRequestHeaderFieldsTooLarge)
		expect(dial(t, s.address()), limit+10, http.StatusRequestHeaderFieldsTooLarge)
	}
}

// Over HTTPS what HTTP/2 lets through is no less than the limit, however small that is.
func TestHTTP2TakesHeadersUpToTheLimit(t *testing.T) {
	files := filesIn(t.TempDir())
	certify(t, files, "us")
	s := secured(t, files, slog.New(slog.DiscardHandler), func(limits *config.Limits) { limits.Header = 4 << 10 })
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+s.address(), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Long", strings.Repeat("x", 3900))
	reply, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = reply.Body.Close()
	if reply.StatusCode != http.StatusOK || reply.ProtoMajor != 2 {
		t.Errorf("%d %s; want 200 over HTTP/2", reply.StatusCode, reply.Proto)
	}
}
