package proxy

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

// overHTTP2 puts the door on a second socket, which speaks HTTP/2, for the world's requests from now on.
// It returns how many connections there were.
func (w *world) overHTTP2() *atomic.Int32 {
	w.t.Helper()
	opened := &atomic.Int32{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			w.t.Errorf("%s %s came over %s; want HTTP/2", r.Method, r.URL.Path, r.Proto)
		}
		w.handler.ServeHTTP(out, r)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	w.t.Cleanup(server.Close)
	transport := server.Client().Transport.(*http.Transport).Clone()
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		opened.Add(1)
		return dial(ctx, network, address)
	}
	w.t.Cleanup(transport.CloseIdleConnections)
	w.url, w.client = server.URL, &http.Client{Transport: transport}
	return opened
}

// A connection of HTTP/2 carries all that an application has under way, so a request that is passed
// through must not have it closed, above all one without a body.
func TestAConnectionOfHTTP2StaysOpen(t *testing.T) {
	w, _ := newTapped(t, says(200, "{}"), openToNative)
	opened := w.overHTTP2()
	anna := w.opens("anna")
	for range 3 {
		anna.ask("GET", "/connection", "").is(t, "GET of ICWS", 200, `{"connectionState":1}`)
		anna.ask("DELETE", "/messaging/subscriptions/status/user-statuses", "").is(t, "DELETE of ICWS", 204, "")
		for method, body := range map[string]string{"GET": "", "DELETE": "", "POST": "{}"} {
			w.do(method, "/api/v2/tap", body, "Authorization", basicAuth("bjorn", "bjorn")).is(t, method+" of HTCC", 200, "{}")
		}
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("%d connections were opened; want 1", n)
	}
}
