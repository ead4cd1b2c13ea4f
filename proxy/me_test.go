package proxy

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// TestTheAgeOfStateIsTold looks at a header and a metric, for an agent of each kind of site and of both.
func TestTheAgeOfStateIsTold(t *testing.T) {
	w := newDoor(t)
	for _, agent := range []string{"anna", "bjorn", "cleo"} {
		for _, path := range []string{"/me", "/api/v2/me/devices", "/me/channels"} {
			got := w.as(agent).get(path)
			age, err := strconv.ParseFloat(got.header.Get("Portico-State-Age"), 64)
			if got.status != http.StatusOK || err != nil || age < 0 || age > 60 {
				t.Errorf("GET %s of %s = %d with an age of %q; want seconds", path, agent, got.status, got.header.Get("Portico-State-Age"))
			}
		}
	}
	if n := testutil.CollectAndCount(w.reg, "portico_state_served_age_seconds"); n != 4 {
		t.Errorf("%d series of ages; want one for each of two sites and two sources", n)
	}
	if got := w.do("GET", "/me", ""); got.header.Get("Portico-State-Age") != "" {
		t.Error("a refusal tells an age")
	}
}
