package upstream

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"portico/proxy/fault"
	"portico/proxy/upstream/memhttp"
)

func TestDoLongOutlastsTheTimeoutOfCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var caller *Caller
		var metrics *Metrics
		caller, metrics = newCaller(t, memhttp.Network{"": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if n := testutil.ToFloat64(metrics.inFlight); n != 0 {
				t.Errorf("in flight while held = %v; want 0", n)
			}
			time.Sleep(30 * time.Second)
			_, _ = io.WriteString(w, "now")
		})})
		ctx := WithCause(t.Context(), Stream)
		reply, err := caller.DoLong(newRequest(t, ctx, "http://gws.example/"), "get", 100, 40*time.Second)
		if err != nil || string(reply.Body) != "now" {
			t.Errorf("DoLong = %q, %v; want the answer after 30 s", reply.Body, err)
		}
		if n := testutil.ToFloat64(metrics.requests.WithLabelValues("pc", "get", "stream", "200")); n != 1 {
			t.Errorf("requests = %v; want 1", n)
		}
		if n := testutil.CollectAndCount(metrics.durations); n != 0 {
			t.Errorf("series of durations = %d; want none for a held call", n)
		}
	})
}

func TestDoLongEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		caller, metrics := newCaller(t, memhttp.Network{"": http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
		})})
		began := time.Now()
		_, err := caller.DoLong(newRequest(t, t.Context(), "http://gws.example/"), "get", 100, 40*time.Second)
		if !errors.Is(err, fault.Timeout) || time.Since(began) != 40*time.Second {
			t.Errorf("DoLong = %v after %v; want %v after 40s", err, time.Since(began), fault.Timeout)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err = caller.DoLong(newRequest(t, ctx, "http://gws.example/"), "get", 100, 40*time.Second)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("DoLong = %v; want %v", err, context.Canceled)
		}
		if n := testutil.ToFloat64(metrics.failures.WithLabelValues("pc", "get", "timeout")); n != 1 {
			t.Errorf("failures with reason timeout = %v; want 1", n)
		}
	})
}

func TestDoRefusesEndlessHeaders(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 8 {
			w.Header().Add("Set-Cookie", "a="+strings.Repeat("x", 1<<20))
		}
	}))
	defer server.Close()
	caller, metrics := newCaller(t, newTransport(t))
	_, err := caller.Do(newRequest(t, t.Context(), server.URL), "get", 100)
	if !errors.Is(err, fault.BadUpstream) || !errors.Is(err, errHeadTooLong) {
		t.Errorf("Do = %v; want %v", err, errHeadTooLong)
	}
	if n := testutil.ToFloat64(metrics.failures.WithLabelValues("pc", "get", "body")); n != 1 {
		t.Errorf("failures with reason body = %v; want 1", n)
	}
}

// TestThroughRefusesNumbersThatAreNoStatus holds back what net/http takes of a site, and panics over when it is sent on.
func TestThroughRefusesNumbersThatAreNoStatus(t *testing.T) {
	for _, status := range []string{"000", "001", "050", "099"} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		go func() {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			_, _ = http.ReadRequest(bufio.NewReader(conn))
			_, _ = io.WriteString(conn, "HTTP/1.1 "+status+" Odd\r\nContent-Length: 1\r\n\r\na")
		}()
		caller, metrics := newCaller(t, newTransport(t))
		_, err = caller.Through("get", time.Minute).RoundTrip(newRequest(t, t.Context(), "http://"+listener.Addr().String()))
		if !errors.Is(err, fault.BadUpstream) {
			t.Errorf("status %s: %v; want %v", status, err, fault.BadUpstream)
		}
		if n := testutil.ToFloat64(metrics.failures.WithLabelValues("pc", "get", "body")); n != 1 {
			t.Errorf("status %s: failures with reason body = %v; want 1", status, n)
		}
	}
}

func TestThroughPassesAnswersOnAndCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		caller, metrics := newCaller(t, memhttp.Network{"gws.example": pings(3, time.Minute)})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		res, err := caller.Through("get", 2*time.Minute).RoundTrip(newRequest(t, ctx, "http://gws.example/"))
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 3)
		_, err = io.ReadFull(res.Body, got)
		if err != nil || string(got) != "..." {
			t.Errorf("body = %q, %v; want it as it came, long after the timeout of calls", got, err)
		}
		_ = res.Body.Close()
		_, err = caller.Through("get", time.Minute).RoundTrip(newRequest(t, t.Context(), "http://gone.example/"))
		if !errors.Is(err, fault.Unreachable) {
			t.Errorf("RoundTrip to nobody = %v; want %v", err, fault.Unreachable)
		}
		for code, want := range map[string]float64{"200": 1, "none": 1} {
			if n := testutil.ToFloat64(metrics.requests.WithLabelValues("pc", "get", "client", code)); n != want {
				t.Errorf("requests with code %s = %v; want %v", code, n, want)
			}
		}
		if n := testutil.ToFloat64(metrics.inFlight); n != 0 {
			t.Errorf("in flight = %v; want 0", n)
		}
	})
}

// A site that is waited for may be silent for a minute; a caller who is slow may take longer.
func TestThroughEndsASilence(t *testing.T) {
	const limit = time.Minute
	slow := func(d time.Duration) io.Reader {
		return readerFunc(func(p []byte) (int, error) {
			time.Sleep(d)
			return copy(p, "."), nil
		})
	}
	takes := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "...")
	})
	hangs := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	slowly := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 9 {
			_, _ = io.WriteString(w, ".")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(50 * time.Second)
		}
	})
	tests := []struct {
		name  string
		site  http.Handler
		body  io.Reader
		pause time.Duration // of the caller, before each read
		want  error
		when  time.Duration
	}{
		{"no head", hangs, nil, 0, fault.Timeout, limit},
		{"a body that stops", pings(2, 50*time.Second), nil, 0, fault.Timeout, 50*time.Second + limit},
		{"a body that is slow", slowly, nil, 0, nil, 450 * time.Second},
		{"a slow upload", takes, io.LimitReader(slow(10*time.Minute), 3), 0, nil, 30 * time.Minute},
		{"a site that says nothing once it has all", hangs, io.LimitReader(slow(10*time.Minute), 3), 0, fault.Timeout, 30*time.Minute + limit},
		{"a slow download", takes, nil, 10 * time.Minute, nil, 40 * time.Minute},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				caller, metrics := newCaller(t, memhttp.Network{"": test.site})
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://gws.example/", test.body)
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				res, err := caller.Through("get", limit).RoundTrip(req)
				if err == nil {
					_, err = io.Copy(io.Discard, readerFunc(func(p []byte) (int, error) {
						time.Sleep(test.pause)
						return res.Body.Read(p[:1])
					}))
					_ = res.Body.Close()
				}
				if test.want == nil && err != nil || !errors.Is(err, test.want) || time.Since(began) != test.when {
					t.Errorf("%v after %v; want %v after %v", err, time.Since(began), test.want, test.when)
				}
				failures := 0.0
				if test.want != nil {
					failures = 1
				}
				if n := testutil.ToFloat64(metrics.failures.WithLabelValues("pc", "get", "timeout")); n != failures {
					t.Errorf("failures with reason timeout = %v; want %v", n, failures)
				}
			})
		})
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
