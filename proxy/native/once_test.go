package native

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"portico/cache"
	"portico/proxy/icws"
	"portico/proxy/session"
	"portico/proxy/upstream"
)

// TestALostAnswerToAPollIsNotReplaced has a site take a poll and close the connection: a second one would be answered
// without what the first had taken off the queue.
func TestALostAnswerToAPollIsNotReplaced(t *testing.T) {
	var polls atomic.Int32
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/messages") && polls.Add(1) == 2 {
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write([]byte("[]"))
	}))
	defer site.Close()
	reg := prometheus.NewRegistry()
	client := icws.New(icws.Settings{Site: "pureconnect", Bases: []string{site.URL}, HTTP: site.Client().Transport,
		Metrics: upstream.NewMetrics(reg, []string{"pureconnect"})})
	proxy := New(Site{Name: "pureconnect", ICWS: client, Key: session.NewKey(), Cells: cache.NewMetrics(reg, "pureconnect"),
		Languages: func(context.Context) []string { return nil },
		Logins:    Logins{MayTry: func(context.Context, string, netip.Addr) error { return nil }}})
	defer proxy.Close()
	poll := func(path string) error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := proxy.Passage(nil).RoundTrip(req)
		if err == nil {
			_ = res.Body.Close()
		}
		return err
	}
	for i, lost := range []bool{false, true, false} {
		err := poll("/icws/1/Messaging/messages")
		if (err != nil) != lost {
			t.Errorf("poll %d = %v; want it lost: %v", i+1, err, lost)
		}
	}
	if got := polls.Load(); got != 3 {
		t.Errorf("the site was asked for messages %d times; want 3", got)
	}
}
