package push

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus"
)

// A line is a client's end of a websocket.
type line struct {
	t    testing.TB
	conn *websocket.Conn
	id   string // of the client that shook hands on it
}

// sockets serves s on a port of its own; the owner is in the query.
func sockets(t testing.TB, s *Server) string {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = s.Serve(w, r, r.URL.Query().Get("owner"))
	}))
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		_ = s.Run(ctx)
	}()
	t.Cleanup(func() {
		s.Close()
		web.Close()
		cancel()
		<-ran
	})
	return web.URL
}

// dial opens a websocket for owner.
func dial(t testing.TB, url, owner string) *line {
	t.Helper()
	conn, answer, err := websocket.Dial(t.Context(), url+"?owner="+owner, nil)
	if err != nil {
		t.Fatalf("dial: %v, %v", answer, err)
	}
	conn.SetReadLimit(-1)
	l := &line{t: t, conn: conn}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return l
}

// dialInMemory opens a websocket for owner, the only one of s, in the time of a bubble.
func dialInMemory(t *testing.T, s *Server, owner string) *line {
	t.Helper()
	conns := NewReturns(&net.TCPAddr{})
	web := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _ = s.Serve(w, r, owner) })}
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() { _ = web.Serve(conns) })
	serving.Go(func() { _ = s.Run(ctx) })
	t.Cleanup(func() {
		s.Close()
		_ = web.Close()
		cancel()
		serving.Wait()
	})
	client := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		conns.give(ours)
		return theirs, nil
	}}}
	conn, answer, err := websocket.Dial(t.Context(), "http://portico", &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		t.Fatalf("dial: %v, %v", answer, err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return &line{t: t, conn: conn}
}

// say sends messages, with CLIENT standing for the client's id.
func (l *line) say(text string) {
	l.t.Helper()
	err := l.conn.Write(l.t.Context(), websocket.MessageText, []byte(strings.ReplaceAll(text, "CLIENT", l.id)))
	if err != nil {
		l.t.Fatalf("write: %v", err)
	}
}

// hear returns the next frame.
func (l *line) hear() string {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), 10*time.Second)
	defer cancel()
	_, text, err := l.conn.Read(ctx)
	if err != nil {
		l.t.Fatalf("read: %v", err)
	}
	return string(text)
}

// expect fails unless the next frame is want.
func (l *line) expect(want string) {
	l.t.Helper()
	if got := l.hear(); got != want {
		l.t.Errorf("frame = %s; want %s", got, want)
	}
}

// open shakes hands, connects for the first time and subscribes to everything.
func (l *line) open(ext string) {
	l.t.Helper()
	l.say(`[{"id":"1","channel":"/meta/handshake"` + ext + `}]`)
	_, rest, _ := strings.Cut(l.hear(), `"clientId":"`)
	l.id, _, _ = strings.Cut(rest, `"`)
	l.say(`[{"id":"2","channel":"/meta/subscribe","subscription":"/**","clientId":"CLIENT"}]`)
	l.hear()
	l.say(`[{"id":"3","channel":"/meta/connect","connectionType":"websocket","clientId":"CLIENT"}]`)
	l.hear()
}

// hold sends a connect and waits until it is held.
func (l *line) hold(s *Server, id string) {
	l.t.Helper()
	l.say(`[{"id":"` + id + `","channel":"/meta/connect","clientId":"CLIENT"}]`)
	until(l.t, "the connect to be held", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		c := s.clients[l.id]
		return c != nil && c.connect != nil && c.connect.held
	})
}

// ended waits for the server to close the websocket and returns the status it gave.
func (l *line) ended() websocket.StatusCode {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), 10*time.Second)
	defer cancel()
	for {
		_, _, err := l.conn.Read(ctx)
		if err != nil {
			return websocket.CloseStatus(err)
		}
	}
}

