package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"portico/config"
	"portico/proxy/icws/icwssim"
)

// A stopping is a Portico whose drain delay ends when the test says so.
type stopping struct {
	*centres
	running *running
	door    string // address
	http    *http.Client
	stop    context.CancelFunc
	delayed chan time.Duration // receives the drain delay once it has begun
	over    chan time.Time     // ends it
	ended   chan error
}

func (c *centres) open(more string) *stopping {
	c.t.Helper()
	cfg, err := config.Parse("portico.yaml", []byte(c.settings+more), nil)
	if err != nil {
		c.t.Fatal(err)
	}
	r, err := open(cfg, newBooks(io.Discard, io.Discard))
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.t.Cleanup(cancel)
	s := &stopping{centres: c, running: r, door: r.door.address(), http: newClient(c.t), stop: cancel,
		delayed: make(chan time.Duration, 1), over: make(chan time.Time), ended: make(chan error, 1)}
	r.after = func(delay time.Duration) <-chan time.Time {
		s.delayed <- delay
		return s.over
	}
	go func() { s.ended <- r.run(ctx) }()
	eventually(c.t, "both sites answer", func() bool {
		return strings.HasPrefix(s.ready(), `200 {"ready":true,"draining":false,"sites":{"cloud":true,"pureconnect":true}`)
	})
	return s
}

func (s *stopping) ready() string {
	answer := httptest.NewRecorder()
	s.running.admin.http.Handler.ServeHTTP(answer, httptest.NewRequestWithContext(s.t.Context(), http.MethodGet, "/readyz", nil))
	return fmt.Sprint(answer.Code, " ", answer.Body)
}

// A wire is one connection of an application that speaks HTTP/1.1 as it stands in the book.
type wire struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func (s *stopping) dial() *wire {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.door)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	return &wire{s.t, conn, bufio.NewReader(conn)}
}

// send sends a request of anna's without waiting for the answer.
func (w *wire) send(method, path, body string) { w.sendAs("anna", method, path, body) }

func (w *wire) sendAs(agent, method, path, body string) {
	w.t.Helper()
	request, err := http.NewRequest(method, "http://portico.example"+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	request.SetBasicAuth(agent, agent)
	err = request.Write(w.conn)
	if err != nil {
		w.t.Fatal(err)
	}
}

// answer waits for one, and returns its status, whether it is the connection's last, and its body.
func (w *wire) answer() (int, bool, string) {
	w.t.Helper()
	_ = w.conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	reply, err := http.ReadResponse(w.in, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return reply.StatusCode, reply.Close, string(body)
}

// shake shakes hands and returns the client's id, after a connect that is never held.
func (w *wire) shake() string {
	w.t.Helper()
	w.send("POST", "/api/v2/notifications", `[{"channel":"/meta/handshake","version":"1.0"}]`)
	_, _, body := w.answer()
	client := clientOf(w.t, body)
	w.connect(client)
	w.answer()
	return client
}

// clientOf returns the id that the answer to a handshake gives.
func clientOf(t *testing.T, answer string) string {
	t.Helper()
	var replies []struct{ ClientID string }
	err := json.Unmarshal([]byte(answer), &replies)
	if err != nil || len(replies) != 1 || replies[0].ClientID == "" {
		t.Fatalf("handshake: %s", answer)
	}
	return replies[0].ClientID
}

func (w *wire) connect(client string) {
	w.send("POST", "/api/v2/notifications", connectOf(client, "long-polling"))
}

func connectOf(client, kind string) string {
	return fmt.Sprintf(`[{"id":"7","channel":"/meta/connect","clientId":%q,"connectionType":%q}]`, client, kind)
}

// A socket is a websocket of anna's.
type socket struct {
	t    *testing.T
	conn *websocket.Conn
}

func (s *stopping) socket() socket {
	s.t.Helper()
	header := http.Header{}
	request := http.Request{Header: header}
	request.SetBasicAuth("anna", "anna")
	conn, _, err := websocket.Dial(s.t.Context(), "ws://"+s.door+"/api/v2/notifications", &websocket.DialOptions{HTTPHeader: header, HTTPClient: s.http})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.CloseNow() })
	return socket{s.t, conn}
}

