package watch

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"portico/cache"
	"portico/proxy/catalogues"
	"portico/proxy/icws"
	"portico/proxy/icws/icwssim"
	"portico/proxy/upstream"
	"portico/proxy/upstream/memhttp"
	"portico/proxy/upstream/rig"
	"portico/translate"
	"portico/translate/icwsapi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A desk is an agent who is watched, and what it was told: "live", "broken", a status, with a + before it in a delta.
type desk struct{ rig.Log }

func (d *desk) SetLive(live bool) {
	if live {
		d.Add("live")
		return
	}
	d.Add("broken")
}

func (d *desk) Receive(message icwsapi.Message) {
	told, ok := message.(icwsapi.UserStatusMessage)
	if !ok {
		return
	}
	delta := ""
	if told.IsDelta {
		delta = "+"
	}
	for _, status := range told.UserStatusList {
		d.Add(delta + status.StatusID)
	}
}

// hears holds what a desk was told so far.
func (d *desk) hears(t *testing.T, when string, want ...string) {
	t.Helper()
	synctest.Wait()
	if got := d.All(); !slices.Equal(got, want) {
		t.Errorf("%s: told %q; want %q", when, got, want)
	}
}

// newSite returns a site that is called by a way.
func newSite(way http.RoundTripper) Site {
	return Site{
		Name: "pureconnect", User: User{UserID: "portico", Password: "portico"}, Language: "en-us", Activations: true, RefusedFor: 5 * time.Minute,
		ICWS: icws.New(icws.Settings{Site: "pureconnect", Bases: []string{"http://ic.example:8018"}, Application: "Portico",
			HTTP: way, Metrics: upstream.NewMetrics(prometheus.NewRegistry(), []string{"pureconnect"})}),
		Groups: catalogues.NewGroups(), Maker: catalogues.NewMaker("pureconnect"),
		Intern:   cache.NewInterner(func(c *translate.Catalogue) cache.Digest { return c.Digest() }).Of,
		Receives: prometheus.NewGauge(prometheus.GaugeOpts{Name: "watching", Help: "x"}), Log: slog.New(slog.DiscardHandler),
	}
}

// start has a Service at work at a site until it is stopped.
func start(t *testing.T, way http.RoundTripper) (s *Service, stop func()) {
	s = New(newSite(way))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Run(ctx)
	}()
	time.Sleep(time.Second)
	return s, func() {
		cancel()
		<-done
	}
}

// inBubble runs a test with a Service at work, in a bubble of synctest.
func inBubble(t *testing.T, sim *icwssim.Server, test func(t *testing.T, s *Service)) {
	rig.InBubble(t, sim, func(t *testing.T) {
		s, stop := start(t, memhttp.Network{"": sim})
		defer stop()
		test(t, s)
	})
}

