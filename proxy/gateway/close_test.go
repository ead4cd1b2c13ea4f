package gateway

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"portico/proxy/icws"
	"portico/proxy/icws/icwssim"
	"portico/proxy/upstream"
	"portico/translate"
)

// TestASiteThatHangsKeepsNobodyElsesSessionFromBeingEnded stops while one site answers no log-out.
func TestASiteThatHangsKeepsNobodyElsesSessionFromBeingEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hanging, healthy := &icwssim.Server{}, &icwssim.Server{}
		w := newWorld(t, hanging, func(s *Settings, _ *Site) {
			s.Sites = []Site{{Name: "other", Language: "en-us", Rules: translate.Rules{Site: "other"}, ICWS: icws.New(icws.Settings{
				Site: "other", Bases: []string{"http://ic2.example:8018"}, HTTP: healthy.Transport(),
				Metrics: upstream.NewMetrics(prometheus.NewRegistry(), []string{"other"})})}}
			s.Route = func(login string) (Route, bool) {
				site := "pureconnect"
				if login == "anna" {
					site = "other"
				}
				return Route{Stops: []Stop{{Site: site, Login: login}}}, true
			}
		})
		t.Cleanup(healthy.Close)
		w.login("anna")
		for i := range 300 {
			w.login(fmt.Sprintf("agent%04d", i+1))
		}
		err := hanging.Fault(icwssim.Fault{Scenario: "hang"})
		if err != nil {
			t.Fatal(err)
		}
		const grace = 20 * time.Second
		ctx, cancel := context.WithTimeout(t.Context(), grace)
		defer cancel()
		began := time.Now()
		ended := make(chan time.Duration, 1)
		go func() {
			w.Close(ctx)
			ended <- time.Since(began)
		}()
		time.Sleep(time.Second)
		state, err := healthy.State("anna")
		if err != nil || state.Sessions != 0 {
			t.Errorf("a second later %d sessions are left at the healthy site (%v); want none", state.Sessions, err)
		}
		if took := <-ended; took > grace {
			t.Errorf("Close took %v; want the grace of %v at most", took, grace)
		}
		if len(w.all()) != 0 {
			t.Errorf("%d sessions are left here", len(w.all()))
		}
		hanging.Reset()
		time.Sleep(time.Minute) // for what was still on its way
	})
}
