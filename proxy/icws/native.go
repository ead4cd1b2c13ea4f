package icws

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"

	"portico/proxy/fault"
)

// What native applications send to /icws passes through here: path, query, method, headers and body
// go to a host of the site as they are. Answers come back with the host's own address replaced by
// ours, and otherwise as they are.

// FirstHost returns the base of the host that sessions are opened at first.
func (c *Client) FirstHost() string { return c.hosts.order()[0] }

// Hosts returns the bases of the hosts that are known, FirstHost first: those of the settings, and those
// that the site has named.
func (c *Client) Hosts() []string { return c.hosts.order() }

// MayCall reports whether a base is of one of the site's hosts: one of the settings, or one that the site may
// name, whether or not it has done so here.
func (c *Client) MayCall(base string) bool { return c.hosts.mayCall(base) }

// Native sends a request of a native application to one host. The body of the answer streams. It
// fails with fault.Unreachable or fault.Timeout when no answer came, with fault.BadUpstream when
// its headers are endless.
func (c *Client) Native(req *http.Request, base string) (*http.Response, error) {
	res, _, err := c.native(req, base)
	return res, err
}

// native also returns the other hosts that an error answer named.
func (c *Client) native(req *http.Request, base string) (*http.Response, []string, error) {
	out, err := forwarded(req.Context(), req, base)
	if err != nil {
		return nil, nil, err
	}
	res, err := c.caller.ThroughEvents(OpPassthrough, c.settings.PassthroughTimeout, 3*c.settings.Ping).RoundTrip(out)
	if err != nil {
		return nil, nil, fmt.Errorf("icws: pass through: %w", err)
	}
	named, err := c.readdress(res, base, res.StatusCode >= 400)
	if err != nil {
		_ = res.Body.Close()
		return nil, nil, fmt.Errorf("icws: pass through: %w", err)
	}
	return res, named, nil
}

// forwarded returns the request as a host gets it.
func forwarded(ctx context.Context, req *http.Request, base string) (*http.Request, error) {
	at, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("%w: base of a host: %w", fault.Internal, err)
	}
	proxied := httputil.ProxyRequest{In: req, Out: req.Clone(ctx)}
	proxied.SetURL(at)
	proxied.Out.Trailer = req.Trailer // the one that is filled when the body has been read
	return proxied.Out, nil
}

// NativeAnywhere is Native for a request of no session: where a host does not answer, or takes no
// calls, the next one does, unless the request has a body, which would be spent.
func (c *Client) NativeAnywhere(req *http.Request) (*http.Response, error) {
	if req.Body != nil && req.Body != http.NoBody {
		return c.Native(req, c.FirstHost())
	}
	var res *http.Response
	_, err := c.eachHost(req.Context(), func(base string) ([]string, error) {
		if res != nil {
			_ = res.Body.Close() // of a host that takes no calls
		}
		var named []string
		var err error
		res, named, err = c.native(req, base)
		if err == nil && away(res.StatusCode) {
			err = errNextHost
		}
		return named, err
	})
	if res == nil {
		return nil, err
	}
	return res, nil
}

// away reports the status of a host that takes no calls, or of something before it that does not
// reach it.
func away(status int) bool {
	return status == http.StatusServiceUnavailable || status == http.StatusBadGateway || status == http.StatusGatewayTimeout
}

// Release asks a host for one of the resources that tell its release, "version" or "features", and
// returns the representation as it is.
//
// Source: ICWS reference, /icws/connection/version and features.
func (c *Client) Release(ctx context.Context, base, resource string) ([]byte, error) {
	operation := map[string]string{"version": OpVersion, "features": OpFeatures}[resource]
	req, err := request(ctx, http.MethodGet, base+"/icws/connection/"+resource, nil)
	if err != nil {
		return nil, err
	}
	reply, err := c.attempt(req, call{operation: operation})
	if err != nil {
		return nil, fmt.Errorf("icws: get %s: %w", resource, err)
	}
	if reply.Status != http.StatusOK {
		refusal := refusalOf(reply)
		c.metrics.APIError(operation, refusal.class())
		return nil, fmt.Errorf("icws: get %s: %w: %w", resource, fault.BadUpstream, refusal)
	}
	err = c.decode(operation, reply, new(json.RawMessage))
	if err != nil {
		return nil, fmt.Errorf("icws: get %s: %w", resource, err)
	}
	return reply.Body, nil
}
