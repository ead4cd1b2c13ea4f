package upstream

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"portico/proxy/tracing"
)

// A sending is an attempt under way: what it is counted in, and its span.
type sending struct {
	op    *operation
	cause string
	span  tracing.Span
	began time.Time
}

// begin begins an attempt. The request's headers tell the site which trace it belongs to, and the
// context does.
func (c *Caller) begin(ctx context.Context, req *http.Request, op *operation) (context.Context, sending) {
	cause := string(CauseOf(ctx))
	ctx, span := c.Trace.Attempt(ctx, req, op.name, cause)
	c.Trace.Tell(ctx, req.Header)
	return ctx, sending{op, cause, span, time.Now()}
}

// over counts the attempt and ends its span. Status is 0 if none came, and why is "" if there is a
// usable answer.
func (s sending) over(status int, why reason) {
	s.op.requests.WithLabelValues(s.cause, codeLabel(status)).Inc()
	if why != "" {
		s.op.failures[why].Inc()
	}
	s.span.Answered(status)
	failed := string(why)
	if failed == "" && status >= http.StatusBadRequest { // as OpenTelemetry has it for calls
		failed = strconv.Itoa(status)
	}
	s.span.End(failed)
}

// took counts how long the attempt has taken so far, with the trace that was recorded of it.
func (s sending) took(status int) {
	seconds := time.Since(s.began).Seconds()
	observer := s.op.durations.WithLabelValues(classLabel(status))
	if !s.span.Recorded() {
		observer.Observe(seconds)
		return
	}
	observer.(prometheus.ExemplarObserver).ObserveWithExemplar(seconds, prometheus.Labels{"trace_id": s.span.TraceID()})
}
