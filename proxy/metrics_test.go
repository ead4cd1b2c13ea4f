package proxy

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"portico/proxy/upstream/rig"
)

// counts returns the value of every series of a family, by its label values in the order of their
// names.
func counts(t testing.TB, reg *prometheus.Registry, family string) map[string]float64 {
	t.Helper()
	values := map[string]float64{}
	rig.Series(t, reg, func(name string) bool { return name == family }, func(_ string, series *dto.Metric) {
		var labels []string
		for _, label := range series.GetLabel() {
			labels = append(labels, label.GetValue())
		}
		values[strings.Join(labels, " ")] = valueOf(series)
	})
	return values
}

// valueOf returns the value of a counter or gauge, of a histogram how much it counts.
func valueOf(series *dto.Metric) float64 {
	return series.GetCounter().GetValue() + series.GetGauge().GetValue() + float64(series.GetHistogram().GetSampleCount())
}

// series returns which series there are, but for those of upstream calls that are our own: agents'
// readers make them in their own time.
func series(t testing.TB, reg *prometheus.Registry) []string {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, family := range families {
		for _, one := range family.GetMetric() {
			text := fmt.Sprint(family.GetName(), one.GetLabel())
			if !strings.HasPrefix(text, "portico_upstream_") || strings.Contains(text, `value:"passthrough"`) {
				found = append(found, text)
			}
		}
	}
	return found
}

func TestWhatIsCounted(t *testing.T) {
	w := newDoor(t)
	anna := w.as("anna")
	anna.get("/me")
	anna.get("/api/v2/me/?subresources=*")
	anna.get("/api/v2/me/channels/fax")
	anna.post("/me", `{"operationName":"Ready"}`)
	anna.post("/api/v2/me", `{"operationName":"AtLunch"}`)
	anna.post("/api/v2/me", `{"operationName":"StartContactCenterSession","channels":["voice","chat"]}`)
	anna.post("/api/v2/me", `{`)
	anna.get("/nowhere")
	w.do("BREW", "/me", "")
	w.do("GET", "/me", "")
	got := anna.get("/me/status-messages")
	anna.get("/me/status-messages", "If-None-Match", got.header.Get("Etag"))

	w.over(t)
	requests := counts(t, w.reg, "portico_http_requests_total")
	for series, want := range map[string]float64{ // api, code, method, route
		"me 200 GET /me": 1, "me 403 GET /me": 1, "me 200 GET /api/v2/me": 1, "me 404 GET /api/v2/me/channels/:channel": 1,
		"me 200 POST /me": 1, "me 200 POST /api/v2/me": 2, "me 400 POST /api/v2/me": 1, "me 404 GET unmatched": 1, "me 405 OTHER unmatched": 1,
		"me 200 GET /me/status-messages": 1, "me 304 GET /me/status-messages": 1,
	} {
		if requests[series] != want {
			t.Errorf("portico_http_requests_total %q = %v; want %v", series, requests[series], want)
		}
		delete(requests, series)
	}
	if len(requests) > 0 {
		t.Errorf("series of portico_http_requests_total that nothing was asked of: %v", requests)
	}
	responses := counts(t, w.reg, "portico_api_responses_total")
	for series, want := range map[string]float64{ // api, operation, status
		"me me 0": 2, "me me 20": 1, "me channels 6": 1, "me Ready 0": 1, "me custom 0": 1, "me StartContactCenterSession 7": 1,
		"me other 2": 1, "me status_messages 0": 2, "me version 0": 0, "me Ready other": 0,
	} {
		if got, there := responses[series]; got != want || !there {
			t.Errorf("portico_api_responses_total %q = %v (%v); want %v", series, got, there, want)
		}
	}
	durations := counts(t, w.reg, "portico_http_request_duration_seconds")
	if durations["me 2xx POST /api/v2/me"] != 2 || durations["me 3xx GET /me/status-messages"] != 1 {
		t.Errorf("portico_http_request_duration_seconds: %v", durations)
	}
	if _, there := counts(t, w.reg, "portico_http_requests_in_flight")["push"]; !there {
		t.Error("portico_http_requests_in_flight has no series for push")
	}
	problems, err := testutil.GatherAndLint(w.reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
}

// TestStrangersMakeNoSeries sends 1,000 requests with whatever a stranger can choose.
func TestStrangersMakeNoSeries(t *testing.T) {
	w := newDoor(t)
	anna := w.as("anna")
	paths := []string{"/me", "/api/v2/me", "/me/channels/voice", "/api/v2/me/channels/voice", "/x", "/api/v2/x"}
	for _, method := range append(methods, "BREW") {
		for _, path := range paths {
			if method != http.MethodConnect {
				anna.do(method, path, `{"operationName":"Nonsense"}`, anna.headers...)
			}
		}
	}
	for _, prefix := range []string{"", "/api/v2"} {
		for _, path := range []string{"/me/channels/fax", "/me/devices/x"} {
			anna.get(prefix + path)
			anna.post(prefix+path, "")
			anna.do(http.MethodHead, prefix+path, "", anna.headers...)
			anna.do(http.MethodOptions, prefix+path, "")
		}
	}
	w.over(t)
	before := series(t, w.reg)
	random := rand.New(rand.NewPCG(1, 2))
	word := func() string { return fmt.Sprintf("%x", random.Uint64()) }
	for range 1000 {
		prefix := []string{"", "/api/v2"}[random.IntN(2)]
		switch random.IntN(5) {
		case 4:
			request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+word()+".example"+prefix+"/me", nil)
			request.Header.Set("Authorization", basicAuth("anna", "anna"))
			w.handler.ServeHTTP(httptest.NewRecorder(), request)
		case 0:
			anna.do(strings.ToUpper("X"+word()), prefix+"/me", "", "X-Request-Id", word())
		case 1:
			anna.get(prefix + "/" + word() + "/" + word() + "?fields=" + word())
		case 2:
			anna.post(prefix+"/me", `{"operationName":"`+word()+`"}`)
		case 3:
			anna.get(prefix + []string{"/me/channels/", "/me/devices/"}[random.IntN(2)] + word())
		}
	}
	if diff := cmp.Diff(before, series(t, w.reg)); diff != "" {
		t.Errorf("series of 1,000 requests of a stranger (-before +after):\n%s", diff)
	}
}

// TestSitesMakeNoSeries has a site answer 1,000 times with any status and error id.
func TestSitesMakeNoSeries(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	status := 200
	w := newDoor(t, func(k *knobs) {
		k.before = func(site http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if !strings.HasSuffix(r.URL.Path, "/anything") {
					site.ServeHTTP(rw, r)
					return
				}
				rw.Header().Set("Content-Type", "application/json")
				rw.WriteHeader(status)
				if status != http.StatusNoContent && status != http.StatusNotModified {
					fmt.Fprintf(rw, `{"statusCode":%d,"errorId":"error.%x"}`, random.IntN(1000), random.Uint64())
				}
			})
		}
	})
	bjorn := w.as("bjorn")
	for status = 200; status < 1000; status++ { // each that has a name, and two that have none
		if http.StatusText(status) != "" || status == 299 || status == codeClientGone || status == 999 {
			bjorn.get("/api/v2/anything")
		}
	}
	w.over(t)
	before := series(t, w.reg)
	for range 1000 {
		status = 200 + random.IntN(799)
		bjorn.get("/api/v2/anything")
	}
	if diff := cmp.Diff(before, series(t, w.reg)); diff != "" {
		t.Errorf("series of 1,000 answers of a site (-before +after):\n%s", diff)
	}
}
