// Package tracing makes the spans of Portico: one for each request at the door, upstream call, cache
// fetch and push delivery. It takes and hands on W3C trace context. What a span says is chosen here,
// field by field, from the vocabularies of the metrics: no URL, name, cookie or id of a session gets
// into one, so that nothing has to be taken out of it.
//
// The nil Tracer makes no spans. It still hands on the context that callers send.
package tracing

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Settings say where spans go.
type Settings struct {
	Endpoint string  // URL of an OTLP collector that takes protobuf over HTTP, such as https://collector:4318
	Share    float64 // of traces that are recorded, from 0 to 1
	Version  string  // of Portico

	Failed func(error) // is told that spans could not be sent; nil = nobody is
}

// A Tracer makes spans. Any number of goroutines may use it. Of the nil Tracer every method does
// nothing, or hands on what callers sent.
type Tracer struct {
	provider *sdk.TracerProvider
	spans    trace.Tracer
	share    float64
}

// New returns a Tracer that sends its spans to a collector, in the background. Headers for the
// collector, such as a key, and its certificate come from the environment, as OpenTelemetry has it
// (OTEL_EXPORTER_OTLP_HEADERS, OTEL_EXPORTER_OTLP_CERTIFICATE).
func New(ctx context.Context, s Settings) (*Tracer, error) {
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(s.Endpoint+tracesPath))
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	return NewWith(s, sdk.NewBatchSpanProcessor(telling{exporter, s.Failed})), nil
}

// tracesPath is where a collector takes spans.
//
// Source: OTLP specification, OTLP/HTTP request.
const tracesPath = "/v1/traces"

// telling is an exporter that tells why spans could not be sent. The SDK tells nobody but a handler that
// the whole process shares.
type telling struct {
	sdk.SpanExporter
	failed func(error)
}

func (e telling) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	if err != nil && e.failed != nil {
		e.failed(err)
	}
	return nil // it is told
}

// NewWith returns a Tracer that gives its spans to a processor, whatever the settings' endpoint is.
func NewWith(s Settings, processor sdk.SpanProcessor) *Tracer {
	provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(processor), sdk.WithSampler(drawing{sampler(s.Share)}),
		sdk.WithResource(resource.NewSchemaless(
			attribute.String("service.name", "portico"), attribute.String("service.version", s.Version))))
	return &Tracer{provider: provider, spans: provider.Tracer("portico"), share: s.Share}
}

// sampler records a share of all traces, whoever began them. A caller who marks a trace as recorded
// is not taken at their word, since an application that marks all of its requests would have all of
// them recorded; one who marks it as not recorded is.
func sampler(share float64) sdk.Sampler {
	ratio := sdk.TraceIDRatioBased(share)
	return sdk.ParentBased(ratio, sdk.WithRemoteParentSampled(ratio))
}

// Close sends what is left, and ends the Tracer.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// propagator reads and writes traceparent and tracestate, and no baggage.
var propagator = propagation.TraceContext{}

// draw reports whether a trace that begins here is one of the share that is recorded, and returns the context to
// begin it in. Of another there is nothing, not even ids, which cost a third of what else a hit takes and lead
// nowhere: it is for what calls nobody.
func (t *Tracer) draw() (context.Context, bool) {
	if t == nil || rand.Float64() >= t.share {
		return context.Background(), false
	}
	return context.WithValue(context.Background(), drawnKey{}, true), true
}

// drawnKey is that of a context whose trace was drawn to be recorded.
type drawnKey struct{}

// drawing is a sampler that records what was drawn.
type drawing struct{ sdk.Sampler }

// ShouldSample implements sdk.Sampler.
func (s drawing) ShouldSample(p sdk.SamplingParameters) sdk.SamplingResult {
	if p.ParentContext.Value(drawnKey{}) != nil {
		return sdk.AlwaysSample().ShouldSample(p)
	}
	return s.Sampler.ShouldSample(p)
}

// start begins a span at a time, now if it is zero. Attributes are made only if it is recorded.
func (t *Tracer) start(ctx context.Context, name string, kind trace.SpanKind, began time.Time) (context.Context, Span) {
	options := []trace.SpanStartOption{trace.WithSpanKind(kind)}
	if !began.IsZero() {
		options = append(options, trace.WithTimestamp(began))
	}
	ctx, span := t.spans.Start(ctx, name, options...)
	if !span.IsRecording() {
		return ctx, Span{}
	}
	return ctx, Span{span}
}

// Follow returns a context that ends with life and belongs to the trace of ctx: for work that one
// caller begins, and that goes on for others when this one leaves.
func Follow(life, ctx context.Context) context.Context {
	span := trace.SpanContextFromContext(ctx)
	if !span.IsValid() {
		return life
	}
	return trace.ContextWithSpanContext(life, span)
}

// IDs are what names a span in logs and exemplars, in lower-case hex.
type IDs struct{ Trace, Span, Flags string }

// IDsOf returns the ids of the span that ctx carries; false if it carries none.
func IDsOf(ctx context.Context) (IDs, bool) {
	span := trace.SpanContextFromContext(ctx)
	if !span.IsValid() {
		return IDs{}, false
	}
	return IDs{span.TraceID().String(), span.SpanID().String(), span.TraceFlags().String()}, true
}
