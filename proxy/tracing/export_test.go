package tracing

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// TestSpansReachACollector sends a span over HTTP, as it is told to.
func TestSpansReachACollector(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=s3cret")
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1") // the settings count
	var got collector.ExportTraceServiceRequest
	var path, key string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		path, key = r.URL.Path, r.Header.Get("Api-Key")
		err := proto.Unmarshal(body, &got)
		if err != nil {
			t.Errorf("%d bytes are no spans: %v", len(body), err)
		}
	}))
	defer server.Close()
	tracer, err := New(t.Context(), Settings{Endpoint: server.URL, Share: 1, Version: "1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	_, span := tracer.Request(asked(recorded))
	span.Served(Served{Method: "GET", Route: "/me", Status: 200})
	span.End("")
	err = tracer.Close(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if path != "/v1/traces" || key != "s3cret" || len(got.ResourceSpans) != 1 {
		t.Fatalf("the collector got %v at %q with key %q", &got, path, key)
	}
	sent := got.ResourceSpans[0]
	if name := sent.ScopeSpans[0].Spans[0].Name; name != "GET /me" || sent.Resource.Attributes[0].Value.GetStringValue() != "portico" {
		t.Errorf("the span %q of %v arrived", name, sent.Resource)
	}
}

func TestACollectorThatFailsIsTold(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer server.Close()
	var told []error
	tracer, err := New(t.Context(), Settings{Endpoint: server.URL, Share: 1, Failed: func(err error) { told = append(told, err) }})
	if err != nil {
		t.Fatal(err)
	}
	_, span := tracer.Request(asked(recorded))
	span.End("")
	err = tracer.Close(t.Context())
	if err != nil || len(told) != 1 {
		t.Errorf("Close = %v, and told was %v; want one failure that is told", err, told)
	}
}
