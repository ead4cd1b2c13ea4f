package upstream

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"portico/proxy/fault"
)

// newPut returns a request that changes something.
func newPut(t testing.TB, ctx context.Context, url, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// A pipes is a host in memory, for synctest, which answers each request on each connection as it is told.
type pipes struct {
	answer func(conn net.Conn, body string) // nothing, and closing, are answers too

	mu    sync.Mutex
	conns int      // guarded by mu
	heard []string // the bodies; guarded by mu
}

// dial is that of a http.Transport.
func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	p.mu.Lock()
	p.conns++
	p.mu.Unlock()
	near, far := net.Pipe()
	go func() {
		defer far.Close()
		for in := bufio.NewReader(far); ; {
			req, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			body, _ := io.ReadAll(req.Body)
			p.mu.Lock()
			p.heard = append(p.heard, string(body))
			p.mu.Unlock()
			p.answer(far, string(body))
		}
	}()
	return near, nil
}

// newPiped returns a caller of a host in memory, which ends with the test.
func newPiped(t *testing.T, p *pipes) (*Caller, *Metrics) {
	t.Helper()
	transport := &http.Transport{DialContext: p.dial, IdleConnTimeout: time.Minute}
	caller, metrics := newCaller(t, transport)
	caller.Calls = &Calls{Transport: transport}
	t.Cleanup(caller.Calls.CloseIdleConnections)
	return caller, metrics
}

// echo answers with what it was sent.
func echo(conn net.Conn, body string) {
	_, _ = fmt.Fprintf(conn, "HTTP/1.1 202 Accepted\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

func (p *pipes) put(t *testing.T, c *Caller, body string) (Reply, error) {
	t.Helper()
	return c.Do(newPut(t, t.Context(), "http://pc.example/", body), "get", 100)
}

// echoes makes a call, which is to be answered with what it sent.
func (p *pipes) echoes(t *testing.T, c *Caller, body string) {
	t.Helper()
	reply, err := p.put(t, c, body)
	if err != nil || reply.Status != http.StatusAccepted || string(reply.Body) != body {
		t.Errorf("Do(%s) = %d %q, %v; want it back", body, reply.Status, reply.Body, err)
	}
}

func TestCallsKeepTheirConnection(t *testing.T) {
	for name, answer := range map[string]struct {
		text  string
		conns int // for two calls
	}{
		"of known length":          {"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok", 1},
		"in chunks":                {"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 1},
		"announced before":         {"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok", 1},
		"that is the last":         {"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", 2},
		"of the old kind":          {"HTTP/1.0 202 Accepted\r\nContent-Length: 2\r\n\r\nok", 2},
		"with something behind it": {"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 2},
		"too long":                 {"HTTP/1.1 202 Accepted\r\nContent-Length: 102\r\n\r\n" + strings.Repeat("x", 102), 2},
	} {
		for _, at := range []int{0, 20, strings.Index(answer.text, "\r\n\r\n") + 4} { // it comes in two pieces, or one
			t.Run(fmt.Sprint(name, " ", at), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := &pipes{answer: func(conn net.Conn, _ string) {
						_, _ = io.WriteString(conn, answer.text[:at])
						_, _ = io.WriteString(conn, answer.text[at:])
					}}
					caller, metrics := newPiped(t, p)
					for range 2 {
						reply, err := p.put(t, caller, "x")
						if reply.Status != http.StatusAccepted && !errors.Is(err, errBodyTooLong) {
							t.Errorf("Do = %d %q, %v; want 202", reply.Status, reply.Body, err)
						}
					}
					if p.conns != answer.conns {
						t.Errorf("%d connections for two calls; want %d", p.conns, answer.conns)
					}
					if got := testutil.ToFloat64(metrics.connections.WithLabelValues("pc", "true")); int(got) != 2-answer.conns {
						t.Errorf("%v connections are counted as reused; want %d", got, 2-answer.conns)
					}
				})
			})
		}
	}
}

// TestCallsAreNotMadeTwice has a host take a call on a connection that was kept, and close it without an
// answer.
func TestCallsAreNotMadeTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{}
		p.answer = func(conn net.Conn, body string) {
			if body == "lost" {
				_ = conn.Close()
				return
			}
			echo(conn, body)
		}
		caller, metrics := newPiped(t, p)
		p.echoes(t, caller, "first")
		_, err := p.put(t, caller, "lost")
		if !errors.Is(err, fault.Unreachable) {
			t.Errorf("Do = %v; want %v", err, fault.Unreachable)
		}
		p.echoes(t, caller, "third")
		if got := strings.Join(p.heard, " "); got != "first lost third" {
			t.Errorf("the host was sent %q; want each call once", got)
		}
		if got := testutil.ToFloat64(metrics.failures.WithLabelValues("pc", "get", "reset")); got != 1 {
			t.Errorf("failures counted as reset = %v; want 1", got)
		}
	})
}

// A deaf connection takes nothing any more.
type deaf struct {
	net.Conn
	now *bool
}

func (d deaf) Write(b []byte) (int, error) {
	if *d.now {
		return 0, syscall.EPIPE
	}
	return d.Conn.Write(b)
}

