package dashboards

import "testing"

// pending are the series of OBSERVABILITY's catalogue that panels and alerts ask for and that no room
// registers yet. They are drawn empty until then. A room that registers one takes it off this list.
var pending = vocabulary{
	// Of cmd/portico, where it speaks HTTPS, which the demo does not.
	"portico_tls_certificate_not_after_timestamp_seconds": {labels: []string{"name"}},
}

func TestPendingMetricsAreStillPending(t *testing.T) {
	known := registered(t)
	for name := range pending {
		if _, exists := known[name]; exists {
			t.Errorf("%s is registered now: take it off the list of pending metrics", name)
		}
	}
}

func TestPendingMetricsAreAskedFor(t *testing.T) {
	asked := asked(t)
	for name := range pending {
		if !asked[name] {
			t.Errorf("nobody asks for %s, which is pending", name)
		}
	}
}
