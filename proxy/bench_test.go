package proxy

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"portico/proxy/gateway"
	"portico/proxy/icws/icwssim"
)

// BenchmarkDoor measures requests from the door to the gateway and back, without sockets towards the
// caller: what an agent's application asks for most. All but the POST make no call to the site.
func BenchmarkDoor(b *testing.B) {
	w := newPushing(b, func(k *knobs) { k.door.Logger = slog.New(slog.NewJSONHandler(io.Discard, nil)) })
	first := w.as("anna").get("/me/status-messages")
	cookie := "JSESSIONID=" + cookieOf(first)
	page := w.with(cookieOf(first)).shake(notificationsPath)
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
		{"connect", "POST", "/api/v2/notifications/connect", fmt.Sprintf(`[{"id":"3","channel":"/meta/connect","connectionType":"long-polling","clientId":%q,"advice":{"timeout":0}}]`, page),
			[]string{"Content-Type", "application/json;charset=UTF-8", "Origin", "https://agents.example"}, 200},
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

// BenchmarkChangeVisible measures the time from a change at the site, made as if by another client, until
// GET /me shows it: over the site's event stream and through the gateway, with sockets.
func BenchmarkChangeVisible(b *testing.B) {
	w := newDoor(b)
	anna := w.with(cookieOf(w.as("anna").get("/me")))
	shows := func(status string) bool {
		return strings.Contains(anna.get("/me/channels/voice").body, `"reason":"`+status+`"`)
	}
	set := func(status string) {
		err := w.sim.SetState(icwssim.StateChange{User: "anna", StatusID: &status})
		if err != nil {
			b.Fatal(err)
		}
	}
	set("At Play")
	eventually(b, "the reader receives", func() bool { return shows("At Play") })
	statuses := []string{"At Lunch", "At Play"}
	var took []time.Duration
	for b.Loop() {
		status := statuses[len(took)%2]
		began := time.Now()
		set(status)
		for !shows(status) {
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	for _, p := range []int{50, 99} {
		b.ReportMetric(took[(len(took)-1)*p/100].Seconds()*1000, fmt.Sprintf("p%d-ms", p))
	}
}

// BenchmarkWrite measures a change of state from the door to the site and back, and what the site then tells of it
// on the agent's stream: with sockets towards the site, and with what the simulator of that uses.
func BenchmarkWrite(b *testing.B) {
	w := newPushing(b, func(k *knobs) { k.door.Logger = slog.New(slog.NewJSONHandler(io.Discard, nil)) })
	cookie := "JSESSIONID=" + cookieOf(w.as("anna").get("/me"))
	body := strings.NewReader("")
	request := httptest.NewRequest("POST", "/api/v2/me", io.NopCloser(body))
	request.Header.Set("Cookie", cookie)
	got := &discarded{header: http.Header{}}
	operations := []string{`{"operationName":"AtLunch"}`, `{"operationName":"NotReady"}`} // neither changes activations
	n := 0
	write := func() {
		body.Reset(operations[n%2])
		clear(got.header)
		w.handler.ServeHTTP(got, request)
		if got.status != http.StatusOK {
			b.Fatalf("status %d; want 200", got.status)
		}
		n++
	}
	for range 10 {
		write()
	}
	b.ReportAllocs()
	began := processorTime()
	for b.Loop() {
		write()
	}
	b.ReportMetric(float64((processorTime()-began).Nanoseconds())/1000/float64(b.N), "cpu-µs/op")
}

// discarded is a ResponseWriter that keeps the status only.
type discarded struct {
	header http.Header
	status int
}

func (d *discarded) Header() http.Header         { return d.header }
func (d *discarded) WriteHeader(status int)      { d.status = status }
func (d *discarded) Write(b []byte) (int, error) { return len(b), nil }

// As a connection has them: without, what sets them makes errors.

func (d *discarded) SetReadDeadline(time.Time) error  { return nil }
func (d *discarded) SetWriteDeadline(time.Time) error { return nil }

// BenchmarkRefusal measures what a wrong log-in costs that is not asked of a site: one past its limit at
// the name of an agent who works here, one at a name that has no route, and one that was refused before.
func BenchmarkRefusal(b *testing.B) {
	w := newDoor(b, func(k *knobs) {
		k.door.Logger = slog.New(slog.NewJSONHandler(io.Discard, nil))
		k.gateway.Route = func(login string) (gateway.Route, bool) {
			if strings.HasPrefix(login, "nobody") {
				return gateway.Route{}, false
			}
			return route(login)
		}
	})
	w.as("anna").get("/me")
	for _, bench := range []struct {
		name, login string
		repeated    bool
	}{
		{"an agent's name", "anna", false},
		{"a name without a route", "nobody", false},
		{"the same again", "cleo", true},
	} {
		b.Run(bench.name, func(b *testing.B) {
			request := httptest.NewRequest("GET", "/api/v2/me", nil)
			got := &discarded{header: http.Header{}}
			n := 0
			try := func() {
				if !bench.repeated || n == 0 {
					n++
					request.SetBasicAuth(bench.login, fmt.Sprint("guess", n))
				}
				clear(got.header)
				w.handler.ServeHTTP(got, request)
				if got.status != http.StatusForbidden && got.status != http.StatusTooManyRequests {
					b.Fatalf("status %d; want a refusal", got.status)
				}
			}
			for range 10 {
				try()
			}
			b.ReportAllocs()
			began := processorTime()
			for b.Loop() {
				try()
			}
			b.ReportMetric(float64((processorTime()-began).Nanoseconds())/1000/float64(b.N), "cpu-µs/op")
		})
	}
}
