package icws

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// maxLearned is how many hosts beside the configured ones are remembered.
const maxLearned = 16

// hostName is a bare host name or IPv4 address, with nothing that could change a URL's meaning.
var hostName = regexp.MustCompile(`^[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?$`)

// hosts knows where a site may be called: the configured bases, and those the site names that the
// patterns allow. Any number of goroutines may call its methods.
type hosts struct {
	bases    []string
	template string
	patterns []*regexp.Regexp

	mu      sync.Mutex // guards the fields below
	good    string     // the base that last took a session, "" if none did
	learned []string   // allowed bases that the site named, newest first
}

func newHosts(bases []string, template string, alternates []string) (*hosts, error) {
	if len(bases) == 0 {
		return nil, errors.New("no base URL")
	}
	if template != "" && strings.Count(template, "{host}") != 1 {
		return nil, fmt.Errorf("template %q needs one {host}", template)
	}
	h := &hosts{template: strings.TrimRight(template, "/")}
	for _, base := range bases {
		parsed, err := url.Parse(base)
		if err != nil {
			return nil, fmt.Errorf("base URL: %w", err)
		}
		if parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "" {
			return nil, fmt.Errorf("base URL %q is not http://host or https://host", base)
		}
		h.bases = append(h.bases, strings.TrimRight(base, "/"))
	}
	for _, pattern := range alternates {
		quoted := regexp.QuoteMeta(strings.ToLower(pattern))
		wild := strings.ReplaceAll(quoted, `\*`, `[a-z0-9_-]*`)
		h.patterns = append(h.patterns, regexp.MustCompile("^"+wild+"$"))
	}
	return h, nil
}

// names returns the host names of the configured bases.
func (h *hosts) names() []string {
	names := make([]string, len(h.bases))
	for i, base := range h.bases {
		names[i] = h.name(base)
	}
	return names
}

// name returns the host name in a base: where the template has it, else the URL's.
func (h *hosts) name(base string) string {
	before, after, ok := strings.Cut(h.template, "{host}")
	if ok {
		name, fits := strings.CutPrefix(base, before)
		name, fitsToo := strings.CutSuffix(name, after)
		if fits && fitsToo {
			return strings.ToLower(name)
		}
	}
	parsed, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return strings.ToLower(parsed.Hostname())
}

// in returns the host that a URL leads to, with its port: the name in the place of the template where
// that is in the path, else the URL's own.
func (h *hosts) in(u *url.URL) string {
	before, after, ok := strings.Cut(h.template, "{host}")
	if !ok {
		return strings.ToLower(u.Host)
	}
	rest, fits := strings.CutPrefix(u.String(), before)
	if !fits {
		return strings.ToLower(u.Host)
	}
	if after != "" {
		rest, _, _ = strings.Cut(rest, after)
	}
	name, _, _ := strings.Cut(rest, "/")
	return strings.ToLower(name)
}

// order returns the bases to try: the last good one, the configured, the learned.
func (h *hosts) order() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var order []string
	for _, base := range slices.Concat([]string{h.good}, h.bases, h.learned) {
		if base != "" && !slices.Contains(order, base) {
			order = append(order, base)
		}
	}
	return order
}

// allowed returns the bases that a list of host names leads to, in order, without those that are
// not ours to call. From is the base of the host that named them: theirs has the same scheme, port
// and path.
func (h *hosts) allowed(from string, list []string) []string {
	var bases []string
	for _, host := range list {
		for _, base := range h.lookup(from, strings.ToLower(host)) {
			if !slices.Contains(bases, base) {
				bases = append(bases, base)
			}
		}
	}
	return bases
}

// mayCall reports whether a base is configured, or one that a configured host could name.
func (h *hosts) mayCall(base string) bool {
	if slices.Contains(h.bases, base) {
		return true
	}
	named := []string{h.name(base)}
	return slices.ContainsFunc(h.bases, func(from string) bool { return slices.Contains(h.allowed(from, named), base) })
}

// lookup returns the bases of one host name: those configured under it, else one made from it if
// a pattern allows the name.
func (h *hosts) lookup(from, host string) []string {
	if !hostName.MatchString(host) {
		return nil
	}
	var configured []string
	for _, base := range h.bases {
		if h.name(base) == host {
			configured = append(configured, base)
		}
	}
	if configured != nil {
		return configured
	}
	allowed := slices.ContainsFunc(h.patterns, func(p *regexp.Regexp) bool { return p.MatchString(host) })
	if !allowed {
		return nil
	}
	if h.template != "" {
		return []string{strings.Replace(h.template, "{host}", host, 1)}
	}
	base, err := url.Parse(from)
	if err != nil {
		return nil
	}
	port := base.Port()
	base.Host = host
	if port != "" {
		base.Host += ":" + port
	}
	return []string{base.String()}
}

// took remembers that base took a session, and the other hosts that it named. It reports whether
// it was another that took the one before.
func (h *hosts) took(base string, list []string) bool {
	named := h.allowed(base, list)
	h.mu.Lock()
	defer h.mu.Unlock()
	moved := h.good != "" && h.good != base
	h.good = base
	for _, learned := range h.learned {
		if !slices.Contains(named, learned) {
			named = append(named, learned)
		}
	}
	named = slices.DeleteFunc(named, func(b string) bool { return slices.Contains(h.bases, b) })
	h.learned = named[:min(len(named), maxLearned)]
	return moved
}
