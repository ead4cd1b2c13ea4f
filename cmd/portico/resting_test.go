package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"portico/proxy/push"
)

// serves sends a request of an agent's on a connection.
func (c *crowd) serves(conn *fakeConn, session string) {
	c.note(conn, http.StateActive)
	know(c.contexts[conn], session)
	c.note(conn, http.StateIdle)
}

func closedOf(conns []*fakeConn) (closed []int) {
	for i, conn := range conns {
		if conn.closed {
			closed = append(closed, i)
		}
	}
	return closed
}

func TestRestingConnectionsOfAnAgentAreBounded(t *testing.T) {
	c := &crowd{newStrangers(1000, 1000, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}), map[net.Conn]context.Context{}}
	var leaked, proxied []*fakeConn
	shared, other := c.comes("198.51.100.1"), c.comes("198.51.100.2")
	c.serves(shared, "anna")
	c.serves(other, "cleo")
	busy := c.comes("198.51.100.1")
	c.note(busy, http.StateActive)
	know(c.contexts[busy], "anna")
	c.serves(shared, "bjorn")
	for range restingPerAgent + 2 {
		conn := c.comes("198.51.100.1")
		c.serves(conn, "anna")
		leaked = append(leaked, conn)
		fromProxy := c.comes("10.0.0.1")
		c.serves(fromProxy, "anna")
		proxied = append(proxied, fromProxy)
	}
	if got := closedOf(leaked); fmt.Sprint(got) != "[0 1]" {
		t.Errorf("of %d connections of one agent %v are closed; want the two that rest longest", len(leaked), got)
	}
	if others := closedOf(append(proxied, shared, other, busy)); others != nil {
		t.Errorf("%v are closed of a proxy's connections, one that last served another, another agent's, and one with a request", others)
	}
	know(c.contexts[leaked[2]], "bjorn") // by package quick, which tells the server nothing
	next := c.comes("198.51.100.1")
	c.serves(next, "anna")
	if leaked[2].closed || leaked[3].closed {
		t.Error("a connection is closed though one of the agent's has become another's")
	}
	for conn := range c.contexts {
		c.note(conn, http.StateClosed)
	}
	if len(c.all) > 0 || len(c.resting.by) > 0 || c.resting.len() > 0 || c.waiting.len() > 0 {
		t.Errorf("%d, %d and %d connections are remembered that are closed", len(c.all), c.resting.len(), c.waiting.len())
	}
}

// Neither strangers nor agents who leave connections open keep the others out.
func TestIdleConnectionsAreBoundedInAll(t *testing.T) {
	c := &crowd{newStrangers(1000, 1000, nil), map[net.Conn]context.Context{}}
	c.inAll = 8
	var agents, strangers []*fakeConn
	for n := range 9 {
		conn := c.comes("198.51.100.1")
		c.serves(conn, fmt.Sprint(n))
		agents = append(agents, conn)
	}
	if got := closedOf(agents); fmt.Sprint(got) != "[0]" {
		t.Errorf("with room for 8 %v of 9 agents' connections are closed; want the first", got)
	}
	for range 6 {
		strangers = append(strangers, c.comes("203.0.113.1"))
	}
	if got := fmt.Sprint(closedOf(agents), closedOf(strangers)); got != "[0 1 2 3 4] [0 1]" {
		t.Errorf("after 6 strangers those closed are %v; want half of the room for each", got)
	}
}

// keeps has package push take a connection over from a request of an agent's, and returns who is told of it.
func (c *crowd) keeps(conn *fakeConn, session string) push.Watcher {
	c.note(conn, http.StateActive)
	know(c.contexts[conn], session)
	c.note(conn, http.StateHijacked)
	return watchTaken(c.contexts[conn], conn)
}

// Connections on which connects were held are bounded with those that were left to the server.
func TestConnectionsThatWereTakenOverRestToo(t *testing.T) {
	c := &crowd{newStrangers(1000, 1000, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}), map[net.Conn]context.Context{}}
	var left []*fakeConn
	var proxied []*fakeConn
	kept := map[*fakeConn]push.Watcher{}
	for n := range restingPerAgent + 4 {
		conn, fromProxy := c.comes("198.51.100.1"), c.comes("10.0.0.1")
		left, proxied = append(left, conn), append(proxied, fromProxy)
		kept[fromProxy] = c.keeps(fromProxy, "anna")
		kept[fromProxy].Idle("anna")
		if n%2 == 0 {
			c.serves(conn, "anna")
			continue
		}
		kept[conn] = c.keeps(conn, "bjorn") // who came that way before
		kept[conn].Idle("anna")
		switch n {
		case 1:
			kept[conn].Busy()
			kept[conn].Idle("anna") // after 2
		case 3:
			kept[conn].Busy()
		}
	}
	if got := closedOf(left); fmt.Sprint(got) != "[0 1 2]" {
		t.Errorf("of %d connections of one agent, of which one is served, %v are closed; want the three that rest longest", len(left), got)
	}
	if got := closedOf(proxied); got != nil {
		t.Errorf("%v are closed of a proxy's connections", got)
	}
	kept[left[3]].Idle("cleo")
	if got := closedOf(left); len(got) != 3 {
		t.Errorf("%v are closed when the last becomes another agent's", got)
	}
	for _, watcher := range kept {
		watcher.Gone()
		watcher.Idle("anna") // an answer that came to its end too late
	}
	for conn := range c.contexts {
		c.note(conn, http.StateClosed)
	}
	if len(c.all) > 0 || len(c.resting.by) > 0 || c.resting.len() > 0 || c.waiting.len() > 0 {
		t.Errorf("%d, %d and %d connections are remembered that are closed", len(c.all), c.resting.len(), c.waiting.len())
	}
	if watchTaken(context.Background(), left[0]) != nil {
		t.Error("somebody is told of a connection that no server has met")
	}
}

