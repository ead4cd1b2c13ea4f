package htcc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"portico/proxy/fault"
)

// A watch is a Receive under way, and what it was told.
type watch struct {
	t      testing.TB
	reg    *prometheus.Registry
	resync func(context.Context) error // nil for one that succeeds
	log    log
	began  time.Time
	cancel context.CancelFunc
	done   chan error
}

// startWatch receives for a session. Its log holds what the Receiver was told, one word each:
// "resync", "live", "broken", else the last part of a message's topic and its data.
func startWatch(t testing.TB, client *Client, reg *prometheus.Registry, session *Session, resync func(context.Context) error) *watch {
	t.Helper()
	w := &watch{t: t, reg: reg, resync: resync, began: time.Now(), done: make(chan error, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	w.cancel = cancel
	receiver := Receiver{
		Message: w.message,
		Resync: func(ctx context.Context) error {
			w.log.Add("resync")
			if w.resync != nil {
				return w.resync(ctx)
			}
			return nil
		},
		Live: func(live bool) { w.log.Add(map[bool]string{true: "live", false: "broken"}[live]) },
		Problem: func(err error) {
			w.t.Logf("after %v: problem: %v", time.Since(w.began).Round(time.Millisecond), err)
		},
	}
	go func() { w.done <- client.Receive(ctx, session, receiver) }()
	synctest.Wait()
	return w
}

func (w *watch) message(topic string, data json.RawMessage) {
	w.log.Add(topic[strings.LastIndex(topic, "/")+1:] + "=" + string(data))
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
	for _, gauge := range []string{"portico_upstream_streams", "portico_upstream_requests_in_flight"} {
		if n := w.value(gauge, nil); n != 0 {
			w.t.Errorf("%s after Receive = %v; want 0", gauge, n)
		}
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

// withServer runs a test in a bubble of time, with a server of notifications and a reader.
func withServer(t *testing.T, b *bayeux, test func(t *testing.T, w *watch)) {
	synctest.Test(t, func(t *testing.T) {
		client, reg := newClient(t, at(b), nil)
		test(t, startWatch(t, client, reg, Resume(testConn()), nil))
	})
}

var joining = []string{"handshake", "subscribe /v2/me", "subscribe /v2/me/*", "subscribe /notifications/services"}

func TestReceive(t *testing.T) {
	b := &bayeux{connect: func(n int, w http.ResponseWriter, r *http.Request, m bayeuxRequest) {
		switch n {
		case 1:
			time.Sleep(time.Second)
			reply(w, m, `"successful":true`, `1`, `{"n":2}`)
		case 2:
			reply(w, m, `"successful":true`, `3`)
		default:
			holdUntil(r, 30*time.Second)
			reply(w, m, `"successful":true`)
		}
	}}
	withServer(t, b, func(t *testing.T, w *watch) {
		w.told(0, "resync", "live")
		if n := w.value("portico_upstream_streams", map[string]string{"transport": "cometd", "state": "live"}); n != 1 {
			t.Errorf("live readers = %v; want 1", n)
		}
		if n := w.value("portico_upstream_requests_in_flight", nil); n != 0 {
			t.Errorf("in flight = %v; want 0: a held connect is none", n)
		}
		w.told(time.Second+time.Millisecond, "resync", "live", "devices=1", `devices={"n":2}`, "devices=3")
		w.told(time.Hour, "resync", "live", "devices=1", `devices={"n":2}`, "devices=3")
		w.events(1, 0, 0)
		labels := map[string]string{"cause": "stream", "operation": "connect"}
		if n := w.value("portico_upstream_requests_total", labels); n != 1+2+120 {
			t.Errorf("connects in an hour = %v; want one, two with events, and one every 30 s", n)
		}
		want := append(joining[:4:4], "connect now c1", "connect c1", "connect c1")
		if diff := cmp.Diff(want, b.All()[:7]); diff != "" {
			t.Errorf("the server saw (-want +got):\n%s", diff)
		}
		w.stop()
		if got := b.All(); got[len(got)-1] != "disconnect c1" {
			t.Errorf("the server saw %q last; want to be told of the end", got[len(got)-1])
		}
	})
}

func TestReceiveHasNoDurations(t *testing.T) {
	withServer(t, &bayeux{}, func(t *testing.T, w *watch) {
		w.told(time.Minute, "resync", "live")
		families, err := w.reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, family := range families {
			for _, metric := range family.GetMetric() {
				for _, label := range metric.GetLabel() {
					if metric.GetHistogram() != nil && label.GetValue() == OpConnect {
						t.Error("held connects are in the histogram of durations")
					}
				}
			}
		}
		w.stop()
	})
}

func TestReceiveTakesEventsFromAnyAnswer(t *testing.T) {
	b := &bayeux{
		handshake: func(_ int, w http.ResponseWriter) bool {
			says(200, `[{"id":"1","channel":"/meta/handshake","successful":true,"clientId":"c1"},{"channel":"/v2/me","data":"hello"}]`)(w, nil)
			return true
		},
		subscribe: func(m bayeuxRequest) string {
			return `"successful":true},{"channel":"/v2/me/calls","data":"` + m.ID + `"`
		},
		now: func(_ int, w http.ResponseWriter, m bayeuxRequest) bool {
			reply(w, m, `"successful":true`, `"now"`)
			return true
		},
	}
	withServer(t, b, func(t *testing.T, w *watch) {
		w.told(0, `me="hello"`, `calls="2"`, `calls="3"`, `calls="4"`, `devices="now"`, "resync", "live")
		w.stop()
	})
}

// While the state is read, or cannot be, the server must see a client that connects, and what it answers is told.
func TestReceiveGoesOnWhileTheStateIsRead(t *testing.T) {
	tests := []struct {
		name  string
		reads []error // how they end, after 8 s each
		want  []string
	}{
		{"slowly", []error{nil}, []string{"resync", "devices=1", "devices=2", "live", "devices=3", "devices=4", "devices=5", "devices=6"}},
		{"for the second time", []error{fault.Unreachable, nil},
			[]string{"resync", "devices=1", "devices=2", "resync", "devices=3", "devices=4", "devices=5", "live", "devices=6"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := &bayeux{connect: func(n int, w http.ResponseWriter, r *http.Request, m bayeuxRequest) {
				if n > 6 {
					holdUntil(r, 30*time.Second)
					reply(w, m, `"successful":true`)
					return
				}
				holdUntil(r, 3*time.Second)
				reply(w, m, `"successful":true`, fmt.Sprint(n))
			}}
			synctest.Test(t, func(t *testing.T) {
				client, reg := newClient(t, at(b), nil)
				reads := test.reads
				w := startWatch(t, client, reg, Resume(testConn()), func(context.Context) error {
					time.Sleep(8 * time.Second)
					err := reads[0]
					reads = reads[1:]
					return err
				})
				w.told(7*time.Second, "resync", "devices=1", "devices=2")
				w.told(12*time.Second, test.want...)
				w.events(1, 0, 0)
				if n := b.saw("connect now c1"); n != 1 {
					t.Errorf("reception began %d times; want once", n)
				}
				w.stop()
			})
		})
	}
}

// TestReceiveTellsWhatCameBeforeTheEnd has a read of the state find the session gone.
func TestReceiveTellsWhatCameBeforeTheEnd(t *testing.T) {
	b := &bayeux{connect: func(_ int, w http.ResponseWriter, r *http.Request, m bayeuxRequest) {
		holdUntil(r, 3*time.Second)
		reply(w, m, `"successful":true`, "1")
	}}
	synctest.Test(t, func(t *testing.T) {
		client, reg := newClient(t, at(b), nil)
		w := startWatch(t, client, reg, Resume(testConn()), func(context.Context) error {
			time.Sleep(5 * time.Second)
			return ErrSessionGone
		})
		began := time.Now()
		w.ended(ErrSessionGone)
		if d := time.Since(began); d > 6*time.Second {
			t.Errorf("Receive ended after %v; want as soon as the session is known to be gone", d)
		}
		w.told(0, "resync", "devices=1")
	})
}

func TestReceiveHonoursIntervals(t *testing.T) {
	tests := []struct {
		name     string
		advice   string
		min, max int // connects in a minute
	}{
		{"another window of the browser is connected", `,"advice":{"multiple-clients":true,"reconnect":"retry","interval":2000}`, 29, 31},
		{"a server that is to be polled", `,"advice":{"reconnect":"retry","timeout":0,"interval":5000}`, 11, 13},
		{"a server that answers at once for ever", ``, 25, 45},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := &bayeux{connect: func(_ int, w http.ResponseWriter, _ *http.Request, m bayeuxRequest) {
				reply(w, m, `"successful":true`+test.advice)
			}}
			withServer(t, b, func(t *testing.T, w *watch) {
				w.told(time.Minute, "resync", "live")
				if n := b.saw("connect c1"); n < test.min || n > test.max {
					t.Errorf("%d connects in a minute; want %d to %d", n, test.min, test.max)
				}
				w.stop()
			})
		})
	}
}

func TestReceiveIsNotSlowedByEvents(t *testing.T) {
	b := &bayeux{connect: func(n int, w http.ResponseWriter, r *http.Request, m bayeuxRequest) {
		if n > 1000 {
			holdUntil(r, 30*time.Second)
			reply(w, m, `"successful":true`)
			return
		}
		reply(w, m, `"successful":true`, "1")
	}}
	withServer(t, b, func(t *testing.T, w *watch) {
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if n := len(w.log.All()); n != 1000+2 {
			t.Errorf("%d messages at once; want all 1000", n-2)
		}
		w.stop()
	})
}

func TestReceiveWaitsAsLongAsTheServerHolds(t *testing.T) {
	b := &bayeux{connect: func(n int, w http.ResponseWriter, r *http.Request, m bayeuxRequest) {
		if n == 1 {
			<-r.Context().Done()
			return
		}
		holdUntil(r, 39*time.Second)
		reply(w, m, `"successful":true`)
	}}
	withServer(t, b, func(t *testing.T, w *watch) {
		w.told(40*time.Second-time.Millisecond, "resync", "live")
		w.told(2*time.Second, "resync", "live", "broken", "resync", "live")
		w.told(time.Hour, "resync", "live", "broken", "resync", "live")
		w.stop()
	})
}

func TestReceiveNeedsTheTopicsOfAnAgentAlone(t *testing.T) {
	tests := []struct {
		refused string
		want    []string
	}{
		{"/notifications/services", []string{"resync", "live"}},
		{"/v2/me", []string{"resync", "live"}},
		{"/v2/me/*", nil},
	}
	for _, test := range tests {
		t.Run(test.refused, func(t *testing.T) {
			b := &bayeux{subscribe: func(m bayeuxRequest) string {
				if m.Subscription == test.refused {
					return `"successful":false,"error":"403:denied_by_security_policy:subscribe_denied"`
				}
				return ""
			}}
			withServer(t, b, func(t *testing.T, w *watch) {
				w.told(time.Minute, test.want...)
				w.stop()
			})
		})
	}
}

func TestReceiveFetchesATokenAnew(t *testing.T) {
	b := &bayeux{get: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-CSRF-TOKEN", "fresh")
		says(200, `{"statusCode":0,"user":{}}`)(w, r)
	}}
	guarded := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.Header.Get("X-CSRF-TOKEN") != "fresh" {
			b.Add("refused")
			says(403, "Missing or invalid Csrf token")(w, r)
			return
		}
		b.ServeHTTP(w, r)
	})
	synctest.Test(t, func(t *testing.T) {
		client, reg := newClient(t, at(guarded), nil)
		w := startWatch(t, client, reg, Resume(testConn()), nil)
		w.told(0, "resync", "live")
		if diff := cmp.Diff([]string{"refused", "GET /api/v2/me", "handshake"}, b.All()[:3]); diff != "" {
			t.Errorf("the server saw (-want +got):\n%s", diff)
		}
		w.stop()
	})
}

