package push

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A told is the watcher of every connection, and what it was told last comes last.
type told struct {
	mu   sync.Mutex
	what []string // guarded by mu
}

func (o *told) watch(context.Context, net.Conn) Watcher { return o }
func (o *told) Idle(owner string)                       { o.note("idle " + owner) }
func (o *told) Busy()                                   { o.note("busy") }
func (o *told) Gone()                                   { o.note("gone") }

func (o *told) note(what string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.what = append(o.what, what)
}

// expect fails unless want is what was told since the last time.
func (o *told) expect(t *testing.T, when, want string) {
	t.Helper()
	synctest.Wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	if got := strings.Join(o.what, ", "); got != want {
		t.Errorf("%s: told %q; want %q", when, got, want)
	}
	o.what = nil
}

func TestALineTellsWhenItIsIdle(t *testing.T) {
	o := &told{}
	inWebWith(t, func() Options { return Options{Watch: o.watch} }, true, func(t *testing.T, w *web) {
		p := ready(t, w.server, "anna")
		c := w.dial()
		answered := func(event string) {
			publish(t, w.server, "anna", event)
			c.receive()
		}
		w.hold(c, p)
		o.expect(t, "while a connect is held", "")
		answered("lunch")
		o.expect(t, "once it is answered", "idle anna")
		w.hold(c, p)
		o.expect(t, "while the next is held", "busy")
		c.send("[" + p.message(metaSubscribe, `,"subscription":"/early"`) + "]")
		answered("dinner")
		c.receive()
		o.expect(t, "with a request that came before the answer", "idle anna, busy, idle anna")
		go func() { _, _ = io.WriteString(c, "GET /other HTTP/1.1\r\nHost: portico\r\n\r\n") }()
		c.receive()
		o.expect(t, "with a request for the http.Server", "busy, gone")
		_ = c.Close()

		p = ready(t, w.server, "anna")
		c = w.dial()
		w.hold(c, p)
		_ = c.Close()
		o.expect(t, "whose caller leaves while it is held", "gone")
		c = w.dial()
		w.hold(c, p)
		answered("supper")
		_ = c.Close()
		o.expect(t, "whose caller leaves then", "idle anna, gone")
		c = w.dial()
		w.hold(c, p)
		answered("tea")
		time.Sleep(restFor + time.Second)
		o.expect(t, "that nobody uses", "idle anna, gone")
		_ = c.Close()
	})
}

func TestASocketTellsWhenItIsIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &told{}
		s := newServer(t, Options{WebSocket: true, TrustClientSession: true, Watch: o.watch})
		l := dialInMemory(t, s, "anna")
		o.expect(t, "without a client", "idle anna")
		l.open("")
		o.expect(t, "with a client", "busy")
		l.hold(s, "4")
		publish(t, s, "anna", 1)
		l.hear()
		o.expect(t, "while a connect is held", "")
		const polled = `[{"channel":"/meta/connect","connectionType":"long-polling","advice":{"timeout":0},"clientId":%q}]`
		post(t, s, "anna", fmt.Sprintf(polled, l.id))
		o.expect(t, "whose client goes on elsewhere", "idle anna")
		l.hold(s, "5")
		o.expect(t, "whose client comes back", "busy")
		l.say(`[{"id":"6","channel":"/meta/disconnect","clientId":"CLIENT"}]`)
		l.hear()
		l.hear() // the end of the connect
		o.expect(t, "whose client disconnects", "idle anna")
		l.open("")
		o.expect(t, "with another client", "busy")
		_ = l.conn.CloseNow()
		o.expect(t, "whose peer leaves", "idle anna, gone")
	})
}
