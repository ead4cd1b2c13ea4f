package quick

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

const (
	idle  = time.Minute
	write = 30 * time.Second
)

// A rig is a server, and how often requests were answered by it and before it.
type rig struct {
	*http.Server
	listener      *one
	before        *Listener
	slow, quickly atomic.Int32
	served        sync.WaitGroup
}

// say is what a request is answered, without the Date, in both ways.
func say(target string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: -\r\nContent-Length: %d\r\n\r\nyou ask for %s", len("you ask for "+target), target)
}

// newRig serves /quick before net/http, if answer is nil, and everything by net/http. It is to be closed.
func newRig(answer Answerer, handler http.HandlerFunc) *rig {
	g := &rig{Server: &http.Server{IdleTimeout: idle, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}, listener: newOne()}
	g.listener.conns = make(chan net.Conn)
	if handler == nil {
		handler = echo
	}
	g.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.slow.Add(1)
		handler(w, r)
	})
	settings := Settings{Idle: idle, Write: func() time.Duration { return write }}
	if answer == nil {
		answer = func(w io.Writer, r *Request) bool {
			if string(r.Path) != "/quick" {
				return false
			}
			_, _ = io.WriteString(w, say("/quick"))
			return true
		}
		settings.Handles = func(r *Request) bool { return string(r.Path) == "/whole" }
		settings.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			g.quickly.Add(1)
			handler(w, r)
		})
	}
	settings.Answer = func(w io.Writer, r *Request) bool {
		answered := answer(w, r)
		if answered {
			g.quickly.Add(1)
		}
		return answered
	}
	g.before = &Listener{Listener: g.listener, Settings: settings}
	g.ConnState = func(conn net.Conn, state http.ConnState) { conn.(*Conn).Note(state, true) }
	g.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		ctx = context.WithValue(ctx, metKey{}, true)
		conn.(*Conn).Keep(ctx)
		return ctx
	}
	g.served.Go(func() { _ = g.Serve(g.before) })
	return g
}

type metKey struct{}

// echo answers with what it was asked.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if r.URL.Path == "/wait" {
		time.Sleep(time.Second) // what comes meanwhile the server begins to read
	}
	switch string(body) {
	case "last":
		w.Header().Set("Connection", "close")
	case "none":
		w.WriteHeader(http.StatusNoContent)
		return
	case "abort":
		panic(http.ErrAbortHandler)
	default:
		w.Header().Set("Content-Type", "text/plain")
	}
	w.Header()["Date"] = []string{"-"}
	text := "you ask for " + r.RequestURI + string(body)
	if r.Method == http.MethodPost {
		text += fmt.Sprint(r.Context().Value(metKey{}), r.Context().Err(), r.Header, r.Host)
	}
	_, _ = io.WriteString(w, text)
}

func (g *rig) close() {
	_ = g.Close()
	g.served.Wait()
}

// A line is a caller's end of a connection.
type line struct {
	net.Conn
	mu  sync.Mutex
	got bytes.Buffer // guarded by mu
	end time.Time    // when the server closed it; guarded by mu
}

// dial opens a connection whose answers are taken at once.
func (g *rig) dial() *line {
	ours, theirs := net.Pipe()
	g.listener.conns <- theirs
	l := &line{Conn: ours}
	go func() {
		buffer := make([]byte, 1<<10)
		for {
			n, err := ours.Read(buffer)
			l.mu.Lock()
			l.got.Write(buffer[:n])
			if err != nil {
				l.end = time.Now()
				l.mu.Unlock()
				return
			}
			l.mu.Unlock()
		}
	}()
	return l
}