func TestReceiveKeepsTheBrowserCookie(t *testing.T) {
	b := &bayeux{handshake: func(_ int, w http.ResponseWriter) bool {
		w.Header().Set("Set-Cookie", "BAYEUX_BROWSER=n3w;Path=/;HttpOnly")
		return false
	}}
	var cookies log
	withCookie := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cookies.Add(r.Header.Get("Cookie"))
		b.ServeHTTP(w, r)
	})
	synctest.Test(t, func(t *testing.T) {
		client, reg := newClient(t, at(withCookie), nil)
		w := startWatch(t, client, reg, Resume(testConn()), nil)
		w.told(0, "resync", "live")
		got := cookies.All()
		if got[0] != testConn().Cookie || got[1] != "JSESSIONID=node01secret; BAYEUX_BROWSER=n3w" {
			t.Errorf("cookies sent are %q; want the one that the handshake set from then on", got[:2])
		}
		w.stop()
	})
}

func TestReceiveNeedsNoFunctions(t *testing.T) {
	b := &bayeux{connect: func(n int, w http.ResponseWriter, r *http.Request, m bayeuxRequest) {
		if n == 1 {
			says(200, `[{"channel":7},{"channel":"/v2/me/devices","data":1}]`)(w, r)
			return
		}
		holdUntil(r, 30*time.Second)
		reply(w, m, `"successful":true`)
	}}
	synctest.Test(t, func(t *testing.T) {
		client, _ := newClient(t, at(b), nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := client.Receive(ctx, Resume(testConn()), Receiver{})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Receive = %v; want %v", err, context.DeadlineExceeded)
		}
	})
}

func TestPatience(t *testing.T) {
	before := time.Duration(0)
	for quick := range 100 {
		got := patience(quick)
		if got < before || got > longestWait || quick <= usualQuick && got != 0 {
			t.Fatalf("patience(%d) = %v after %v; want it to grow to %v", quick, got, before, longestWait)
		}
		before = got
	}
	if before != longestWait {
		t.Errorf("patience grows to %v; want %v", before, longestWait)
	}
}
