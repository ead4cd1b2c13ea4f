package dashboards

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"
)

// duringOutage are the alerts that a contact centre which answers nothing but 502 has to fire.
var duringOutage = []string{
	"PorticoBreakerOpen pureconnect",
	"PorticoCatalogueStale pureconnect",
	"PorticoErrorBudgetBurn 1h",
	"PorticoErrorBudgetBurn 6h",
	"PorticoLoginsFailing pureconnect",
	"PorticoReadersBroken pureconnect",
	"PorticoSiteDown pureconnect",
	"PorticoSiteFailing pureconnect",
	"PorticoSiteLatelyDown 1h pureconnect",
	"PorticoSiteLatelyDown 6h pureconnect",
}

// lasting may fire as well, and does not go away in time: it looks back over six hours, which are six
// minutes here, and what was spent in them stays spent.
const lasting = "PorticoErrorBudgetBurn 3d"

// comesAbout is how long a turn of the alerts may take. The longest takes half a minute, which is half
// an hour of the rules.
const comesAbout = 90 * time.Second

// TestLiveAlerts lets the ICWS simulator of portico demo fail under load, with the rules at a sixtieth
// of their durations. The right alerts fire and no other, and they go away once it is back.
func TestLiveAlerts(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	w := watch(t, d.Admin, scaled(t))
	d.work(t)
	until(t, "agents are at work and nobody is called, or about to be", comesAbout, func() bool {
		return w.shows(t, "job:portico_http_slow_per_request:ratio_rate1h") &&
			w.shows(t, fmt.Sprintf("portico_sessions_active > %d", atWork)) &&
			len(w.alerts(t, "pending", w.lately()))+len(w.alerts(t, "firing", w.lately())) == 0
	})
	since := time.Now()

	d.steer(t, "fault", `{"route": "*", "status": 502, "body": "Bad Gateway", "contentType": "text/plain"}`)
	d.steer(t, "fault", `{"scenario": "drop-stream"}`)
	until(t, "the outage is noticed in every way", comesAbout, func() bool {
		return len(minus(duringOutage, w.alerts(t, "firing", w.lately()))) == 0
	})
	d.steer(t, "reset", "")
	until(t, "all is well again", comesAbout, func() bool {
		left := w.alerts(t, "firing", w.lately())
		delete(left, lasting)
		return len(left) == 0
	})
	fired := w.alerts(t, "firing", span{since, time.Now()})
	delete(fired, lasting)
	if got := slices.Sorted(maps.Keys(fired)); !slices.Equal(got, duringOutage) {
		t.Errorf("fired: %q; want %q", got, duringOutage)
	}
}

// minus returns those of all that are not among some.
func minus(all []string, some map[string]bool) []string {
	return slices.DeleteFunc(slices.Clone(all), func(one string) bool { return some[one] })
}