// until polls condition for as long as it may reasonably take.
func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestSocketPushesAtOnceBesideAHeldConnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewRegistry()
		s := newServer(t, Options{WebSocket: true, Timeout: 4 * time.Second, Metrics: NewMetrics(reg)})
		l := dialInMemory(t, s, "anna")
		l.open("")
		if n := number(t, reg, "portico_push_connections", "transport", "websocket"); n != 1 {
			t.Errorf("websocket clients = %v; want 1", n)
		}
		began := time.Now()
		l.hold(s, "4")
		publish(t, s, "anna", 1)
		l.expect(`[{"data":1,"channel":"/v2/me/devices"}]`)
		if waited := time.Since(began); waited >= time.Second {
			t.Errorf("the event came after %v; want at once", waited)
		}
		l.expect(`[{"id":"4","channel":"/meta/connect","successful":true}]`) // when its time is over
		if waited := time.Since(began); waited < 4*time.Second {
			t.Errorf("the connect was answered after %v; want 4s", waited)
		}
		publish(t, s, "anna", 2)
		l.expect(`[{"data":2,"channel":"/v2/me/devices"}]`) // between connects too
		l.say(`[{"id":"5","channel":"/meta/disconnect","clientId":"CLIENT"}]`)
		l.expect(`[{"id":"5","channel":"/meta/disconnect","successful":true}]`)
	})
}

// TestSocketOfTwoClients has two pages share one socket: each is told at once beside its held connect, also when the
// newer one has left, and neither stays when the socket ends.
func TestSocketOfTwoClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, Options{WebSocket: true, MaxInterval: 10 * time.Second})
		older := dialInMemory(t, s, "anna")
		newer := &line{t: t, conn: older.conn}
		for _, l := range []*line{older, newer} {
			l.open("")
			l.hold(s, "4")
		}
		event := `[{"data":1,"channel":"/v2/me/devices"}]`
		publish(t, s, "anna", 1)
		began := time.Now()
		older.expect(event)
		newer.expect(event)
		if waited := time.Since(began); waited > 0 {
			t.Errorf("the second event came after %v; want at once", waited)
		}
		newer.say(`[{"id":"5","channel":"/meta/disconnect","clientId":"CLIENT"}]`)
		newer.hear()
		newer.hear() // the connect, in any order
		time.Sleep(20 * time.Second)
		publish(t, s, "anna", 1)
		older.expect(event)
		newer.open("")
		newer.hold(s, "4")
		_ = older.conn.CloseNow()
		time.Sleep(time.Minute)
		if n := s.Clients("anna"); n != 0 {
			t.Errorf("%d clients are left a minute after their socket; want none", n)
		}
	})
}

func TestSocketAnswersLikeLongPolling(t *testing.T) {
	s := newServer(t, Options{WebSocket: true})
	l := dial(t, sockets(t, s), "anna")
	l.open("")
	l.say(`[{"id":"4","channel":"/x","clientId":"CLIENT"},{"id":"5","channel":"/meta/connect","clientId":"gone"}]`)
	l.expect(`[{"id":"4","channel":"/x","successful":false,"error":"403:denied_by_security_policy:publish denied"},` +
		`{"id":"5","channel":"/meta/connect","successful":false,"error":"402::Unknown client","advice":{"reconnect":"handshake","interval":0}}]`)
	l.hold(s, "6")
	l.say(`[{"id":"7","channel":"/meta/connect","clientId":"CLIENT","advice":{"timeout":0}}]`) // the older one gets no answer
	l.expect(`[{"id":"7","channel":"/meta/connect","successful":true,` + retryBody + `}]`)
	l.hold(s, "8")
	l.say(`{"id":"9","channel":"/meta/disconnect","clientId":"CLIENT"}`)
	got := []string{l.hear(), l.hear()} // in any order
	want := `[{"id":"8","channel":"/meta/connect","successful":true,"advice":{"reconnect":"none"}}]`
	if got[0] != want && got[1] != want {
		t.Errorf("frames after disconnect = %q; want %s among them", got, want)
	}
}

func TestSocketKeepsOrder(t *testing.T) {
	s := newServer(t, Options{WebSocket: true})
	l := dial(t, sockets(t, s), "anna")
	l.open("")
	go func() {
		for i := range 500 {
			publish(t, s, "anna", i)
		}
	}()
	var got []string
	for len(got) < 500 {
		got = append(got, strings.Fields(dataOf(t, l.hear()))...)
	}
	for i, data := range got {
		if data != fmt.Sprint(i) {
			t.Fatalf("event %d = %s", i, data)
		}
	}
}

