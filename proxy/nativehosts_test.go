package proxy

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"

	"portico/proxy/icws/icwssim"
)

// twoHosts is a site whose first host is configured, and whose second only its alternateHostList
// names, together with one that is not ours to call.
func twoHosts(t *testing.T, first, second *icwssim.Server) (*world, *hostNetwork) {
	t.Helper()
	network, hosts := behind(t, map[string]http.Handler{"ic1.example": first, "ic2.example": second, "foreign.test": &icwssim.Server{}},
		"http://ic1.example:8018")
	w := newDoor(t, hosts, func(k *knobs) { k.sim, k.icws.Alternates = first, []string{"ic*.example"} })
	t.Cleanup(second.Close)
	return w, network
}

const (
	routeConnection = "GET /icws/{sessionId}/connection"
	ownHosts        = `"alternateHostList":["127.0.0.1"]`
)

func TestALogInIsTakenToAHostThatTakesIt(t *testing.T) {
	first := &icwssim.Server{Backup: true, AlternateHosts: []string{"foreign.test", "ic1.example", "ic2.example"}}
	second := &icwssim.Server{AlternateHosts: []string{"ic1.example", "ic2.example"}}
	w, network := twoHosts(t, first, second)
	anna := w.opens("anna")
	if !strings.Contains(anna.first.body, ownHosts) || anna.first.header.Get("Content-Length") == "" {
		t.Errorf("the log-in is answered with %s; want %s", anna.first.body, ownHosts)
	}
	anna.ask("GET", "/connection", "").is(t, "the connection", 200, `{"connectionState":1}`)
	if a, b := first.Calls()[routeConnection], second.Calls()[routeConnection]; a != 0 || b != 1 {
		t.Errorf("the hosts were asked %d and %d times for the session; want the second alone", a, b)
	}
	if got := network.names(); !slices.Equal(got, []string{"ic1.example", "ic2.example"}) {
		t.Errorf("called were %v; want the site's own hosts", got)
	}
	bjorn := w.opens("cleo")
	if n := first.Calls()[routeLogin]; n != 1 {
		t.Errorf("%d log-ins at the first host; want 1: the next begins where the last was taken", n)
	}
	bjorn.ask("GET", "/connection", "").is(t, "another session", 200, `{"connectionState":1}`)
}

// TestASessionStaysAtItsHost moves the log-ins to the second host while a session lives at the first.
func TestASessionStaysAtItsHost(t *testing.T) {
	first, second := &icwssim.Server{AlternateHosts: []string{"ic2.example"}}, &icwssim.Server{}
	w, _ := twoHosts(t, first, second)
	anna := w.opens("anna")
	err := first.Fault(icwssim.Fault{Scenario: "switchover", KeepSessions: true, Hosts: []string{"ic2.example"}})
	if err != nil {
		t.Fatal(err)
	}
	w.opens("cleo")         // so that the two hosts' sessions have different ids
	cleo := w.opens("cleo") // at the second
	const up = `{"connectionState":1}`
	anna.ask("GET", "/connection", "").is(t, "the session at the first host", 200, up)
	cleo.ask("GET", "/connection", "").is(t, "the session at the second host", 200, up)

	seal := anna.cookies(anna.session)[nativeHostCookie]
	elsewhere := base64.RawURLEncoding.EncodeToString([]byte("http://foreign.test:8018"))
	flipped := "A"
	if strings.HasPrefix(seal, "A") {
		flipped = "B"
	}
	for name, value := range map[string]string{
		"none":               "",
		"empty":              nativeHostCookie + "=",
		"another session's":  cleo.hostCookie(),
		"another host":       nativeHostCookie + "=" + elsewhere,
		"with another seal":  nativeHostCookie + "=" + flipped + seal[1:],
		"with half the seal": nativeHostCookie + "=" + seal[:len(seal)/2],
		"nonsense":           nativeHostCookie + "=%%%.%%%",
	} {
		before := second.Calls()[routeConnection]
		got := w.bare("GET", anna.session, "/connection", anna.token, anna.icwsCookie(), value)
		if got.status != 401 || second.Calls()[routeConnection] != before+1 {
			t.Errorf("%s: %d %s; want the host that log-ins go to, which does not know the session", name, got.status, got.body)
		}
	}
	w.bare("GET", anna.session, "/connection", anna.token, anna.icwsCookie(), cleo.hostCookie(), anna.hostCookie()).is(t, "one of two that is right", 200, up)
	whole := anna.first.header.Values("Set-Cookie") // which clients are known to send as they came
	for _, between := range []string{", ", ",", "; ", ";"} {
		w.bare("GET", anna.session, "/connection", anna.token, strings.Join(whole, between)).is(t, "whole lines joined by "+between, 200, up)
	}
}

