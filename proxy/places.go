package proxy

import (
	"math/rand/v2"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"portico/proxy/fault"
)

// Places bound the requests that are worked on at once. A request takes a place before its caller is
// logged in, in the name of the address it came from, and keeps it in the agent's once it is known whose
// it is: a name that is only claimed counts for nothing. What merely waits gives its place back: a held
// connect, a socket, an event stream, an answer that is passed through and under way.
//
// A caller may hold as many places as are left free. So one alone gets half of them and two a third
// each, a caller who holds none finds one as long as there is one, and a door that is nearly full
// refuses those first who hold most. Nobody has to say what a share is, or when it begins to count.
//
// Source: Choudhury and Hahne, Dynamic queue length thresholds for shared-memory packet switches, 1998.
//
// Any number of goroutines may use them.
type Places struct {
	shed map[string]prometheus.Counter // by reason

	mu    sync.Mutex     // guards what follows
	limit int            // of places; more may be taken for a while after it was lowered
	taken int            // of places
	held  map[holder]int // never 0
}

// A holder is who holds places: an agent, or else an address.
type holder struct {
	session string
	address netip.Prefix
}

// Reasons of a refusal.
const (
	shedFull  = "full"
	shedShare = "share"
)

// NewPlaces returns so many places, and registers their metrics with reg if that is not nil.
func NewPlaces(limit int, reg prometheus.Registerer) *Places {
	shed := promauto.With(reg).NewCounterVec(prometheus.CounterOpts{
		Name: "portico_http_requests_shed_total",
		Help: "Requests refused for want of a place. reason: full (none is free), share (the caller holds as many as are free).",
	}, []string{"reason"})
	return &Places{limit: limit, held: map[holder]int{}, shed: map[string]prometheus.Counter{
		shedFull: shed.WithLabelValues(shedFull), shedShare: shed.WithLabelValues(shedShare)}}
}

// SetLimit changes how many places there are. Nobody loses one.
func (p *Places) SetLimit(limit int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.limit = limit
}

// A place is that of one request; the zero one is none. One goroutine uses it.
type place struct {
	of *Places
	by holder
}

// take takes a place. Who may not have it in one name can in another that known tells. It fails with
// fault.Overloaded.
func (p *Places) take(by holder, known func() (holder, bool)) (place, error) {
	taken, reason := p.try(by)
	if reason == shedShare {
		another, ok := known()
		if ok {
			taken, reason = p.try(another)
		}
	}
	if reason != "" {
		return place{}, p.refuse(reason)
	}
	return taken, nil
}

// try takes a place, or says why there is none.
func (p *Places) try(by holder) (place, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	reason := p.reasonLocked(by)
	if reason != "" {
		return place{}, reason
	}
	p.addLocked(by, 1)
	return place{p, by}, ""
}

// has reports whether there is a place for somebody.
func (p *Places) has(by holder) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reasonLocked(by) == ""
}

// move has another hold the place. If that one may not, the place is lost, and move fails with
// fault.Overloaded.
func (l *place) move(to holder) error {
	p := l.of
	p.mu.Lock()
	defer p.mu.Unlock()
	p.addLocked(l.by, -1)
	reason := p.reasonLocked(to)
	if reason != "" {
		l.of = nil
		return p.refuse(reason)
	}
	p.addLocked(to, 1)
	l.by = to
	return nil
}

// leave gives the place back. Leaving twice is as good as once.
func (l *place) leave() {
	p := l.of
	if p == nil {
		return
	}
	l.of = nil
	p.mu.Lock()
	defer p.mu.Unlock()
	p.addLocked(l.by, -1)
}

func (p *Places) addLocked(by holder, places int) {
	p.taken += places
	p.held[by] += places
	if p.held[by] == 0 {
		delete(p.held, by)
	}
}

// reasonLocked returns why a caller gets no place, "" if they do.
func (p *Places) reasonLocked(by holder) string {
	free := p.limit - p.taken
	switch {
	case free <= 0:
		return shedFull
	case p.held[by] >= free:
		return shedShare
	}
	return ""
}

// refuse counts a refusal and returns its error.
func (p *Places) refuse(reason string) error {
	p.shed[reason].Inc()
	return &fault.Error{Kind: fault.Overloaded, RetryAfter: comeBackAfter()}
}

// comeBackAfter returns when a caller who was refused should try again: not all of them at once.
func comeBackAfter() time.Duration { return time.Duration(1+rand.IntN(3)) * time.Second }

// enter takes a place for the call in the name of its address; where that holds too many, in the name
// of the agent whose cookie it brings: neighbours behind one address keep no agent out.
func (c *call) enter(cookies []*http.Cookie) error {
	var err error
	c.place, err = c.door.settings.Places.take(holder{address: network(c.address())}, func() (holder, bool) {
		for _, cookie := range cookies[:min(len(cookies), maxCookies)] {
			if c.door.gateway.Knows(c.context(), cookie.Value) {
				return holder{session: cookie.Value}, true
			}
		}
		return holder{}, false
	})
	return err
}

// network returns what stands for an address: itself, or of IPv6 the /64, which a single caller has. One
// that is none, as that of a test's connection in memory, has the zero Prefix.
func network(address netip.Addr) netip.Prefix {
	bits := address.BitLen()
	if address.Is6() {
		bits = 64
	}
	prefix, _ := address.WithZone("").Prefix(bits) // it has that many
	return prefix
}
