package cache

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// A setting is what became of a form offered to ristretto. There is no "updated": a form is only
// offered when its key is not there.
type setting int

const (
	added    setting = iota
	dropped          // ristretto's queue was full
	rejected         // not worth the room, or too large for the whole cache
)

var settingNames = [...]string{added: "added", dropped: "dropped", rejected: "rejected"}

// A removal is why a form went.
type removal int

const (
	capacity   removal = iota // its room was needed
	sessionEnd                // Delete
	purge                     // Purge or Close
)

var removalNames = [...]string{capacity: "capacity", sessionEnd: "session_end", purge: "purge"}

// formCounts is what the forms of one cache count in.
//
// ristretto's own numbers are not used: its KeysEvicted and CostEvicted rise on deletes too, its
// CostAdded goes down, and its Misses count those who wait for one encoding.
type formCounts struct {
	sets     [len(settingNames)]prometheus.Counter
	removals [len(removalNames)]prometheus.Counter
	capacity prometheus.Gauge
	watched  atomic.Pointer[Forms] // whose size is shown; nil until there is one
}

func (m *Metrics) newFormCounts(cache string) *formCounts {
	c := &formCounts{capacity: m.capacity.WithLabelValues(cache)}
	for outcome, name := range settingNames {
		c.sets[outcome] = m.sets.WithLabelValues(cache, name)
	}
	for why, name := range removalNames {
		c.removals[why] = m.removals.WithLabelValues(cache, name)
	}
	m.factory.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "portico_cache_size_bytes",
		Help:        "Bytes of encoded forms kept. cache: catalogue.",
		ConstLabels: prometheus.Labels{"cache": cache},
	}, c.size)
	return c
}

// watch makes f the one whose size is shown.
func (c *formCounts) watch(f *Forms) { c.watched.Store(f) }

func (c *formCounts) size() float64 {
	watched := c.watched.Load()
	if watched == nil {
		return 0
	}
	return float64(watched.Size())
}

// remove counts that a form went, once, whoever else removes it at the same moment.
func (c *formCounts) remove(gone *form, why removal) {
	if gone.removed.CompareAndSwap(false, true) {
		c.removals[why].Inc()
	}
}
