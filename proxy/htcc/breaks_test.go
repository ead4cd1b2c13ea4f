package htcc

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/proxy/fault"
	"portico/proxy/upstream"
	"portico/proxy/upstream/memhttp"
)

func TestReceiveGoesOnAfterABrokenConnect(t *testing.T) {
	tests := []struct {
		name  string
		shake string
		cut   func(w http.ResponseWriter, m bayeuxRequest)
		want  []string
	}{
		{"the answer is cut", "", func(w http.ResponseWriter, _ bayeuxRequest) { half(w) },
			[]string{"resync", "live", "devices=1", "broken", "resync", "live", "devices=2", "devices=3"}},
		{"a proxy answers", "", func(w http.ResponseWriter, _ bayeuxRequest) { says(502, "<html>")(w, nil) },
			[]string{"resync", "live", "devices=1", "broken", "resync", "live", "devices=2", "devices=3"}},
		{"an answer without messages", "", func(w http.ResponseWriter, _ bayeuxRequest) { says(200, "[]")(w, nil) },
			[]string{"resync", "live", "devices=1", "broken", "resync", "live", "devices=2", "devices=3"}},
		{"to be tried again", "", func(w http.ResponseWriter, m bayeuxRequest) {
			reply(w, m, `"successful":false,"advice":{"reconnect":"retry"}`)
		}, []string{"resync", "live", "devices=1", "broken", "resync", "live", "devices=2", "devices=3"}},
		{"the answer is cut, and will come again", `,"ext":{"ack":true}`, func(w http.ResponseWriter, _ bayeuxRequest) { half(w) },
			[]string{"resync", "live", "devices=1", "broken", "live", "devices=2", "devices=3"}},
		{"the reply is missing, and will come again", `,"ext":{"ack":true}`, func(w http.ResponseWriter, _ bayeuxRequest) {
			says(200, `[{"channel":"/v2/me/devices","data":2}]`)(w, nil)
		}, []string{"resync", "live", "devices=1", "broken", "live", "devices=2", "devices=3"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := &bayeux{shake: test.shake, connect: func(n int, w http.ResponseWriter, r *http.Request, m bayeuxRequest) {
				switch n {
				case 1, 4:
					reply(w, m, fmt.Sprintf(`"successful":true,"ext":{"ack":%d}`, n), fmt.Sprint(n-n/4)) // 1 and 3
				case 2:
					test.cut(w, m)
				case 3:
					reply(w, m, `"successful":true,"ext":{"ack":3}`, "2")
				default:
					holdUntil(r, 30*time.Second)
					reply(w, m, fmt.Sprintf(`"successful":true,"ext":{"ack":%d}`, n))
				}
			}}
			withServer(t, b, func(t *testing.T, w *watch) {
				w.told(time.Second, test.want...)
				w.events(2, 1, 1)
				if n := b.saw("handshake"); n != 1 {
					t.Errorf("%d handshakes; want 1: the session lives", n)
				}
				w.stop()
			})
		})
	}
}

func TestReceiveShakesHandsAnew(t *testing.T) {
	forget := func(n int, w http.ResponseWriter, r *http.Request, m bayeuxRequest) {
		if n == 1 {
			time.Sleep(time.Minute / 2)
			reply(w, m, `"successful":false,"error":"402::Unknown client","advice":{"reconnect":"handshake","interval":0}`, `"last"`)
			return
		}
		holdUntil(r, 30*time.Second)
		reply(w, m, `"successful":true`)
	}
	b := &bayeux{connect: forget}
	withServer(t, b, func(t *testing.T, w *watch) {
		w.told(time.Minute, "resync", "live", `devices="last"`, "broken", "resync", "live")
		w.events(2, 1, 1)
		want := append(joining[:4:4], "connect now c1", "connect c1")
		want = append(append(want, joining...), "connect now c2", "connect c2")
		if diff := cmp.Diff(want, b.All()[:len(want)]); diff != "" {
			t.Errorf("the server saw (-want +got):\n%s", diff)
		}
		w.stop()
	})
}

