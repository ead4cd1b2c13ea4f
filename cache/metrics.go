package cache

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// The names of the caches: a site's catalogue of status messages, an agent's access list, and what
// an upstream says of its version and features.
const (
	Catalogue = "catalogue"
	Access    = "access"
	Version   = "version"
)

// Metrics is what the room counts. One serves all its cells and forms; any number of goroutines
// may use it.
type Metrics struct {
	factory  promauto.Factory
	lookups  *prometheus.CounterVec
	sets     *prometheus.CounterVec
	removals *prometheus.CounterVec
	capacity *prometheus.GaugeVec
	fetches  *prometheus.CounterVec
	repeats  *prometheus.CounterVec

	mu    sync.Mutex // guards what follows
	cells map[cellLabels]*cellCounts
	forms map[string]*formCounts
}

type cellLabels struct{ cache, site string }

// NewMetrics registers the room's metrics with reg and makes every series of the given sites, at
// 0. A site that is met later gets its series then. With a nil reg nothing is registered.
func NewMetrics(reg prometheus.Registerer, sites ...string) *Metrics {
	factory := promauto.With(reg)
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return factory.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &Metrics{
		factory: factory,
		lookups: counter("portico_cache_requests_total",
			"Look-ups made for callers. cache: catalogue, access, version. result: hit, stale_hit, coalesced, miss, bypass, error.",
			"cache", "site", "result"),
		sets: counter("portico_cache_sets_total",
			"Encoded forms offered to the cache. cache: catalogue. outcome: added, dropped (its queue was full), rejected (not worth the room).",
			"cache", "outcome"),
		removals: counter("portico_cache_removals_total",
			"Encoded forms removed. cache: catalogue. cause: capacity, session_end, purge.",
			"cache", "cause"),
		capacity: factory.NewGaugeVec(prometheus.GaugeOpts{
			Name: "portico_cache_capacity_bytes",
			Help: "Bytes of encoded forms that may be kept (cache.max_bytes). cache: catalogue.",
		}, []string{"cache"}),
		fetches: counter("portico_catalogue_fetches_total",
			"Catalogue fetches that ended. cause: first_need, unproven, refresh. outcome: ok, error.",
			"site", "cause", "outcome"),
		repeats: counter("portico_catalogue_repeat_fetches_total",
			"Fetches that broke the promise of one catalogue fetch a session. Always 0.",
			"site"),
		cells: make(map[cellLabels]*cellCounts),
		forms: make(map[string]*formCounts),
	}
	for _, site := range sites {
		m.cell(Catalogue, site)
		m.cell(Access, site)
		m.cell(Version, site)
	}
	m.form(Catalogue)
	return m
}

// Bypassed counts a request that the cache could have answered, had it been allowed to, and that
// went upstream instead.
func (m *Metrics) Bypassed(cache, site string) {
	m.cell(cache, site).lookups[Bypass].Inc()
}

// Served counts a request that was answered with what a cell held, read without a look-up.
func (m *Metrics) Served(cache, site string) {
	m.cell(cache, site).lookups[Hit].Inc()
}

// cell returns what the cells of one cache and site count in.
func (m *Metrics) cell(cache, site string) *cellCounts {
	m.mu.Lock()
	defer m.mu.Unlock()
	labels := cellLabels{cache, site}
	counts, ok := m.cells[labels]
	if !ok {
		counts = m.newCellCounts(labels)
		m.cells[labels] = counts
	}
	return counts
}

// form returns what the forms of one cache count in.
func (m *Metrics) form(cache string) *formCounts {
	m.mu.Lock()
	defer m.mu.Unlock()
	counts, ok := m.forms[cache]
	if !ok {
		counts = m.newFormCounts(cache)
		m.forms[cache] = counts
	}
	return counts
}