func set(t *testing.T, sim *icwssim.Server, user, statusID string) {
	t.Helper()
	err := sim.SetState(icwssim.StateChange{User: user, StatusID: &statusID})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEachIsToldWhatIsTheirs(t *testing.T) {
	sim := &icwssim.Server{}
	inBubble(t, sim, func(t *testing.T, s *Service) {
		anna, again, cleo := &desk{}, &desk{}, &desk{}
		leave := s.Add(anna, "anna", "en-us")
		s.Add(again, "Anna", "en-us")
		s.Add(cleo, "cleo", "en-us")
		time.Sleep(time.Second)
		set(t, sim, "anna", "At Lunch")
		anna.hears(t, "anna's change", "live", "Available, No ACD", "+At Lunch")
		again.hears(t, "her other session", "live", "Available, No ACD", "+At Lunch")
		cleo.hears(t, "who is somebody else", "live", "Available, No ACD")
		leave()
		set(t, sim, "anna", "Available")
		anna.hears(t, "who has left", "live", "Available, No ACD", "+At Lunch")
		again.hears(t, "who has not", "live", "Available, No ACD", "+At Lunch", "+Available")
		if got := testutil.ToFloat64(s.site.Receives); got != 1 || !s.IsReceiving() {
			t.Errorf("Receives = %v, IsReceiving = %v; want 1, true", got, s.IsReceiving())
		}
	})
}

func TestWhoIsUnknownToTheSiteKeepsNobodyFromBeingWatched(t *testing.T) {
	sim := &icwssim.Server{}
	inBubble(t, sim, func(t *testing.T, s *Service) {
		anna, nobody := &desk{}, &desk{}
		s.Add(nobody, "nobody", "en-us")
		s.Add(anna, "anna", "en-us")
		time.Sleep(time.Second)
		anna.hears(t, "beside an unknown user", "live", "Available, No ACD")
		if got := nobody.All(); got[len(got)-1] != "broken" {
			t.Errorf("the unknown user is told %q; want nothing to be live", got)
		}
	})
}

func TestASessionThatIsLostIsReplaced(t *testing.T) {
	sim := &icwssim.Server{}
	inBubble(t, sim, func(t *testing.T, s *Service) {
		anna := &desk{}
		s.Add(anna, "anna", "en-us")
		time.Sleep(time.Second)
		life, renewed := s.Life()
		err := sim.Fault(icwssim.Fault{Scenario: "expire-session", User: "portico"})
		if err != nil {
			t.Fatal(err)
		}
		set(t, sim, "anna", "At Lunch")
		<-renewed
		time.Sleep(time.Second)
		anna.hears(t, "after the loss", "live", "Available, No ACD", "broken", "live", "At Lunch")
		if next, _ := s.Life(); next != life+1 {
			t.Errorf("Life = %d after %d; want one more", next, life)
		}
		if s.LivedSince(t.Context(), life) || !s.LivedSince(t.Context(), life+1) {
			t.Error("LivedSince does not tell the session of before from that of now")
		}
	})
}

const (
	routeStatuses    = "PUT /icws/{sessionId}/messaging/subscriptions/status/user-statuses"
	routeActivations = "PUT /icws/{sessionId}/messaging/subscriptions/activations/users/{subId}"
	routeStatus      = "GET /icws/{sessionId}/status/user-statuses/{userId}"
	routeStream      = "GET /icws/{sessionId}/messaging/messages"
)

func arm(t *testing.T, sim *icwssim.Server, f icwssim.Fault) {
	t.Helper()
	err := sim.Fault(f)
	if err != nil {
		t.Fatal(err)
	}
}

// slowly has the site take its time for a subscription of an agent who comes, and returns while that is put.
func slowly(t *testing.T, sim *icwssim.Server, s *Service) {
	t.Helper()
	arm(t, sim, icwssim.Fault{Route: routeActivations, Delay: 3 * time.Second, Times: 1})
	s.Add(&desk{}, "agent0007", "en-us")
	time.Sleep(500 * time.Millisecond)
}

func TestABreakWhileAnotherIsSubscribedTo(t *testing.T) {
	sim := &icwssim.Server{}
	inBubble(t, sim, func(t *testing.T, s *Service) {
		anna := &desk{}
		s.Add(anna, "anna", "en-us")
		time.Sleep(time.Second)
		slowly(t, sim, s)
		arm(t, sim, icwssim.Fault{Scenario: "drop-stream", User: "portico"})
		set(t, sim, "anna", "At Lunch")
		time.Sleep(10 * time.Second)
		got := anna.All()
		again := got[slices.Index(got, "broken"):]
		if !slices.Contains(again, "live") || again[len(again)-1] != "At Lunch" {
			t.Errorf("after the break: told %q; want that messages come again, and a snapshot of what changed", got)
		}
	})
}

func TestWhoComesAgainWhileAnotherIsSubscribedTo(t *testing.T) {
	sim := &icwssim.Server{}
	inBubble(t, sim, func(t *testing.T, s *Service) {
		leave := s.Add(&desk{}, "anna", "en-us")
		time.Sleep(time.Second)
		slowly(t, sim, s)
		leave()
		again := &desk{}
		s.Add(again, "anna", "en-us")
		time.Sleep(10 * time.Second)
		again.hears(t, "once the other is subscribed to", "live", "Available, No ACD")
	})
}

func TestAServiceThatMaySeeNobodyComesBack(t *testing.T) {
	sim := &icwssim.Server{}
	inBubble(t, sim, func(t *testing.T, s *Service) {
		for _, route := range []string{routeStatuses, routeStatus} {
			arm(t, sim, icwssim.Fault{Route: route, User: "portico", Status: http.StatusNotFound, Times: 1000})
		}
		s.Add(&desk{}, "anna", "en-us")
		time.Sleep(time.Minute)
		before := sim.Calls()[routeStream]
		arm(t, sim, icwssim.Fault{Scenario: "drop-stream", User: "portico"})
		time.Sleep(10 * time.Minute)
		if n := sim.Calls()[routeStream] - before; n != 1 || !s.IsReceiving() {
			t.Errorf("%d streams after a break, IsReceiving = %v; want 1, true", n, s.IsReceiving())
		}
	})
}

func TestNobodyIsLiveWhileTheStreamIsBroken(t *testing.T) {
	sim := &icwssim.Server{}
	inBubble(t, sim, func(t *testing.T, s *Service) {
		anna, cleo := &desk{}, &desk{}
		s.Add(anna, "anna", "en-us")
		time.Sleep(time.Second)
		arm(t, sim, icwssim.Fault{Route: routeStream, User: "portico", Status: http.StatusServiceUnavailable, Times: 1000})
		arm(t, sim, icwssim.Fault{Scenario: "drop-stream", User: "portico"})
		time.Sleep(15 * time.Second)
		s.Add(cleo, "cleo", "en-us")
		time.Sleep(2 * time.Second)
		anna.hears(t, "while the stream is broken", "live", "Available, No ACD", "broken")
		cleo.hears(t, "who comes meanwhile")
		sim.Reset()
		time.Sleep(time.Minute)
		anna.hears(t, "once it is back", "live", "Available, No ACD", "broken", "live", "Available, No ACD")
		cleo.hears(t, "who came meanwhile", "live", "Available, No ACD")
	})
}

// forgetful is a way to a site that does not know anna any more once it is on, or does not show her.
type forgetful struct {
	way    http.RoundTripper
	status int
	on     atomic.Bool
	puts   atomic.Int64 // of the list of users
	asks   atomic.Int64 // about anna
}

func (f *forgetful) RoundTrip(req *http.Request) (*http.Response, error) {
	refuses := strings.HasSuffix(req.URL.Path, "/user-statuses/anna")
	if refuses {
		f.asks.Add(1)
	}
	if req.Method == http.MethodPut && strings.HasSuffix(req.URL.Path, "/status/user-statuses") {
		f.puts.Add(1)
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		req = req.Clone(req.Context())
		req.Body = io.NopCloser(bytes.NewReader(body))
		refuses = bytes.Contains(body, []byte(`"anna"`))
	}
	if !refuses || !f.on.Load() {
		return f.way.RoundTrip(req)
	}
	return &http.Response{StatusCode: f.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(`{"message":"no such user"}`))}, nil
}

