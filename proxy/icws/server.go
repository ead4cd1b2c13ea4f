package icws

import (
	"context"
	"fmt"
	"net/http"

	"portico/proxy/fault"
	"portico/proxy/upstream"
	"portico/translate/icwsapi"
)

// version asks which release the site runs, and returns the base of the host that answered too. It needs no session
// and fails as Probe does.
//
// Source: ICWS reference, /icws/connection/version.
func (c *Client) version(ctx context.Context) (icwsapi.Version, string, error) {
	var version icwsapi.Version
	base, err := c.sessionless(ctx, call{operation: OpVersion, path: "/version"}, &version)
	if err != nil {
		return icwsapi.Version{}, "", fmt.Errorf("icws: get version: %w", err)
	}
	return version, base, nil
}

// ServerInfo asks in which languages one may log in. It needs no session and fails as Probe
// does.
//
// Source: ICWS reference, /icws/connection/server-info.
func (c *Client) ServerInfo(ctx context.Context) (icwsapi.ServerInfo, error) {
	var info icwsapi.ServerInfo
	_, err := c.sessionless(ctx, call{operation: OpServerInfo, path: "/server-info"}, &info)
	if err != nil {
		return icwsapi.ServerInfo{}, fmt.Errorf("icws: get server info: %w", err)
	}
	return info, nil
}

// Probe asks whether a host of the site answers, and sets the site's metrics by it. It fails
// with fault.Unreachable or fault.Timeout when no host of the site answers, else with fault.BadUpstream, fault.Invalid
// or fault.Gone.
func (c *Client) Probe(ctx context.Context) error {
	version, base, err := c.version(upstream.WithCause(ctx, upstream.Probe))
	c.metrics.Up(err == nil)
	if err != nil {
		c.releases.lost()
		return err
	}
	c.releases.saw(base, version)
	c.metrics.Info(c.hosts.name(base), display(version))
	return nil
}

// sessionless makes a call that needs no session at the first host that answers, whose base it
// returns.
func (c *Client) sessionless(ctx context.Context, k call, into any) (string, error) {
	return c.eachHost(ctx, func(base string) ([]string, error) {
		req, err := request(ctx, http.MethodGet, base+"/icws/connection"+k.path, nil)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Accept-Language", c.settings.Language) // server-info requires it
		reply, err := c.attempt(req, k)
		if err != nil {
			return nil, err
		}
		if reply.Status/100 == 2 {
			return nil, c.decode(k.operation, reply, into)
		}
		refusal := refusalOf(reply)
		c.metrics.APIError(k.operation, refusal.class())
		switch refusal.Status {
		case http.StatusNotFound, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return refusal.Body.AlternateHostList, fmt.Errorf("%w: %w", errNextHost, refusal)
		case http.StatusUnauthorized: // there is no session that could be gone
			return nil, fmt.Errorf("%w: %w", fault.BadUpstream, refusal)
		}
		return nil, fmt.Errorf("%w: %w", refusal.kind(), refusal)
	})
}

// display returns a version as its vendor writes it, else its numbers.
func display(v icwsapi.Version) string {
	if v.ProductPatchDisplayString != "" {
		return v.ProductPatchDisplayString
	}
	return v.MajorVersion + "." + v.MinorVersion + "." + v.SU
}