// TestCallsAreMadeAgainIfNothingWasWritten has the first connection take nothing once it was kept.
func TestCallsAreMadeAgainIfNothingWasWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{answer: echo}
		caller, _ := newPiped(t, p)
		now := false
		caller.Calls.Transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := p.dial(ctx, network, address)
			if p.conns == 1 {
				conn = deaf{conn, &now}
			}
			return conn, err
		}
		p.echoes(t, caller, "first")
		now = true
		p.echoes(t, caller, "second")
		if got := strings.Join(p.heard, " "); got != "first second" || p.conns != 2 {
			t.Errorf("the host was sent %q over %d connections; want each call once, over 2", got, p.conns)
		}
	})
}

// TestLateAnswersAreNobodys has a host answer after the caller has gone: the next call gets its own answer.
func TestLateAnswersAreNobodys(t *testing.T) {
	for name, leave := range map[string]struct {
		after time.Duration // the caller leaves; 0 never does
		want  error
	}{"out of time": {0, fault.Timeout}, "the caller left": {time.Second, context.Canceled}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &pipes{answer: func(conn net.Conn, body string) {
					if body == "slow" {
						time.Sleep(time.Minute)
					}
					echo(conn, body)
				}}
				caller, _ := newPiped(t, p)
				p.echoes(t, caller, "first")
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if leave.after > 0 {
					time.AfterFunc(leave.after, cancel)
				}
				began := time.Now()
				_, err := caller.Do(newPut(t, ctx, "http://pc.example/", "slow"), "get", 100)
				want := caller.Timeout
				if leave.after > 0 {
					want = leave.after
				}
				if !errors.Is(err, leave.want) || time.Since(began) != want {
					t.Errorf("Do = %v after %v; want %v after %v", err, time.Since(began), leave.want, want)
				}
				p.echoes(t, caller, "third")
				time.Sleep(2 * time.Minute)
			})
		})
	}
}

func TestCallsCloseWhatWaitsForTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{answer: echo}
		caller, _ := newPiped(t, p)
		p.echoes(t, caller, "first")
		time.Sleep(50 * time.Second)
		p.echoes(t, caller, "second")
		if p.conns != 1 {
			t.Errorf("%d connections; want the one that was kept", p.conns)
		}
		time.Sleep(2 * time.Minute)
		caller.Calls.mu.Lock()
		waiting := len(caller.Calls.idle)
		caller.Calls.mu.Unlock()
		if waiting != 0 {
			t.Errorf("%d hosts have connections that wait; want none", waiting)
		}
		p.echoes(t, caller, "third")
		if p.conns != 2 {
			t.Errorf("%d connections; want a new one", p.conns)
		}
	})
}

// TestCallsPassOverClosedConnections has a host close connections that wait, as it may at any time.
func TestCallsPassOverClosedConnections(t *testing.T) {
	for name, start := range map[string]func(http.Handler) *httptest.Server{"http": httptest.NewServer, "https": httptest.NewTLSServer} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			server := start(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls++ }))
			defer server.Close()
			caller, metrics := calling(t, server)
			for range 3 {
				for range 2 {
					_, err := caller.Do(newPut(t, t.Context(), server.URL, "x"), "get", 100)
					if err != nil {
						t.Fatal(err)
					}
				}
				server.CloseClientConnections()
			}
			fresh := testutil.ToFloat64(metrics.connections.WithLabelValues("pc", "false"))
			reused := testutil.ToFloat64(metrics.connections.WithLabelValues("pc", "true"))
			if calls != 6 || fresh != 3 || reused != 3 {
				t.Errorf("6 calls were %d, over %v new connections and %v kept ones; want 3 and 3", calls, fresh, reused)
			}
		})
	}
}

// calling is a caller whose calls have connections of their own.
func calling(t *testing.T, server *httptest.Server) (*Caller, *Metrics) {
	t.Helper()
	caller, metrics := streaming(t, server)
	caller.Calls = &Calls{Transport: caller.Transport.(*http.Transport)}
	t.Cleanup(caller.Calls.CloseIdleConnections)
	return caller, metrics
}

func TestCallsLeaveTheRestToTheTransport(t *testing.T) {
	long := strings.Repeat("x", longestSent+1)
	through, err := url.Parse("http://proxy.example")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, method string
		body         io.Reader
		proxy        func(*http.Request) (*url.URL, error)
		want         bool
	}{
		{"a change", "PUT", strings.NewReader("x"), nil, true},
		{"a change without a body", "DELETE", nil, nil, true},
		{"a read", "GET", nil, nil, false},
		{"a long body", "PUT", strings.NewReader(long), nil, false},
		{"a body of unknown length", "PUT", io.MultiReader(strings.NewReader("x")), nil, false},
		{"through a proxy", "PUT", strings.NewReader("x"), http.ProxyURL(through), false},
		{"a proxy that cannot be told", "PUT", strings.NewReader("x"), func(*http.Request) (*url.URL, error) { return nil, errors.New("which?") }, false},
	} {
		req, err := http.NewRequest(tt.method, "http://pc.example/", tt.body)
		if err != nil {
			t.Fatal(err)
		}
		calls := &Calls{Transport: &http.Transport{Proxy: tt.proxy}}
		if got := calls.takes(req); got != tt.want {
			t.Errorf("%s: takes = %v; want %v", tt.name, got, tt.want)
		}
	}
}
