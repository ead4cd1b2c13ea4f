package proxy

import (
	"net/http"

	"github.com/rs/cors"
)

// preflightFor is how long a browser need not ask again whether it may, in seconds.
const preflightFor = 600

// newCORS returns what lets pages of the listed origins call, with the agent's cookie; nil if there are
// none. Such a page is trusted with all that the agent may do, so it may send any header.
func newCORS(listed []string) *cors.Cors {
	if len(listed) == 0 {
		return nil
	}
	return cors.New(cors.Options{
		AllowedOrigins:   listed,
		AllowCredentials: true,
		AllowedHeaders:   []string{"*"},
		AllowedMethods: []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
			http.MethodOptions},
		// Source: GWS, CSRFProtection (the first two); ICWS reference, CORS (the ICWS ones).
		ExposedHeaders: []string{"X-CSRF-HEADER", "X-CSRF-TOKEN", "X-Request-Id", "Retry-After", "ETag", "Age", "Warning", headerStateAge,
			"Location", "ININ-ICWS-CSRF-Token", "ININ-ICWS-Session-ID"},
		MaxAge: preflightFor,
	})
}

// allowOrigin has the answer, whatever it will be, tell the browser that the caller's page may read it.
// It returns h, or what answers a browser that asks beforehand: with neither cookie nor password, and
// for methods and paths that only the real request will show to be none.
func (c *call) allowOrigin(h handler) handler {
	if c.door.cors == nil {
		return h
	}
	if c.Request.Method == http.MethodOptions && c.Request.Header.Get("Access-Control-Request-Method") != "" {
		return preflight
	}
	c.door.cors.HandlerFunc(c.Writer, c.Request)
	return h
}

// preflight answers a browser that asks whether a page may send a request.
func preflight(c *call) (any, error) {
	c.door.cors.HandlerFunc(c.Writer, c.Request)
	return raw{status: http.StatusNoContent}, nil
}
