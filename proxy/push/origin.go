package push

import (
	"net/http"
	"net/url"
	"path"
	"strings"
)

// mayOpen reports whether the page that r comes from may open a websocket: one of r's own host, or of
// one that Options.Origins lists. What comes without an origin is no browser.
func (o *Options) mayOpen(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	page, err := url.Parse(origin)
	if err == nil && strings.EqualFold(page.Host, r.Host) {
		return true
	}
	for _, pattern := range o.Origins {
		if pattern == "*" || err == nil && covers(pattern, page) {
			return true
		}
	}
	return false
}

// covers reports whether pattern is of page's host, or of its scheme and host.
func covers(pattern string, page *url.URL) bool {
	target := page.Host
	if strings.Contains(pattern, "://") {
		target = page.Scheme + "://" + page.Host
	}
	matched, err := path.Match(strings.ToLower(pattern), strings.ToLower(target))
	return err == nil && matched
}
