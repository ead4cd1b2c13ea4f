package upstream

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"portico/proxy/tracing"
)

// TestAttemptsAreTraced makes an attempt of each kind. Each has one span, in which the site is told that
// the call belongs.
func TestAttemptsAreTraced(t *testing.T) {
	var told []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		told = append(told, r.Header.Get("Traceparent"))
		if r.URL.Path == "/broken" {
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	defer server.Close()
	reg := prometheus.NewRegistry()
	site := NewMetrics(reg, []string{"pc"}).Site("pc", Vocabulary{Kind: "icws", Operations: []string{"get"}})
	spans := tracetest.NewSpanRecorder()
	tracer := tracing.NewWith(tracing.Settings{Share: 1}, spans)
	caller := &Caller{Site: site, Transport: newTransport(t), Timeout: 5 * time.Second, Trace: tracer.To("pc", "icws", true)}
	request := func(url string) *http.Request { return newRequest(t, WithCause(t.Context(), Refresh), url) }

	_, err := caller.Do(request(server.URL), "get", 100)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = caller.Do(request(server.URL+"/broken"), "get", 100)
	_, _ = caller.Do(request(refused(t)), "get", 100)
	_, _ = caller.DoLong(request(server.URL), "get", 100, time.Minute)
	_, stream, err := caller.Open(t.Context(), request(server.URL), "get", 100, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	_ = stream.Close()
	passed, err := caller.Through("get", time.Minute).RoundTrip(request(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	_ = passed.Body.Close()

	var got, ids []string
	for _, span := range spans.Ended() {
		line := span.Name()
		for _, a := range span.Attributes() {
			if slices.Contains([]string{"portico.cause", "http.response.status_code", "error.type"}, string(a.Key)) {
				line += " " + a.Value.String()
			}
		}
		got = append(got, line)
		if line != "icws get refresh connect" {
			ids = append(ids, "00-"+span.SpanContext().TraceID().String()+"-"+span.SpanContext().SpanID().String()+"-01")
		}
	}
	want := []string{"icws get refresh 200", "icws get refresh 502 502", "icws get refresh connect", "icws get refresh 200", "icws get refresh 200",
		"icws get refresh 200"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(ids, told); diff != "" {
		t.Errorf("what the site was told (-spans +told):\n%s", diff)
	}
	if got := exemplars(t, reg, "portico_upstream_request_duration_seconds"); len(got) == 0 {
		t.Error("durations have no exemplar")
	}
}

// exemplars returns the trace ids that a histogram's buckets show.
func exemplars(t *testing.T, reg *prometheus.Registry, name string) []string {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var traces []string
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, series := range family.GetMetric() {
			for _, bucket := range series.GetHistogram().GetBucket() {
				for _, label := range bucket.GetExemplar().GetLabel() {
					traces = append(traces, label.GetValue())
				}
			}
		}
	}
	return traces
}
