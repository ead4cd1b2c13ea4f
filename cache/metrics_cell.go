package cache

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// A Result is what a look-up came to, seen by the caller it was made for.
type Result int

// The results. Hit, StaleHit and Coalesced are upstream calls avoided.
const (
	Hit       Result = iota // the value was there
	StaleHit                // the value was there, unproven
	Coalesced               // the caller joined a fetch under way
	Miss                    // the caller's own fetch
	Bypass                  // the cache was not asked: see Metrics.Bypassed
	Failed                  // no value, for whatever reason, including a caller who left
)

var resultNames = [...]string{
	Hit: "hit", StaleHit: "stale_hit", Coalesced: "coalesced", Miss: "miss", Bypass: "bypass", Failed: "error",
}

// String returns the result as metrics and logs spell it.
func (r Result) String() string { return resultNames[r] }

// A cause says why a catalogue was fetched.
type cause int

const (
	firstNeed cause = iota // the session never had one
	unproven               // it had been unproven for too long
	refresh                // an operator purged it
)

var causeNames = [...]string{firstNeed: "first_need", unproven: "unproven", refresh: "refresh"}

// cellCounts is what the cells of one cache and site count in, looked up once. What is said of
// fetches and entries exists for the catalogue only; for other caches it goes nowhere.
type cellCounts struct {
	lookups [len(resultNames)]prometheus.Counter
	ok      [len(causeNames)]prometheus.Counter
	failed  [len(causeNames)]prometheus.Counter
	repeats prometheus.Counter
	entries *entries
}

func (m *Metrics) newCellCounts(labels cellLabels) *cellCounts {
	c := &cellCounts{entries: &entries{cells: map[holder]struct{}{}}}
	for result, name := range resultNames {
		c.lookups[result] = m.lookups.WithLabelValues(labels.cache, labels.site, name)
	}
	if labels.cache != Catalogue {
		c.countNoFetches()
		return c
	}
	for why, name := range causeNames {
		c.ok[why] = m.fetches.WithLabelValues(labels.site, name, "ok")
		c.failed[why] = m.fetches.WithLabelValues(labels.site, name, "error")
	}
	c.repeats = m.repeats.WithLabelValues(labels.site)
	m.drawEntries(c.entries, labels.site)
	return c
}

// countNoFetches gives the fields of the catalogue counters that no registry knows.
func (c *cellCounts) countNoFetches() {
	nowhere := prometheus.NewCounter(prometheus.CounterOpts{Name: "nowhere"})
	for why := range causeNames {
		c.ok[why], c.failed[why] = nowhere, nowhere
	}
	c.repeats = nowhere
}

// fetched counts a fetch that ended with err.
func (c *cellCounts) fetched(why cause, err error) {
	if err != nil {
		c.failed[why].Inc()
		return
	}
	c.ok[why].Inc()
}

// drawEntries registers the gauges of one site, which are worked out when somebody asks.
func (m *Metrics) drawEntries(e *entries, site string) {
	gauge := func(name, help string, labels prometheus.Labels, value func() float64) {
		m.factory.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, value)
	}
	const name, help = "portico_catalogue_entries", "Catalogues held, one for each cell. state: proven, unproven."
	gauge(name, help, prometheus.Labels{"site": site, "state": "proven"}, func() float64 {
		proven, _, _ := e.count()
		return float64(proven)
	})
	gauge(name, help, prometheus.Labels{"site": site, "state": "unproven"}, func() float64 {
		_, stale, _ := e.count()
		return float64(stale)
	})
	gauge("portico_catalogue_unproven_since_timestamp_seconds",
		"Since when the catalogue longest unproven is so, in Unix time; 0 = all are proven.",
		prometheus.Labels{"site": site}, func() float64 {
			_, _, oldest := e.count()
			return unixSeconds(oldest)
		})
}

// entries is the list of cells of one site that hold something. Counting it anew at each scrape
// costs microseconds and cannot drift, as a running count might.
type entries struct {
	mu    sync.Mutex // guards cells
	cells map[holder]struct{}
}

// A holder is a cell, of whatever it holds.
type holder interface{ unprovenSince() time.Time }

func (e *entries) add(cell holder) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.cells[cell] = struct{}{}
}

func (e *entries) remove(cell holder) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.cells, cell)
}

// count returns how many entries are proven and unproven, and since when the oldest of the latter
// is; that is the zero time if there is none.
func (e *entries) count() (int, int, time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	stale, oldest := 0, time.Time{}
	for cell := range e.cells {
		since := cell.unprovenSince()
		if since.IsZero() {
			continue
		}
		stale++
		if oldest.IsZero() || since.Before(oldest) {
			oldest = since
		}
	}
	return len(e.cells) - stale, stale, oldest
}

// unixSeconds returns t as metrics carry it; 0 for the zero time.
func unixSeconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}
