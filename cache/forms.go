package cache

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/ristretto/v2"
	"golang.org/x/sync/singleflight"
)

// FormsOptions says how much is kept.
type FormsOptions struct {
	Cache    string   // what the numbers are counted under, such as Catalogue
	MaxBytes int64    // the sum of the lengths of all forms kept; must be more than 0
	Metrics  *Metrics // nil = counted nowhere
}

// Forms keeps encoded forms of values: their JSON, gzip, one for each dialect and access list. It
// keeps those that are asked for most, up to MaxBytes. One that is missing is encoded again.
//
// MaxBytes counts the forms themselves. Keys and bookkeeping, some 200 bytes a form, come on top:
// ristretto would count only its own part of them (IgnoreInternalCost), and an operator who sets
// 64 MiB means forms.
//
// Any number of goroutines may call its methods.
type Forms struct {
	flights singleflight.Group
	counts  *formCounts

	// ristretto panics when it is closed or cleared beside anything else: those two take the lock
	// for writing, all others for reading.
	mu      sync.RWMutex
	kept    *ristretto.Cache[string, *form]
	closed  bool
	leaving removal // why ristretto evicts: for want of room, or because it is cleared
}

// A form is kept by its pointer, so that its fate can be told apart from an equal one's.
type form struct {
	data     []byte
	removed  atomic.Bool // its removal is counted
	rejected bool        // written by ristretto's goroutine before Wait returns
}

// NewForms returns an empty cache. The caller closes it. It fails unless MaxBytes is above zero.
func NewForms(opts FormsOptions) (*Forms, error) {
	if opts.Metrics == nil {
		opts.Metrics = NewMetrics(nil)
	}
	f := &Forms{counts: opts.Metrics.form(opts.Cache), leaving: capacity}
	kept, err := ristretto.NewCache(&ristretto.Config[string, *form]{
		NumCounters:        counters(opts.MaxBytes),
		MaxCost:            opts.MaxBytes,
		BufferItems:        64,
		IgnoreInternalCost: true,
		OnEvict:            f.evicted,
		OnReject:           func(item *ristretto.Item[*form]) { item.Value.rejected = true },
	})
	if err != nil {
		return nil, fmt.Errorf("cache: make room for %d bytes of forms: %w", opts.MaxBytes, err)
	}
	f.kept = kept
	f.counts.capacity.Set(float64(opts.MaxBytes))
	f.counts.watch(f)
	return f, nil
}

// counters returns how many keys ristretto remembers the frequency of: ten for each form that fits,
// as it advises, if a form has 4 KiB. They cost about 3 bytes each.
func counters(maxBytes int64) int64 {
	const least, most = 10_000, 10_000_000
	return min(max(maxBytes/4096*10, least), most)
}

// Get returns the form kept under key, which callers share and must not change. If there is none
// it calls encode, once for all who ask for key together, and keeps what it returns if it is worth
// the room; one larger than MaxBytes is served but not kept. An error of encode, or a panic, goes
// to all of them and is not kept.
//
// A hit allocates nothing, so a key is better built once than at each request. It has to name
// everything the form depends on, including the digest of the value.
func (f *Forms) Get(key string, encode func() ([]byte, error)) ([]byte, error) {
	found, ok := f.find(key)
	if ok {
		return found.data, nil
	}
	data, err, _ := f.flights.Do(key, func() (any, error) {
		found, ok := f.find(key) // kept since we looked
		if ok {
			return found.data, nil
		}
		data, err := recovered(encode)
		if err != nil {
			return nil, err
		}
		f.keep(key, data)
		return data, nil
	})
	if err != nil {
		return nil, fmt.Errorf("cache: encode a form: %w", err)
	}
	return data.([]byte), nil
}

// Delete removes forms at a session's end, by name, since ristretto cannot list what it holds. One
// that is being encoded meanwhile may stay until its room is needed.
func (f *Forms) Delete(keys ...string) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.closed {
		return
	}
	for _, key := range keys {
		found, ok := f.kept.Get(key)
		if ok {
			f.counts.remove(found, sessionEnd)
		}
		f.kept.Del(key)
	}
}

// SetMaxBytes changes how much is kept. If that is less, all goes: ristretto would keep what is too much
// for as long as nothing is asked for more often, and a miss costs only work.
func (f *Forms) SetMaxBytes(bytes int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return
	}
	if bytes < f.kept.MaxCost() {
		f.kept.Clear()
	}
	f.kept.UpdateMaxCost(bytes)
	f.counts.capacity.Set(float64(bytes))
}

// Purge removes all forms on an operator's word.
func (f *Forms) Purge() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return
	}
	f.leaving = purge
	f.kept.Clear()
	f.leaving = capacity
}

// Close frees everything. Get goes on working afterwards, but keeps nothing.
func (f *Forms) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return
	}
	f.closed = true
	f.leaving = purge
	f.kept.Close()
}

// Size returns the bytes kept.
func (f *Forms) Size() int64 {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.closed {
		return 0
	}
	return f.kept.MaxCost() - f.kept.RemainingCost()
}

func (f *Forms) find(key string) (*form, bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.closed {
		return nil, false
	}
	return f.kept.Get(key)
}

// keep offers data to ristretto and waits until it has decided. Without that the next look might
// miss what was just set, encode it again, and be told that a set of a known key is "rejected".
func (f *Forms) keep(key string, data []byte) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.closed {
		return
	}
	offered := &form{data: data}
	taken := f.kept.Set(key, offered, int64(len(data)))
	f.kept.Wait()
	switch {
	case !taken:
		f.counts.sets[dropped].Inc()
	case offered.rejected:
		f.counts.sets[rejected].Inc()
	default:
		f.counts.sets[added].Inc()
	}
}

// evicted is called by ristretto. Its item is empty when the form was deleted a moment before.
func (f *Forms) evicted(item *ristretto.Item[*form]) {
	if item.Value != nil {
		f.counts.remove(item.Value, f.leaving)
	}
}
