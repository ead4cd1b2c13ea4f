package gateway

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
)

// endsWell has an agent end their session, which succeeds.
func (w *world) endsWell(a *Agent) {
	w.t.Helper()
	err := w.EndContactCenterSession(w.t.Context(), a)
	if err != nil {
		w.t.Errorf("End: %v", err)
	}
}

// TestASecondEndIsMadeUpForToo has an agent end the session while HTCC is away, log in again, by which the first End is
// made up for no more, and end that session too, in which there is no upstream session.
func TestASecondEndIsMadeUpForToo(t *testing.T) {
	for name, isBack := range map[string]bool{"while HTCC is away": false, "when it is back, and nobody has looked": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, cloud, cleo := newAtWork(t)
				w.faultCloud(cloud, htccsim.Fault{Status: http.StatusServiceUnavailable})
				w.endsWell(cleo)
				time.Sleep(2 * time.Minute)
				again := w.login("cleo")
				time.Sleep(2 * time.Minute)
				if isBack {
					cloud.Reset()
				}
				w.endsWell(again)
				time.Sleep(time.Minute)
				cloud.Reset()
				time.Sleep(2 * time.Minute)
				w.outOfWork(cloud, "cleo")
				w.holds("cleo", "Available, No ACD")
				w.sessions("cleo", 0)
			})
		})
	}
}

// TestALateEndWithoutASessionIsHarmless has HTCC away for the whole session of an agent who never worked there.
func TestALateEndWithoutASessionIsHarmless(t *testing.T) {
	for name, c := range map[string]struct {
		refuses bool   // once it is back
		want    string // in the log
	}{
		"HTCC takes the password":   {false, "an agent who ended the session was taken out of work"},
		"HTCC refuses the password": {true, textMayWork},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log, cloud := &strings.Builder{}, &htccsim.Server{IdleTimeout: time.Hour}
				w := newUnion(t, &icwssim.Server{IdleTimeout: time.Hour}, cloud, func(s *Settings, _ *Site) { s.Logger = slog.New(slog.NewTextHandler(log, nil)) })
				w.faultCloud(cloud, htccsim.Fault{Status: http.StatusServiceUnavailable})
				cleo := w.login("cleo")
				settle()
				w.endsWell(cleo)
				time.Sleep(time.Minute)
				cloud.Reset()
				if c.refuses {
					w.faultCloud(cloud, htccsim.Fault{Status: http.StatusForbidden, Route: routeHTCCLogin})
				}
				before := loginsAtHTCC(cloud)
				time.Sleep(20 * time.Minute)
				if n := loginsAtHTCC(cloud) - before; n != 1 {
					t.Errorf("%d log-ins once HTCC is back; want one", n)
				}
				if !strings.Contains(log.String(), c.want) {
					t.Errorf("the log does not say %q:\n%s", c.want, log)
				}
				w.hasLeft(cloud, "twenty minutes later")
			})
		})
	}
}
