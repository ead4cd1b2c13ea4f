package htcc

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"portico/proxy/upstream"
	"portico/proxy/upstream/memhttp"
	"portico/proxy/upstream/rig"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What tests of both contact centres share, by short names.
var (
	kept  = rig.Kept
	hang  = rig.Hang
	value = rig.Value
)

type log = rig.Log

const (
	base1 = "http://gws1.example:8090"
	base2 = "http://gws2.example:8090"
)

// newClient returns a client of the site "cloud", with one base unless edit says otherwise, and its
// metrics.
func newClient(t testing.TB, transport http.RoundTripper, edit func(*Settings)) (*Client, *prometheus.Registry) {
	t.Helper()
	reg := prometheus.NewRegistry()
	settings := Settings{
		Site:    "cloud",
		Bases:   []string{base1},
		HTTP:    transport,
		Metrics: upstream.NewMetrics(reg, []string{"cloud"}),
	}
	if edit != nil {
		edit(&settings)
	}
	return New(settings), reg
}

// at returns a network with h at every host.
func at(h http.Handler) memhttp.Network { return memhttp.Network{"": h} }

var bjorn = Credentials{UserName: "bjorn", Password: "s3cret"}

// testConn is a session of bjorn's at base1.
func testConn() Conn {
	return Conn{
		Base: base1, Cookie: "JSESSIONID=node01secret; BAYEUX_BROWSER=brow5er", CSRFHeader: "X-CSRF-TOKEN", CSRFToken: "to-ken",
		UserID: "5b0c9c0f4f1b4f5e8d5a7a1f6f2e9d11", UserName: "bjorn",
		Opened: time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC),
	}
}

// body returns the body of a kept reply.
func body(t testing.TB, name string) []byte {
	t.Helper()
	res, err := at(kept(t, name)).RoundTrip(mustRequest(t))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func mustRequest(t testing.TB) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base1+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// says answers with a status and JSON.
func says(status int, body string) http.HandlerFunc {
	return rig.Says("application/json;charset=UTF-8", status, body)
}

func TestMetricsLint(t *testing.T) {
	client, reg := newClient(t, at(kept(t, "version.http")), nil)
	err := client.Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	problems, err := testutil.GatherAndLint(reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("GatherAndLint = %v, %v; want nothing to complain of", problems, err)
	}
	if n := value(t, reg, "portico_site_info", map[string]string{"version": "8.5.202.96", "host": "gws1.example", "kind": "htcc"}); n != 1 {
		t.Errorf("site info = %v; want 1", n)
	}
}

func TestNewPanicsOnImpossibleSettings(t *testing.T) {
	tests := []struct {
		name string
		edit func(*Settings)
		want string
	}{
		{"no base", func(s *Settings) { s.Bases = nil }, `htcc: site "cloud": no base URL`},
		{"a base without a host", func(s *Settings) { s.Bases = []string{"gws1.example:8090"} }, `htcc: site "cloud": base URL "gws1.example:8090" is not http://host or https://host`},
		{"a base with a query", func(s *Settings) { s.Bases = []string{"http://a.example/?x=1"} }, `htcc: site "cloud": base URL "http://a.example/?x=1" is not http://host or https://host`},
		{"no metrics", func(s *Settings) { s.Metrics = nil }, `htcc: site "cloud" has no metrics`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			defer func() {
				if got := recover(); got != test.want {
					t.Errorf("New panicked with %v; want %s", got, test.want)
				}
			}()
			newClient(t, nil, test.edit)
		})
	}
}
