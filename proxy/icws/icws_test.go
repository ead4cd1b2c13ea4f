package icws

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"portico/proxy/upstream"
	"portico/proxy/upstream/memhttp"
	"portico/translate/icwsapi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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

// kept answers with a reply kept in testdata: comment lines that begin with #, then the answer as
// on the wire.
func kept(t testing.TB, name string) http.HandlerFunc {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	for bytes.HasPrefix(content, []byte("#")) {
		_, content, _ = bytes.Cut(content, []byte("\n"))
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		res, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(content)), nil)
		if err != nil {
			t.Errorf("testdata/%s: %v", name, err)
			return
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		for key, values := range res.Header {
			w.Header()[key] = values
		}
		w.WriteHeader(res.StatusCode)
		_, _ = w.Write(bytes.TrimSpace(body))
	}
}

// says answers with a status and a body of the ICWS type.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", icwsapi.ContentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// A log keeps what handlers saw.
type log struct {
	mu    sync.Mutex // guards lines
	lines []string
}

func (l *log) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
}

func (l *log) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.lines...)
}

// value returns the sum of a metric over the series with these labels.
func value(t testing.TB, reg *prometheus.Registry, name string, labels map[string]string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
	metrics:
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				want, ok := labels[label.GetName()]
				if ok && want != label.GetValue() {
					continue metrics
				}
			}
			sum += metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
		}
	}
	return sum
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
