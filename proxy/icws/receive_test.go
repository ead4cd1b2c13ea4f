package icws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"portico/proxy/fault"
	"portico/proxy/icws/icwssim"
	"portico/proxy/upstream"
	"portico/proxy/upstream/memhttp"
	"portico/proxy/upstream/rig"
	"portico/translate/icwsapi"
)

// A watch is a Receive under way, and what it was told.
type watch struct {
	t      testing.TB
	client *Client
	conn   Conn
	reg    *prometheus.Registry
	nudge  chan struct{}
	log    log
	cancel context.CancelFunc
	done   chan error
}

// startWatch receives for conn. Its log holds what the Receiver was told, one word each:
// "subscribe", "live", "broken", "anna=Available" for a user's status (with a + before it in a
// delta), "completed 7", "down" or "up" for the connection, else the type of the message.
func startWatch(t testing.TB, client *Client, reg *prometheus.Registry, conn Conn) *watch {
	t.Helper()
	w := &watch{t: t, client: client, conn: conn, reg: reg, nudge: make(chan struct{}, 1), done: make(chan error, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	w.cancel = cancel
	receiver := Receiver{
		Subscribe: w.subscribe,
		Message:   w.message,
		Live: func(live bool) {
			if live {
				w.log.Add("live")
			} else {
				w.log.Add("broken")
			}
		},
		Problem: func(err error) { w.t.Logf("%v: problem: %v", time.Now().Format(time.TimeOnly), err) },
		Nudge:   w.nudge,
	}
	go func() { w.done <- client.Receive(ctx, conn, receiver) }()
	synctest.Wait()
	return w
}

func (w *watch) subscribe(ctx context.Context) error {
	w.log.Add("subscribe")
	return w.client.SubscribeUserStatuses(ctx, w.conn, []string{w.conn.UserID})
}

func (w *watch) message(m icwsapi.Message) {
	switch m := m.(type) {
	case icwsapi.UserStatusMessage:
		delta := ""
		if m.IsDelta {
			delta = "+"
		}
		for _, s := range m.UserStatusList {
			w.log.Add(delta + s.UserID + "=" + s.StatusID)
		}
	case icwsapi.AsyncOperationCompletedMessage:
		w.log.Add("completed " + m.RequestID)
	case icwsapi.ConnectionStateChangeMessage:
		w.log.Add(map[int]string{icwsapi.ConnectionUp: "up", icwsapi.ConnectionDown: "down"}[m.NewConnectionState])
	default:
		w.log.Add(m.MessageType())
	}
}

// set gives the agent another status.
func (w *watch) set(statusID string) {
	w.t.Helper()
	_, err := w.client.SetUserStatus(w.t.Context(), w.conn, w.conn.UserID, icwsapi.UserStatusUpdate{StatusID: statusID})
	if err != nil {
		w.t.Fatal(err)
	}
}

// told compares what the Receiver was told, after some time, with want.
func (w *watch) told(after time.Duration, want ...string) {
	w.t.Helper()
	time.Sleep(after)
	synctest.Wait()
	if diff := cmp.Diff(want, w.log.All()); diff != "" {
		w.t.Errorf("told (-want +got):\n%s", diff)
	}
}

// stop ends the watch and checks that nothing of it is left in the gauges.
func (w *watch) stop() {
	w.t.Helper()
	w.cancel()
	w.ended(context.Canceled)
}

// ended waits for Receive to return want.
func (w *watch) ended(want error) {
	w.t.Helper()
	err := <-w.done
	w.cancel()
	if !errors.Is(err, want) {
		w.t.Errorf("Receive = %v; want %v", err, want)
	}
	if n := w.value("portico_upstream_streams", nil); n != 0 {
		w.t.Errorf("readers after Receive = %v; want 0", n)
	}
	if n := w.value("portico_upstream_requests_in_flight", nil); n != 0 {
		w.t.Errorf("calls in flight after Receive = %v; want 0", n)
	}
}

func (w *watch) value(name string, labels map[string]string) float64 {
	return value(w.t, w.reg, name, labels)
}

// events compares the counts of reader events with want, in the order opened, broken, resynced.
func (w *watch) events(want ...float64) {
	w.t.Helper()
	for i, event := range []string{"opened", "broken", "resynced"} {
		got := w.value("portico_upstream_stream_events_total", map[string]string{"event": event})
		if got != want[i] {
			w.t.Errorf("events %s = %v; want %v", event, got, want[i])
		}
	}
}

// withSim runs a test in bubbles of time, each with a simulator, and anna logged in at it. Messaging is the
// version that it has; 0 = the newest.
func withSim(t *testing.T, messaging int, test func(t *testing.T, w *watch, sim *icwssim.Server)) {
	t.Helper()
	eachWay(t, func(t *testing.T, streams func(http.Handler) http.RoundTripper) {
		sim := &icwssim.Server{MessagingVersion: messaging}
		defer sim.Close()
		client, reg := newClient(t, at(sim), func(s *Settings) { s.Streams = streams(sim) })
		conn, err := client.Login(t.Context(), Credentials{UserID: "anna", Password: "anna"})
		if err != nil {
			t.Fatal(err)
		}
		test(t, startWatch(t, client, reg, conn), sim)
	})
}

// eachWay runs a test in a bubble of time for each way in which event streams come: read by whoever waits for
// them, and on connections of their own, waited for without a buffer.
func eachWay(t *testing.T, test func(t *testing.T, streams func(http.Handler) http.RoundTripper)) {
	t.Helper()
	for name, streams := range map[string]func(http.Handler) http.RoundTripper{
		"read":       func(h http.Handler) http.RoundTripper { return at(h) },
		"waited for": func(h http.Handler) http.RoundTripper { return &upstream.Streams{Transport: rig.Piped(h)} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, streams) })
		})
	}
}

