package admin

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"portico/cache"
	"portico/proxy/gateway"
	"portico/proxy/icws"
	"portico/proxy/icws/icwssim"
	"portico/proxy/session"
	"portico/proxy/upstream"
	"portico/translate"
)

func TestOperatorsDoor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := &icwssim.Server{}
		reg := prometheus.NewRegistry()
		served, err := gateway.New(gateway.Settings{
			Sites: []gateway.Site{{Name: "pureconnect", Rules: translate.Rules{Site: "pureconnect"}, ICWS: icws.New(icws.Settings{
				Site: "pureconnect", Bases: []string{"http://ic1.example:8018"}, HTTP: sim.Transport(),
				Metrics: upstream.NewMetrics(reg, []string{"pureconnect"})})}},
			Policy: gateway.Policy{Route: func(string) (gateway.Route, bool) { return gateway.Route{}, false }, Idle: time.Hour, MaxBytes: 1 << 20},
			Store:  session.NewMemory(), Cache: cache.NewMetrics(reg, "pureconnect"), Metrics: gateway.NewMetrics(reg),
		})
		if err != nil {
			t.Fatal(err)
		}
		var draining atomic.Bool
		door := New(Settings{Gatherer: reg, Registerer: reg, Gateway: served, Draining: draining.Load, Open: true})
		expect := func(when, path string, status int, body string) {
			t.Helper()
			answer := httptest.NewRecorder()
			door.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost"+path, nil))
			if answer.Code != status || !strings.Contains(answer.Body.String(), body) {
				t.Errorf("%s, GET %s = %d %s; want %d with %q", when, path, answer.Code, answer.Body, status, body)
			}
		}
		expect("before a probe", "/readyz", 503, `{"ready":false,"draining":false,"sites":{"pureconnect":false}}`)
		expect("before a probe", "/readyz/pureconnect", 503, "the site does not answer")
		expect("before a probe", "/healthz", 200, "ok")

		ended := make(chan error, 1)
		go func() { ended <- served.Run(t.Context()) }()
		synctest.Wait()
		expect("with a site that answers", "/readyz", 200, `{"ready":true,"draining":false,"sites":{"pureconnect":true}}`)
		expect("with a site that answers", "/readyz/pureconnect", 200, "ok")
		expect("with a site that answers", "/readyz/elsewhere", 404, "there is no such site")
		expect("with a site that answers", "/metrics", 200, `portico_site_up{site="pureconnect"} 1`)
		expect("with a site that answers", "/debug/pprof/", 200, "goroutine")
		expect("with a site that answers", "/debug/pprof/cmdline", 200, "")
		expect("with a site that answers", "/me", 404, "")

		err = sim.Fault(icwssim.Fault{Status: 500})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		expect("with a site that fails", "/readyz", 503, `"sites":{"pureconnect":false}`)
		expect("with a site that fails", "/readyz/pureconnect", 503, "the site does not answer")
		sim.Reset()
		time.Sleep(time.Minute)
		draining.Store(true)
		expect("while draining", "/readyz", 503, `{"ready":false,"draining":true,"sites":{"pureconnect":true}}`)
		expect("while draining", "/readyz/pureconnect", 503, "draining")
		expect("while draining", "/healthz", 200, "ok")
		served.Close(t.Context())
		sim.Close()
	})
}

// Replicas are without their store all together, so it takes none of them out of service.
func TestReadinessTellsOfTheSharedStore(t *testing.T) {
	reg := prometheus.NewRegistry()
	var up atomic.Bool
	served, err := gateway.New(gateway.Settings{
		Policy: gateway.Policy{Idle: time.Hour, MaxBytes: 1 << 20}, Store: session.NewMemory(), Cache: cache.NewMetrics(reg), Metrics: gateway.NewMetrics(reg),
		Fleet: &gateway.Fleet{Leases: session.NewMemoryLeases(), Bell: (&session.MemoryBells{}).One(), ProofKeys: []session.Key{session.NewKey()}, Up: up.Load},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer served.Close(t.Context())
	answer := httptest.NewRecorder()
	New(Settings{Gatherer: reg, Registerer: reg, Gateway: served, Open: true}).ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/sessions", nil))
	if got := answer.Body.String(); got != `{"everywhere":0,"sessions":[]}` {
		t.Errorf("sessions = %s; want the number at all replicas too", got)
	}
	for _, want := range []bool{false, true} {
		up.Store(want)
		_, body := readiness(Settings{Gateway: served, Draining: func() bool { return false }})
		if body.Store == nil || *body.Store != want {
			t.Errorf("readiness = %+v; want store %v", body, want)
		}
	}
}
