package icwssim

import (
	"net/http"

	"portico/proxy/upstream/memhttp"
)

// Transport returns a RoundTripper that calls the server without a network, for tests under
// testing/synctest, where sockets would stop the clock.
func (s *Server) Transport() http.RoundTripper { return memhttp.Network{"": s} }
