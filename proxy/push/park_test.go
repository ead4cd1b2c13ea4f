package push

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// inWeb runs test with a clock that moves when everyone waits, against a server of requests, which parks
// connects or not.
func inWeb(t *testing.T, park bool, test func(t *testing.T, w *web)) {
	t.Helper()
	inWebWith(t, func() Options { return Options{AckExtension: true} }, park, test)
}

func inWebWith(t *testing.T, options func() Options, park bool, test func(t *testing.T, w *web)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		conns := NewReturns(&net.TCPAddr{})
		w, o := &web{t: t, conns: conns}, options()
		if park {
			o.Returns, o.Next = conns, w.next
		}
		w.server = newServer(t, o)
		httpServer := &http.Server{Handler: http.HandlerFunc(w.serve), IdleTimeout: restFor}
		ctx, cancel := context.WithCancel(t.Context())
		var serving sync.WaitGroup
		serving.Go(func() { _ = httpServer.Serve(conns) })
		serving.Go(func() { _ = w.server.Run(ctx) })
		test(t, w)
		w.server.Close()
		_ = httpServer.Close()
		cancel()
		serving.Wait()
		synctest.Wait()
	})
}

// A web is a server of requests on connections in memory.
type web struct {
	t      *testing.T
	server *Server
	conns  *Returns
	change func(*http.Request) // made to each, if there is one

	mu    sync.Mutex
	ended []string // guarded by mu: how requests ended
	seen  []string // guarded by mu: the paths of those that the server of requests saw
}

func (w *web) serve(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	w.seen = append(w.seen, r.URL.Path)
	w.mu.Unlock()
	out.Header().Set("X-Request-Id", "7")
	if w.change != nil {
		w.change(r)
	}
	err := w.server.ServeUntil(out, r, "anna", func(end Ending) { w.end(fmt.Sprint(end)) })
	if err != ErrParked {
		w.end(fmt.Sprint(err))
	}
}

// next serves POSTs of /connect that are whole.
func (w *web) next(line *Line, came []byte) bool {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(came)))
	if err != nil || r.URL.Path != "/connect" || r.Close {
		return false
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return false
	}
	batch, ok := line.Read(r.Header.Get("Content-Type"), body)
	if ok {
		batch.Serve("anna", browserOf(r), &served{[]byte("X-Request-Id: 7\r\n"), func(end Ending) { w.end(fmt.Sprint(end)) }})
	}
	return ok
}

func (w *web) end(how string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = append(w.ended, how)
}

// A wire is a connection of a caller.
type wire struct {
	net.Conn
	t  *testing.T
	in *bufio.Reader
}

func (w *web) dial() *wire {
	ours, theirs := net.Pipe()
	w.conns.give(ours)
	return &wire{Conn: theirs, t: w.t, in: bufio.NewReader(theirs)}
}

// send sends a request with message in the background: nobody may be reading.
func (c *wire) send(message string, headers ...string) {
	request := fmt.Sprintf("POST /connect HTTP/1.1\r\nHost: portico\r\n%sContent-Length: %d\r\n\r\n%s", strings.Join(headers, ""), len(message), message)
	go func() { _, _ = io.WriteString(c, request) }()
	synctest.Wait()
}

// receive returns the next answer, with its header and all.
func (c *wire) receive() string {
	c.t.Helper()
	answer, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.t.Fatalf("no answer: %v", err)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		c.t.Fatalf("an answer of %s breaks off: %v", answer.Status, err)
	}
	return fmt.Sprintf("%s %s %v %d close=%v\n%s", answer.Proto, answer.Status, answer.Header, answer.ContentLength, answer.Close, body)
}

// ended reports whether the server has closed the connection.
func (c *wire) ended() bool {
	_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := c.in.Peek(1)
	return err == io.EOF
}

const heldMessage = `[{"id":"9","channel":"/meta/connect","connectionType":"long-polling","clientId":%q}]`

// TestParkedConnectsAreAnsweredAsOthers compares all that a caller sees, with the time of day.
func TestParkedConnectsAreAnsweredAsOthers(t *testing.T) {
	for name, tt := range map[string]struct {
		end  func(w *web, p *page)
		want string
	}{
		"an event":                  {func(w *web, p *page) { publish(w.t, w.server, "anna", "<lunch>") }, "[{200 102 <nil>}]"},
		"its time is over":          {func(*web, *page) { time.Sleep(31 * time.Second) }, "[{200 56 <nil>}]"},
		"a newer connect":           {func(w *web, p *page) { p.connect("") }, "[{500 0 " + ErrReplaced.Error() + "}]"},
		"it disconnects":            {func(w *web, p *page) { post(w.t, w.server, "anna", "["+p.message(metaDisconnect, "")+"]") }, "[{200 86 <nil>}]"},
		"its owner is ended":        {func(w *web, _ *page) { w.server.End("anna", Handshake) }, "[{200 135 <nil>}]"},
		"the server is to be ended": {func(w *web, _ *page) { go w.server.Close() }, "[{200 116 <nil>}]"},
	} {
		t.Run(name, func(t *testing.T) {
			var said, ended [2]string
			for i, park := range []bool{false, true} {
				inWeb(t, park, func(t *testing.T, w *web) {
					p := ready(t, w.server, "anna")
					p.id = strings.Repeat("c", len(p.id))
					w.server.rename(p.id)
					c := w.dial()
					c.send(fmt.Sprintf(heldMessage, p.id), "Cookie: BAYEUX_BROWSER=firefox\r\n")
					tt.end(w, p)
					said[i] = c.receive()
					synctest.Wait()
					ended[i] = fmt.Sprint(w.ended)
					_ = c.Close()
				})
			}
			if diff := cmp.Diff(said[0], said[1]); diff != "" {
				t.Errorf("held by the server of requests, then parked:\n%s", diff)
			}
			if ended[1] != tt.want {
				t.Errorf("parked, it ended with %s; want %s", ended[1], tt.want)
			}
		})
	}
}