func TestWhoIsDeletedAtTheSiteKeepsNobodyFromBeingWatched(t *testing.T) {
	for _, status := range []int{http.StatusNotFound, http.StatusForbidden} {
		sim := &icwssim.Server{}
		rig.InBubble(t, sim, func(t *testing.T) {
			way := &forgetful{way: memhttp.Network{"": sim}, status: status}
			s, stop := start(t, way)
			defer stop()
			anna, cleo := &desk{}, &desk{}
			s.Add(anna, "anna", "en-us")
			time.Sleep(time.Second)
			way.on.Store(true)
			before := way.puts.Load()
			s.Add(cleo, "cleo", "en-us")
			time.Sleep(time.Minute)
			cleo.hears(t, "beside who is deleted", "live", "Available, No ACD")
			anna.hears(t, "who is deleted", "live", "Available, No ACD", "broken")
			if n := way.puts.Load() - before; n > 3 {
				t.Errorf("status %d: the list of users was put %d times; want each time somebody less", status, n)
			}
		})
	}
}

// spoiling is a way to the site on which the status in each message of a stream is written as nobody can read it.
type spoiling struct {
	way http.RoundTripper
	on  atomic.Bool
}

func (s *spoiling) RoundTrip(req *http.Request) (*http.Response, error) {
	time.Sleep(20 * time.Millisecond)
	res, err := s.way.RoundTrip(req)
	if err == nil && strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		res.Body = &spoiled{res.Body, s}
	}
	return res, err
}

type spoiled struct {
	io.ReadCloser
	by *spoiling
}

func (s *spoiled) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	if s.by.on.Load() {
		copy(p, bytes.ReplaceAll(p[:n], []byte(`"statusId":"`), []byte(`"statusId": `)))
	}
	return n, err
}

// A message that can never be read, as after an update of the site, costs it no storm of subscriptions.
func TestAMessageThatIsNeverRead(t *testing.T) {
	sim := &icwssim.Server{}
	rig.InBubble(t, sim, func(t *testing.T) {
		way := &spoiling{way: memhttp.Network{"": sim}}
		s, stop := start(t, way)
		defer stop()
		anna := &desk{}
		s.Add(anna, "anna", "en-us")
		time.Sleep(time.Second)
		before := sim.Calls()[routeStream]
		way.on.Store(true)
		set(t, sim, "anna", "At Lunch")
		time.Sleep(10 * time.Second)
		if n := sim.Calls()[routeStream] - before; n == 0 || n > 8 {
			t.Errorf("%d streams within 10 s; want some, and pauses that double", n)
		}
		way.on.Store(false)
		time.Sleep(upstream.LongestPause)
		if got := anna.All(); got[len(got)-1] != "At Lunch" {
			t.Errorf("once messages can be read again: told %q; want what holds", got)
		}
	})
}

// A snapshot that is too long for a message comes in parts, of which only the first says that it is one.
func TestASnapshotInParts(t *testing.T) {
	r := newRoster(newSite(memhttp.Network{}))
	desks := map[string]*desk{"anna": {}, "cleo": {}, "dana": {}}
	for name, d := range desks {
		r.add(d, name)
	}
	part := func(isDelta bool, users ...string) icwsapi.UserStatusMessage {
		m := icwsapi.UserStatusMessage{Head: icwsapi.Head{Type: icwsapi.TypeUserStatus, IsDelta: isDelta}}
		for _, user := range users {
			m.UserStatusList = append(m.UserStatusList, icwsapi.UserStatus{UserID: user, StatusID: "Available"})
		}
		return m
	}
	r.receive(part(false, "Anna"))
	r.receive(part(true, "cleo"))
	r.receive(part(true, "anna"))
	r.receive(part(true, "cleo"))
	for name, want := range map[string]string{"anna": "Available +Available", "cleo": "Available +Available", "dana": ""} {
		if got := strings.Join(desks[name].All(), " "); got != want {
			t.Errorf("%s is told %q; want %q", name, got, want)
		}
	}
}

func TestTheNilServiceWatchesNobody(t *testing.T) {
	var s *Service
	life, renewed := s.Life()
	if life != 0 || renewed != nil || s.IsReceiving() || s.Vouches(time.Now(), time.Hour) || s.LivedSince(t.Context(), 1) {
		t.Error("it says that it watches")
	}
}
