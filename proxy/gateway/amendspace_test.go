package gateway

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
)

// An amnesic line is one to an HTCC site that takes log-ins and reads, and has forgotten the session whenever it is asked
// to change a channel.
type amnesic struct {
	http.RoundTripper
	on atomic.Bool
}

func (f *amnesic) RoundTrip(r *http.Request) (*http.Response, error) {
	if !f.on.Load() || !strings.Contains(r.URL.Path, "/me/channels/") {
		return f.RoundTripper.RoundTrip(r)
	}
	return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(`{"statusCode":20,"statusMessage":"Access denied"}`)), Request: r}, nil
}

// TestAmendsBearAnHTCCThatForgetsSessions has a Start be owed at an HTCC that is asked in vain on each session it opens.
func TestAmendsBearAnHTCCThatForgetsSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		sites, line := behindBalancer(t, cloud)
		stray := &amnesic{RoundTripper: line.RoundTripper}
		line.RoundTripper = stray
		w := newWorld(t, &icwssim.Server{}, sites)
		cleo := w.login("cleo")
		w.offersCleo(cloud)
		settle()
		w.faultCloud(cloud, htccsim.Fault{Status: http.StatusServiceUnavailable})
		w.posts(cleo, startOf("voice"))
		time.Sleep(time.Second)
		before := line.logins.Load()
		cloud.Reset()
		stray.on.Store(true)
		time.Sleep(10 * time.Minute)
		if n := line.logins.Load() - before; n > 60 {
			t.Errorf("%d log-ins in ten minutes; want few", n)
		}
		stray.on.Store(false)
		time.Sleep(35 * time.Second)
		worksAt(t, cloud, "cleo", "chat:LoggedOut email:LoggedOut")
	})
}

// TestAmendsBearAPureConnectThatForgetsSessions is the same at PureConnect.
func TestAmendsBearAPureConnectThatForgetsSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{IdleTimeout: time.Hour}
		w := newUnion(t, &icwssim.Server{IdleTimeout: time.Hour}, cloud)
		cleo := w.login("cleo")
		w.offersCleo(cloud)
		settle()
		w.fault(icwssim.Fault{Route: routePutActivations, Status: http.StatusInternalServerError})
		w.posts(cleo, startOf("chat"))
		time.Sleep(time.Minute)
		w.sim.Reset()
		before := w.logins()
		w.fault(icwssim.Fault{Route: routePutActivations, Status: http.StatusUnauthorized, Delay: 20 * time.Millisecond})
		time.Sleep(10 * time.Minute)
		if n := w.logins() - before; n > 60 {
			t.Errorf("%d log-ins in ten minutes; want few", n)
		}
		w.sim.Reset()
		time.Sleep(35 * time.Second)
		if w.login("cleo").parts[0].(*icwsPart).isIndebted() {
			t.Error("the Start is still owed once PureConnect keeps its sessions")
		}
	})
}
