package icws

import (
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"portico/proxy/upstream"
	"portico/proxy/upstream/memhttp"
	"portico/proxy/upstream/rig"
	"portico/translate/icwsapi"
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
	base1 = "http://ic1.example:8018"
	base2 = "http://ic2.example:8018"
)

// newClient returns a client of the site "pc", with one base unless edit says otherwise, and its
// metrics.
func newClient(t testing.TB, transport http.RoundTripper, edit func(*Settings)) (*Client, *prometheus.Registry) {
	t.Helper()
	reg := prometheus.NewRegistry()
	settings := Settings{
		Site:        "pc",
		Bases:       []string{base1},
		Application: "Portico",
		HTTP:        transport,
		Metrics:     upstream.NewMetrics(reg, []string{"pc"}),
	}
	if edit != nil {
		edit(&settings)
	}
	return New(settings), reg
}

// at returns a network with h at every host.
func at(h http.Handler) memhttp.Network { return memhttp.Network{"": h} }

// testConn is a session of anna's at base1.
func testConn() Conn {
	return Conn{
		Base: base1, SessionID: "1402219001", CSRFToken: "tok/en==", Cookie: "icws_1402219001=secret|languageId=de",
		UserID: "Anna", DisplayName: "Anna Berg", Language: "de",
		Features: []icwsapi.Feature{{FeatureID: "messaging", Version: 2}},
		Opened:   time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC),
	}
}

// says answers with a status and a body of the ICWS type.
func says(status int, body string) http.HandlerFunc {
	return rig.Says(icwsapi.ContentType, status, body)
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
}
