package icws

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"portico/proxy/fault"
	"portico/proxy/upstream"
	"portico/translate/icwsapi"
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

const (
	MaxNativeLogin     = 64 << 10 // bytes of a log-in's body
	nativeLoginTimeout = 30 * time.Second
)

// NativeLogin sends on a native application's POST /icws/connection, to the next host where one
// takes no sessions, as Login does. It returns the answer of the host that decided, and, if that
// opened a session, the session, else a zero Conn. The log-in is counted by how it ended.
//
// It goes on when the caller leaves: a session that was opened for nobody is closed again, since it
// may hold a licence. It fails with fault.TooLarge on an endless body, and as Login does when no host
// answered.
//
// Source: ICWS, Getting started: Connecting.
func (c *Client) NativeLogin(req *http.Request) (*http.Response, Conn, error) {
	body, err := readLogin(req)
	if err != nil {
		return nil, Conn{}, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(req.Context()), nativeLoginTimeout)
	defer cancel()
	var last upstream.Reply
	var at string
	_, err = c.eachHost(ctx, func(base string) ([]string, error) {
		reply, err := c.nativeLoginAt(ctx, req, body, base)
		if err != nil {
			return nil, err
		}
		last, at = reply, base
		if reply.Status/100 == 2 {
			return nil, nil
		}
		return c.notLoggedIn(OpPassthrough, refusalOf(reply))
	})
	c.countNativeLogin(last.Status, err)
	if last.Status == 0 {
		return nil, Conn{}, fmt.Errorf("icws: pass a log-in through: %w", err)
	}
	conn := c.nativeConn(req, last, at)
	if req.Context().Err() != nil && conn.SessionID != "" {
		_ = c.Logout(upstream.WithCause(ctx, upstream.Session), conn) // else it ends there by itself
		return nil, Conn{}, fmt.Errorf("icws: pass a log-in through: %w", req.Context().Err())
	}
	res := response(req, last)
	_, err = c.readdress(res, at, true)
	return res, conn, err
}

// RefusedLogin reports whether an answer of NativeLogin refuses the credentials.
func RefusedLogin(res *http.Response) bool {
	if res.StatusCode/100 != 4 {
		return false
	}
	body, err := io.ReadAll(res.Body) // of bytes at hand
	res.Body = io.NopCloser(bytes.NewReader(body))
	return err == nil && refusalOf(upstream.Reply{Status: res.StatusCode, Body: body}).credentials()
}

// MalformedLogin reports whether an answer of NativeLogin finds the log-in malformed, where RefusedLogin says
// that it does not refuse the credentials. A 403 may be for want of a licence.
func MalformedLogin(res *http.Response) bool {
	return res.StatusCode == http.StatusBadRequest || res.StatusCode == http.StatusUnauthorized
}

// readLogin reads the body of a log-in, which is sent to more than one host.
func readLogin(req *http.Request) ([]byte, error) {
	if req.Body == nil {
		return nil, nil
	}
	defer req.Body.Close()
	body, err := io.ReadAll(io.LimitReader(req.Body, MaxNativeLogin+1))
	if err != nil {
		return nil, fmt.Errorf("icws: read a log-in: %w: %w", fault.Invalid, err)
	}
	if len(body) > MaxNativeLogin {
		return nil, fault.New(fault.TooLarge, fmt.Sprintf("a log-in has at most %d bytes", MaxNativeLogin))
	}
	return body, nil
}

// nativeLoginAt makes one attempt. The answer must come plain, as it is read.
func (c *Client) nativeLoginAt(ctx context.Context, req *http.Request, body []byte, base string) (upstream.Reply, error) {
	out, err := forwarded(ctx, req, base)
	if err != nil {
		return upstream.Reply{}, err
	}
	out.Body, out.ContentLength, out.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
	out.Header.Set("Accept-Encoding", "identity")
	err = c.caller.Guard.Turn(ctx, OpPassthrough)
	if err != nil {
		return upstream.Reply{}, err
	}
	return c.attempt(out, call{operation: OpPassthrough})
}

// nativeConn returns the session that an answer opened, a zero Conn if it opened none that we can
// speak of.
func (c *Client) nativeConn(req *http.Request, reply upstream.Reply, base string) Conn {
	if reply.Status/100 != 2 {
		return Conn{}
	}
	var opened icwsapi.ConnectionResponse
	_ = json.Unmarshal(reply.Body, &opened) // what it does not say, headers may
	c.took(base, opened)
	conn, err := newConn(base, Credentials{Language: strings.Join(req.Header.Values("Accept-Language"), ",")}, opened, reply.Header())
	if err != nil {
		return Conn{}
	}
	return conn
}

// countNativeLogin counts how a log-in ended. A request that the site finds malformed is neither a
// refusal nor the site's fault.
func (c *Client) countNativeLogin(status int, err error) {
	malformed := status/100 == 4 && !errors.Is(err, fault.Unauthenticated) && !errors.Is(err, errNextHost)
	if !malformed {
		c.countLogin(err)
	}
}

// response makes an answer of a reply that was read.
func response(req *http.Request, reply upstream.Reply) *http.Response {
	return &http.Response{
		StatusCode: reply.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: reply.Header(), Request: req,
		Body: io.NopCloser(bytes.NewReader(reply.Body)), ContentLength: int64(len(reply.Body)),
	}
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
