package gateway

import (
	"context"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc"
	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/proxy/upstream"
)

// cloudBy has the world's HTCC site called by a transport of its own.
func cloudBy(transport http.RoundTripper) option {
	return func(s *Settings, _ *Site) {
		s.Sites = append(s.Sites, Site{Name: "cloud", HTCC: htcc.New(htcc.Settings{Site: "cloud", Bases: []string{"http://gws.example:8090"},
			Timeout: 5 * time.Second, HTTP: transport, Metrics: upstream.NewMetrics(nil, nil)})})
		s.Route = unionRoute
	}
}

// TestAPanicOfTheReadBesideNotificationsIsCaught has what a read brings be handled with a bug.
func TestAPanicOfTheReadBesideNotificationsIsCaught(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		t.Cleanup(cloud.Close)
		panics := &panicking{path: "/api/v2/me", next: cloud.Transport()}
		w := newWorld(t, &icwssim.Server{}, telling, cloudBy(panics))
		w.sweepPages()
		w.login("bjorn")
		time.Sleep(time.Second)
		panics.on.Store(true)
		w.lose(cloud, "bjorn")
		time.Sleep(time.Minute)
	})
}

// cutting is a transport that resets the connect it holds, once told to.
type cutting struct {
	next http.RoundTripper
	cut  chan struct{}
}

func (c *cutting) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/notifications") {
		return c.next.RoundTrip(r)
	}
	type answer struct {
		res *http.Response
		err error
	}
	ctx, cancel := context.WithCancel(r.Context())
	answered := make(chan answer, 1)
	go func() {
		res, err := c.next.RoundTrip(r.WithContext(ctx))
		answered <- answer{res, err}
	}()
	select {
	case got := <-answered:
		context.AfterFunc(r.Context(), cancel)
		return got.res, got.err
	case <-c.cut:
		cancel()
		got := <-answered
		if got.err == nil {
			_ = got.res.Body.Close()
		}
		return nil, syscall.ECONNRESET
	}
}

// TestASiteThatNotifiesIsNotAway has one held connect break while reads fail: applications are not told that the site is
// away, and are told what changes.
func TestASiteThatNotifiesIsNotAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		t.Cleanup(cloud.Close)
		cuts := &cutting{next: cloud.Transport(), cut: make(chan struct{})}
		w := newWorld(t, &icwssim.Server{}, telling, cloudBy(cuts))
		w.sweepPages()
		bjorn := w.login("bjorn")
		time.Sleep(time.Second)
		w.posted(bjorn, "", startTwo)
		time.Sleep(time.Second)
		w.posted(bjorn, "", `{"operationName":"NotReady"}`)
		time.Sleep(time.Second)
		desktop := w.open(bjorn, everything)
		w.faultCloud(cloud, htccsim.Fault{Route: routeMe, Status: http.StatusServiceUnavailable})
		w.lose(cloud, "bjorn")
		time.Sleep(20 * time.Second)
		select {
		case cuts.cut <- struct{}{}:
		case <-time.After(10 * time.Second):
			t.Fatal("no connect is held")
		}
		time.Sleep(5 * time.Second)
		desktop.hears("one broken connect")
		w.setCloud(cloud, htccsim.StateChange{User: "bjorn", Channel: "voice", State: "Ready"})
		time.Sleep(5 * time.Second)
		desktop.hears("a change", "device Active:Ready dnd:Off")
	})
}

// TestAReadThatIsToTellIsMadeAgain has the read fail that makes good for a lost notification.
func TestAReadThatIsToTellIsMadeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, cloud, bjorn, desktop := newBjorn(t)
		w.faultCloud(cloud, htccsim.Fault{Scenario: "lose-notification", User: "bjorn", Times: 1})
		desktop.heard()
		w.posted(bjorn, "chat", `{"operationName":"Ready"}`)
		w.faultCloud(cloud, htccsim.Fault{Route: routeMe, Status: http.StatusInternalServerError, Times: 1})
		time.Sleep(10 * time.Minute)
		desktop.hears("Ready", "channels chat:Ready")
	})
}

// TestALateNotificationIsNotToldTwice has the site notify of an operation after a read has told of it.
func TestALateNotificationIsNotToldTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w, bjorn, desktop := newBjornAt(t, cloud)
		cloud.NotifyDelay = 1500 * time.Millisecond
		w.posted(bjorn, "chat", `{"operationName":"Ready"}`)
		time.Sleep(5 * time.Second)
		desktop.hears("Ready told late", "channels chat:Ready")
		w.posted(bjorn, "chat", `{"operationName":"NotReady"}`)
		time.Sleep(5 * time.Second)
		desktop.hears("NotReady told late", "channels chat:NotReady")
	})
}