// send sends pieces one by one, and returns what has come by then.
func (l *line) send(pieces ...string) string {
	for _, piece := range pieces {
		_ = l.SetWriteDeadline(time.Now().Add(3 * time.Second))
		_, _ = io.WriteString(l.Conn, piece)
		synctest.Wait()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.got.String()
}

func get(path string, headers ...string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: a\r\n" + strings.Join(headers, "") + "\r\n"
}

func post(body string) string { return postTo("/slow", body) }

func postTo(path, body string) string {
	return fmt.Sprintf("POST "+path+" HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// are holds a rig to how many requests were answered in each way.
func (g *rig) are(t *testing.T, when string, quickly, slow int32) {
	t.Helper()
	if q, s := g.quickly.Load(), g.slow.Load(); q != quickly || s != slow {
		t.Errorf("%s: %d requests are answered before net/http and %d by it; want %d and %d", when, q, s, quickly, slow)
	}
}

func TestKeepAliveIsQuick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(nil, nil)
		defer g.close()
		l := g.dial()
		defer l.Close()
		for _, step := range []struct {
			send          string
			quickly, slow int32
		}{
			{get("/quick"), 0, 1}, // nobody is known on the connection yet
			{get("/quick"), 1, 1},
			{get("/quick"), 2, 1},
			{get("/else"), 2, 2},
			{get("/quick"), 3, 2},
			{post("body"), 3, 3},
			{get("/quick"), 4, 3},
			{get("/quick") + get("/quick"), 4, 5},
			{get("/quick"), 5, 5},
			{postTo("/whole", "body"), 6, 5},
			{postTo("/whole", ""), 7, 5},
			{"\r\n", 7, 5}, // old clients end a body so
			{"\r\n" + get("/quick"), 8, 5},
			{postTo("/whole", "body") + "more", 8, 6},
		} {
			l.send(step.send)
			g.are(t, step.send, step.quickly, step.slow)
		}
	})
}

// TestBothWaysSayTheSame has callers send all kinds of things, whole, in pieces and several at once, to a server
// that may be quick and to one that may not. One thing differs: net/http takes an empty line before a request
// if the last one that it knows of was a POST, and it does not know of GETs that were answered meanwhile.
func TestBothWaysSayTheSame(t *testing.T) {
	things := []string{get("/quick"), get("/quick"), get("/quick"), get("/else"), post("a body"), post(""), postTo("/whole", "a body"), postTo("/whole", "last"), postTo("/whole", "none"), postTo("/whole", "abort"), postTo("/whole?a=b", "a"), post(get("/quick")), post("") + "\r\n", postTo("/whole", "a") + "\r\n", "X", "GET /quick HTTP/1.1\r\n",
		"Host: a\r\n\r\n", "Accept: b\r\n", get("/quick", "Content-Length: 3\r\n") + "abc", get("/quick", "Connection: close\r\n"), get("/quick", "Expect: 100-continue\r\n"),
		"POST /slow HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "HEAD /quick HTTP/1.1\r\nHost: a\r\n\r\n", get("/wait"), get("/wait")}
	quickly := int32(0)
	for seed := range uint64(800) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			var all string
			var pieces []string
			for range 2 + random.IntN(10) {
				thing := things[random.IntN(len(things))]
				if random.IntN(3) > 0 {
					thing = things[0]
				}
				all += thing
				switch random.IntN(5) {
				case 0: // several at once
				case 1: // in two
					at := random.IntN(len(all) + 1)
					pieces, all = append(pieces, all[:at], all[at:]), ""
				default:
					pieces, all = append(pieces, all), ""
				}
			}
			pieces = append(pieces, all)
			fast, plain := newRig(nil, nil), newRig(func(io.Writer, *Request) bool { return false }, nil)
			defer fast.close()
			defer plain.close()
			one, other := fast.dial(), plain.dial()
			defer one.Close()
			defer other.Close()
			for i := range pieces {
				one.send(pieces[i])
				other.send(pieces[i])
				if random.IntN(2) == 0 || i == len(pieces)-1 {
					time.Sleep(25 * time.Second)
				}
				got, want := one.send(), other.send()
				if got != want {
					t.Fatalf("seed %d: %q is answered\n%q\nand by net/http\n%q", seed, pieces[:i+1], got, want)
				}
			}
			if all := fast.quickly.Load() + fast.slow.Load(); all != plain.slow.Load() {
				t.Errorf("seed %d: %d requests are answered; want %d", seed, all, plain.slow.Load())
			}
			quickly += fast.quickly.Load()
		})
	}
	if quickly < 500 {
		t.Errorf("%d requests are answered before net/http: too few to tell", quickly)
	}
}

func TestIdleConnectionsEndInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(nil, nil)
		defer g.close()
		l := g.dial()
		defer l.Close()
		l.send(get("/quick"))
		for range 5 {
			time.Sleep(idle * 2 / 3)
			l.send(get("/quick"))
		}
		g.are(t, "slowly", 5, 1)
		last := time.Now()
		time.Sleep(2 * idle)
		synctest.Wait()
		if l.end.Sub(last) != idle {
			t.Errorf("the connection ends %v after the last request; want %v", l.end.Sub(last), idle)
		}
	})
}