func TestForeignHostsAreNotCalled(t *testing.T) {
	first := &icwssim.Server{Backup: true, AlternateHosts: []string{"foreign.test", "ic1.example:99", "ic9.example.foreign.test", "x@ic2.example"}}
	w, network := twoHosts(t, first, &icwssim.Server{})
	got := w.application().logIn("anna", "anna")
	got.is(t, "a log-in that no host takes", 503,
		`{"errorId":"error.server.notAcceptingConnections","message":"This Session Manager is not currently accepting connections.",`+ownHosts+`}`)
	if called := network.names(); !slices.Equal(called, []string{"ic1.example"}) {
		t.Errorf("called were %v; want the site's own host alone", called)
	}
	if logins := counts(t, w.reg, "portico_logins_total"); logins["error "+site] != 1 {
		t.Errorf("log-ins: %v; want one error", logins)
	}
}

func TestAHostThatIsDownIsPassedOver(t *testing.T) {
	sim := &icwssim.Server{}
	_, hosts := behind(t, map[string]http.Handler{"ic2.example": sim}, "http://ic1.example:8018", "http://ic2.example:8018")
	w := newDoor(t, hosts, func(k *knobs) { k.sim = sim })
	if got := w.do("GET", "/icws/connection/server-info", "", "Accept-Language", "de"); got.status != 200 {
		t.Errorf("server-info = %d %s; want that of the other host", got.status, got.body)
	}
	anna := w.opens("anna")
	anna.ask("GET", "/connection", "").is(t, "the session", 200, `{"connectionState":1}`)
}

// TestASiteBehindAProxy has hosts in the path, as the vendor's pattern for proxies has them.
func TestASiteBehindAProxy(t *testing.T) {
	sim := &icwssim.Server{BasePath: "/api/{host}"}
	_, hosts := behind(t, map[string]http.Handler{"proxy.example": sim}, "http://proxy.example/api/ic1")
	w := newDoor(t, hosts, func(k *knobs) { k.sim, k.icws.Template = sim, "http://proxy.example/api/{host}" })
	anna := w.opens("anna")
	if got, want := anna.first.header.Get("Location"), "/icws/"+anna.session+"/connection"; got != want {
		t.Errorf("Location: %q; want %q", got, want)
	}
	anna.ask("GET", "/connection", "").is(t, "the session", 200, `{"connectionState":1}`)
}

// TestTheHostCookieGoesWhereTheSessionsOwnDoes has a site that says to which pages browsers may send its cookie. One
// of the two without the other loses the session once log-ins go to another host.
func TestTheHostCookieGoesWhereTheSessionsOwnDoes(t *testing.T) {
	const secure, clear = "https://agents.example", "http://agents.example"
	for _, test := range []struct{ name, public, said, want string }{
		{"nothing", secure, "", "; HttpOnly; Secure"},
		{"to all pages", secure, "; SameSite=None; Secure", "; HttpOnly; Secure; SameSite=None"},
		{"to all pages, apart for each site", secure, "; secure; samesite=none; partitioned", "; HttpOnly; Secure; SameSite=None; Partitioned"},
		{"to its own pages", secure, "; SameSite=Strict", "; HttpOnly; Secure; SameSite=Strict"},
		{"to its own pages, in clear", clear, "; SameSite=Lax", "; HttpOnly; SameSite=Lax"},
		{"to all pages, in clear", clear, "; SameSite=None; Secure; Partitioned", "; HttpOnly"},
		{"what nobody knows", secure, "; SameSite=Some", "; HttpOnly; Secure"},
	} {
		sim := &icwssim.Server{}
		_, hosts := behind(t, map[string]http.Handler{"ic1.example": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sim.ServeHTTP(saying{w, test.said}, r)
		})}, "http://ic1.example:8018")
		w := newDoor(t, hosts, func(k *knobs) { k.sim, k.door.PublicURL, k.icws.PublicURL = sim, test.public, test.public })
		anna := w.opens("anna")
		lines := anna.first.header.Values("Set-Cookie")
		ours := lines[len(lines)-1]
		if len(lines) != 2 || !strings.HasPrefix(ours, nativeHostCookie+"=") || !strings.HasSuffix(ours, "; Path=/icws/"+anna.session+test.want) {
			t.Errorf("a site that says %s: %q; want the second to end in %q", test.name, lines, test.want)
		}
	}
}

// saying adds to the cookies of an answer what browsers are told of them.
type saying struct {
	http.ResponseWriter
	said string
}

func (s saying) WriteHeader(status int) {
	for i := range s.Header()["Set-Cookie"] {
		s.Header()["Set-Cookie"][i] += s.said
	}
	s.ResponseWriter.WriteHeader(status)
}
