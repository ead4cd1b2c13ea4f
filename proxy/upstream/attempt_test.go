package upstream

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"portico/proxy/fault"
	"portico/proxy/upstream/memhttp"
)

var discard = log.New(io.Discard, "", 0)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newCaller returns a caller of the site "pc", which has the operation "get".
func newCaller(t testing.TB, transport http.RoundTripper) (*Caller, *Metrics) {
	t.Helper()
	metrics := NewMetrics(prometheus.NewRegistry(), []string{"pc"})
	site := metrics.Site("pc", Vocabulary{Kind: "icws", Operations: []string{"get"}, Errors: []string{"auth"}})
	return &Caller{Site: site, Transport: transport, Timeout: 5 * time.Second}, metrics
}

// newTransport returns a transport without connections to other tests.
func newTransport(t testing.TB) *http.Transport {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

func newRequest(t testing.TB, ctx context.Context, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// refused returns the URL of a port that nobody listens on.
func refused(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return "http://" + listener.Addr().String()
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestDoTellsApartWhatWentWrong(t *testing.T) {
	tlsServer := httptest.NewUnstartedServer(http.NotFoundHandler())
	tlsServer.Config.ErrorLog = discard
	tlsServer.StartTLS()
	defer tlsServer.Close()
	plain := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or the server would not notice that the caller has left
		switch r.URL.Path {
		case "/abort":
			panic(http.ErrAbortHandler)
		case "/half":
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "half of it")
		case "/long":
			_, _ = io.WriteString(w, strings.Repeat("x", 101))
		case "/slow":
			<-r.Context().Done()
		case "/slow-body":
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}
	}))
	plain.Config.ErrorLog = discard
	plain.Start()
	defer plain.Close()
	noDNS := roundTripFunc(func(*http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "gone.example", IsNotFound: true}}
	})
	tests := []struct {
		name string
		url  string
		failing
	}{
		{"a name that does not resolve", "http://gone.example/", failing{noDNS, time.Minute, fault.Unreachable, "none", "dns"}},
		{"nobody listens", refused(t), failing{nil, time.Minute, fault.Unreachable, "none", "connect"}},
		{"a certificate we do not trust", tlsServer.URL, failing{nil, time.Minute, fault.Unreachable, "none", "tls"}},
		{"a host that speaks no TLS", strings.Replace(plain.URL, "http:", "https:", 1), failing{nil, time.Minute, fault.Unreachable, "none", "tls"}},
		{"the connection is cut before the head", plain.URL + "/abort", failing{nil, time.Minute, fault.Unreachable, "none", "reset"}},
		{"no head in time", plain.URL + "/slow", failing{nil, 50 * time.Millisecond, fault.Timeout, "none", "timeout"}},
		{"no body in time", plain.URL + "/slow-body", failing{nil, time.Second, fault.Timeout, "200", "timeout"}},
		{"the body is cut short", plain.URL + "/half", failing{nil, time.Minute, fault.BadUpstream, "200", "body"}},
		{"the body is too long", plain.URL + "/long", failing{nil, time.Minute, fault.BadUpstream, "200", "body"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { failsAs(t, newRequest(t, t.Context(), test.url), test.failing) })
		t.Run(test.name+", of a change", func(t *testing.T) { failsAs(t, newPut(t, t.Context(), test.url, "x"), test.failing) })
	}
}

// A failing is a way for a call to fail, and what is said and counted of it.
type failing struct {
	transport http.RoundTripper // nil for a real one
	timeout   time.Duration
	want      error
	code      string
	reason    string
}

func failsAs(t *testing.T, req *http.Request, test failing) {
	transport := test.transport
	if transport == nil {
		transport = newTransport(t)
	}
	caller, metrics := newCaller(t, transport)
	own, ok := transport.(*http.Transport)
	if ok {
		caller.Calls = &Calls{Transport: own}
	}
	caller.Timeout = test.timeout
	reply, err := caller.Do(req, "get", 100)
	if !errors.Is(err, test.want) || fault.KindOf(err) != test.want {
		t.Errorf("Do = %v, %v; want %v", reply, err, test.want)
	}
	if got, want := IsUnsent(err), test.reason == "dns" || test.reason == "connect"; got != want {
		t.Errorf("IsUnsent(%v) = %v; want %v", err, got, want)
	}
	if n := testutil.ToFloat64(metrics.failures.WithLabelValues("pc", "get", test.reason)); n != 1 {
		t.Errorf("failures with reason %s = %v; want 1 (error: %v)", test.reason, n, err)
	}
	if n := testutil.ToFloat64(metrics.requests.WithLabelValues("pc", "get", "client", test.code)); n != 1 {
		t.Errorf("requests with code %s = %v; want 1", test.code, n)
	}
	if n := testutil.ToFloat64(metrics.inFlight); n != 0 {
		t.Errorf("in flight after Do = %v; want 0", n)
	}
}

func TestDoWhenTheCallerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		caller, metrics := newCaller(t, memhttp.Network{"": http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
		})})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err := caller.Do(newRequest(t, ctx, "http://pc.example/"), "get", 100)
		if !errors.Is(err, context.Canceled) || errors.Is(err, fault.Unreachable) {
			t.Errorf("Do = %v; want %v and no kind of ours", err, context.Canceled)
		}
		if n := testutil.ToFloat64(metrics.failures.WithLabelValues("pc", "get", "canceled")); n != 1 {
			t.Errorf("failures with reason canceled = %v; want 1", n)
		}
	})
}

func TestDoTimesOutWithItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		caller, _ := newCaller(t, memhttp.Network{"": http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
		})})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, err := caller.Do(newRequest(t, ctx, "http://pc.example/"), "get", 100)
		if !errors.Is(err, fault.Timeout) || time.Since(began) != time.Second {
			t.Errorf("Do = %v after %v; want %v after 1s", err, time.Since(began), fault.Timeout)
		}
	})
}

func TestDoFollowsNoRedirect(t *testing.T) {
	caller, _ := newCaller(t, memhttp.Network{"": http.RedirectHandler("http://elsewhere.example/", http.StatusFound)})
	reply, err := caller.Do(newRequest(t, t.Context(), "http://pc.example/"), "get", 100)
	if err != nil || reply.Status != http.StatusFound {
		t.Errorf("Do = %d, %v; want 302 as it came", reply.Status, err)
	}
}

func TestDoCountsCausesConnectionsAndTime(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	caller, metrics := newCaller(t, newTransport(t))
	for _, cause := range []Cause{Probe, Probe, "made up"} {
		_, err := caller.Do(newRequest(t, WithCause(t.Context(), cause), server.URL), "never heard of", 100)
		if err != nil {
			t.Fatal(err)
		}
	}
	counts := map[string]float64{
		"requests with cause probe":   testutil.ToFloat64(metrics.requests.WithLabelValues("pc", "other", "probe", "404")),
		"requests with unknown cause": testutil.ToFloat64(metrics.requests.WithLabelValues("pc", "other", "other", "404")),
		"new connections":             testutil.ToFloat64(metrics.connections.WithLabelValues("pc", "false")),
		"reused connections":          testutil.ToFloat64(metrics.connections.WithLabelValues("pc", "true")),
		"series of durations":         float64(testutil.CollectAndCount(metrics.durations)),
	}
	want := map[string]float64{
		"requests with cause probe": 2, "requests with unknown cause": 1,
		"new connections": 1, "reused connections": 2, "series of durations": 1,
	}
	for what, n := range counts {
		if n != want[what] {
			t.Errorf("%s = %v; want %v", what, n, want[what])
		}
	}
}