// play makes a scenario happen to anna.
func play(t testing.TB, sim *icwssim.Server, scenario string) {
	t.Helper()
	err := sim.Fault(icwssim.Fault{Scenario: scenario, User: "anna"})
	if err != nil {
		t.Fatal(err)
	}
}

func TestReceiveStream(t *testing.T) {
	withSim(t, 0, func(t *testing.T, w *watch, _ *icwssim.Server) {
		w.told(0, "subscribe", "live", "anna=Available, No ACD")
		if n := w.value("portico_upstream_streams", map[string]string{"transport": "sse", "state": "live"}); n != 1 {
			t.Errorf("live streams = %v; want 1", n)
		}
		w.set("At Lunch")
		w.told(time.Second, "subscribe", "live", "anna=Available, No ACD", "+anna=At Lunch", "completed 1")
		w.told(time.Hour, "subscribe", "live", "anna=Available, No ACD", "+anna=At Lunch", "completed 1")
		w.events(1, 0, 0)
		for name, want := range map[string]float64{"subscribe": 1, "messages": 1, "login": 0} {
			labels := map[string]string{"operation": name, "cause": "stream"}
			if n := w.value("portico_upstream_requests_total", labels); n != want {
				t.Errorf("requests %v = %v; want %v", labels, n, want)
			}
		}
		w.stop()
	})
}

func TestReceiveComesBack(t *testing.T) {
	for _, scenario := range []string{"drop-stream", "reset-connection", "truncate-event"} {
		t.Run(scenario, func(t *testing.T) {
			withSim(t, 0, func(t *testing.T, w *watch, sim *icwssim.Server) {
				play(t, sim, scenario)
				w.set("At Lunch") // told of at once in the event that breaks off, or missed
				time.Sleep(time.Second)
				synctest.Wait()
				got := w.log.All()
				if n := strings.Count(strings.Join(got, "|"), "broken|subscribe|live|"); n != 1 {
					t.Errorf("told %q; want one break, and one return from it", got)
				}
				if last := got[len(got)-1]; last != "anna=At Lunch" && last != "completed 1" {
					t.Errorf("told %q; want the new status in the end", got)
				}
				w.events(2, 1, 1)
				w.stop()
			})
		})
	}
}

func TestReceiveEndsWithTheSession(t *testing.T) {
	tests := []struct {
		scenario  string
		messaging int
		want      []string
	}{
		{"expire-session", 2, []string{"subscribe", "live", "anna=Available, No ACD", "broken"}},
		{"force-logoff", 2, []string{"subscribe", "live", "anna=Available, No ACD", "down", "broken"}},
		{"expire-session", 1, []string{"subscribe", "live", "anna=Available, No ACD", "broken"}},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.scenario, " messaging ", test.messaging), func(t *testing.T) {
			withSim(t, test.messaging, func(t *testing.T, w *watch, sim *icwssim.Server) {
				play(t, sim, test.scenario)
				w.ended(ErrSessionGone)
				w.told(0, test.want...)
			})
		})
	}
}

func TestReceiveGoesOnWhenTheServerIsDown(t *testing.T) {
	withSim(t, 0, func(t *testing.T, w *watch, sim *icwssim.Server) {
		play(t, sim, "ic-down")
		play(t, sim, "ic-up")
		w.told(time.Minute, "subscribe", "live", "anna=Available, No ACD", "down", "up")
		w.stop()
	})
}

