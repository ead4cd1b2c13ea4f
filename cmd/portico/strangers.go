package main

import (
	"container/list"
	"context"
	"crypto/tls"
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
// what they asked for. A request that is worked on, and the connections of agents, are never closed for it. Any number
// of goroutines may use it.
type strangers struct {
	most, perAddress int
	trusted          atomic.Pointer[[]netip.Prefix] // proxies: many callers come from one address

	mu      sync.Mutex
	waiting *list.List                // of *stranger, who waits longest first; guarded by mu
	all     map[net.Conn]*stranger    // every connection; guarded by mu
	from    map[netip.Addr]*list.List // waiting, by address; guarded by mu
}

// A stranger is one connection.
type stranger struct {
	conn    net.Conn
	address netip.Addr // the zero one is not limited
	known   atomic.Bool

	idle             bool          // no request is under way; guarded by strangers.mu
	writing          int           // writes under way; guarded by strangers.mu
	gone             bool          // the server has it no more; guarded by strangers.mu
	place, placeFrom *list.Element // in the lists; nil while not waiting; guarded by strangers.mu
}

func newStrangers(most, perAddress int, trusted []netip.Prefix) *strangers {
	s := &strangers{most: most, perAddress: perAddress, waiting: list.New(), all: map[net.Conn]*stranger{}, from: map[netip.Addr]*list.List{}}
	s.trust(trusted)
	return s
}

// trust changes whose connections are many callers'. Those there are stay what they were taken for.
func (s *strangers) trust(proxies []netip.Prefix) { s.trusted.Store(&proxies) }

type strangerKey struct{}

// meet is the server's ConnContext.
func (s *strangers) meet(ctx context.Context, conn net.Conn) context.Context {
	one := &stranger{conn: conn, address: s.addressOf(conn)}
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
	address := peer.Addr().Unmap()
	for _, network := range *s.trusted.Load() {
		if network.Contains(address) {
			return netip.Addr{}
		}
	}
	return address
}

// know is told the context of a request that turned out to be an agent's.
func know(ctx context.Context) {
	one, ok := ctx.Value(strangerKey{}).(*stranger)
	if ok {
		one.known.Store(true)
	}
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
	s.leaveLocked(one)
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

// placeLocked has one wait or not, as it does, and returns who is to go for it, nil if there is room.
func (s *strangers) placeLocked(one *stranger) *stranger {
	waits := (one.idle || one.writing > 0) && !one.gone && !one.known.Load()
	switch {
	case waits && one.place == nil:
		return s.waitLocked(one)
	case !waits:
		s.leaveLocked(one)
	}
	return nil
}

// waitLocked has one wait, and returns who is to go for it, nil if there is room.
func (s *strangers) waitLocked(one *stranger) *stranger {
	one.place = s.waiting.PushBack(one)
	from := s.from[one.address]
	if from == nil {
		from = list.New()
		s.from[one.address] = from
	}
	one.placeFrom = from.PushBack(one)
	var longest *stranger
	switch {
	case one.address.IsValid() && from.Len() > s.perAddress:
		longest = from.Front().Value.(*stranger)
	case s.waiting.Len() > s.most:
		longest = s.waiting.Front().Value.(*stranger)
	default:
		return nil
	}
	s.leaveLocked(longest)
	longest.gone = true
	return longest
}

// leaveLocked has one wait no more.
func (s *strangers) leaveLocked(one *stranger) {
	if one.place == nil {
		return
	}
	s.waiting.Remove(one.place)
	from := s.from[one.address]
	from.Remove(one.placeFrom)
	if from.Len() == 0 {
		delete(s.from, one.address)
	}
	one.place, one.placeFrom = nil, nil
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
