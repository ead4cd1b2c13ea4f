package upstream

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"portico/proxy/fault"
)

// Through returns a transport for requests that are passed through to the site. It counts them
// under operation and the cause of their context, without durations: their bodies stream, and end
// when the caller has them. Their spans end with the head. An upload or a download may take as long as it likes, but the site may
// not be silent for longer than the given time while it is waited for. Once another protocol is spoken,
// it may.
//
// It fails with fault.Unreachable or fault.Timeout when no answer came, with fault.BadUpstream when
// its head cannot be passed on, and with context.Canceled when the request's context was cancelled. So does
// the body of an answer, when it breaks off. It fails with fault.Invalid when it is the caller's own body
// that broke off. The breaker is asked, and told by the head.
func (c *Caller) Through(operation string, silent time.Duration) http.RoundTripper {
	return through{caller: c, operation: operation, silent: silent, events: silent}
}

// ThroughEvents is Through for a site whose event streams may be silent for another time than the
// rest: between two keep-alives of a stream nothing comes.
func (c *Caller) ThroughEvents(operation string, silent, events time.Duration) http.RoundTripper {
	return through{caller: c, operation: operation, silent: silent, events: events}
}

type through struct {
	caller    *Caller
	operation string
	silent    time.Duration
	events    time.Duration // the same of an event stream, once its head came
}

// RoundTrip returns the head of the answer as soon as it came. In flight until then, the request
// is one of the site's attempts.
func (t through) RoundTrip(req *http.Request) (*http.Response, error) {
	site := t.caller.Site
	op := site.of(t.operation)
	breaker, err := t.caller.Guard.host(req, op)
	if err != nil {
		return nil, err
	}
	site.inFlight.Inc()
	defer site.inFlight.Dec()
	ctx, silence := newSilence(req.Context(), t.silent)
	ctx, sent := t.caller.begin(ctx, req, op)
	res, err := t.caller.Transport.RoundTrip(uploaded(sentOnce(req.WithContext(t.caller.traced(ctx))), silence))
	if err != nil {
		why, err := throughFailure(ctx, err)
		breaker.heardThrough(req.Context(), nil, why)
		silence.end()
		sent.over(0, why)
		return nil, err
	}
	breaker.heardThrough(req.Context(), res, "")
	err = checkHead(res)
	if err != nil {
		sent.over(res.StatusCode, reasonBody)
		silence.end()
		_ = res.Body.Close()
		return nil, err
	}
	sent.over(res.StatusCode, "")
	if res.StatusCode == http.StatusSwitchingProtocols { // its body is a connection, to which we write too
		silence.leave()
		return res, nil
	}
	if IsEventStream(res.Header) {
		silence.allow(t.events)
	}
	silence.pause()
	res.Body = download{ReadCloser: res.Body, silence: silence, fail: func(err error) error {
		why, err := bodyFailure(ctx, err)
		op.failures[why].Inc()
		return err
	}}
	return res, nil
}

// checkHead fails with fault.BadUpstream for a head that cannot be passed on.
func checkHead(res *http.Response) error {
	switch {
	case tooLong(res.Header):
		return fmt.Errorf("%w: %w: over %d bytes", fault.BadUpstream, errHeadTooLong, maxHead)
	case res.StatusCode < 100: // which net/http takes, and panics when it is to send it
		return fmt.Errorf("%w: no status is %03d", fault.BadUpstream, res.StatusCode)
	}
	return nil
}

// IsEventStream reports whether an answer with these headers is a stream of server-sent events.
func IsEventStream(h http.Header) bool { return strings.EqualFold(mediaType(h), "text/event-stream") }

// isJSON reports whether an answer with these headers is JSON, by whatever name.
func isJSON(h http.Header) bool { return strings.HasSuffix(strings.ToLower(mediaType(h)), "json") }

func mediaType(h http.Header) string {
	kind, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return strings.TrimSpace(kind)
}
