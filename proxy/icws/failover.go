package icws

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"portico/proxy/fault"
)

// maxHops is how many hosts one call may try.
const maxHops = 8

// errNextHost says that a host answered, but not for this: another one may.
var errNextHost = errors.New("this host does not take the call")

// eachHost calls try with the bases of the site until one succeeds, which it returns, one fails for
// good, or maxHops were tried. Hosts that try returns were named by the one that failed; those
// that are ours to call come next, each once, so lists that are empty, cyclic or name their own
// host do no harm.
//
// When no host is left it fails with fault.Timeout if all were late, else with fault.Unreachable.
func (c *Client) eachHost(ctx context.Context, try func(base string) ([]string, error)) (string, error) {
	return c.hostAmong(ctx, c.hosts.order(), try)
}

// hostAmong is eachHost for these hosts, in this order, and those that they name.
func (c *Client) hostAmong(ctx context.Context, untried []string, try func(base string) ([]string, error)) (string, error) {
	var tried []string
	var failures []error
	for len(untried) > 0 && len(tried) < maxHops {
		base := untried[0]
		untried = untried[1:]
		if slices.Contains(tried, base) {
			continue
		}
		tried = append(tried, base)
		named, err := try(base)
		if err == nil {
			return base, nil
		}
		if ctx.Err() != nil || !elsewhere(err) {
			return "", err
		}
		failures = append(failures, fmt.Errorf("%s: %w", c.hosts.name(base), err))
		untried = append(c.hosts.allowed(base, named), untried...)
	}
	late := func(err error) bool { return errors.Is(err, fault.Timeout) }
	kind := fault.Unreachable
	if !slices.ContainsFunc(failures, func(err error) bool { return !late(err) }) {
		kind = fault.Timeout
	}
	return "", fmt.Errorf("%w: no host took the call: %w", kind, errors.Join(failures...))
}

// elsewhere reports that a call failed in a way that another host may not.
func elsewhere(err error) bool {
	return errors.Is(err, errNextHost) || errors.Is(err, fault.Unreachable) || errors.Is(err, fault.Timeout)
}