// say sends a frame, "" for none, and returns what comes next.
func (k socket) say(frame string) (string, error) {
	ctx, cancel := context.WithTimeout(k.t.Context(), 30*time.Second)
	defer cancel()
	if frame != "" {
		err := k.conn.Write(ctx, websocket.MessageText, []byte(frame))
		if err != nil {
			return "", err
		}
	}
	_, text, err := k.conn.Read(ctx)
	return string(text), err
}

// A jam holds up what is passed through to the HTCC site at one path, and changes of one channel.
type jam struct{ came, release, releaseChange chan struct{} }

const jammed = "/api/v2/jammed"

func newJam() *jam {
	return &jam{came: make(chan struct{}, 1), release: make(chan struct{}), releaseChange: make(chan struct{})}
}

func (j *jam) before(site http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		passed, changes := strings.HasSuffix(r.URL.Path, "/jammed"), strings.HasSuffix(r.URL.Path, "/channels/chat")
		if passed || changes {
			j.came <- struct{}{}
			release := j.release
			if changes {
				release = j.releaseChange
			}
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}
		if !passed {
			site.ServeHTTP(w, r)
		}
	})
}

// TestStoppingInStages follows a stop from the signal to the end, with a connection of each kind.
func TestStoppingInStages(t *testing.T) {
	j := newJam()
	s := newCentres(t, j.before).open("drain_delay: 7s\ngrace: 20s\n")
	idle, polling, working := s.dial(), s.dial(), s.dial()
	idle.send("GET", "/me", "")
	if status, last, body := idle.answer(); status != 200 || last {
		t.Fatalf("before the stop: %d, last %v, %s", status, last, body)
	}
	polling.connect(polling.shake())
	eventually(t, "a connect is held", func() bool { return s.metric(`portico_http_requests_in_flight{kind="push"}`) == "1" })
	socket := s.socket()
	shaken, err := socket.say(`[{"channel":"/meta/handshake","version":"1.0"}]`)
	if err != nil {
		t.Fatal(err)
	}
	client := clientOf(t, shaken)

	changing := s.dial()
	changing.sendAs("bjorn", "POST", "/me", `{"operationName":"StartContactCenterSession","channels":["chat"]}`)
	changing.answer()
	changing.sendAs("bjorn", "POST", "/me/channels/chat", `{"operationName":"Ready"}`)
	<-j.came

	s.stop()
	if delay := <-s.delayed; delay != 7*time.Second {
		t.Errorf("the drain delay is %v; want that of the settings", delay)
	}
	// Not ready, and normal service.
	if got := s.ready(); got != `503 {"ready":false,"draining":true,"sites":{"cloud":true,"pureconnect":true}}` {
		t.Errorf("readiness while draining: %s", got)
	}
	idle.send("GET", "/me", "")
	if status, last, body := idle.answer(); status != 200 || !last {
		t.Errorf("while draining, on a connection that was idle: %d, last %v, %s; want 200 and the last", status, last, body)
	}
	fresh := s.dial()
	fresh.send("GET", "/me", "")
	if status, last, body := fresh.answer(); status != 200 || !last {
		t.Errorf("while draining, on a new connection: %d, last %v, %s; want 200 and the last", status, last, body)
	}
	first, err := socket.say(connectOf(client, "websocket"))
	if err != nil || !strings.Contains(first, `"successful":true`) {
		t.Errorf("while draining, a websocket says %s, %v", first, err)
	}
	working.sendAs("bjorn", "GET", jammed, "")
	<-j.came

	// No new connections, who waits is let go, and what is under way goes on.
	close(s.over)
	status, last, body := polling.answer()
	if status != 200 || !last || !strings.Contains(body, `"successful":true`) || !strings.Contains(body, `"reconnect":"retry"`) {
		t.Errorf("the held connect: %d, last %v, %s; want the advice to connect again, elsewhere", status, last, body)
	}
	conn, err := net.Dial("tcp", s.door)
	if err == nil {
		_ = conn.Close()
		t.Error("a new connection is taken after held connects were released")
	}
	_, err = socket.say("")
	if code := websocket.CloseStatus(err); code < 0 {
		t.Errorf("the websocket ended in %v; want to be told of its end", err)
	}
	s.sessions("anna", 1)
	close(j.release)
	if status, _, body := working.answer(); status != 200 {
		t.Errorf("the request under way = %d %s; want 200", status, body)
	}
	close(j.releaseChange)
	if status, _, body := changing.answer(); status != 200 {
		t.Errorf("the change under way = %d %s; want 200", status, body)
	}
	if err := <-s.ended; err != nil {
		t.Errorf("run = %v", err)
	}
	s.sessions("anna", 0)
}

