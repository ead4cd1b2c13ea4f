package push

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestMetricsAreWellFormed(t *testing.T) {
	reg := prometheus.NewRegistry()
	NewMetrics(reg)
	problems, err := testutil.GatherAndLint(reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}
}

func TestEverySeriesExistsFromTheStart(t *testing.T) {
	reg := prometheus.NewRegistry()
	NewMetrics(reg)
	got := seriesOf(t, reg)
	want := map[string]int{
		"portico_push_connections":               2,
		"portico_push_connection_events_total":   2 * 7, // transports, events
		"portico_push_events_total":              4 * 2, // channels, outcomes
		"portico_push_backlog_events":            1,
		"portico_push_backlog_capacity_events":   1,
		"portico_push_delivery_duration_seconds": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
}

func TestChannelsAddNoSeries(t *testing.T) {
	reg := prometheus.NewRegistry()
	inTime(t, Options{Metrics: NewMetrics(reg)}, func(t *testing.T, s *Server) {
		before := seriesOf(t, reg)
		ready(t, s, "anna")
		for i := range 100 {
			err := s.Publish("anna", fmt.Sprintf("/v2/me/%d", i), i, time.Now())
			if err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(before, seriesOf(t, reg)); diff != "" {
			t.Errorf("series (-before +after):\n%s", diff)
		}
	})
}

// seriesOf returns how many series each family has.
func seriesOf(t *testing.T, reg *prometheus.Registry) map[string]int {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	series := map[string]int{}
	for _, family := range families {
		series[family.GetName()] = len(family.GetMetric())
	}
	return series
}

func TestWhatIsCounted(t *testing.T) {
	reg := prometheus.NewRegistry()
	options := Options{Metrics: NewMetrics(reg), MaxQueue: 10, MaxClients: 2}
	expect := func(t *testing.T, want float64, name string, labels ...string) {
		t.Helper()
		if got := number(t, reg, name, labels...); got != want {
			t.Errorf("%s%v = %v; want %v", name, labels, got, want)
		}
	}
	life := func(t *testing.T, want float64, event string) {
		t.Helper()
		expect(t, want, "portico_push_connection_events_total", "transport", "long_polling", "event", event)
	}
	inTime(t, options, func(t *testing.T, s *Server) {
		a := ready(t, s, "anna")
		ready(t, s, "anna") // and does not connect again
		post(t, s, "anna", `[{"channel":"/meta/handshake"}]`)
		expect(t, 2, "portico_push_connections", "transport", "long_polling")
		expect(t, 20, "portico_push_backlog_capacity_events")
		life(t, 2, "opened")
		life(t, 1, "refused")

		received := time.Now()
		time.Sleep(300 * time.Millisecond)
		for _, channel := range []string{devices, "/v2/me/channels", "/notifications/services", "/v2/me/calls"} {
			err := s.Publish("anna", channel, 1, received)
			if err != nil {
				t.Fatal(err)
			}
		}
		expect(t, 8, "portico_push_backlog_events")
		a.connect("").text(t)
		expect(t, 4, "portico_push_backlog_events")
		for _, topic := range topics {
			expect(t, 1, "portico_push_events_total", "channel", topic, "outcome", "delivered")
		}
		expect(t, 4, "portico_push_delivery_duration_seconds")

		post(t, s, "anna", "["+a.message(metaDisconnect, "")+"]")
		life(t, 1, "closed")
		time.Sleep(12 * time.Second)
		life(t, 1, "timed_out")
		for _, topic := range topics {
			expect(t, 0, "portico_push_events_total", "channel", topic, "outcome", "dropped") // who has gone home misses nothing
		}
		expect(t, 0, "portico_push_connections")
		expect(t, 0, "portico_push_backlog_events")
		expect(t, 0, "portico_push_backlog_capacity_events")
	})
}

func leave(_ *testing.T, s *Server) { s.End("anna", None) }

// overflow publishes more than waits for a client.
func overflow(t *testing.T, s *Server) {
	for i := range 3 {
		publish(t, s, "anna", i)
	}
}

func TestEventsInFlightAreCountedWhenTheirClientEnds(t *testing.T) {
	for _, test := range []struct {
		name      string
		written   bool
		end       func(t *testing.T, s *Server)
		delivered float64
		dropped   float64
	}{
		{"written", true, leave, 1, 0},
		{"left behind", false, leave, 0, 0},
		{"written, and the client is too slow for what comes", true, overflow, 1, 3},
		{"lost, and the client is too slow for what comes", false, overflow, 0, 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			reg := prometheus.NewRegistry()
			s := newServer(t, Options{Metrics: NewMetrics(reg), MaxQueue: 2})
			p := ready(t, s, "anna")
			publish(t, s, "anna", 1)
			x := &exchange{owner: "anna", transport: longPolling, limit: -1, wake: func() {}}
			s.handle(x, []message{{Channel: metaConnect, ClientID: p.id}})
			_, err := s.compose(x)
			if err != nil {
				t.Fatal(err)
			}
			test.end(t, s)
			s.settle(x, test.written)
			for outcome, want := range map[string]float64{"delivered": test.delivered, "dropped": test.dropped} {
				if n := number(t, reg, "portico_push_events_total", "channel", "devices", "outcome", outcome); n != want {
					t.Errorf("%s = %v; want %v", outcome, n, want)
				}
			}
			if n := number(t, reg, "portico_push_backlog_events"); n != 0 {
				t.Errorf("backlog = %v; want 0", n)
			}
		})
	}
}

func TestDeliveriesAreTraced(t *testing.T) {
	reg := prometheus.NewRegistry()
	var told []string
	options := Options{Metrics: NewMetrics(reg), Delivered: func(channel string, received time.Time) string {
		told = append(told, fmt.Sprintf("%s after %v", channel, time.Since(received)))
		return "4bf9"
	}}
	inTime(t, options, func(t *testing.T, s *Server) {
		c := ready(t, s, "anna")
		err := s.Publish("anna", "/v2/me/devices", 1, time.Now().Add(-time.Second))
		if err != nil {
			t.Fatal(err)
		}
		c.connect("").text(t)
	})
	if len(told) != 1 || told[0] != "devices after 1s" {
		t.Errorf("deliveries told: %q; want one of devices after 1s", told)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var shown []string
	for _, family := range families {
		for _, bucket := range family.GetMetric()[0].GetHistogram().GetBucket() {
			for _, label := range bucket.GetExemplar().GetLabel() {
				shown = append(shown, label.GetName()+"="+label.GetValue())
			}
		}
	}
	if diff := cmp.Diff([]string{"trace_id=4bf9"}, shown); diff != "" {
		t.Errorf("exemplars (-want +got):\n%s", diff)
	}
}
