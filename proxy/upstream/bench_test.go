package upstream

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// answering is a transport that costs next to nothing.
type answering struct{}

func (answering) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

// BenchmarkCall tells what the limits of a site add to a call.
func BenchmarkCall(b *testing.B) {
	limits := Limits{Calls: 256, CallWait: time.Second, BreakerCalls: 20, BreakerWithin: 10 * time.Second, BreakerPause: 5 * time.Second, Retries: 0.1}
	for name, limits := range map[string]Limits{"without limits": {}, "with limits": limits} {
		caller, _ := newCaller(b, answering{})
		caller.Guard = NewGuard(caller.Site, limits, nil)
		req := newRequest(b, b.Context(), "http://ic1.example:8018/")
		for kind, do := range map[string]func(*http.Request, string, int64) (Reply, error){"once": caller.Do, "repeatable": caller.DoRepeatable} {
			b.Run(name+", "+kind, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					_, err := do(req, "get", 100)
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkCalls measures a call over a connection that is kept, with what the host does for it, by http.Transport
// and by Calls.
func BenchmarkCalls(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{"requestId":"1"}`)
	}))
	defer server.Close()
	transport := newTransport(b)
	for name, calls := range map[string]*Calls{"http.Transport": nil, "Calls": {Transport: transport}} {
		caller, _ := newCaller(b, transport)
		caller.Calls = calls
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := caller.Do(newPut(b, b.Context(), server.URL, `{"statusId":"Available"}`), "get", 100)
				if err != nil {
					b.Fatal(err)
				}
			}
		})
		if calls != nil {
			calls.CloseIdleConnections()
		}
	}
}