func TestWhoIsToldOfAHeldConnectAllocatesNothing(t *testing.T) {
	c := &crowd{newStrangers(1000, 1000, nil), map[net.Conn]context.Context{}}
	kept := c.keeps(c.comes("198.51.100.1"), "anna")
	kept.Idle("anna")
	if got := testing.AllocsPerRun(100, func() {
		kept.Busy()
		kept.Idle("anna")
	}); got != 0 {
		t.Errorf("%v allocations for the next connect; want none", got)
	}
}

// TestAnAgentWhoLeaksConnections leaves them open after requests that net/http served and that it did not, after a
// held connect, and as a websocket without a client.
func TestAnAgentWhoLeaksConnections(t *testing.T) {
	for name, leak := range map[string]func(conn *handmade, client string){
		"a read": func(conn *handmade, _ string) {
			for range 2 {
				conn.send("GET /me HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YW5uYTphbm5h\r\n\r\n")
				if got := conn.receive(); !strings.Contains(got, `"anna"`) {
					t.Fatalf("anna gets %q", got)
				}
			}
		},
		"a connect": func(conn *handmade, client string) {
			for range 2 {
				got := conn.notify(fmt.Sprintf(`{"channel":"/meta/connect","clientId":%q,"connectionType":"long-polling","advice":{"timeout":1}}`, client))
				if !strings.Contains(got, `"successful":true`) {
					t.Fatalf("anna's connect gets %q", got)
				}
			}
		},
		"a websocket": func(conn *handmade, _ string) {
			conn.send("GET /api/v2/notifications HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YW5uYTphbm5h\r\nConnection: Upgrade\r\n" +
				"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
			line, err := conn.in.ReadString('\n')
			if err != nil || !strings.Contains(line, " 101 ") {
				t.Fatalf("anna's websocket gets %q %v", line, err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			demo := start(t, "demo", "--json", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--icws", "127.0.0.1:0", "--htcc", "127.0.0.1:0")
			var at addresses
			must(t, json.Unmarshal([]byte(demo.out.next(t)), &at))
			var shaken []struct{ ClientID string }
			first := dial(t, at.Portico)
			must(t, json.Unmarshal([]byte(first.notify(`{"channel":"/meta/handshake","version":"1.0"}`)), &shaken))
			_ = first.Close()
			var leaked []*handmade
			for range restingPerAgent + 1 {
				conn := dial(t, at.Portico)
				leak(conn, shaken[0].ClientID)
				leaked = append(leaked, conn)
			}
			if n := closedSoon(t, leaked); n != 1 {
				t.Errorf("of %d connections %d are closed; want one", len(leaked), n)
			}
			demo.end(t)
		})
	}
}

// closedSoon waits until one of conns is closed, and a little longer, and returns how many are. Websockets that nobody
// speaks on are closed later.
func closedSoon(t *testing.T, conns []*handmade) int {
	t.Helper()
	closed := make(chan bool, len(conns))
	for _, conn := range conns {
		must(t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
		go func() {
			_, err := io.Copy(io.Discard, conn.in)
			closed <- !errors.Is(err, os.ErrDeadlineExceeded)
		}()
	}
	n := 0
	for range conns {
		if !<-closed {
			continue
		}
		n++
		for _, conn := range conns {
			must(t, conn.SetReadDeadline(time.Now().Add(200*time.Millisecond)))
		}
	}
	return n
}

// Who comes and goes for each request, as those do on whose connections connects are held, leaves no garbage.
func TestAQueueAllocatesNothing(t *testing.T) {
	q, address := newQueue(), netip.MustParseAddr("198.51.100.1")
	first, second, third := &stranger{}, &stranger{}, &stranger{}
	for _, one := range []*stranger{first, second, third} {
		q.add(one, whose{address: address})
	}
	if got := testing.AllocsPerRun(100, func() {
		second.leave()
		q.add(second, whose{session: "anna"})
	}); got != 0 {
		t.Errorf("%v allocations; want none", got)
	}
	if theirs := q.of(whose{address: address}); q.len() != 3 || theirs != 2 || q.of(whose{session: "anna"}) != 1 {
		t.Errorf("%d connections, %d of them at the address; want 3 and 2", q.len(), theirs)
	}
	if got := []*stranger{q.dismiss(whose{address: address}), q.dismiss(whose{session: "anna"}), q.dismiss(whose{})}; got[0] != first || got[1] != second || got[2] != third || q.len() > 0 || len(q.by) > 0 {
		t.Errorf("dismissed are %v, %d are left; want the first each time, none", got, q.len())
	}
}
