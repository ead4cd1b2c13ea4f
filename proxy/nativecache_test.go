package proxy

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"portico/proxy/icws/icwssim"
)

const (
	routeOpenVersion  = "GET /icws/connection/version"
	routeOpenFeatures = "GET /icws/connection/features"
)

// TestVersionAndFeaturesComeFromTheCache lets many ask, each the site's own question.
func TestVersionAndFeaturesComeFromTheCache(t *testing.T) {
	w := newDoor(t, openToNative)
	var callers sync.WaitGroup
	for range 50 {
		callers.Go(func() {
			for _, path := range []string{"/icws/connection/version", "/icws/connection/features"} {
				if got := w.do("GET", path, ""); got.status != 200 || !strings.Contains(got.body, `"`) {
					t.Errorf("GET %s = %d %s", path, got.status, got.body)
				}
			}
		})
	}
	callers.Wait()
	if a, b := w.calls(routeOpenVersion), w.calls(routeOpenFeatures); a != 1 || b != 1 {
		t.Errorf("the site was asked %d times for its version, %d for its features; want 1 each", a, b)
	}
	avoided := counts(t, w.reg, "portico_upstream_requests_avoided_total")
	for _, operation := range []string{"version", "features"} {
		if n := avoided[operation+" cache_hit "+site] + avoided[operation+" coalesced "+site]; n != 49 {
			t.Errorf("%v calls of %s were avoided; want 49", n, operation)
		}
	}
	lookups := counts(t, w.reg, "portico_cache_requests_total")
	if n := lookups["version hit "+site] + lookups["version coalesced "+site]; n != 98 || lookups["version miss "+site] != 2 {
		t.Errorf("look-ups: %v; want 98 that were served and 2 misses", lookups)
	}
	w.do("GET", "/icws/connection/version", "", "Origin", "https://app.example")
	w.do("GET", "/icws/connection/version?x=1", "")
	w.do("HEAD", "/icws/connection/version", "")
	w.do("GET", "/icws/connection/features/status", "")
	if n := w.calls(routeOpenVersion); n != 3 {
		t.Errorf("the site was asked %d times; want those with an Origin and a query too", n)
	}
}

func TestWhatTheSiteSaysInPlaceOfItsVersionIsNotKept(t *testing.T) {
	w := newDoor(t, openToNative)
	err := w.sim.Fault(icwssim.Fault{Route: routeOpenVersion, Status: 410, Times: 2})
	if err != nil {
		t.Fatal(err)
	}
	if got := w.do("GET", "/icws/connection/version", ""); got.status != 410 || !strings.Contains(got.body, `"message"`) {
		t.Errorf("GET = %d %s; want the site's own 410", got.status, got.body)
	}
	if got := w.do("GET", "/icws/connection/version", ""); got.status != 200 {
		t.Errorf("GET = %d %s; want the version", got.status, got.body)
	}
}

// TestNobodyProbesForSessions tries to read what another's session has in the cache. Every answer
// must be the site's own.
func TestNobodyProbesForSessions(t *testing.T) {
	w := newDoor(t, openToNative)
	anna, cleo := w.opens("anna"), w.opens("cleo")
	own := anna.ask("GET", "/connection/features", "")
	asked := w.calls(routeFeatures)
	for range 3 {
		anna.ask("GET", "/connection/features", "").is(t, "the owner", 200, own.body)
	}
	if n := w.calls(routeFeatures); n != asked {
		t.Fatalf("the owner's requests went to the site %d times; want the cache", n-asked)
	}
	icws, host := anna.icwsCookie(), anna.hostCookie()
	other := "icws_" + anna.session + "=" + cleo.cookies(cleo.session)["icws_"+cleo.session]
	longer := anna.token + "="
	for name, try := range map[string]struct {
		session, token string
		cookies        []string
	}{
		"no cookie":                       {anna.session, anna.token, []string{host}},
		"own cookie, another's session":   {anna.session, cleo.token, []string{cleo.icwsCookie(), cleo.hostCookie()}},
		"own cookie by the other's name":  {anna.session, anna.token, []string{other, host}},
		"another's token":                 {anna.session, cleo.token, []string{icws, host}},
		"no token":                        {anna.session, "", []string{icws, host}},
		"a token that is longer":          {anna.session, longer, []string{icws, host}},
		"a token that is shorter":         {anna.session, anna.token[:4], []string{icws, host}},
		"a cookie cut short":              {anna.session, anna.token, []string{icws[:len(icws)-30], host}},
		"a session that never was":        {"29999001", anna.token, []string{icws, host}},
		"a session of another name":       {"connections", anna.token, []string{icws, host}},
		"both cookies, the wrong one 1st": {anna.session, "", []string{other, icws, host}},
	} {
		before, hits := w.calls(routeFeatures), served(t, w)
		got := w.bare("GET", try.session, "/connection/features", try.token, try.cookies...)
		if got.status != 401 || w.calls(routeFeatures) != before+1 || served(t, w) != hits {
			t.Errorf("%s = %d %s after %d calls; want the site's own 401", name, got.status, got.body, w.calls(routeFeatures)-before)
		}
		// Each 401 takes the proof away, until the site has said that the session lives.
		anna.ask("GET", "/connection/features", "").is(t, "the owner", 200, own.body)
		anna.ask("GET", "/connection", "").is(t, "the session", 200, `{"connectionState":1}`)
	}
	if n := counts(t, w.reg, "portico_cache_requests_total")["version bypass "+site]; n == 0 {
		t.Error("no look-up is counted as a bypass")
	}
}

