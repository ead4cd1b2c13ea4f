package tracing

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// recording returns a Tracer that records a share of all traces, and what it recorded.
func recording(share float64) (*Tracer, *tracetest.SpanRecorder) {
	recorder := tracetest.NewSpanRecorder()
	return NewWith(Settings{Share: share, Version: "1"}, recorder), recorder
}

const (
	given       = "4bf92f3577b34da6a3ce929d0e0e4736"
	recorded    = "00-" + given + "-00f067aa0ba902b7-01"
	notRecorded = "00-" + given + "-00f067aa0ba902b7-00"
)

// asked returns a request at the door in a trace.
func asked(traceparent string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/me/devices/canary?canary=canary", nil)
	if traceparent != "" {
		r.Header.Set("Traceparent", traceparent)
		r.Header.Set("Tracestate", "other=1")
	}
	return r
}

func TestWhatIsRecorded(t *testing.T) {
	for _, test := range []struct {
		name, traceparent string
		share             float64
		recorded          bool
		continued         bool
	}{
		{"a trace that begins here", "", 1, true, false},
		{"a trace that begins here, of which none is recorded", "", 0, false, false},
		{"a caller's trace that they record", recorded, 1, true, true},
		{"a caller's trace that they record, of which none is recorded here", recorded, 0, false, true},
		{"a caller's trace that they do not record", notRecorded, 1, false, true},
		{"a header that is no trace", "00-zz-00f067aa0ba902b7-01", 1, true, false},
	} {
		tracer, spans := recording(test.share)
		ctx, span := tracer.Request(asked(test.traceparent))
		span.End("")
		ids, ok := IDsOf(ctx)
		if !ok || (ids.Trace == given) != test.continued || ids.Span == "00f067aa0ba902b7" {
			t.Errorf("%s: the ids are %v (%v); continued: want %v, with a span of its own", test.name, ids, ok, test.continued)
		}
		if got := len(spans.Ended()) == 1; got != test.recorded || span.Recorded() != test.recorded || (span.TraceID() != "") != test.recorded {
			t.Errorf("%s: recorded is %v; want %v", test.name, got, test.recorded)
		}
		wantFlags := map[bool]string{true: "01", false: "00"}[test.recorded]
		if ids.Flags != wantFlags {
			t.Errorf("%s: handed on with flags %s; want %s", test.name, ids.Flags, wantFlags)
		}
	}
}

// TestTracesAreDrawn holds traces that begin with what calls nobody to the share that is recorded.
func TestTracesAreDrawn(t *testing.T) {
	const tries = 4000
	for _, share := range []float64{0, .25, 1} {
		tracer, spans := recording(share)
		for range tries / 2 {
			ctx, span := tracer.Quick(time.Now())
			_, known := IDsOf(ctx)
			if known != span.Recorded() {
				t.Fatalf("of a share of %v: ids: %v, recorded: %v", share, known, span.Recorded())
			}
			span.End("")
			tracer.Delivered("device", time.Now())
		}
		if got := float64(len(spans.Ended())) / tries; got < share*.8 || got > share*1.2 {
			t.Errorf("%v are recorded; want a share of %v", got, share)
		}
	}
}

