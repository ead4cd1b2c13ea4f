package native

import (
	"encoding/base64"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"

	"portico/proxy/icws"
	"portico/proxy/icws/icwssim"
	"portico/proxy/upstream"
	"portico/proxy/upstream/memhttp"
)

const (
	base1 = "http://ic1.example:8018"
	base2 = "http://ic2.example:8018"
)

// replica returns another proxy with the key of w, which has heard of no hosts but those of its settings.
func (w *world) replica(network http.RoundTripper, alternates ...string) *world {
	w.t.Helper()
	site := w.site
	site.ICWS = icws.New(icws.Settings{Site: site.Name, Bases: []string{base1}, Alternates: alternates, Application: "Portico",
		Language: "en-us", HTTP: network, Metrics: upstream.NewMetrics(prometheus.NewRegistry(), []string{site.Name})})
	other := &world{New(site), w.t, w.sim}
	w.t.Cleanup(other.Close)
	return other
}

// TestASessionIsFoundWhereItsHostIsNotKnownYet has a replica open a session at a host that it was sent to by another.
func TestASessionIsFoundWhereItsHostIsNotKnownYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := &icwssim.Server{Backup: true, AlternateHosts: []string{"ic2.example"}}, &icwssim.Server{}
		defer first.Close()
		w := newWorld(t, second)
		network := memhttp.Network{"ic1.example:8018": first, "ic2.example:8018": second}
		opener := w.replica(network, "ic*.example")
		cleo, anna := opener.opens("cleo", "en-us"), opener.opens("anna", "en-us")
		sealed := func(base string) string { return opener.sealHost(anna.session, base) }
		before := base64.RawURLEncoding.EncodeToString(w.site.Key.Seal("native host", anna.session, base2))
		for _, test := range []struct {
			name string
			at   *world
			seal string
			want int
		}{
			{"by a replica that has not heard of the host", w.replica(network, "ic*.example"), anna.host, 200},
			{"where the settings no longer allow the host", w.replica(network), anna.host, 401},
			{"with another session's seal", w.replica(network, "ic*.example"), cleo.host, 401},
			{"with a sealed host that no pattern allows", w.replica(network, "ic*.example"), sealed("http://ic2.foreign:8018"), 401},
			{"with a sealed host at another port", w.replica(network, "ic*.example"), sealed("http://ic2.example:9"), 401},
			{"with a seal of the release before", opener, before, 200},
		} {
			there := *anna
			there.world, there.host = test.at, test.seal
			if got, body := there.ask("GET", "/connection"); got != test.want {
				t.Errorf("%s: %d %s; want %d", test.name, got, body, test.want)
			}
		}
	})
}