func TestReceivePolls(t *testing.T) {
	withSim(t, 1, func(t *testing.T, w *watch, sim *icwssim.Server) {
		w.told(0, "subscribe", "live", "anna=Available, No ACD")
		if n := w.value("portico_upstream_streams", map[string]string{"transport": "poll", "state": "live"}); n != 1 {
			t.Errorf("live pollers = %v; want 1", n)
		}
		polls := func(d time.Duration) int {
			const route = "GET /icws/{sessionId}/messaging/messages"
			before := sim.Calls()[route]
			time.Sleep(d)
			synctest.Wait()
			return sim.Calls()[route] - before
		}
		time.Sleep(time.Minute)
		if n := polls(time.Minute); n != 12 {
			t.Errorf("%d polls in an idle minute; want 12", n)
		}
		w.set("At Lunch")
		w.nudge <- struct{}{}
		w.told(300*time.Millisecond, "subscribe", "live", "anna=Available, No ACD", "+anna=At Lunch", "completed 1")
		if n := polls(5 * time.Second); n < 4 {
			t.Errorf("%d polls in 5 s after a write; want at least 4", n)
		}
		time.Sleep(time.Minute)
		if n := polls(time.Minute); n != 12 {
			t.Errorf("%d polls in an idle minute later; want 12", n)
		}
		w.stop()
	})
}

func TestReceiveSubscribesAnewAfterALostPoll(t *testing.T) {
	withSim(t, 1, func(t *testing.T, w *watch, sim *icwssim.Server) {
		err := sim.Fault(icwssim.Fault{Scenario: "reset-connection", Route: "GET /icws/{sessionId}/messaging/messages", Times: 1})
		if err != nil {
			t.Fatal(err)
		}
		w.set("At Lunch") // told of in the poll that is lost
		w.told(time.Minute, "subscribe", "live", "anna=Available, No ACD", "broken", "subscribe", "live", "anna=At Lunch")
		w.events(2, 1, 1)
		w.stop()
	})
}

func TestReceiveRetriesSubscriptions(t *testing.T) {
	withSim(t, 0, func(t *testing.T, w *watch, sim *icwssim.Server) {
		err := sim.Fault(icwssim.Fault{Route: "PUT /icws/{sessionId}/messaging/subscriptions/status/user-statuses", Status: 500, Times: 3})
		if err != nil {
			t.Fatal(err)
		}
		play(t, sim, "drop-stream")
		w.told(time.Minute, "subscribe", "live", "anna=Available, No ACD", "broken",
			"subscribe", "subscribe", "subscribe", "subscribe", "live", "anna=Available, No ACD")
		w.events(2, 4, 1)
		w.stop()
	})
}

// serveStream runs a test in bubbles of time, with a server that answers subscriptions and whose
// streams are served by stream.
func serveStream(t *testing.T, stream http.HandlerFunc, test func(t *testing.T, w *watch)) {
	t.Helper()
	eachWay(t, func(t *testing.T, streams func(http.Handler) http.RoundTripper) {
		mux := http.NewServeMux()
		mux.Handle("PUT /icws/{sid}/messaging/subscriptions/", kept(t, "empty-200.http"))
		mux.Handle("GET /icws/{sid}/messaging/messages", stream)
		client, reg := newClient(t, at(mux), func(s *Settings) { s.Streams = streams(mux) })
		test(t, startWatch(t, client, reg, testConn()))
	})
}

// events answers with an event stream: a text, and then nothing until the client leaves.
func events(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		_, _ = io.WriteString(w, text)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
}

func TestReceiveReadsWhatStreamsMayHold(t *testing.T) {
	content, err := os.ReadFile("testdata/messages.sse")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"subscribe", "live", "anna=Available", "completed 8", "urn:inin.com:future:unheardOfMessage"}
	for name, text := range map[string]string{
		"lines end in LF":   string(content),
		"lines end in CRLF": strings.ReplaceAll(string(content), "\n", "\r\n"),
		"lines end in CR":   strings.ReplaceAll(string(content), "\n", "\r"),
	} {
		t.Run(name, func(t *testing.T) {
			serveStream(t, events(text), func(t *testing.T, w *watch) {
				w.told(0, want...)
				if n := w.value("portico_upstream_api_errors_total", map[string]string{"operation": "messages", "error": "garbage"}); n != 1 {
					t.Errorf("garbage counted = %v; want 1", n)
				}
				w.stop()
			})
		})
	}
}

