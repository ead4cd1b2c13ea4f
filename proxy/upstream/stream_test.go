package upstream

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"portico/proxy/fault"
	"portico/proxy/upstream/memhttp"
)

// pings answers with a byte at once and then one every interval, n times in all.
func pings(n int, interval time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range n {
			_, _ = io.WriteString(w, ".")
			_ = http.NewResponseController(w).Flush()
			select {
			case <-time.After(interval):
			case <-r.Context().Done():
				return
			}
		}
		<-r.Context().Done()
	})
}

func TestOpenReadsUntilSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		caller, metrics := newCaller(t, memhttp.Network{"": pings(5, time.Minute)})
		ctx := WithCause(t.Context(), Stream)
		_, stream, err := caller.Open(ctx, newRequest(t, ctx, "http://pc.example/"), "get", 100, 90*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Close()
		began := time.Now()
		got, err := io.ReadAll(stream)
		if string(got) != "....." || !errors.Is(err, fault.Timeout) || !errors.Is(err, errSilent) {
			t.Errorf("ReadAll = %q, %v; want 5 bytes and %v", got, err, errSilent)
		}
		if lasted, want := time.Since(began), 4*time.Minute+90*time.Second; lasted != want {
			t.Errorf("the stream lasted %v; want %v", lasted, want)
		}
		if n := testutil.ToFloat64(metrics.requests.WithLabelValues("pc", "get", "stream", "200")); n != 1 {
			t.Errorf("requests = %v; want 1", n)
		}
		if n := testutil.CollectAndCount(metrics.durations); n != 0 {
			t.Errorf("series of durations = %d; want none for a stream", n)
		}
	})
}

func TestASlowReaderIsNotSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		caller, _ := newCaller(t, memhttp.Network{"": pings(2, time.Second)})
		_, stream, err := caller.Open(t.Context(), newRequest(t, t.Context(), "http://pc.example/"), "get", 100, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Close()
		time.Sleep(time.Hour) // reads nothing meanwhile
		p := make([]byte, 10)
		n, err := stream.Read(p)
		if n != 2 || err != nil {
			t.Errorf("Read after an hour = %d, %v; want 2 bytes", n, err)
		}
	})
}

func TestOpenFails(t *testing.T) {
	hang := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	tests := []struct {
		name    string
		handler http.Handler
		want    error
	}{
		{"no head in time", hang, fault.Timeout},
		{"nobody listens", nil, fault.Unreachable},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := memhttp.Network{}
				if test.handler != nil {
					network[""] = test.handler
				}
				caller, _ := newCaller(t, network)
				_, stream, err := caller.Open(t.Context(), newRequest(t, t.Context(), "http://pc.example/"), "get", 100, time.Minute)
				if !errors.Is(err, test.want) || stream != nil {
					t.Errorf("Open = %v, %v; want %v", stream, err, test.want)
				}
			})
		})
	}
}

func TestOpenReturnsRefusalsWhole(t *testing.T) {
	caller, _ := newCaller(t, memhttp.Network{"": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, "who are you")
	})})
	reply, stream, err := caller.Open(t.Context(), newRequest(t, t.Context(), "http://pc.example/"), "get", 100, time.Minute)
	if err != nil || stream != nil || reply.Status != http.StatusUnauthorized || string(reply.Body) != "who are you" {
		t.Errorf("Open = %d %q, %v, %v; want 401 with its body and no stream", reply.Status, reply.Body, stream, err)
	}
}

func TestReadSaysHowAStreamEnded(t *testing.T) {
	cut := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	done := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	tests := []struct {
		name    string
		handler http.Handler
		cancel  bool
		want    error
	}{
		{"the other side ended it", done, false, io.EOF},
		{"it was cut", cut, false, fault.BadUpstream},
		{"the caller left", pings(1, time.Minute), true, context.Canceled},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				caller, _ := newCaller(t, memhttp.Network{"": test.handler})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				_, stream, err := caller.Open(ctx, newRequest(t, ctx, "http://pc.example/"), "get", 100, time.Hour)
				if err != nil {
					t.Fatal(err)
				}
				defer stream.Close()
				if test.cancel {
					time.AfterFunc(time.Second, cancel)
				}
				p := make([]byte, 10)
				for err == nil {
					_, err = stream.Read(p)
				}
				if !errors.Is(err, test.want) {
					t.Errorf("Read = %v; want %v", err, test.want)
				}
			})
		})
	}
}