func TestSocketWithAcknowledgements(t *testing.T) {
	s := newServer(t, Options{WebSocket: true, AckExtension: true})
	l := dial(t, sockets(t, s), "anna")
	l.open(`,"ext":{"ack":true}`)
	l.hold(s, "4")
	publish(t, s, "anna", 1)
	l.expect(`[{"data":1,"channel":"/v2/me/devices"},{"id":"4","channel":"/meta/connect","successful":true,"ext":{"ack":2}}]`)
	l.say(`[{"id":"5","channel":"/meta/connect","clientId":"CLIENT","ext":{"ack":1}}]`)
	l.expect(`[{"data":1,"channel":"/v2/me/devices"},{"id":"5","channel":"/meta/connect","successful":true,"ext":{"ack":3}}]`)
}

func TestClientGoesOnOverAnotherSocketOrLongPolling(t *testing.T) {
	s := newServer(t, Options{WebSocket: true})
	url := sockets(t, s)
	first := dial(t, url, "anna")
	first.open("")
	first.hold(s, "4")
	_ = first.conn.CloseNow()
	until(t, "the socket to be left", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.sockets) == 0
	})
	publish(t, s, "anna", 1)
	second := dial(t, url, "anna")
	second.id = first.id
	second.say(`[{"id":"5","channel":"/meta/connect","clientId":"CLIENT"}]`)
	second.expect(`[{"data":1,"channel":"/v2/me/devices"},{"id":"5","channel":"/meta/connect","successful":true}]`)
	got := post(t, s, "anna", `[{"id":"6","channel":"/meta/connect","clientId":"`+first.id+`","advice":{"timeout":0}}]`)
	if !strings.Contains(got, `"successful":true`) {
		t.Errorf("connect over long-polling = %s; want success", got)
	}
	publish(t, s, "anna", 2)
	if got := dataOf(t, post(t, s, "anna", `[{"id":"7","channel":"/meta/connect","clientId":"`+first.id+`"}]`)); got != "2" {
		t.Errorf("events over long-polling = %q; want 2", got)
	}
}

func TestSocketKeepsOwnersApart(t *testing.T) {
	s := newServer(t, Options{WebSocket: true})
	url := sockets(t, s)
	anna, cleo := dial(t, url, "anna"), dial(t, url, "cleo")
	anna.open("")
	cleo.open("")
	publish(t, s, "anna", 1)
	publish(t, s, "cleo", 2)
	cleo.expect(`[{"data":2,"channel":"/v2/me/devices"}]`)
	cleo.id = anna.id
	cleo.say(`[{"id":"9","channel":"/meta/connect","clientId":"CLIENT"}]`)
	cleo.expect(`[{"id":"9","channel":"/meta/connect","successful":false,"error":"402::Unknown client","advice":{"reconnect":"handshake","interval":0}}]`)
}

func TestEndClosesTheSocketsOfItsOwner(t *testing.T) {
	s := newServer(t, Options{WebSocket: true})
	url := sockets(t, s)
	anna, idle, cleo := dial(t, url, "anna"), dial(t, url, "anna"), dial(t, url, "cleo")
	anna.open("")
	anna.hold(s, "4")
	cleo.open("")
	s.End("anna", None)
	anna.expect(`[{"id":"4","channel":"/meta/connect","successful":true,"advice":{"reconnect":"none"}}]`)
	for _, l := range []*line{anna, idle} {
		if got := l.ended(); got != websocket.StatusGoingAway {
			t.Errorf("close status = %v; want %v", got, websocket.StatusGoingAway)
		}
	}
	publish(t, s, "cleo", 1)
	cleo.expect(`[{"data":1,"channel":"/v2/me/devices"}]`)
}

func TestCloseEndsSockets(t *testing.T) {
	s := newServer(t, Options{WebSocket: true})
	url := sockets(t, s)
	l := dial(t, url, "anna")
	l.open("")
	l.hold(s, "4")
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		s.Close()
	}()
	l.expect(`[{"id":"4","channel":"/meta/connect","successful":true,` + retryBody + `}]`)
	if got := l.ended(); got != websocket.StatusGoingAway {
		t.Errorf("close status = %v; want %v", got, websocket.StatusGoingAway)
	}
	<-closed
	_, answer, err := websocket.Dial(t.Context(), url, nil)
	if err == nil || answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("dial a server that is closed = %v, %v; want 503", answer, err)
	}
}

