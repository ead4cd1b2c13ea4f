package proxy

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// plainPaths stands before the router and gives it the plain spelling of each path: without
// trailing and repeated slashes, which applications have and which a redirect would turn into a
// GET, and with sub-resources in the query.
func plainPaths(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, subresources := plainPath(r.URL.Path)
		if path == r.URL.Path {
			next.ServeHTTP(w, r)
			return
		}
		plain := r.WithContext(context.WithValue(r.Context(), asSent{}, r.URL))
		plain.URL = new(url.URL)
		*plain.URL = *r.URL
		plain.URL.Path, plain.URL.RawPath = path, ""
		if subresources != "" {
			plain.URL.RawQuery = "subresources=" + url.QueryEscape(subresources) + "&" + r.URL.RawQuery
		}
		next.ServeHTTP(w, plain)
	})
}

// asSent is the key of a request's URL as the caller spelled it, where that was not plain.
type asSent struct{}

// sentURL returns the URL as the caller spelled it.
func sentURL(r *http.Request) *url.URL {
	sent, changed := r.Context().Value(asSent{}).(*url.URL)
	if changed {
		return sent
	}
	return r.URL
}

// plainPath returns the plain spelling of a decoded path, and the sub-resources if its last
// segment lists them: /me/subresources=* is the vendor's own spelling of /me?subresources=*, and a
// router would take the * for a wildcard.
//
// Source: vendor reference, Channels API.
func plainPath(path string) (string, string) {
	if strings.Contains(path, "//") {
		path = singleSlashes(path)
	}
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	me, list, found := strings.Cut(path, "/subresources=")
	if !found || strings.Contains(list, "/") || me != "/me" && me != prefixV2+"/me" {
		return path, ""
	}
	return me, list
}

func singleSlashes(path string) string {
	var single strings.Builder
	for i := range len(path) {
		if path[i] != '/' || i == 0 || path[i-1] != '/' {
			single.WriteByte(path[i])
		}
	}
	return single.String()
}
