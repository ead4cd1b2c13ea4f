package upstream

import (
	"context"
	"errors"
	"io"
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

func TestThroughPassesAnswersOnAndCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		caller, metrics := newCaller(t, memhttp.Network{"gws.example": pings(3, time.Minute)})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		res, err := caller.Through("get").RoundTrip(newRequest(t, ctx, "http://gws.example/"))
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 3)
		_, err = io.ReadFull(res.Body, got)
		if err != nil || string(got) != "..." {
			t.Errorf("body = %q, %v; want it as it came, long after the timeout of calls", got, err)
		}
		_ = res.Body.Close()
		_, err = caller.Through("get").RoundTrip(newRequest(t, t.Context(), "http://gone.example/"))
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
