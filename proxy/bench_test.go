package proxy

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// BenchmarkDoor measures requests from the door to the gateway and back, without sockets towards the
// caller: what an agent's application asks for most. All but the POST make no call to the site.
func BenchmarkDoor(b *testing.B) {
	w := newDoor(b, func(k *knobs) { k.door.Logger = slog.New(slog.NewJSONHandler(io.Discard, nil)) })
	first := w.as("anna").get("/me/status-messages")
	cookie := "JSESSIONID=" + cookieOf(first)
	for _, bench := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
	}{
		{"status messages", "GET", "/me/status-messages", "", nil, 200},
		{"status messages, gzip", "GET", "/me/status-messages", "", []string{"Accept-Encoding", "gzip, deflate, br"}, 200},
		{"status messages, held", "GET", "/me/status-messages", "", []string{"If-None-Match", first.header.Get("Etag")}, 304},
		{"status messages, by password", "GET", "/me/status-messages", "", []string{"Authorization", basicAuth("anna", "anna")}, 200},
		{"me", "GET", "/api/v2/me", "", nil, 200},
		{"me with all", "GET", "/api/v2/me?subresources=*", "", nil, 200},
		{"operation", "POST", "/api/v2/me", `{"operationName":"DoNotDisturbOff"}`, nil, 200},
	} {
		b.Run(bench.name, func(b *testing.B) {
			request := httptest.NewRequest(bench.method, bench.path, nil)
			request.Header.Set("Cookie", cookie)
			for i := 0; i < len(bench.headers); i += 2 {
				request.Header.Set(bench.headers[i], bench.headers[i+1])
			}
			body := strings.NewReader("")
			request.Body = io.NopCloser(body)
			got := &discarded{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				body.Reset(bench.body)
				clear(got.header)
				w.handler.ServeHTTP(got, request)
				if got.status != bench.status {
					b.Fatalf("status %d; want %d", got.status, bench.status)
				}
			}
		})
	}
}

// discarded is a ResponseWriter that keeps the status only.
type discarded struct {
	header http.Header
	status int
}

func (d *discarded) Header() http.Header         { return d.header }
func (d *discarded) WriteHeader(status int)      { d.status = status }
func (d *discarded) Write(b []byte) (int, error) { return len(b), nil }
