package icwssim

import "net/http"

// commonHeaders sets what every answer carries.
//
// Source: recorded answers of 2016 and 2019; that they come with more than the log-in is a guess.
func commonHeaders(h http.Header, r *http.Request) {
	h.Set("Server", "HttpPluginHost")
	h.Set("Cache-Control", "no-cache, no-store, must-revalidate")
	h.Set("Pragma", "no-cache")
	h.Set("Expires", "0")
	if r.TLS != nil {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	// Browsers refuse "*" for requests with cookies, so one that names its origin gets it back.
	origin := "*"
	if named := r.Header.Get("Origin"); named != "" {
		origin = named
		h.Add("Vary", "Origin")
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Set("Access-Control-Expose-Headers", "ININ-ICWS-CSRF-Token,ININ-ICWS-Session-ID,Location,Set-Cookie")
}

// preflight answers a browser that asks before its call. Guess: allow what was asked for.
func preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, OPTIONS")
	asked := r.Header.Get("Access-Control-Request-Headers")
	if asked == "" {
		asked = "Accept, Accept-Language, Content-Type, ININ-ICWS-CSRF-Token, X-ICWS-DevTools-CorrelationId"
	}
	h.Set("Access-Control-Allow-Headers", asked)
	h.Set("Access-Control-Max-Age", "600")
	empty(http.StatusOK).write(w)
}
