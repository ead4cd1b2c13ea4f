package gateway

import (
	"net/http"
	"strings"
	"sync/atomic"
)

// panicking is a transport that panics while it is on, for the paths that end in path.
type panicking struct {
	path string
	on   atomic.Bool
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (p *panicking) RoundTrip(r *http.Request) (*http.Response, error) {
	if p.on.Load() && strings.HasSuffix(r.URL.Path, p.path) {
		panic("a bug of ours")
	}
	return p.next.RoundTrip(r)
}
