package proxy

import (
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus"

	"portico/proxy/icws/icwssim"
)

// A jam holds up what is passed through to the HTCC site, so that it counts as work for as long as a
// test wants.
type jam struct {
	came    chan string // the login of each request that is held up
	release chan struct{}
}

const jammed = "/api/v2/jammed"

func newJam() *jam { return &jam{came: make(chan string, 100), release: make(chan struct{})} }

func (j *jam) before(site http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/jammed") {
			site.ServeHTTP(w, r)
			return
		}
		j.came <- r.URL.RawQuery
		select {
		case <-j.release:
		case <-r.Context().Done():
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

// withPlaces has a door with so many places.
func withPlaces(places int, j *jam) func(*knobs) {
	return func(k *knobs) {
		k.door.Places.SetLimit(places)
		if j != nil {
			k.before = j.before
		}
	}
}

// work sends requests that are held up, waits until the site has them, and returns what gives their
// statuses.
func (c *caller) work(j *jam, requests int) func() []int {
	c.t.Helper()
	came := make(chan int, requests)
	for range requests {
		go func() {
			response, err := c.send(c.t.Context(), "GET", jammed, nil)
			if err != nil {
				came <- 0
				return
			}
			_ = response.Body.Close()
			came <- response.StatusCode
		}()
		<-j.came
	}
	return func() []int {
		var statuses []int
		for range requests {
			statuses = append(statuses, <-came)
		}
		return statuses
	}
}

// isShed holds an answer to the one of a door that is too full.
func (a answer) isShed(t testing.TB, what string) {
	t.Helper()
	a.is(t, what, http.StatusServiceUnavailable, `{"statusCode":4,"statusMessage":"too busy, try again later"}`)
	after, err := strconv.Atoi(a.header.Get("Retry-After"))
	if err != nil || after < 1 || after > 3 {
		t.Errorf("%s: Retry-After %q; want 1 to 3", what, a.header.Get("Retry-After"))
	}
}

// cookied returns an application that sends the cookie of an agent who is logged in.
func (w *world) cookied(agent string) *caller {
	w.t.Helper()
	return w.with(cookieOf(w.as(agent).get("/api/v2/me")))
}

func TestWhoHoldsMostIsRefusedFirst(t *testing.T) {
	j := newJam()
	w := newDoor(t, withPlaces(4, j))
	bjorn, cleo, anna := w.cookied("bjorn"), w.cookied("cleo"), w.cookied("anna")
	working := bjorn.work(j, 2)
	bjorn.get("/api/v2/me").isShed(t, "who holds as many places as are free")
	alsoWorking := cleo.work(j, 1)
	cleo.get("/api/v2/me").isShed(t, "who holds the one place beside the last")
	if got := anna.get("/api/v2/me"); got.status != http.StatusOK {
		t.Errorf("who holds none = %d %s", got.status, got.body)
	}
	if got := w.as("agent0001").get("/api/v2/me"); got.status != http.StatusOK {
		t.Errorf("who holds none and logs in = %d %s", got.status, got.body)
	}
	if got := counts(t, w.reg, "portico_http_requests_shed_total"); got["share"] != 2 || got["full"] != 0 {
		t.Errorf("shed: %v; want 2 for their share", got)
	}
	close(j.release)
	if got := fmt.Sprint(working(), alsoWorking()); got != "[204 204] [204]" {
		t.Errorf("what was worked on when others were refused = %s", got)
	}
	if got := bjorn.get("/api/v2/me"); got.status != http.StatusOK {
		t.Errorf("once it is over = %d %s", got.status, got.body)
	}
}

func TestAFullDoorRefusesEverybody(t *testing.T) {
	j := newJam()
	w := newDoor(t, openToNative, withPlaces(1, j))
	bjorn, anna := w.cookied("bjorn"), w.cookied("anna")
	working := bjorn.work(j, 1)
	anna.get("/api/v2/me").isShed(t, "an agent at a full door")
	anna.post(notificationsPath, handshake).isShed(t, "a notification at a full door")
	logins := w.calls(routeLogin)
	w.as("agent0001").get("/api/v2/me").isShed(t, "a log-in at a full door")
	if got := w.calls(routeLogin); got != logins {
		t.Errorf("who is refused was looked up at the site: %d log-ins; want %d", got, logins)
	}
	got := w.do("GET", "/icws/connection/version", "")
	if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" || !strings.Contains(got.body, `"errorId":"error.server.unavailable"`) {
		t.Errorf("an ICWS application at a full door = %d %v %s", got.status, got.header, got.body)
	}
	if got := counts(t, w.reg, "portico_http_requests_shed_total"); got["full"] != 4 {
		t.Errorf("shed: %v; want 4 because it is full", got)
	}
	close(j.release)
	working()
	if got := anna.get("/api/v2/me"); got.status != http.StatusOK {
		t.Errorf("once it is over = %d %s", got.status, got.body)
	}
}

