package proxy

import (
	"net/http"

	"portico/proxy/fault"
	"portico/proxy/tracing"
)

// trace begins the call's span, in the trace that the caller began, if they did. What the call has
// others do belongs to it by the request's context.
func (c *call) trace() {
	ctx, span := c.door.settings.Tracer.Request(c.Request)
	c.span = span
	if ctx != c.context() {
		c.Request = c.Request.WithContext(ctx)
	}
}

// endTrace ends the span of a call. What the caller asked for in a wrong way is no error of ours.
//
// Source: OpenTelemetry, semantic conventions for HTTP server spans: Status.
func (d *door) endTrace(r record) {
	if !r.span.Recorded() {
		return
	}
	served := tracing.Served{Method: r.numbers.method, Route: r.numbers.route, Operation: string(r.operation), Status: r.code}
	if r.agent != nil {
		served.Session = d.gateway.ShortName(r.agent)
	}
	r.span.Served(served)
	if r.code < http.StatusInternalServerError {
		r.err = nil
	}
	r.span.End(fault.Class(r.err))
}
