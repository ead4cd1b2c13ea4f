package proxy

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"portico/proxy/icws/icwssim"
	"portico/proxy/tracing"
)

const (
	givenTrace  = "4bf92f3577b34da6a3ce929d0e0e4736"
	traceparent = "00-" + givenTrace + "-00f067aa0ba902b7-01"
)

// newTraced returns a world of which every trace is recorded, and what is recorded.
func newTraced(t testing.TB, options ...func(*knobs)) (*world, *tracetest.SpanRecorder) {
	t.Helper()
	spans := tracetest.NewSpanRecorder()
	recorded := func(k *knobs) { k.tracer = tracing.NewWith(tracing.Settings{Share: 1}, spans) }
	return newDoor(t, append([]func(*knobs){recorded}, options...)...), spans
}

// ofTrace returns the spans that have ended of one trace, by name.
func ofTrace(spans *tracetest.SpanRecorder, trace string) map[string]sdk.ReadOnlySpan {
	found := map[string]sdk.ReadOnlySpan{}
	for _, span := range spans.Ended() {
		if span.SpanContext().TraceID().String() == trace {
			found[span.Name()] = span
		}
	}
	return found
}

// TestATraceFromTheCallerToTheSite follows an agent's first request, which logs in.
func TestATraceFromTheCallerToTheSite(t *testing.T) {
	w, spans := newTraced(t)
	got := w.as("anna").do("POST", "/me", `{"operationName":"Ready"}`, "Authorization", basicAuth("anna", "anna"), "Traceparent", traceparent)
	if got.status != http.StatusOK {
		t.Fatalf("%d %s", got.status, got.body)
	}
	const request = "POST /me"
	eventually(t, "the request's span ends", func() bool { return ofTrace(spans, givenTrace)[request] != nil })
	trace := ofTrace(spans, givenTrace)
	door := trace[request]
	for _, call := range []string{"icws login", "icws set_user_status"} {
		if trace[call] == nil || trace[call].Parent().SpanID() != door.SpanContext().SpanID() {
			t.Errorf("%q does not stand in the request's span", call)
		}
	}
	fetch := spanNamed(spans, "fetch catalogue") // by whoever needed it first, the request or the reader
	call := spanNamed(spans, "icws get_status_messages")
	if fetch == nil || call == nil || call.Parent().SpanID() != fetch.SpanContext().SpanID() {
		t.Error("the call for the catalogue does not stand in its fetch")
	}
	if door.Parent().SpanID().String() != "00f067aa0ba902b7" {
		t.Errorf("the request's span does not stand in the caller's: %v", door)
	}
	eventually(t, "the request is logged", func() bool { return len(records(t, w.log.String())) == 1 })
	if !slices.Contains(exemplarsOf(t, w, "portico_http_request_duration_seconds"), givenTrace) {
		t.Error("the histogram of answering times shows no request of the trace")
	}
}

// spanNamed returns a span that has ended, nil if there is none of the name.
func spanNamed(spans *tracetest.SpanRecorder, name string) sdk.ReadOnlySpan {
	for _, span := range spans.Ended() {
		if span.Name() == name {
			return span
		}
	}
	return nil
}

// exemplarsOf returns the trace ids that a histogram's buckets show.
func exemplarsOf(t *testing.T, w *world, family string) []string {
	t.Helper()
	families, err := w.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var traces []string
	for _, one := range families {
		if one.GetName() != family {
			continue
		}
		for _, series := range one.GetMetric() {
			for _, bucket := range series.GetHistogram().GetBucket() {
				for _, label := range bucket.GetExemplar().GetLabel() {
					traces = append(traces, label.GetValue())
				}
			}
		}
	}
	return traces
}

// TestNothingOfTheAgentIsInSpans looks for canaries, and for the ids of sessions, in all that is recorded.
func TestNothingOfTheAgentIsInSpans(t *testing.T) {
	w, spans := newTraced(t, func(k *knobs) {
		k.site.Native = true
		k.sim = &icwssim.Server{Users: []icwssim.User{{ID: "anna", Password: "canary-password"}}}
	})
	first := w.do("GET", "/me", "", "Authorization", basicAuth("anna", "canary-password"))
	cookie := cookieOf(first)
	headers := []string{"Cookie", "JSESSIONID=" + cookie, "User-Agent", "canary", "X-Request-Id", "canary", "Baggage", "canary=canary"}
	w.do("GET", "/me/channels/canary?canary=canary", "", headers...)
	w.do("GET", "/canary", "", headers...)
	w.do("POST", "/me", `{"operationName":"Canary","notes":"canary"}`, headers...)
	w.do("POST", "/me", `{"operationName":"Ready"}`, headers...)
	w.do("BREW", "/me/canary", "", headers...)
	w.do("GET", "/icws/canary/status/canary?canary", "", headers...)
	w.do("GET", "/api/v2/canary?canary", "", "Authorization", basicAuth("bjorn", "bjorn"))
	w.over(t)
	text := recordedText(spans)
	for _, secret := range []string{"anary", "anna", "bjorn", cookie, "29113001", "29114001", "127.0.0.1:"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in the spans:\n%s", secret, text)
		}
	}
	if !strings.Contains(text, "GET passthrough") || !strings.Contains(text, "OTHER unmatched") {
		t.Errorf("the spans are\n%s\nwant those of requests without a route too", text)
	}
}

func recordedText(spans *tracetest.SpanRecorder) string {
	var text strings.Builder
	for _, span := range spans.Ended() {
		fmt.Fprintln(&text, span.Name(), span.Status(), span.Attributes(), span.Events(), span.SpanContext().TraceState(), span.Resource().Attributes())
	}
	return text.String()
}

func TestAuditOfStates(t *testing.T) {
	for _, named := range []bool{false, true} {
		w := newDoor(t, func(k *knobs) { k.door.LogLogins = named })
		anna := w.as("anna")
		anna.get("/me")
		anna.post("/me", `{"operationName":"Ready"}`)
		anna.post("/me/channels/voice", `{"operationName":"AtLunch"}`)
		anna.post("/me", `{"operationName":"Canary"}`)
		anna.post("/me", `{"operationName":`)
		anna.post("/me/channels/canary", `{"operationName":"Ready"}`)
		anna.post("/api/v2/me", `{"operationName":"StartContactCenterSession","channels":["voice","chat"]}`)
		var got []string
		for _, one := range linesOf(t, w.log.String()) {
			if one["msg"] != MessageAudit {
				continue
			}
			got = append(got, fmt.Sprint(one["operation"], ",", one["state"], ",", one["target"], ",", one["result"], ",", one["error_class"]))
			if login, told := one["login"]; told != named || named && login != "anna" {
				t.Errorf("the login name is %v; told %v", login, named)
			}
			if one["request_id"] == nil || one["session"] == nil || one["site"] != site {
				t.Errorf("%v does not tell request, session and site", one)
			}
		}
		want := []string{"Ready,<nil>,all,ok,<nil>", "custom,AtLunch,channel voice,ok,<nil>", "custom,<nil>,all,refused,invalid",
			"StartContactCenterSession,<nil>,all,partial,<nil>"}
		if !slices.Equal(got, want) {
			t.Errorf("audit records:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if strings.Contains(w.log.String(), "anary") {
			t.Error("a canary is in the log")
		}
	}
}