func TestReceiveEndsWithTheSession(t *testing.T) {
	denied := kept(t, "403-denied.http")
	tests := []struct {
		name string
		b    *bayeux
		want []string
	}{
		{"at the handshake", &bayeux{handshake: func(_ int, w http.ResponseWriter) bool { denied(w, nil); return true }}, nil},
		{"at a connect", &bayeux{connect: func(_ int, w http.ResponseWriter, _ *http.Request, _ bayeuxRequest) { denied(w, nil) }},
			[]string{"resync", "live", "broken"}},
		{"as the server asks to stop", &bayeux{get: denied, connect: func(_ int, w http.ResponseWriter, _ *http.Request, m bayeuxRequest) {
			reply(w, m, `"successful":true,"advice":{"reconnect":"none"}`)
		}}, []string{"resync", "live", "broken"}},
		{"as a token is fetched", &bayeux{get: denied, connect: func(_ int, w http.ResponseWriter, _ *http.Request, _ bayeuxRequest) {
			says(403, "Missing or invalid Csrf token")(w, nil)
		}}, []string{"resync", "live", "broken"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			withServer(t, test.b, func(t *testing.T, w *watch) {
				w.ended(ErrSessionGone)
				w.told(0, test.want...)
				if got := strings.Join(test.b.All(), " "); strings.Contains(got, "disconnect") {
					t.Errorf("the server saw %s; want no word after the end", got)
				}
			})
		})
	}
	t.Run("as the state is read", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			client, reg := newClient(t, at(&bayeux{get: denied}), nil)
			session := Resume(testConn())
			w := startWatch(t, client, reg, session, func(ctx context.Context) error {
				_, err := client.Me(ctx, session, "*")
				return err
			})
			w.ended(ErrSessionGone)
			w.told(0, "resync")
		})
	})
}

func TestReceiveStopsForAWhileWhenAsked(t *testing.T) {
	stop := func(n int, w http.ResponseWriter, r *http.Request, m bayeuxRequest) {
		if n == 1 {
			reply(w, m, `"successful":false,"advice":{"multiple-clients":true,"reconnect":"none"}`)
			return
		}
		holdUntil(r, 30*time.Second)
		reply(w, m, `"successful":true`)
	}
	b := &bayeux{connect: stop}
	withServer(t, b, func(t *testing.T, w *watch) {
		w.told(upstream.LongestPause/2-time.Second, "resync", "live", "broken")
		if got := b.All(); got[len(got)-1] != "GET /api/v2/me" {
			t.Errorf("the server saw %q last; want to be asked whether the session lives", got[len(got)-1])
		}
		w.told(upstream.LongestPause/2+2*time.Second, "resync", "live", "broken", "resync", "live")
		w.stop()
	})
}

func TestReceiveReadsTheStateUntilItCan(t *testing.T) {
	b := &bayeux{}
	synctest.Test(t, func(t *testing.T) {
		client, reg := newClient(t, at(b), nil)
		failures := 2
		w := startWatch(t, client, reg, Resume(testConn()), func(context.Context) error {
			failures--
			if failures >= 0 {
				return fault.Unreachable
			}
			return nil
		})
		w.told(10*time.Second, "resync", "resync", "resync", "live")
		if n := b.saw("handshake"); n != 1 {
			t.Errorf("%d handshakes; want 1: the Bayeux session lives", n)
		}
		w.events(1, 0, 0)
		w.stop()
	})
}

func TestReceiveTriesLessAndLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, reg := newClient(t, memhttp.Network{}, nil)
		w := startWatch(t, client, reg, Resume(testConn()), nil)
		attempts := func(d time.Duration) float64 {
			before := w.value("portico_upstream_requests_total", map[string]string{"operation": "handshake"})
			time.Sleep(d)
			return w.value("portico_upstream_requests_total", map[string]string{"operation": "handshake"}) - before
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

// A server that was away for long has forgotten its clients. To be told so is an answer, after which
// nobody need wait as long as before it.
func TestReceiveIsBackSoonAfterTheServerIs(t *testing.T) {
	var away atomic.Bool
	b := &bayeux{now: func(n int, w http.ResponseWriter, m bayeuxRequest) bool {
		if n == 2 {
			reply(w, m, `"successful":false,"advice":{"reconnect":"handshake"}`)
		}
		return n == 2
	}}
	site := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if away.Load() {
			panic(http.ErrAbortHandler)
		}
		b.ServeHTTP(w, r)
	})
	synctest.Test(t, func(t *testing.T) {
		client, reg := newClient(t, at(site), nil)
		w := startWatch(t, client, reg, Resume(testConn()), nil)
		away.Store(true)
		time.Sleep(10 * time.Minute)
		away.Store(false)
		w.told(upstream.LongestPause+time.Second, "resync", "live", "broken", "resync", "live")
		w.stop()
	})
}

func TestReceiveEndsThoughTheServerIsNotThere(t *testing.T) {
	b := &bayeux{}
	site := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		if strings.Contains(string(content), "disconnect") {
			<-r.Context().Done()
			return
		}
		r.Body = io.NopCloser(strings.NewReader(string(content)))
		b.ServeHTTP(w, r)
	})
	synctest.Test(t, func(t *testing.T) {
		client, reg := newClient(t, at(site), nil)
		w := startWatch(t, client, reg, Resume(testConn()), nil)
		ended := time.Now()
		w.stop()
		if d := time.Since(ended); d != farewell {
			t.Errorf("Receive ended after %v; want %v", d, farewell)
		}
	})
}