func TestSpansSayNothingOfTheAgent(t *testing.T) {
	tracer, spans := recording(1)
	ctx, door := tracer.Request(asked(""))
	fetching, fetch := tracer.Fetch(ctx, "catalogue", "pureconnect")
	call := httptest.NewRequest(http.MethodPut, "https://canary:canary@ic1.example:8019/icws/canary/status?canary", nil)
	_, attempt := tracer.To("pureconnect", "icws", true).Attempt(fetching, call, "get_status_messages", "client")
	attempt.Answered(503)
	attempt.End("server")
	fetch.End("bad upstream")
	door.Served(Served{Method: "GET", Route: "/me/devices/:id", Operation: "devices", Session: "1a2b3c4d", Status: 200})
	door.End("")
	if tracer.Delivered("devices", time.Now().Add(-time.Second)) == "" {
		t.Error("a delivery that is recorded has no trace id")
	}
	var got []string
	for _, span := range spans.Ended() {
		line := fmt.Sprintf("%s %s %s:", span.SpanKind(), span.Name(), span.Status().Code)
		for _, attribute := range span.Attributes() {
			line += fmt.Sprintf(" %s=%s", attribute.Key, attribute.Value.String())
		}
		got = append(got, line)
	}
	want := []string{
		"client icws get_status_messages Error: portico.site=pureconnect portico.operation=get_status_messages portico.cause=client" +
			" http.request.method=PUT server.address=ic1.example http.response.status_code=503 error.type=server",
		"internal fetch catalogue Error: portico.cache=catalogue portico.site=pureconnect error.type=bad upstream",
		"server GET /me/devices/:id Unset: http.request.method=GET http.route=/me/devices/:id portico.operation=devices" +
			" portico.session=1a2b3c4d http.response.status_code=200",
		"producer deliver devices Unset: portico.channel=devices",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
	ended := spans.Ended()
	if ended[0].Parent().SpanID() != ended[1].SpanContext().SpanID() || ended[1].Parent().SpanID() != ended[2].SpanContext().SpanID() {
		t.Error("the spans of a request do not stand in each other")
	}
	if took := ended[3].EndTime().Sub(ended[3].StartTime()); took < time.Second {
		t.Errorf("a delivery began %v before its end; want when the event was received", took)
	}
}

func TestSitesAreToldTheTrace(t *testing.T) {
	tracer, _ := recording(1)
	var none *Tracer
	traced, span := tracer.Request(asked(recorded))
	ids, _ := IDsOf(traced)
	handedOn, _ := none.Request(asked(recorded))
	for _, test := range []struct {
		name     string
		outgoing Outgoing
		ctx      context.Context
		sent     string // traceparent of a request that is passed through
		want     string
		state    string
	}{
		{"a call in a trace", tracer.To("s", "icws", true), traced, "", "00-" + given + "-" + ids.Span + "-01", "other=1"},
		{"what is passed through", tracer.To("s", "icws", true), traced, recorded, "00-" + given + "-" + ids.Span + "-01", "other=1"},
		{"a call without a trace", tracer.To("s", "icws", true), t.Context(), "", "", ""},
		{"a site that is not to know", tracer.To("s", "icws", false), traced, recorded, "", ""},
		{"without a tracer", none.To("s", "icws", true), handedOn, "", recorded, "other=1"},
		{"without a tracer, a site that is not to know", none.To("s", "icws", false), handedOn, recorded, "", ""},
		{"the zero Outgoing", Outgoing{}, traced, recorded, "", ""},
	} {
		header := http.Header{"Baggage": {"canary=1"}}
		if test.sent != "" {
			header.Set("Traceparent", test.sent)
			header.Set("Tracestate", "canary=1")
		}
		test.outgoing.Tell(test.ctx, header)
		if header.Get("Traceparent") != test.want || header.Get("Tracestate") != test.state || header.Get("Baggage") != "" {
			t.Errorf("%s: the site is sent %v; want traceparent %q and tracestate %q", test.name, header, test.want, test.state)
		}
	}
	span.End("")
}

func TestWorkThatOutlivesItsCaller(t *testing.T) {
	tracer, _ := recording(1)
	caller, span := tracer.Request(asked(recorded))
	defer span.End("")
	caller, leave := context.WithCancel(caller)
	work := Follow(t.Context(), caller)
	leave()
	if ids, _ := IDsOf(work); ids.Trace != given || work.Err() != nil {
		t.Errorf("work that goes on is of trace %q, and ended with %v; want the caller's trace, and to go on", ids.Trace, work.Err())
	}
	if Follow(t.Context(), context.Background()) != t.Context() {
		t.Error("work without a trace has another context than its own")
	}
}

func TestWithoutTracerNothingIsAllocated(t *testing.T) {
	var tracer *Tracer
	r := asked("")
	to := tracer.To("s", "icws", true)
	allocated := testing.AllocsPerRun(100, func() {
		ctx, span := tracer.Request(r)
		_, attempt := to.Attempt(ctx, r, "get_user", "client")
		to.Tell(ctx, r.Header)
		attempt.Answered(200)
		attempt.End("")
		span.Served(Served{})
		span.End("")
		_, _ = IDsOf(ctx)
		_ = tracer.Delivered("devices", time.Time{})
	})
	if allocated != 0 {
		t.Errorf("%v allocations; want none", allocated)
	}
	if tracer.Close(t.Context()) != nil {
		t.Error("closing nothing fails")
	}
}
