package htcc

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
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json;charset=UTF-8")
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