func TestReceiveBreaksASilentStream(t *testing.T) {
	serveStream(t, events(":ping\n\n"), func(t *testing.T, w *watch) {
		w.told(3*time.Minute-time.Second, "subscribe", "live")
		w.told(2*time.Second, "subscribe", "live", "broken", "subscribe", "live")
		w.stop()
	})
}

func TestReceiveBreaksAStreamWithAnEndlessEvent(t *testing.T) {
	serveStream(t, events("data: "+strings.Repeat("x", maxEvent)), func(t *testing.T, w *watch) {
		w.told(time.Millisecond, "subscribe", "live", "broken")
		w.stop()
	})
}

func TestReceiveSubscribesThoughNoHeadHasCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		subscribed := make(chan struct{})
		mux := http.NewServeMux()
		mux.HandleFunc("PUT /icws/{sid}/messaging/subscriptions/", func(http.ResponseWriter, *http.Request) { close(subscribed) })
		mux.HandleFunc("GET /icws/{sid}/messaging/messages", func(w http.ResponseWriter, r *http.Request) {
			<-subscribed
			events(`data: {"__type":"x"}`+"\n\n")(w, r)
		})
		client, reg := newClient(t, at(mux), nil)
		w := startWatch(t, client, reg, testConn())
		w.told(headGrace, "subscribe", "live", "x")
		w.stop()
	})
}

func TestReceivePollsWhereStreamsDoNotGetThrough(t *testing.T) {
	serveStream(t, kept(t, "messages.http"), func(t *testing.T, w *watch) {
		time.Sleep(time.Second)
		synctest.Wait()
		got := strings.Join(w.log.All(), " ")
		if !strings.HasPrefix(got, "subscribe live anna=Available completed 8 ") {
			t.Errorf("told %s; want the messages of a poll", got)
		}
		if n := w.value("portico_upstream_streams", map[string]string{"transport": "poll", "state": "live"}); n != 1 {
			t.Errorf("live pollers = %v; want 1", n)
		}
		w.stop()
	})
}

func TestReceiveTriesLessAndLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, reg := newClient(t, memhttp.Network{}, nil)
		w := startWatch(t, client, reg, testConn())
		attempts := func(d time.Duration) float64 {
			before := w.value("portico_upstream_requests_total", map[string]string{"operation": "messages"})
			time.Sleep(d)
			return w.value("portico_upstream_requests_total", map[string]string{"operation": "messages"}) - before
		}
		if n := attempts(10 * time.Second); n < 4 || n > 8 {
			t.Errorf("%v attempts in the first 10 s; want 4 to 8", n)
		}
		time.Sleep(time.Minute)
		if n := attempts(10 * time.Minute); n < 20 || n > 41 {
			t.Errorf("%v attempts in 10 min later; want 20 to 40, 15 to 30 s apart", n)
		}
		w.told(0) // nothing was live, so nothing broke
		w.stop()
	})
}

// The same on real connections, which are cut in the middle of a stream.
func TestReceiveOverSockets(t *testing.T) {
	sim := &icwssim.Server{}
	defer sim.Close()
	server := httptest.NewServer(sim)
	defer server.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client, reg := newClient(t, transport, func(s *Settings) { s.Bases = []string{server.URL} })
	conn, err := client.Login(t.Context(), Credentials{UserID: "anna", Password: "anna"})
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan string, 100)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	receiver := Receiver{
		Subscribe: func(ctx context.Context) error { return client.SubscribeUserStatuses(ctx, conn, []string{"anna"}) },
		Message: func(m icwsapi.Message) {
			status, ok := m.(icwsapi.UserStatusMessage)
			if ok && !status.IsDelta {
				told <- "snapshot"
			}
		},
		Live: func(live bool) { told <- fmt.Sprint(live) },
	}
	go func() { done <- client.Receive(ctx, conn, receiver) }()
	rig.Expect(t, told, "true", "snapshot")
	server.CloseClientConnections()
	rig.Expect(t, told, "false", "true", "snapshot")
	if n := value(t, reg, "portico_upstream_connections_total", map[string]string{"reused": "true"}); n == 0 {
		t.Error("no connection was used again")
	}
	err = client.Logout(t.Context(), conn)
	if err != nil {
		t.Error(err)
	}
	err = <-done
	if !errors.Is(err, ErrSessionGone) || fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("Receive after log-out = %v; want %v", err, ErrSessionGone)
	}
}
