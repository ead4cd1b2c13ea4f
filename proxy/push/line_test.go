package push

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// hold has a connect of p held on c, and parked.
func (w *web) hold(c *wire, p *page) {
	w.t.Helper()
	c.send(fmt.Sprintf(heldMessage, p.id))
	if n := w.lines(); n != 1 {
		w.t.Fatalf("%d lines; want one", n)
	}
}

func (w *web) lines() int {
	synctest.Wait()
	w.server.mu.Lock()
	defer w.server.mu.Unlock()
	return len(w.server.lines)
}

// requests returns how many the server of requests saw.
func (w *web) requests() int {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.seen)
}

func TestTheNextConnectsOfAConnectionAreServedOnIt(t *testing.T) {
	inWeb(t, true, func(t *testing.T, w *web) {
		p := ready(t, w.server, "anna")
		c := w.dial()
		for i := range 5 {
			w.hold(c, p)
			publish(t, w.server, "anna", i)
			if got := c.receive(); !strings.Contains(got, fmt.Sprintf(`"data":%d`, i)) {
				t.Fatalf("connect %d = %s", i, got)
			}
		}
		c.send("[" + p.message(metaSubscribe, `,"subscription":"/late"`) + "]")
		if got := c.receive(); !strings.Contains(got, `"subscription":"/late"`) {
			t.Errorf("a subscription = %s", got)
		}
		if n := w.requests(); n != 1 {
			t.Errorf("the server of requests saw %d; want the first alone", n)
		}
		_ = c.Close()
		if n := w.lines(); n != 0 {
			t.Errorf("%d lines are left", n)
		}
	})
}

// TestWhatIsNoRequestForALineGoesBack sends what the handler of a line does not know, in pieces too.
func TestWhatIsNoRequestForALineGoesBack(t *testing.T) {
	inWeb(t, true, func(t *testing.T, w *web) {
		p := ready(t, w.server, "anna")
		p.id = strings.Repeat("c", len(p.id))
		message := "[" + p.message(metaSubscribe, `,"subscription":"/x"`) + "]"
		whole := fmt.Sprintf("POST /other HTTP/1.1\r\nHost: portico\r\nContent-Length: %d\r\n\r\n%s", len(message), message)
		for name, pieces := range map[string][]string{
			"another path":          {whole},
			"a byte":                {whole[:1], whole[1:]},
			"a head":                {whole[:len(whole)-len(message)], message},
			"half a body":           {whole[:len(whole)-5], whole[len(whole)-5:]},
			"more than a buffer":    {strings.Replace(whole, "Host:", "X-Long: "+strings.Repeat("x", catchSize)+"\r\nHost:", 1)},
			"exactly a buffer":      {strings.Replace(whole, "Host:", "X-Long: "+strings.Repeat("x", catchSize-len(whole)-len("X-Long: \r\n"))+"\r\nHost:", 1)},
			"the beginning of next": {whole + "GET", " / HTTP/1.1\r\nHost: portico\r\n\r\n"},
			"an empty line first":   {"\r\n" + whole},
			"one by itself":         {"\r", "\n", whole},
		} {
			before := w.requests()
			w.server.rename(p.id)
			c := w.dial()
			w.hold(c, p)
			publish(t, w.server, "anna", name)
			c.receive()
			for _, piece := range pieces {
				go func() { _, _ = io.WriteString(c, piece) }()
				synctest.Wait()
				time.Sleep(2 * moment)
			}
			if got := c.receive(); !strings.Contains(got, `"subscription":"/x"`) {
				t.Errorf("%s is answered %s", name, got)
			}
			if n := w.requests() - before; n < 2 {
				t.Errorf("%s: the server of requests saw %d; want what came too", name, n)
			}
			_ = c.Close()
			if n := w.lines(); n != 0 {
				t.Errorf("%s: %d lines are left", name, n)
			}
			w.server.End("anna", None)
			ready(t, w.server, "anna") // one that has not been sent back
		}
	})
}