// TestAStopEndsWithinItsGraceWhileASiteHangs has requests that never end at one site and, at the other,
// sessions that take a moment to end.
func TestAStopEndsWithinItsGraceWhileASiteHangs(t *testing.T) {
	const grace = 3 * time.Second
	j := newJam()
	c := newCentres(t, j.before)
	s := c.open("drain_delay: 0s\ngrace: " + grace.String() + "\n")
	get(t, s.http, "anna", "http://"+s.door+"/me")
	s.dial().sendAs("bjorn", "GET", jammed, "")
	<-j.came
	must(t, s.pureconnect.Fault(icwssim.Fault{Route: "DELETE /icws/{sessionId}/connection", Delay: 300 * time.Millisecond}))
	began := time.Now()
	s.stop()
	<-s.delayed
	close(s.over)
	err := <-s.ended
	if took := time.Since(began); took > 2*grace { // the machine may be busy
		t.Errorf("the stop took %v; want %v at most", took, grace)
	}
	if err == nil || !strings.Contains(err.Error(), "requests under way") {
		t.Errorf("run = %v; want it to say that a request was cut off", err)
	}
	s.sessions("anna", 0)
}

// TestAStopDoesNotWaitForACollector has traces left to send to a collector that gives no answer.
func TestAStopDoesNotWaitForACollector(t *testing.T) {
	const grace = 20 * time.Second
	hang := make(chan struct{})
	collector := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
	defer collector.Close()
	defer close(hang)
	s := newCentres(t, nil).open(fmt.Sprintf("drain_delay: 0s\ngrace: %s\ntraces: {endpoint: %q, per_thousand: 1000}\n", grace, collector.URL))
	get(t, s.http, "anna", "http://"+s.door+"/me")
	began := time.Now()
	s.stop()
	<-s.delayed
	close(s.over)
	if err := <-s.ended; err != nil {
		t.Errorf("run = %v", err)
	}
	if took := time.Since(began); took > grace/2 {
		t.Errorf("the stop took %v; want little more than %v", took, tracesWithin)
	}
}

// TestAStopLetsGuessersGo has somebody wait for the answer to a wrong log-in.
func TestAStopLetsGuessersGo(t *testing.T) {
	const delay = 10 * time.Second
	s := newCentres(t, nil).open("drain_delay: 7s\nlogins: {delay: " + delay.String() + "}\n")
	guesser := s.dial()
	for i := range 5 {
		guesser.sendAs(fmt.Sprint("stranger", i), "GET", "/me", "")
		if status, _, body := guesser.answer(); status != http.StatusForbidden {
			t.Fatalf("wrong log-in %d = %d %s", i+1, status, body)
		}
	}
	guesser.sendAs("stranger5", "GET", "/me", "")
	eventually(t, "one waits", func() bool { return s.metric(`portico_http_requests_in_flight{kind="delayed"}`) == "1" })
	began := time.Now()
	s.stop()
	<-s.delayed
	status, last, body := guesser.answer()
	if took := time.Since(began); status != http.StatusForbidden || !last || took > delay/2 {
		t.Errorf("who waited = %d %s, last %v, %v after the stop; want 403, the last, and at once", status, body, last, took)
	}
	close(s.over)
	if err := <-s.ended; err != nil {
		t.Errorf("run = %v", err)
	}
}
