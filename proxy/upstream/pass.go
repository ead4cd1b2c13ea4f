package upstream

import (
	"fmt"
	"net/http"

	"portico/proxy/fault"
)

// Through returns a transport for requests that are passed through to the site. It counts them
// under operation and the cause of their context, without durations: their bodies stream, and
// end when the caller has them. It sets no deadline, since an upload may take as long as it
// likes; the request's context does.
//
// It fails with fault.Unreachable or fault.Timeout when no answer came, with fault.BadUpstream when
// its headers are endless, and with context.Canceled when the request's context was cancelled.
func (c *Caller) Through(operation string) http.RoundTripper {
	return through{caller: c, operation: operation}
}

type through struct {
	caller    *Caller
	operation string
}

// RoundTrip returns the head of the answer as soon as it came. In flight until then, the request
// is one of the site's attempts.
func (t through) RoundTrip(req *http.Request) (*http.Response, error) {
	site := t.caller.Site
	site.inFlight.Inc()
	defer site.inFlight.Dec()
	ctx := req.Context()
	op := site.of(t.operation)
	cause := string(CauseOf(ctx))
	res, err := t.caller.Transport.RoundTrip(req.WithContext(t.caller.traced(ctx)))
	if err != nil {
		why, err := sendFailure(ctx, err)
		op.requests.WithLabelValues(cause, codeLabel(0)).Inc()
		op.failures[why].Inc()
		return nil, err
	}
	op.requests.WithLabelValues(cause, codeLabel(res.StatusCode)).Inc()
	if tooLong(res.Header) {
		op.failures[reasonBody].Inc()
		_ = res.Body.Close()
		return nil, fmt.Errorf("%w: %w: over %d bytes", fault.BadUpstream, errHeadTooLong, maxHead)
	}
	return res, nil
}
