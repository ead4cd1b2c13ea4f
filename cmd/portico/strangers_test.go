package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"portico/config"
	"portico/proxy/quick"
)

// A crowd is a server's connections, as the server tells of them.
type crowd struct {
	*strangers
	contexts map[net.Conn]context.Context
}

// A fakeConn is a connection from an address.
type fakeConn struct {
	net.Conn
	from   string
	closed bool
}

func (c *fakeConn) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.from + ":1234"))
}
func (c *fakeConn) Close() error { c.closed = true; return nil }

// comes makes a connection on which nothing has been sent.
func (c *crowd) comes(from string) *fakeConn {
	conn := &fakeConn{from: from}
	c.contexts[conn] = c.meet(context.Background(), conn)
	c.note(conn, http.StateNew)
	return conn
}

// asks sends a request on a connection, which is an agent's or not.
func (c *crowd) asks(conn *fakeConn, agent bool) {
	c.note(conn, http.StateActive)
	if agent {
		know(c.contexts[conn], "anna")
	}
	c.note(conn, http.StateIdle)
}

func TestStrangersAreBounded(t *testing.T) {
	c := &crowd{newStrangers(4, 2, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}), map[net.Conn]context.Context{}}
	expect := func(what string, conn *fakeConn, closed bool) {
		t.Helper()
		if conn.closed != closed {
			t.Errorf("%s: closed is %v; want %v", what, conn.closed, closed)
		}
	}
	agent := c.comes("198.51.100.1")
	c.asks(agent, true)
	first, second := c.comes("198.51.100.1"), c.comes("198.51.100.1")
	expect("two of one address", first, false)
	c.asks(first, false) // which shows life, so the second waits longest
	third := c.comes("198.51.100.1")
	expect("who waits longest of three", second, true)
	expect("who asked something", first, false)
	expect("the newest", third, false)
	busy := c.comes("203.0.113.1")
	c.note(busy, http.StateActive)
	proxied := []*fakeConn{c.comes("10.0.0.1"), c.comes("10.0.0.1"), c.comes("10.0.0.1")}
	expect("who waits longest of all", first, true)
	expect("a proxy, whose callers are many", proxied[0], false)
	c.comes("192.0.2.1")
	expect("the next", third, true)
	expect("a request under way", busy, false)
	expect("an agent's connection", agent, false)
	for conn := range c.contexts {
		c.note(conn, http.StateClosed)
	}
	if len(c.all) > 0 || len(c.waiting.by) > 0 || c.waiting.len() > 0 || c.resting.len() > 0 {
		t.Errorf("%d, %d and %d connections are remembered that are closed", len(c.all), c.waiting.len(), c.resting.len())
	}
}

// A proxy on the same link has an address with a zone, which no network has.
func TestProxiesOnTheSameLinkAreTrusted(t *testing.T) {
	c := &crowd{newStrangers(4, 2, []netip.Prefix{netip.MustParsePrefix("fe80::/10")}), map[net.Conn]context.Context{}}
	first := c.comes("[fe80::1%eth0]")
	c.comes("[fe80::1%eth0]")
	c.comes("[fe80::1%eth0]")
	if first.closed {
		t.Error("the third connection of a trusted proxy took the place of the first")
	}
}

