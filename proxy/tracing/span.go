package tracing

import (
	"context"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// A Span is one that is recorded. The zero Span is none, and its methods do nothing.
type Span struct{ span trace.Span }

// Recorded reports whether there is a span.
func (s Span) Recorded() bool { return s.span != nil }

// TraceID returns the id of the span's trace, "" if there is none.
func (s Span) TraceID() string {
	if s.span == nil {
		return ""
	}
	return s.span.SpanContext().TraceID().String()
}

// End ends the span. Failed is a word for what went wrong, "" if nothing did.
func (s Span) End(failed string) {
	if s.span == nil {
		return
	}
	if failed != "" {
		s.span.SetAttributes(attribute.String("error.type", failed))
		s.span.SetStatus(codes.Error, "")
	}
	s.span.End()
}

// Answered notes the HTTP status of the answer; 0 is none.
func (s Span) Answered(status int) {
	if s.span != nil && status != 0 {
		s.span.SetAttributes(attribute.Int("http.response.status_code", status))
	}
}

// Request begins the span of a request at the door, which belongs to the trace that its headers tell.
// Route is a template.
func (t *Tracer) Request(r *http.Request, method, route string) (context.Context, Span) {
	ctx := r.Context()
	if r.Header["Traceparent"] != nil {
		ctx = propagator.Extract(ctx, headers(r.Header))
	}
	if t == nil {
		return ctx, Span{}
	}
	ctx, span := t.start(ctx, method+" "+route, trace.SpanKindServer, time.Time{})
	if span.Recorded() {
		span.span.SetAttributes(attribute.String("http.request.method", method), attribute.String("http.route", route))
	}
	return ctx, span
}

// Asked notes what a request at the door turned out to be: an operation of the API, "" for none, and
// the session's name in the log.
func (s Span) Asked(operation, session string) {
	if s.span == nil {
		return
	}
	if operation != "" {
		s.span.SetAttributes(attribute.String("portico.operation", operation))
	}
	if session != "" {
		s.span.SetAttributes(attribute.String("portico.session", session))
	}
}

// Fetch begins the span of a fetch that fills a cache of a site.
func (t *Tracer) Fetch(ctx context.Context, cache, site string) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	ctx, span := t.start(ctx, "fetch "+cache, trace.SpanKindInternal, time.Time{})
	if span.Recorded() {
		span.span.SetAttributes(attribute.String("portico.cache", cache), attribute.String("portico.site", site))
	}
	return ctx, span
}

// Delivered makes the span of an event that was written to a client just now, and returns the id of
// its trace; "" if it is not recorded. Channel is the label that the event is counted under.
func (t *Tracer) Delivered(channel string, received time.Time) string {
	if t == nil {
		return ""
	}
	_, span := t.start(context.Background(), "deliver "+channel, trace.SpanKindProducer, received)
	if span.Recorded() {
		span.span.SetAttributes(attribute.String("portico.channel", channel))
	}
	span.End("")
	return span.TraceID()
}

// headers reads and writes headers whose names are in their canonical form.
type headers http.Header

func (h headers) Get(key string) string { return http.Header(h).Get(key) }
func (h headers) Set(key, value string) { http.Header(h).Set(key, value) }
func (h headers) Keys() []string {
	keys := make([]string, 0, len(h))
	for key := range h {
		keys = append(keys, key)
	}
	return keys
}