// rename gives the only client another id.
func (s *Server) rename(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for old, c := range s.clients {
		delete(s.clients, old)
		c.id = id
		s.clients[id] = c
	}
}

func TestAParkedConnectionGoesOn(t *testing.T) {
	inWeb(t, true, func(t *testing.T, w *web) {
		p := ready(t, w.server, "anna")
		c := w.dial()
		for i := range 3 {
			c.send(fmt.Sprintf(heldMessage, p.id))
			publish(t, w.server, "anna", i)
			if got := c.receive(); !strings.Contains(got, fmt.Sprintf(`"data":%d`, i)) {
				t.Fatalf("connect %d = %s", i, got)
			}
			c.send(fmt.Sprintf(heldMessage, p.id))
			time.Sleep(30 * time.Second)
			if got := c.receive(); !strings.Contains(got, `"successful":true`) {
				t.Fatalf("the connect after %d = %s", i, got)
			}
		}
		synctest.Wait()
		want := "[" + strings.TrimSpace(strings.Repeat("{200 94 <nil>} {200 56 <nil>} ", 3)) + "]"
		if got := fmt.Sprint(w.ended); got != want {
			t.Errorf("they ended with %s; want %s", got, want)
		}
		c.send(fmt.Sprintf(heldMessage, p.id))
		c.send("[" + p.message(metaSubscribe, `,"subscription":"/early"`) + "]") // before the answer
		publish(t, w.server, "anna", "late")
		for _, want := range []string{`"data":"late"`, `"subscription":"/early"`} {
			if got := c.receive(); !strings.Contains(got, want) {
				t.Errorf("answer = %s; want %s", got, want)
			}
		}
		_ = c.Close()
	})
}

func TestACallerThatLeavesAParkedConnect(t *testing.T) {
	inWeb(t, true, func(t *testing.T, w *web) {
		p := ready(t, w.server, "anna")
		c := w.dial()
		c.send(fmt.Sprintf(heldMessage, p.id))
		_ = c.Close()
		synctest.Wait()
		if got := fmt.Sprint(w.ended); got != fmt.Sprint([]Ending{{Err: ErrLeft}}) {
			t.Errorf("it ended with %s; want that the caller left", got)
		}
		publish(t, w.server, "anna", "kept")
		if got := p.connect("").text(t); dataOf(t, got) != "kept" {
			t.Errorf("the next connect = %s; want the event", got)
		}
	})
}

// TestAParkedConnectKeepsNothingOfItsRequest looks at what waits.
func TestAParkedConnectKeepsNothingOfItsRequest(t *testing.T) {
	inWeb(t, true, func(t *testing.T, w *web) {
		p := ready(t, w.server, "anna")
		c := w.dial()
		c.send(fmt.Sprintf(heldMessage, p.id))
		all := make([]byte, 1<<20)
		stacks := string(all[:runtime.Stack(all, true)])
		if strings.Contains(stacks, "net/http.(*conn).serve") || !strings.Contains(stacks, "push.(*link).await") {
			t.Errorf("what waits is\n%s", stacks)
		}
		_ = c.Close()
	})
}

func TestWhichConnectsAreParked(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*http.Request)
		parked bool
	}{
		"one of HTTP/1.1":          {func(*http.Request) {}, true},
		"the last of a connection": {func(r *http.Request) { r.Close = true }, false},
		"one of HTTP/1.0":          {func(r *http.Request) { r.ProtoMinor = 0 }, false},
		"one of HTTP/2":            {func(r *http.Request) { r.ProtoMajor, r.ProtoMinor = 2, 0 }, false},
		"one over TLS":             {func(r *http.Request) { r.TLS = &tls.ConnectionState{} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			inWeb(t, true, func(t *testing.T, w *web) {
				w.change = tt.change
				p := ready(t, w.server, "anna")
				c := w.dial()
				c.send(fmt.Sprintf(heldMessage, p.id))
				publish(t, w.server, "anna", "lunch")
				got := c.receive()
				synctest.Wait()
				if !strings.Contains(got, "lunch") || strings.Contains(fmt.Sprint(w.ended), "200") != tt.parked {
					t.Errorf("answer %s, ended %s; want it parked: %v", got, w.ended, tt.parked)
				}
				_ = c.Close()
			})
		})
	}
}

// TestAConnectionThatRests is kept as long as the server of requests would keep it.
func TestAConnectionThatRests(t *testing.T) {
	for name, end := range map[string]func(*Server){
		"too long":                        func(*Server) { time.Sleep(restFor) },
		"until the server is to be ended": func(s *Server) { s.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			inWeb(t, true, func(t *testing.T, w *web) {
				p := ready(t, w.server, "anna")
				c := w.dial()
				c.send(fmt.Sprintf(heldMessage, p.id))
				publish(t, w.server, "anna", "lunch")
				c.receive()
				time.Sleep(restFor - time.Second)
				if c.ended() {
					t.Fatal("the connection was not kept for the next request")
				}
				end(w.server)
				if !c.ended() {
					t.Error("the connection is open")
				}
			})
		})
	}
}
