package main

import (
	"context"
	"crypto/tls"
	"math"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"

	"portico/proxy/push"
)

// strangers are a server's connections on which nobody has logged in yet, while they wait: for a request, for
// the rest of one's headers, or for their peer to take what is written. They are bounded, in all and from one
// address: beyond that the one that waits longest is closed, so that those get in who send what they have to and take
// what they asked for. A request that is worked on is never closed for it.
//
// Connections of agents are none of them, but are bounded too while they rest between two requests (resting.go).
// Any number of goroutines may use it.
type strangers struct {
	most, perAddress int
	inAll            int                            // connections that wait or rest
	trusted          atomic.Pointer[[]netip.Prefix] // proxies: many callers come from one address

	mu      sync.Mutex
	waiting *queue                 // by address; guarded by mu
	resting *queue                 // agents' connections, by session; guarded by mu
	all     map[net.Conn]*stranger // every connection; guarded by mu
}

// A stranger is one connection.
type stranger struct {
	conn    net.Conn
	address netip.Addr // the zero one is not limited
	of      *strangers
	known   atomic.Bool
	last    atomic.Pointer[use] // by an agent; nil: there was none

	idle    bool // no request is under way; guarded by strangers.mu
	writing int  // writes under way; guarded by strangers.mu
	gone    bool // the server has it no more, or shall not; guarded by strangers.mu
	place   place
}

func newStrangers(most, perAddress int, trusted []netip.Prefix) *strangers {
	s := &strangers{most: most, perAddress: perAddress, inAll: math.MaxInt, waiting: newQueue(), resting: newQueue(), all: map[net.Conn]*stranger{}}
	s.trust(trusted)
	return s
}

// trust changes whose connections are many callers'. Those there are stay what they were taken for.
func (s *strangers) trust(proxies []netip.Prefix) { s.trusted.Store(&proxies) }

type strangerKey struct{}

// meet is the server's ConnContext.
func (s *strangers) meet(ctx context.Context, conn net.Conn) context.Context {
	one := &stranger{conn: conn, address: s.addressOf(conn), of: s}
	one.known.Store(push.Returned(conn)) // from an agent's held connect
	introduce(conn, one)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[conn] = one
	return context.WithValue(ctx, strangerKey{}, one)
}

func (s *strangers) addressOf(conn net.Conn) netip.Addr {
	peer, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	address := peer.Addr().Unmap().WithZone("") // networks have no zone
	for _, network := range *s.trusted.Load() {
		if network.Contains(address) {
			return netip.Addr{}
		}
	}
	return address
}

// note is the server's ConnState. It reports whether somebody has logged in on the connection.
func (s *strangers) note(conn net.Conn, state http.ConnState) bool {
	s.mu.Lock()
	one := s.all[conn]
	if one == nil {
		s.mu.Unlock()
		return false
	}
	one.idle = state == http.StateNew || state == http.StateIdle
	if state == http.StateClosed || state == http.StateHijacked {
		delete(s.all, conn)
		one.gone = true
	}
	one.leave()
	longest := s.placeLocked(one)
	s.mu.Unlock()
	longest.close()
	return one.known.Load()
}

// writes notes that so many more writes on one's connection are under way.
func (s *strangers) writes(one *stranger, more int) {
	s.mu.Lock()
	one.writing += more
	longest := s.placeLocked(one)
	s.mu.Unlock()
	longest.close()
}

// placeLocked has one wait or rest or not, as it does, and returns who is to go for it, nil if there is room.
func (s *strangers) placeLocked(one *stranger) *stranger {
	known := one.known.Load()
	places := !one.gone && (one.idle || !known && one.writing > 0)
	switch {
	case !places:
		one.leave()
	case one.place.of != nil:
	case known:
		return s.restLocked(one)
	default:
		return s.waitLocked(one)
	}
	return nil
}

// waitLocked has one wait, and returns who is to go for it, nil if there is room.
func (s *strangers) waitLocked(one *stranger) *stranger {
	by := whose{address: one.address}
	s.waiting.add(one, by)
	switch {
	case by != whose{} && s.waiting.of(by) > s.perAddress:
		return s.waiting.dismiss(by)
	case s.waiting.len() > s.most:
		return s.waiting.dismiss(whose{})
	}
	return s.fitLocked()
}

// close closes the connection of who is to go, if somebody is, without a word: its peer may take none.
func (one *stranger) close() {
	if one == nil {
		return
	}
	conn := one.conn
	secured, ok := conn.(*tls.Conn)
	if ok {
		conn = secured.NetConn()
	}
	_ = conn.Close()
}
