package native

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"

	"portico/proxy/icws"
	"portico/proxy/icws/icwssim"
	"portico/proxy/upstream"
	"portico/proxy/upstream/memhttp"
	"portico/translate/icwsapi"
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

// A token goes to the host that the cookie of its session tells, where that has come along: a replica may not have heard
// of the host.
func TestATokenIsTakenToTheHostThatItsCookieTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := &icwssim.Server{Backup: true, AlternateHosts: []string{"ic2.example"}}, &icwssim.Server{}
		defer first.Close()
		w := newWorld(t, second)
		anna := w.replica(memhttp.Network{"ic1.example:8018": first, "ic2.example:8018": second}, "ic*.example").opens("anna", "en-us")
		ask := w.request(http.MethodPost, base2+"/icws/"+anna.session+"/connection/unique-auth-token", `{"authTokenSeed":"s"}`)
		ask.Header.Set("Cookie", anna.cookie)
		ask.Header.Set("ININ-ICWS-CSRF-Token", anna.token)
		res, err := memhttp.Network{"ic2.example:8018": second}.RoundTrip(ask)
		if err != nil {
			t.Fatal(err)
		}
		var given icwsapi.AuthToken
		err = json.NewDecoder(res.Body).Decode(&given)
		_ = res.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		refuses := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) })
		other := w.replica(memhttp.Network{"ic1.example:8018": refuses, "ic2.example:8018": second}, "ic*.example")
		for _, test := range []struct {
			hosts []string
			want  int
		}{{nil, http.StatusBadRequest}, {[]string{anna.host}, http.StatusCreated}} {
			req := w.request(http.MethodPost, "/icws/connection", `{"__type":"`+icwsapi.TypeAuthToken+`","applicationName":"Own","authTokenSeed":"s","authToken":"`+
				given.AuthToken+`","authTokenSourceSession":"`+anna.session+`"}`)
			req.Header.Set("Accept-Language", "en-us")
			res, err := other.Passage(test.hosts).RoundTrip(req)
			if err != nil || res.StatusCode != test.want {
				t.Errorf("with the cookies %q: %v (%v); want %d", test.hosts, res, err, test.want)
			}
		}
	})
}