func TestSlowHeadersAreNetHTTPs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(nil, nil)
		defer g.close()
		l := g.dial()
		defer l.Close()
		l.send(get("/quick"), get("/quick"), "GET /quick HTTP/1.1\r\n")
		began := time.Now()
		time.Sleep(idle)
		synctest.Wait()
		if l.end.Sub(began) != 10*time.Second {
			t.Errorf("headers are waited for %v; want 10s", l.end.Sub(began))
		}
	})
}

func TestShutdownLetsAnAnswerEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		entered, proceed := make(chan struct{}), make(chan struct{})
		g := newRig(func(w io.Writer, r *Request) bool {
			close(entered)
			<-proceed
			_, _ = io.WriteString(w, say("/quick"))
			return true
		}, nil)
		defer g.close()
		l := g.dial()
		defer l.Close()
		before := l.send(get("/quick"))
		go func() { _, _ = io.WriteString(l.Conn, get("/quick")) }()
		<-entered
		err := g.Shutdown(context.Background())
		if err != nil {
			t.Error(err)
		}
		close(proceed)
		synctest.Wait()
		if got := l.send(); got != before+say("/quick") || l.end.IsZero() {
			t.Errorf("answered %q, ended %v; want a whole answer, and the end", got[len(before):], l.end)
		}
	})
}

// TestWaitForHandlers stops a server, which takes a connection for idle on which a handler is at work.
func TestWaitForHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		proceed := make(chan struct{})
		g := newRig(nil, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				<-proceed
			}
			echo(w, r)
		})
		defer g.close()
		l := g.dial()
		defer l.Close()
		before := l.send(get("/first"), postTo("/whole", "a"))
		err := errors.Join(g.Shutdown(t.Context()), within(time.Second, g.before.Wait))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waiting for a handler that is at work ends with %v", err)
		}
		time.AfterFunc(time.Second, func() { close(proceed) })
		err = within(time.Minute, g.before.Wait)
		if err != nil {
			t.Errorf("waiting for the handler: %v", err)
		}
		synctest.Wait()
		if got := l.send()[len(before):]; !strings.HasPrefix(got, "HTTP/1.1 200 OK\r\nConnection: close\r\n") || !strings.HasSuffix(got, "a") || l.end.IsZero() {
			t.Errorf("answered %q, ended %v; want a whole answer, and the end", got, l.end)
		}
		g.are(t, "in the end", 1, 1)
	})
}

func within(d time.Duration, wait func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return wait(ctx)
}

func TestCallersMustTakeAnswers(t *testing.T) {
	large := strings.Repeat("x", 10*writePiece)
	for _, test := range []struct {
		name  string
		every time.Duration // a piece is taken
		ends  bool
	}{{"slow", write - time.Second, false}, {"too slow", write + time.Second, true}, {"never", time.Hour, true}} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newRig(func(w io.Writer, r *Request) bool {
					_, _ = io.WriteString(w, large)
					return true
				}, nil)
				defer g.close()
				ours, theirs := net.Pipe()
				g.listener.conns <- theirs
				defer ours.Close()
				_, _ = io.WriteString(ours, get("/first"))
				_, _ = ours.Read(make([]byte, 4<<10))
				time.Sleep(20 * time.Second)
				_, _ = io.WriteString(ours, get("/quick"))
				taken := 0
				var err error
				for taken < len(large) && err == nil {
					time.Sleep(test.every)
					var n int
					n, err = io.ReadFull(ours, make([]byte, writePiece))
					taken += n
				}
				if ended := taken < len(large); ended != test.ends {
					t.Errorf("%d of %d bytes are taken: %v; want the end: %v", taken, len(large), err, test.ends)
				}
				synctest.Wait()
				g.are(t, "in the end", 1, 1)
			})
		})
	}
}

func TestTakenConnectionsAreLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(nil, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/take" {
				return
			}
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			go func() { _, _ = io.Copy(conn, conn) }()
		})
		defer g.close()
		l := g.dial()
		defer l.Close()
		before := l.send(get("/first"), get("/take"))
		if got := l.send(get("/quick"), get("/quick")); got != before+get("/quick")+get("/quick") {
			t.Errorf("what was taken says %q", got)
		}
		g.are(t, "taken", 0, 2)
	})
}
