package upstream

import (
	"cmp"
	"slices"
	"sync"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/prometheus/client_golang/prometheus"
)

// circuitStates are the values of the state label.
var circuitStates = map[circuitbreaker.State]string{
	circuitbreaker.ClosedState:   "closed",
	circuitbreaker.HalfOpenState: "half_open",
	circuitbreaker.OpenState:     "open",
}

// breakerState is the state set of the breakers under one host label, which are several where hosts
// differ in their ports only, or are folded to other. A state is 1 while any of them is in it.
type breakerState struct {
	mu     sync.Mutex
	in     map[circuitbreaker.State]int // guarded by mu
	gauges map[circuitbreaker.State]prometheus.Gauge
}

func newBreakerState(vec *prometheus.GaugeVec, site, host string) *breakerState {
	s := &breakerState{in: map[circuitbreaker.State]int{}, gauges: map[circuitbreaker.State]prometheus.Gauge{}}
	for state, label := range circuitStates {
		s.gauges[state] = vec.WithLabelValues(site, host, label)
	}
	return s
}

// enter counts a new breaker.
func (s *breakerState) enter(state circuitbreaker.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(state, 1)
}

// change moves a breaker from one state to another.
func (s *breakerState) change(from, to circuitbreaker.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(from, -1)
	s.add(to, 1)
}

func (s *breakerState) add(state circuitbreaker.State, n int) {
	s.in[state] += n
	s.gauges[state].Set(float64(min(s.in[state], 1)))
}

// A BreakerView is what operators see of a host's breaker.
type BreakerView struct {
	Host  string `json:"host"` // and port; other for those that share one
	State string `json:"state"`
}

// Breakers returns the breakers of the hosts that were called, by host.
func (g *Guard) Breakers() []BreakerView {
	views := []BreakerView{}
	if g == nil || g.breakers == nil {
		return views
	}
	g.breakers.mu.RLock()
	defer g.breakers.mu.RUnlock()
	for host, b := range g.breakers.all {
		views = append(views, BreakerView{host, circuitStates[b.circuit.State()]})
	}
	slices.SortFunc(views, func(a, b BreakerView) int { return cmp.Compare(a.Host, b.Host) })
	return views
}