// TestWhatWaitsTakesNoPlace has one of each that may last, at a door with one place.
func TestWhatWaitsTakesNoPlace(t *testing.T) {
	w := newPushing(t, openToNative, withPlaces(1, nil))
	anna, bjorn := w.cookied("anna"), w.cookied("bjorn")

	client := anna.shake(notificationsPath)
	anna.tell(client, "/meta/connect", longPolling)
	answered := anna.hold(client, 0)
	defer func() {
		anna.tell(client, "/meta/disconnect", "")
		answered()
	}()

	socket, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(w.url, "http")+notificationsPath,
		&websocket.DialOptions{HTTPHeader: http.Header{"Cookie": {bjorn.headers[1]}}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.CloseNow() }()

	download := bjorn.must("GET", "/api/v2/documents/7/content", nil)
	if download.StatusCode != http.StatusOK {
		t.Fatalf("the download = %d", download.StatusCode)
	}

	own := w.opens("agent0001")
	stream := own.must(t.Context(), "GET", "/icws/"+own.session+"/messaging/messages", nil,
		"ININ-ICWS-CSRF-Token", own.token, "Accept", "text/event-stream")
	defer func() { _ = stream.Body.Close() }()
	if kind := stream.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/event-stream") {
		t.Fatalf("the stream of an ICWS application = %d %s", stream.StatusCode, kind)
	}

	if got := anna.get("/api/v2/me"); got.status != http.StatusOK {
		t.Errorf("a request beside all that waits = %d %s", got.status, got.body)
	}
}

// unknown is who is known of callers who have shown nothing.
func unknown() (holder, bool) { return holder{}, false }

func TestNeighboursKeepNoAgentOut(t *testing.T) {
	var places *Places
	w := newDoor(t, withPlaces(4, nil), func(k *knobs) { places = k.door.Places })
	anna := w.cookied("anna")
	for range 2 {
		_, err := places.take(holder{address: netip.MustParsePrefix("127.0.0.1/32")}, unknown)
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := anna.get("/api/v2/me"); got.status != http.StatusOK {
		t.Errorf("an agent whose neighbours hold as many places as are free = %d %s", got.status, got.body)
	}
	w.with("JSESSIONID="+strings.Repeat("A", 43)).get("/api/v2/me").isShed(t, "who claims to be one")
	w.as("agent0001").get("/api/v2/me").isShed(t, "a neighbour who is to be logged in")
	if got := counts(t, w.reg, "portico_http_requests_shed_total"); got["share"] != 2 {
		t.Errorf("shed: %v; want 2", got)
	}
}

func TestALoweredLimitTakesNobodysPlace(t *testing.T) {
	p := NewPlaces(10, prometheus.NewRegistry())
	anna, bjorn := holder{session: "anna"}, holder{session: "bjorn"}
	var taken []place
	for range 5 {
		one, err := p.take(anna, unknown)
		if err != nil {
			t.Fatal(err)
		}
		taken = append(taken, one)
	}
	p.SetLimit(3)
	_, err := p.take(bjorn, unknown)
	if err == nil {
		t.Error("a place beyond the lowered limit")
	}
	for i := range taken {
		taken[i].leave()
		taken[i].leave()
	}
	one, err := p.take(bjorn, unknown)
	if err != nil || p.taken != 1 || len(p.held) != 1 {
		t.Errorf("after all left: %v; %d taken by %v", err, p.taken, p.held)
	}
	one.leave()
	if len(p.held) != 0 {
		t.Errorf("callers who hold nothing are remembered: %v", p.held)
	}
}

func TestNetworksOfAddresses(t *testing.T) {
	for address, want := range map[string]string{"10.1.2.3": "10.1.2.3/32", "2001:db8:1:2:3::4": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64"} {
		if got := network(netip.MustParseAddr(address)).String(); got != want {
			t.Errorf("network(%q) = %s; want %s", address, got, want)
		}
	}
	if got := network(netip.Addr{}); got != (netip.Prefix{}) {
		t.Errorf("network of no address = %s; want the zero one", got)
	}
}

// Behind a proxy that is trusted each caller has an address of their own, and so a share of their own.
func TestCallersBehindAProxyShareNoPlaces(t *testing.T) {
	j := newJam()
	_, sites := behind(t, map[string]http.Handler{"ic1": j.before(&icwssim.Server{})}, "http://ic1")
	w := newDoor(t, sites, withPlaces(4, nil), func(k *knobs) {
		k.door.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	one, other := &caller{w, []string{"X-Forwarded-For", "198.51.100.1"}}, &caller{w, []string{"X-Forwarded-For", "198.51.100.2"}}
	working := make(chan struct{})
	for range 2 {
		go func() {
			response, err := one.send(t.Context(), "GET", "/icws/1/jammed", nil)
			if err == nil {
				_ = response.Body.Close()
			}
			working <- struct{}{}
		}()
		<-j.came
	}
	if got := one.get("/icws/connection/version"); got.status != http.StatusServiceUnavailable {
		t.Errorf("who holds as many places as are free = %d %s", got.status, got.body)
	}
	if got := other.get("/icws/connection/version"); got.status != http.StatusOK {
		t.Errorf("who holds none = %d %s", got.status, got.body)
	}
	close(j.release)
	for range 2 {
		<-working
	}
}