// served returns how many look-ups of version and features the cache has answered.
func served(t *testing.T, w *world) float64 {
	t.Helper()
	lookups := counts(t, w.reg, "portico_cache_requests_total")
	return lookups["version hit "+site] + lookups["version coalesced "+site] + lookups["version miss "+site]
}

func TestASessionThatEndsOwnsNothing(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, w *world, anna *application){
		"DELETE": func(t *testing.T, _ *world, anna *application) {
			anna.ask("DELETE", "/connection", "").is(t, "DELETE", 200, "")
		},
		"a 401": func(t *testing.T, w *world, anna *application) {
			err := w.sim.Fault(icwssim.Fault{Scenario: "expire-session", User: "anna"})
			if got := anna.ask("GET", "/connection", ""); err != nil || got.status != 401 {
				t.Fatalf("GET = %d %s (%v); want 401", got.status, got.body, err)
			}
		},
		"a 401 to somebody else": func(t *testing.T, w *world, anna *application) {
			err := w.sim.Fault(icwssim.Fault{Scenario: "expire-session", User: "anna"})
			if got := w.bare("GET", anna.session, "/connection", "x", anna.hostCookie()); err != nil || got.status != 401 {
				t.Fatalf("GET = %d %s (%v); want 401", got.status, got.body, err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newDoor(t, openToNative)
			anna := w.opens("anna")
			icws, host := anna.icwsCookie(), anna.hostCookie()
			ask := func() answer { return w.bare("GET", anna.session, "/connection/features", anna.token, icws, host) }
			ask() // into the cache
			before := w.calls(routeFeatures)
			if got := ask(); got.status != 200 || w.calls(routeFeatures) != before {
				t.Fatalf("before its end: %d after %d calls; want 200 from the cache", got.status, w.calls(routeFeatures)-before)
			}
			end(t, w, anna)
			for i := range 3 {
				if got := ask(); got.status != 401 || w.calls(routeFeatures) != before+i+1 {
					t.Errorf("after its end: %d %s; want the site's own 401", got.status, got.body)
				}
			}
		})
	}
}

// TestADoubtIsDispelledByTheSiteAlone sends a wrong token with the right cookie, which is answered
// 401 though the session lives.
func TestADoubtIsDispelledByTheSiteAlone(t *testing.T) {
	w := newDoor(t, openToNative)
	anna := w.opens("anna")
	fromCache := func() bool {
		before := w.calls(routeFeatures)
		got := anna.ask("GET", "/connection/features", "")
		got.is(t, "features", 200, got.body)
		return w.calls(routeFeatures) == before
	}
	anna.ask("GET", "/connection/features", "")
	w.bare("GET", anna.session, "/connection", "wrong", anna.icwsCookie(), anna.hostCookie())
	for range 2 {
		if fromCache() {
			t.Error("after a 401 features came from the cache, or proved the session")
		}
	}
	anna.call("OPTIONS", "/icws/"+anna.session+"/status/status-messages", "")
	if fromCache() {
		t.Error("a preflight, which anyone may make, proved the session")
	}
	anna.ask("GET", "/status/user-statuses/nobody", "")
	if fromCache() {
		t.Error("a 404 proved the session")
	}
	anna.ask("GET", "/connection", "")
	if fromCache() {
		t.Error("the state of the connection, which the site also tells of one that has ended, proved the session")
	}
	anna.ask("GET", "/status/user-statuses/anna", "")
	if !fromCache() {
		t.Error("after a 2xx features did not come from the cache")
	}
}

// TestNativeStrangersMakeNoSeries asks for many paths and sessions.
func TestNativeStrangersMakeNoSeries(t *testing.T) {
	w := newDoor(t, openToNative)
	for i := range 50 {
		w.do("GET", fmt.Sprintf("/icws/%d/x%d", i, i), "")
		w.do(fmt.Sprintf("BREW%d", i), fmt.Sprintf("/icws/%d", i), "")
	}
	w.over(t)
	for series := range counts(t, w.reg, "portico_http_requests_total") {
		if strings.HasPrefix(series, "icws ") && series != "icws 401 GET passthrough" && series != "icws 404 GET passthrough" &&
			series != "icws 404 OTHER passthrough" && series != "icws 405 OTHER passthrough" && series != "icws 401 OTHER passthrough" {
			t.Errorf("there is a series %q", series)
		}
	}
	if log := w.log.String(); strings.Contains(log, "x49") || strings.Contains(log, "/icws/") {
		t.Error("the log holds a path, in which sessions stand")
	}
}
