package htcc

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"portico/proxy/fault"
)

// hosts knows where a site may be called. Any number of goroutines may call its methods.
type hosts struct {
	bases []string // never changes

	mu   sync.Mutex // guards good
	good string     // the base that last took a session, "" if none did
}

func newHosts(bases []string) (*hosts, error) {
	if len(bases) == 0 {
		return nil, errors.New("no base URL")
	}
	h := &hosts{}
	for _, base := range bases {
		parsed, err := url.Parse(base)
		if err != nil {
			return nil, fmt.Errorf("base URL: %w", err)
		}
		if parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "" || parsed.RawQuery != "" {
			return nil, fmt.Errorf("base URL %q is not http://host or https://host", base)
		}
		h.bases = append(h.bases, strings.TrimRight(base, "/"))
	}
	return h, nil
}

// Hosts returns how many hosts the site has.
func (c *Client) Hosts() int { return len(c.hosts.bases) }

// MayCall reports whether a base is that of one of the site's hosts.
func (c *Client) MayCall(base string) bool { return slices.Contains(c.hosts.bases, base) }

// names returns the host names of the bases.
func (h *hosts) names() []string {
	names := make([]string, len(h.bases))
	for i, base := range h.bases {
		names[i] = hostOf(base)
	}
	return names
}

// order returns the bases to try: the last good one first.
func (h *hosts) order() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.good == "" {
		return h.bases
	}
	others := slices.DeleteFunc(slices.Clone(h.bases), func(b string) bool { return b == h.good })
	return append([]string{h.good}, others...)
}

// took remembers that base took a session.
func (h *hosts) took(base string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.good = base
}

// eachHost calls try with the bases of the site until one succeeds, which it returns, or one
// answers. Only a host that gave no answer is passed over: what one host of a site refuses, the
// others refuse too.
//
// When no host is left it fails with fault.Timeout if all were late, else with fault.Unreachable.
func (c *Client) eachHost(ctx context.Context, try func(base string) error) (string, error) {
	var failures []error
	kind := fault.Timeout
	for _, base := range c.hosts.order() {
		err := try(base)
		if err == nil {
			return base, nil
		}
		if ctx.Err() != nil || !silent(err) {
			return "", err
		}
		if !errors.Is(err, fault.Timeout) {
			kind = fault.Unreachable
		}
		failures = append(failures, fmt.Errorf("%s: %w", hostOf(base), err))
	}
	return "", fmt.Errorf("%w: no host took the call: %w", kind, errors.Join(failures...))
}

// silent reports that a host gave no answer, in time or at all.
func silent(err error) bool {
	_, answered := errors.AsType[*Refusal](err)
	return !answered && (errors.Is(err, fault.Unreachable) || errors.Is(err, fault.Timeout))
}

// hostOf returns the host name in a base, in lower case.
func hostOf(base string) string {
	parsed, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return strings.ToLower(parsed.Hostname())
}