// A connection that comes back from a held connect is an agent's and none of the strangers.
func TestAgentsComeBackFromAHeldConnect(t *testing.T) {
	settings := filepath.Join(t.TempDir(), "portico.yaml")
	write(t, settings, "limits: {strangers_per_address: 1}\n")
	demo := start(t, "demo", "--json", "--config", settings, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--icws", "127.0.0.1:0", "--htcc", "127.0.0.1:0")
	var at addresses
	err := json.Unmarshal([]byte(demo.out.next(t)), &at)
	if err != nil {
		t.Fatal(err)
	}
	agent := dial(t, at.Portico)
	var shaken []struct{ ClientID string }
	err = json.Unmarshal([]byte(agent.notify(`{"channel":"/meta/handshake","version":"1.0"}`)), &shaken)
	if err != nil || len(shaken) != 1 {
		t.Fatalf("handshake: %v %v", shaken, err)
	}
	connect := fmt.Sprintf(`{"channel":"/meta/connect","clientId":%q,"connectionType":"long-polling","advice":{"timeout":50}}`, shaken[0].ClientID)
	agent.notify(connect)
	agent.notify(connect) // which is held, and parked
	stranger := dial(t, at.Portico)
	for range 2 {
		stranger.asks("a stranger")
		agent.asks("the agent, who takes nobody's place")
	}
	demo.end(t)
}

// A handmade is a connection on which the test itself writes requests.
type handmade struct {
	net.Conn
	t  *testing.T
	in *bufio.Reader
}

func dial(t *testing.T, address string) *handmade {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &handmade{conn, t, bufio.NewReader(conn)}
}

func (w *handmade) send(text string) {
	w.t.Helper()
	_, err := io.WriteString(w, text)
	if err != nil {
		w.t.Fatal(err)
	}
}

// asks sends a request that anybody may.
func (w *handmade) asks(who string) {
	w.t.Helper()
	w.send("GET /diagnostics/version HTTP/1.1\r\nHost: x\r\n\r\n")
	if got := w.receive(); !strings.Contains(got, `"version"`) {
		w.t.Errorf("%s got %q", who, got)
	}
}

// receive returns the body of the next answer.
func (w *handmade) receive() string {
	w.t.Helper()
	response, err := http.ReadResponse(w.in, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(body)
}

// notify sends one message of CometD in anna's name and returns the answer.
func (w *handmade) notify(message string) string {
	w.t.Helper()
	w.send(fmt.Sprintf("POST /api/v2/notifications HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YW5uYTphbm5h\r\nContent-Length: %d\r\n\r\n%s", len(message), message))
	return w.receive()
}

// Who takes nothing of an answer waits as who sends nothing does.
func TestWritesCountAmongTheStrangers(t *testing.T) {
	c := &crowd{newStrangers(4, 2, nil), map[net.Conn]context.Context{}}
	agent := c.comes("198.51.100.1")
	c.asks(agent, true)
	first, second := c.comes("198.51.100.1"), c.comes("198.51.100.1")
	begins := func(conn *fakeConn) { c.writes(c.all[conn], 1) }
	ends := func(conn *fakeConn) { c.writes(c.all[conn], -1) }
	for _, conn := range []*fakeConn{first, second} {
		c.note(conn, http.StateActive)
	}
	worked := c.comes("198.51.100.1")
	c.note(worked, http.StateActive)
	begins(first)
	begins(second)
	begins(first) // over HTTP/2
	ends(first)
	begins(agent)
	begins(worked)
	if !first.closed || second.closed || worked.closed || agent.closed {
		t.Errorf("closed are %v, %v, %v and the agent %v; want the stranger alone who has been written to for longest", first.closed, second.closed, worked.closed, agent.closed)
	}
	ends(second)
	third := c.comes("198.51.100.1")
	if second.closed || worked.closed || third.closed {
		t.Error("a connection is closed though one of those before has taken its answer")
	}
	for conn := range c.contexts {
		c.note(conn, http.StateClosed)
	}
	if len(c.all) > 0 || len(c.waiting.by) > 0 || c.waiting.len() > 0 || c.resting.len() > 0 {
		t.Errorf("%d, %d and %d connections are remembered that are closed", len(c.all), c.waiting.len(), c.resting.len())
	}
}

// TestStrangersWhoReadNothingMakeRoom has strangers ask for more than their connections hold, over HTTP and HTTPS.
func TestStrangersWhoReadNothingMakeRoom(t *testing.T) {
	large := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, 32<<20))
	})
	for _, secured := range []bool{false, true} {
		s := openServer(t, large, func(s *server) {
			s.hasten(quick.Settings{Answer: func(io.Writer, *quick.Request) bool { return false }, Idle: time.Minute})
			if secured {
				s.withTLS(anyCertificate(t))
			}
		})
		var greedy []net.Conn
		for range 4 {
			conn, err := net.Dial("tcp", s.address())
			must(t, err)
			defer conn.Close()
			if secured {
				conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
			}
			_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			if err == nil {
				_, err = conn.Read(make([]byte, 1)) // its answer has begun
			}
			if err == nil { // else it makes room itself, for those whose writing has not come to a stop yet
				greedy = append(greedy, conn)
			}
		}
		whole := 0
		for _, conn := range greedy {
			must(t, conn.SetReadDeadline(time.Now().Add(time.Minute)))
			n, _ := io.Copy(io.Discard, io.LimitReader(conn, 32<<20))
			if n == 32<<20 {
				whole++
			}
		}
		if whole != 2 {
			t.Errorf("secured %v: of 4 strangers with room for 2, %d got to the end of their answers", secured, whole)
		}
	}
}

// anyCertificate returns one that nobody vouches for.
func anyCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	return server.TLS.Certificates[0]
}

// The server tells of connections as strangers expects it to.
func TestSilentConnectionsMakeRoom(t *testing.T) {
	s, silent := strangerServer(t)
	for range 2 {
		dialed, err := net.Dial("tcp", s.address())
		if err != nil {
			t.Fatal(err)
		}
		defer dialed.Close()
	}
	_, err := silent.Read(make([]byte, 1))
	if err == nil {
		t.Error("the connection that waits longest is still open")
	}
}

// Whoever reaches the admin listener cannot use up the files of the door.
func TestConnectionsOfOperatorsAreBounded(t *testing.T) {
	demo := start(t, "demo", "--json", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--icws", "127.0.0.1:0", "--htcc", "127.0.0.1:0")
	var at addresses
	must(t, json.Unmarshal([]byte(demo.out.next(t)), &at))
	var first *handmade
	for n := range mostOperators + 16 { // one waits only once the server has noted that it was answered, which may be after the next
		conn := dial(t, at.Admin)
		if first == nil {
			first = conn
		}
		conn.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
		if got := conn.receive(); got != "ok\n" {
			t.Fatalf("connection %d gets %q", n, got)
		}
	}
	must(t, first.SetReadDeadline(time.Now().Add(idleTimeout/4)))
	_, err := first.Read(make([]byte, 1))
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection that waits longest: %v; want it closed", err)
	}
	demo.end(t)
}

// strangerServer returns a server with room for two connections of one address, and one of them.
func strangerServer(t *testing.T) (*server, net.Conn) {
	t.Helper()
	s := openServer(t, http.NotFoundHandler(), func(*server) {})
	silent, err := net.Dial("tcp", s.address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	return s, silent
}

// openServer runs a server with room for two connections of one address.
func openServer(t *testing.T, handler http.Handler, option func(*server)) *server {
	t.Helper()
	s, err := listen("door", "127.0.0.1:0", handler, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	limits := config.Default().Limits
	limits.StrangersPerAddress, limits.HeaderTimeout = 2, time.Hour
	s.bound(limits, nil)
	option(s)
	running := make(chan error, 1)
	go func() { running <- s.run(t.Context()) }()
	t.Cleanup(func() {
		_ = s.close()
		<-running
	})
	return s
}