// TestAConnectionThatWentBackIsTakenAgain, at once if the client is quiet or has been served on its line.
func TestAConnectionThatWentBackIsTakenAgain(t *testing.T) {
	inWeb(t, true, func(t *testing.T, w *web) {
		p := ready(t, w.server, "anna")
		c := w.dial()
		answered := func(end func()) {
			t.Helper()
			end()
			if got := c.receive(); !strings.Contains(got, `"successful":true`) {
				t.Fatalf("a connect = %s", got)
			}
		}
		event, quiet := func() { publish(t, w.server, "anna", "lunch") }, func() { time.Sleep(30 * time.Second) }
		back := func() {
			t.Helper()
			go func() { _, _ = io.WriteString(c, "GET /other HTTP/1.1\r\nHost: portico\r\n\r\n") }()
			if got := c.receive(); !strings.Contains(got, "400") || w.lines() != 0 {
				t.Errorf("a GET = %s, %d lines; want 400, none", got, w.lines())
			}
		}
		w.hold(c, p)
		answered(quiet)
		back()
		w.hold(c, p)
		answered(event)
		w.hold(c, p)
		answered(event)
		back()
		w.hold(c, p)
		answered(event)
		back()
		c.send(fmt.Sprintf(heldMessage, p.id))
		if n := w.lines(); n != 0 {
			t.Errorf("%d lines for a client that hears of something all the time, and goes back each time; want none", n)
		}
		answered(quiet)
		w.hold(c, p)
		_ = c.Close()
	})
}

// TestALineEndsWithTheServer closes the server while a line does each thing that it can.
func TestALineEndsWithTheServer(t *testing.T) {
	for name, tt := range map[string]struct {
		before func(w *web, c *wire, p *page)
		want   string // the last answer; "" for none
	}{
		"it is held": {func(w *web, c *wire, p *page) { w.hold(c, p) }, "close=true"},
		"it rests":   {func(*web, *wire, *page) {}, ""},
		"it is held, and more has come": {func(w *web, c *wire, p *page) {
			w.hold(c, p)
			c.send(fmt.Sprintf(heldMessage, p.id))
		}, "close=true"},
	} {
		t.Run(name, func(t *testing.T) {
			inWeb(t, true, func(t *testing.T, w *web) {
				p := ready(t, w.server, "anna")
				c := w.dial()
				w.hold(c, p)
				publish(t, w.server, "anna", "lunch")
				c.receive()
				tt.before(w, c, p)
				closed := make(chan struct{})
				go func() { w.server.Close(); close(closed) }()
				if tt.want != "" {
					if got := c.receive(); !strings.Contains(got, tt.want) || !strings.Contains(got, `"reconnect":"retry"`) {
						t.Errorf("the last answer is %s; want %s", got, tt.want)
					}
				}
				<-closed
				if !c.ended() {
					t.Error("the connection is open")
				}
			})
		})
	}
}

func TestAPanicEndsItsLineAlone(t *testing.T) {
	inWeb(t, true, func(t *testing.T, w *web) {
		told := 0
		w.server.opts.Panicked = func(error) { told++ }
		p := ready(t, w.server, "anna")
		c := w.dial()
		w.hold(c, p)
		publish(t, w.server, "anna", "lunch")
		c.receive()
		next := w.server.opts.Next
		w.server.opts.Next = func(*Line, []byte) bool { panic("oh dear") }
		c.send(fmt.Sprintf(heldMessage, p.id))
		if !c.ended() || told != 1 || w.lines() != 0 {
			t.Errorf("after a panic it has ended: %v, was told %d times, %d lines; want true, 1, 0", c.ended(), told, w.lines())
		}
		w.server.opts.Next = next
		c = w.dial()
		w.hold(c, p)
		publish(t, w.server, "anna", "dinner")
		if got := c.receive(); !strings.Contains(got, "dinner") {
			t.Errorf("another line = %s", got)
		}
		_ = c.Close()
	})
}

// TestEventsPublishedTogetherGoTogether holds that one answer carries them.
func TestEventsPublishedTogetherGoTogether(t *testing.T) {
	inWeb(t, true, func(t *testing.T, w *web) {
		p := ready(t, w.server, "anna")
		c := w.dial()
		w.hold(c, p)
		err := w.server.PublishAll("anna", Publication{Channel: devices, Data: 1}, Publication{Channel: "/meta/x", Data: 2}, Publication{Channel: devices, Data: 3})
		if err == nil || !strings.Contains(err.Error(), "/meta/x") {
			t.Errorf("PublishAll = %v; want what is wrong with /meta/x", err)
		}
		if got := c.receive(); !strings.Contains(got, `"data":1`) || !strings.Contains(got, `"data":3`) {
			t.Errorf("answer = %s; want both events", got)
		}
		_ = c.Close()
	})
}

