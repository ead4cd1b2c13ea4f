package proxy

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"portico/proxy/fault"
	"portico/translate/htccapi"
)

func TestErrorsThatSayWhenToTryAgain(t *testing.T) {
	for _, test := range []struct {
		after  time.Duration
		kind   fault.Kind
		status int
		want   string
		body   string
	}{
		{0, fault.Overloaded, 503, "", `{"statusCode":4,"statusMessage":"too busy, try again later"}`},
		{time.Millisecond, fault.Overloaded, 503, "1", `{"statusCode":4,"statusMessage":"too busy, try again later"}`},
		{90 * time.Second, fault.Throttled, 429, "90", `{"statusCode":20,"statusMessage":"too many failed log-ins"}`},
	} {
		refuse := func(*call) (any, error) { return nil, &fault.Error{Kind: test.kind, RetryAfter: test.after} }
		got := serveOnce(t, &logged{}, htccapi.DialectStatusCode, refuse, httptest.NewRequest("GET", "/x", nil))
		if got.Code != test.status || got.Header().Get("Retry-After") != test.want || got.Body.String() != test.body {
			t.Errorf("%s after %v = %d, Retry-After %q, %s; want %d, %q, %s", test.kind, test.after, got.Code, got.Header().Get("Retry-After"), got.Body,
				test.status, test.want, test.body)
		}
	}
}

func TestHeadIsGetWithoutBody(t *testing.T) {
	w := newDoor(t)
	anna := w.as("anna")
	for _, prefix := range []string{"", "/api/v2"} {
		for _, path := range []string{"/me?subresources=*", "/me/devices", "/me/channels?fields=*", "/me/channels/voice", "/me/channels/fax", "/settings/agent-states",
			"/diagnostics/version", "/me/status-messages"} {
			get := anna.get(prefix + path)
			head := anna.do(http.MethodHead, prefix+path, "", anna.headers...)
			if head.status != get.status || head.body != "" || head.header.Get("Content-Length") != strconv.Itoa(len(get.body)) ||
				head.header.Get("Content-Type") != get.header.Get("Content-Type") {
				t.Errorf("HEAD %s%s = %d %q %v; GET is %d with %d bytes", prefix, path, head.status, head.body, head.header, get.status, len(get.body))
			}
		}
	}
}
