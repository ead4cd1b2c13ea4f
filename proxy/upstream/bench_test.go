package upstream

import (
	"net/http"
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