// TestACallerThatDoesNotTakeAnAnswer uses real sockets: what they do not take at once is written on.
func TestACallerThatDoesNotTakeAnAnswer(t *testing.T) {
	const size = 16 << 20 // bytes, more than sockets take
	returns := NewReturns(&net.TCPAddr{})
	w := &web{t: t, conns: returns}
	w.server = newServer(t, Options{Returns: returns, Next: w.next, MaxQueueBytes: 2 * size})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(w.serve)}
	go func() { _ = server.Serve(returns) }()
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	defer w.server.Close()
	p := ready(t, w.server, "anna")
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := &wire{Conn: conn, t: t, in: bufio.NewReader(conn)}
	defer c.Close()
	for _, letter := range []string{"x", "y"} { // the first comes from the server of requests
		_, _ = fmt.Fprintf(c, "POST /connect HTTP/1.1\r\nHost: portico\r\nContent-Length: %d\r\n\r\n%s", len(heldMessage)-len("%q")+len(p.id)+2, fmt.Sprintf(heldMessage, p.id))
		until(t, "a connect is held on a line", func() bool {
			w.server.mu.Lock()
			defer w.server.mu.Unlock()
			client := w.server.clients[p.id]
			return len(w.server.lines) == 1 && client.connect != nil && client.connect.held
		})
		publish(t, w.server, "anna", strings.Repeat(letter, size))
		if got := c.receive(); strings.Count(got, letter) < size {
			t.Errorf("%d bytes came of %d", len(got), size)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.seen) != 1 {
		t.Errorf("the server of requests saw %v; want one", w.seen)
	}
}

var randomID = regexp.MustCompile(`"clientId":"[^"]*"|Date:\[[^\]]*\]|BAYEUX_BROWSER=[a-z0-9]*`)

// FuzzLine sends what a stranger may send, to the server of requests and on a line: it is answered alike.
func FuzzLine(f *testing.F) {
	for _, seed := range []string{
		`[{"id":"1","channel":"/meta/handshake","ext":{"ack":true}}]`,
		`[{"id":"2","channel":"/meta/connect","clientId":"CLIENT","advice":{"timeout":0,"interval":-1},"ext":{"ack":7}}]`,
		`[{"id":"2","channel":"/meta/connect","clientId":"CLIENT"}]`,
		`[{"id":3,"channel":"/meta/subscribe","clientId":"CLIENT","subscription":["/a","/**"]},{"channel":"/meta/connect","clientId":"CLIENT"}]`,
		`{"id":{"a":"\ud800"},"channel":"/x","data":null,"clientId":"CLIENT"}`,
		`[{"channel":"/meta/disconnect","clientId":"CLIENT"},{"channel":"/meta/connect","clientId":"CLIENT"},null]`,
		`message=[{"channel":"/x"}]&message={}`,
		"[", "{}", "[]", "null", "7", "\xff", "",
	} {
		f.Add("application/json", seed)
		f.Add("application/x-www-form-urlencoded", seed)
		f.Add("text/plain", seed)
	}
	f.Fuzz(func(t *testing.T, contentType, body string) {
		if strings.ContainsAny(contentType, "\r\n\x00") || len(body) > catchSize/2 || len(contentType) > 100 {
			return
		}
		var said [2]string
		for i, park := range []bool{false, true} {
			inWeb(t, park, func(t *testing.T, w *web) {
				p := ready(t, w.server, "anna")
				p.id = strings.Repeat("c", len(p.id))
				w.server.rename(p.id)
				c := w.dial()
				c.send(fmt.Sprintf(heldMessage, p.id))
				publish(t, w.server, "anna", "lunch")
				c.receive()
				text := strings.ReplaceAll(body, "CLIENT", p.id)
				request := fmt.Sprintf("POST /connect HTTP/1.1\r\nHost: portico\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", contentType, len(text), text)
				go func() { _, _ = io.WriteString(c, request) }()
				said[i] = randomID.ReplaceAllString(c.receive(), "")
				_ = c.Close()
			})
		}
		if diff := cmp.Diff(said[0], said[1]); diff != "" {
			t.Errorf("%q as %q, by the server of requests, then on a line:\n%s", body, contentType, diff)
		}
	})
}
