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
func (t *Tracer) Request(r *http.Request) (context.Context, Span) {
	ctx := r.Context()
	if r.Header["Traceparent"] != nil {
		ctx = propagator.Extract(ctx, headers(r.Header))
	}
	if t == nil {
		return ctx, Span{}
	}
	return t.start(ctx, "request", trace.SpanKindServer, time.Time{})
}

// Quick begins the span of a request at the door that belongs to no trace of its caller's and calls nobody, at a
// time.
func (t *Tracer) Quick(began time.Time) (context.Context, Span) {
	ctx, drawn := t.draw()
	if !drawn {
		return ctx, Span{}
	}
	return t.start(ctx, "request", trace.SpanKindServer, began)
}

// A Served is what a request at the door turned out to be. All but Status are values of labels.
type Served struct {
	Method, Route string
	Operation     string // of the API; "" for none
	Session       string // its name in the log; "" for none
	Status        int
}

// Served says what the request was whose span this is.
func (s Span) Served(what Served) {
	if s.span == nil {
		return
	}
	s.span.SetName(what.Method + " " + what.Route)
	s.span.SetAttributes(attribute.String("http.request.method", what.Method), attribute.String("http.route", what.Route))
	if what.Operation != "" {
		s.span.SetAttributes(attribute.String("portico.operation", what.Operation))
	}
	if what.Session != "" {
		s.span.SetAttributes(attribute.String("portico.session", what.Session))
	}
	s.Answered(what.Status)
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
	ctx, drawn := t.draw()
	if !drawn {
		return ""
	}
	_, span := t.start(ctx, "deliver "+channel, trace.SpanKindProducer, received)
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