func TestSocketThatNobodySpeaksOnIsClosed(t *testing.T) {
	s := newServer(t, Options{WebSocket: true, MaxInterval: 50 * time.Millisecond, SweepPeriod: 10 * time.Millisecond})
	url := sockets(t, s)
	silent, stray := dial(t, url, "anna"), dial(t, url, "anna")
	stray.open("") // and does not connect again
	for _, l := range []*line{silent, stray} {
		if got := l.ended(); got != websocket.StatusGoingAway {
			t.Errorf("close status = %v; want %v", got, websocket.StatusGoingAway)
		}
	}
	until(t, "the client to be swept", func() bool { return s.Clients("anna") == 0 })
}

func TestSocketRefusesWhatIsNoBatch(t *testing.T) {
	s := newServer(t, Options{WebSocket: true, MaxMessageSize: 200})
	url := sockets(t, s)
	for _, test := range []struct {
		text string
		want websocket.StatusCode
	}{
		{"[", websocket.StatusPolicyViolation},
		{"[]", websocket.StatusPolicyViolation},
		{`[{"channel":"/meta/handshake"},{"channel":"/meta/handshake"}]`, websocket.StatusPolicyViolation},
		{strings.Repeat(" ", 300), websocket.StatusMessageTooBig},
	} {
		l := dial(t, url, "anna")
		l.say(test.text)
		if got := l.ended(); got != test.want {
			t.Errorf("close status after %.20q = %v; want %v", test.text, got, test.want)
		}
	}
}

func TestOriginsOfSockets(t *testing.T) {
	for _, test := range []struct {
		name    string
		allowed []string
		origin  string
		want    int
	}{
		{"no origin", nil, "", http.StatusSwitchingProtocols},
		{"another's page", nil, "https://evil.example", http.StatusForbidden},
		{"a page that is listed", []string{"desk.example"}, "https://desk.example", http.StatusSwitchingProtocols},
		{"a page of a scheme that is listed", []string{"https://*.example"}, "https://DESK.example", http.StatusSwitchingProtocols},
		{"a page of another scheme", []string{"https://*.example"}, "http://desk.example", http.StatusForbidden},
		{"an origin that is none", []string{"desk.example"}, "https://[desk.example", http.StatusForbidden},
		{"any page, when the caller checks", []string{"*"}, "https://evil.example", http.StatusSwitchingProtocols},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t, Options{WebSocket: true, Origins: test.allowed})
			header := http.Header{}
			if test.origin != "" {
				header.Set("Origin", test.origin)
			}
			conn, answer, err := websocket.Dial(t.Context(), sockets(t, s), &websocket.DialOptions{HTTPHeader: header})
			if answer == nil || answer.StatusCode != test.want {
				t.Fatalf("dial = %v, %v; want %d", answer, err, test.want)
			}
			if conn != nil {
				_ = conn.CloseNow()
			}
		})
	}
}

func TestSocketThatIsNotReadLosesOnlyItsOwnClient(t *testing.T) {
	s := newServer(t, Options{WebSocket: true, MaxQueue: 20})
	url := sockets(t, s)
	slow, quick := dial(t, url, "anna"), dial(t, url, "anna")
	slow.open("")
	quick.open("")
	big := strings.Repeat("x", 40_000)
	for i := 0; s.Clients("anna") == 2; i++ { // until slow's connection is full, and then its queue
		publish(t, s, "anna", fmt.Sprint(i, big))
		if got := quick.hear(); !strings.Contains(got, big) {
			t.Fatalf("quick client got %.60s; want the event", got)
		}
		if i > 2000 {
			t.Fatal("nobody's queue overflowed")
		}
	}
	publish(t, s, "anna", "last")
	quick.expect(`[{"data":"last","channel":"/v2/me/devices"}]`)
}

// A real connection that its peer resets: what was taken is not lost.
func TestBrokenConnectionLosesNothing(t *testing.T) {
	s := newServer(t, Options{})
	url := sockets(t, s)
	p := ready(t, s, "anna")
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"?owner=anna", strings.NewReader("["+p.message(metaConnect, "")+"]"))
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() {
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err == nil {
			err = errors.Join(errors.New("it was answered"), answer.Body.Close())
		}
		failed <- err
	}()
	held := func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.clients[p.id].connect != nil
	}
	until(t, "the connect to be held", held)
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("request = %v; want it cancelled", err)
	}
	until(t, "the server to notice", func() bool { return !held() })
	publish(t, s, "anna", 1)
	if got := dataOf(t, p.connect("").text(t)); got != "1" {
		t.Errorf("events = %q; want 1", got)
	}
}
