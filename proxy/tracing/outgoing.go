package tracing

import (
	"context"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// An Outgoing makes the spans of the calls to one site. The zero Outgoing makes none, and tells the
// site nothing.
type Outgoing struct {
	tracer *Tracer
	site   string
	kind   string // of the site: htcc or icws
	tell   bool   // the site is told which trace a call belongs to
}

// To returns what makes the spans of calls to a site.
func (t *Tracer) To(site, kind string, tell bool) Outgoing { return Outgoing{t, site, kind, tell} }

// Attempt begins the span of an attempt to call the site: operation and cause are labels.
func (o Outgoing) Attempt(ctx context.Context, req *http.Request, operation, cause string) (context.Context, Span) {
	if o.tracer == nil {
		return ctx, Span{}
	}
	ctx, span := o.tracer.start(ctx, o.kind+" "+operation, trace.SpanKindClient, time.Time{})
	if span.Recorded() {
		span.span.SetAttributes(attribute.String("portico.site", o.site), attribute.String("portico.operation", operation),
			attribute.String("portico.cause", cause), attribute.String("http.request.method", req.Method),
			attribute.String("server.address", req.URL.Hostname()))
	}
	return ctx, span
}

// Tell puts into the headers of a request which trace it belongs to, in place of what a caller put
// there, or takes that out where the site is not to know. Baggage, which may hold anything, is taken
// out in any case.
func (o Outgoing) Tell(ctx context.Context, h http.Header) {
	delete(h, "Baggage")
	if !o.tell {
		delete(h, "Traceparent")
		delete(h, "Tracestate")
		return
	}
	if trace.SpanContextFromContext(ctx).IsValid() {
		delete(h, "Tracestate") // none is to be left beside another's parent
		propagator.Inject(ctx, headers(h))
	}
}
