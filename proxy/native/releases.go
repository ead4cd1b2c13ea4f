package native

import (
	"context"
	"sync"
	"time"

	"portico/cache"
	"portico/proxy/fault"
	"portico/proxy/icws"
	"portico/proxy/tracing"
	"portico/proxy/upstream"
)

// releaseFor is how long what a host says of its version and features is kept.
//
// Source: ICWS reference, features: values change only when the server is updated.
const releaseFor = 4 * time.Hour

// releases keeps what each host of a site says of its release, until the site may have another:
// see icws.Client.Generation. Any number of goroutines may call its methods.
type releases struct {
	site Site
	life context.Context
	end  context.CancelFunc

	mu         sync.Mutex
	generation uint64                // guarded by mu
	kept       map[releaseID]release // guarded by mu
}

type releaseID struct {
	base string
	held held
}

type release struct {
	cell  *cache.Cell[[]byte]
	until time.Time
}

func newReleases(site Site) *releases {
	r := &releases{site: site, kept: map[releaseID]release{}}
	r.life, r.end = context.WithCancel(context.Background())
	return r
}

// close ends fetches under way. Nothing is kept any more.
func (r *releases) close() { r.end() }

// get returns the body of the host's answer, fetched once for all who ask, and how it was had; nil if it cannot be,
// which the host may explain to the caller itself.
func (r *releases) get(ctx context.Context, base string, held held) ([]byte, cache.Result) {
	got, result, err := r.cell(releaseID{base, held}).Lookup(ctx)
	if err != nil {
		return nil, result
	}
	operation := icws.OpVersion
	if held == heldFeatures {
		operation = icws.OpFeatures
	}
	switch result {
	case cache.Hit:
		r.site.ICWS.Metrics().Avoided(operation, upstream.CacheHit)
	case cache.Coalesced:
		r.site.ICWS.Metrics().Avoided(operation, upstream.Coalesced)
	}
	return *got.Value, result
}

// cell returns the cell of one answer, a new one if the site's release may have changed since.
func (r *releases) cell(id releaseID) *cache.Cell[[]byte] {
	generation := r.site.ICWS.Generation()
	r.mu.Lock()
	defer r.mu.Unlock()
	if generation != r.generation {
		for _, old := range r.kept {
			old.cell.Drop()
		}
		clear(r.kept)
		r.generation = generation
	}
	one, known := r.kept[id]
	if known && time.Now().Before(one.until) {
		return one.cell
	}
	if known {
		one.cell.Drop()
	}
	one = release{until: time.Now().Add(releaseFor), cell: cache.NewCell(r.life, cache.CellOptions[[]byte]{
		Cache: cache.Version, Site: r.site.Name, Metrics: r.site.Cells, Follow: tracing.Follow,
		Fetch: func(ctx context.Context) (*[]byte, error) { return r.fetch(ctx, id) },
	})}
	r.kept[id] = one
	return one.cell
}

func (r *releases) fetch(ctx context.Context, id releaseID) (*[]byte, error) {
	ctx, span := r.site.Tracer.Fetch(ctx, cache.Version, r.site.Name)
	body, err := r.site.ICWS.Release(ctx, id.base, string(id.held))
	span.End(fault.Class(err))
	return &body, err
}
