package icws

import (
	"sync"

	"portico/translate/icwsapi"
)

// releases knows when a site may run another release than before. Any number of goroutines may call
// its methods; the zero value is ready.
type releases struct {
	mu         sync.Mutex
	generation uint64
	away       bool                       // no host answered the last probe
	versions   map[string]icwsapi.Version // by base, as last seen
}

// Generation returns a number that changes when what the site says of its version and features may
// have changed: after nobody answered for a while, when another host takes the sessions, and when a
// host shows another version.
//
// Source: ICWS reference, features: they change only when the server is updated.
func (c *Client) Generation() uint64 {
	c.releases.mu.Lock()
	defer c.releases.mu.Unlock()
	return c.releases.generation
}

func (r *releases) next() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.generation++
}

// lost notes that no host answers.
func (r *releases) lost() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.away = true
}

// saw notes the version that a host shows.
func (r *releases) saw(base string, version icwsapi.Version) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before, known := r.versions[base]
	if r.away || known && before != version {
		r.generation++
	}
	r.away = false
	if r.versions == nil {
		r.versions = map[string]icwsapi.Version{}
	}
	r.versions[base] = version
}
