package watch

import (
	"log/slog"
	"slices"
	"strings"
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

// newSite returns a site of a simulator.
func newSite(sim *icwssim.Server) Site {
	return Site{
		Name: "pureconnect", User: User{UserID: "portico", Password: "portico"}, Language: "en-us", RefusedFor: 5 * time.Minute,
		ICWS: icws.New(icws.Settings{Site: "pureconnect", Bases: []string{"http://ic.example:8018"}, Application: "Portico",
			HTTP: memhttp.Network{"": sim}, Metrics: upstream.NewMetrics(prometheus.NewRegistry(), []string{"pureconnect"})}),
		Groups: catalogues.NewGroups(), Maker: catalogues.NewMaker("pureconnect"),
		Intern:   cache.NewInterner(func(c *translate.Catalogue) cache.Digest { return c.Digest() }).Of,
		Receives: prometheus.NewGauge(prometheus.GaugeOpts{Name: "watching", Help: "x"}), Log: slog.New(slog.DiscardHandler),
	}
}

// inBubble runs a test with a Service at work, in a bubble of synctest.
func inBubble(t *testing.T, sim *icwssim.Server, test func(t *testing.T, s *Service)) {
	rig.InBubble(t, sim, func(t *testing.T) {
		s := New(newSite(sim))
		go func() { _ = s.Run(t.Context()) }()
		time.Sleep(time.Second)
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

// A snapshot that is too long for a message comes in parts, of which only the first says that it is one.
func TestASnapshotInParts(t *testing.T) {
	r := newRoster(newSite(&icwssim.Server{}))
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
