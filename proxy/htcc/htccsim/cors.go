package htccsim

import (
	"net/http"

	"portico/translate/htccapi"
)

// crossOrigin lets a page of any origin call, with its cookies, and read the token; those of the
// server's own do without. On a real server the origins are a setting, none by default.
//
// Source: GWS deployment guide, Web Services configuration options; GWS 8.5.2, CSRFProtection.
func crossOrigin(h http.Header, r *http.Request) {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return
	}
	h.Add("Vary", "Origin")
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Set("Access-Control-Expose-Headers", htccapi.HeaderCSRFName+","+htccapi.HeaderCSRFToken)
}

// isPreflight says whether a browser asks before the call of a page. It does so without cookies or
// credentials.
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// preflight answers it, whatever the path. Guess: allow what was asked for; the list that stands in
// for it is the one of a real server's settings, and the token.
func preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, OPTIONS")
	asked := r.Header.Get("Access-Control-Request-Headers")
	if asked == "" {
		asked = "X-Requested-With, Content-Type, Accept, Origin, Cookie, authorization, ssid, surl, ContactCenterId, " + htccapi.HeaderCSRFToken
	}
	h.Set("Access-Control-Allow-Headers", asked)
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusOK)
}
