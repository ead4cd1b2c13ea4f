package icws

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"portico/proxy/fault"
	"portico/translate/icwsapi"
)

// include names what a log-in's answer is to hold beside the session.
const include = "features,version,effective-station"

// Login opens a session at the first host that takes one. A host that cannot be reached, answers
// too late, has no ICWS or takes no sessions is passed over, for the hosts it names first, as far
// as they are ours to call, then for the others of the site. The next log-in begins at the host
// that took this one.
//
// It fails with fault.Unauthenticated when the credentials are refused, and then no other host has
// seen them; with fault.BadUpstream or fault.Forbidden when the host answers with another error;
// with fault.Timeout or fault.Unreachable when no host took the session; with fault.Overloaded when too
// many log-ins wait for their turn; and with context.Canceled when ctx was cancelled.
//
// Source: ICWS, Getting started: Connecting.
func (c *Client) Login(ctx context.Context, credentials Credentials) (Conn, error) {
	if credentials.Language == "" {
		credentials.Language = c.settings.Language
	}
	var conn Conn
	_, err := c.eachHost(ctx, func(base string) ([]string, error) {
		var alternates []string
		var err error
		conn, alternates, err = c.loginAt(ctx, base, credentials)
		return alternates, err
	})
	c.metrics.LoggedIn(err)
	if err != nil {
		return Conn{}, fmt.Errorf("icws: log in: %w", err)
	}
	return conn, nil
}

// loginAt makes one attempt. It returns the hosts that a host without sessions names.
func (c *Client) loginAt(ctx context.Context, base string, credentials Credentials) (Conn, []string, error) {
	req, err := request(ctx, http.MethodPost, base+"/icws/connection?include="+include, icwsapi.ICAuthConnectionRequestSettings{
		Type:                              icwsapi.TypeICAuth,
		ApplicationName:                   c.settings.Application,
		UserID:                            credentials.UserID,
		Password:                          credentials.Password,
		MarketPlaceApplicationLicenseName: c.settings.Marketplace.LicenseName,
		MarketPlaceApplicationCode:        c.settings.Marketplace.Code,
	})
	if err != nil {
		return Conn{}, nil, err
	}
	req.Header.Set("Accept-Language", credentials.Language)
	err = c.caller.Guard.Turn(ctx, OpLogin)
	if err != nil {
		return Conn{}, nil, err
	}
	reply, err := c.attempt(req, call{operation: OpLogin})
	if err != nil {
		return Conn{}, nil, err
	}
	if reply.Status/100 != 2 {
		refusal := refusalOf(reply)
		alternates, err := c.notLoggedIn(OpLogin, refusal)
		return Conn{}, alternates, err
	}
	var opened icwsapi.ConnectionResponse
	err = c.decode(OpLogin, reply, &opened)
	if err != nil {
		return Conn{}, nil, err
	}
	conn, err := newConn(base, credentials, opened, reply.Header())
	if err != nil {
		c.metrics.APIError(OpLogin, classGarbage)
		return Conn{}, nil, err
	}
	conn.Features, conn.Version = c.shared(conn.Features, conn.Version)
	c.took(base, opened)
	return conn, nil, nil
}

// took notes what a host said when it took a session.
func (c *Client) took(base string, opened icwsapi.ConnectionResponse) {
	moved := c.hosts.took(base, opened.AlternateHostList)
	if moved {
		c.releases.next()
	}
	if opened.Version != nil {
		c.releases.saw(base, *opened.Version)
		c.metrics.Info(c.hosts.name(base), display(*opened.Version))
	}
}

// notLoggedIn says what a host's refusal of a log-in means, which is counted under operation.
func (c *Client) notLoggedIn(operation string, refusal *Refusal) ([]string, error) {
	if refusal.credentials() {
		c.metrics.APIError(operation, classAuth)
		return nil, fmt.Errorf("%w: %w", fault.Unauthenticated, refusal)
	}
	c.metrics.APIError(operation, refusal.class())
	switch refusal.Status {
	case http.StatusServiceUnavailable:
		return refusal.Body.AlternateHostList, fmt.Errorf("%w: %w", errNextHost, refusal)
	case http.StatusNotFound, http.StatusBadGateway, http.StatusGatewayTimeout:
		return nil, fmt.Errorf("%w: %w", errNextHost, refusal)
	case http.StatusForbidden:
		return nil, fmt.Errorf("%w: %w", fault.Forbidden, refusal)
	case http.StatusGone:
		return nil, fmt.Errorf("%w: %w", fault.Gone, refusal)
	default:
		return nil, fmt.Errorf("%w: %w", fault.BadUpstream, refusal)
	}
}

// newConn makes a Conn of a log-in's answer. The session's id and token are in the body and in
// headers; of some servers' clients each reads only one of them, so either will do.
//
// Source: ICWS reference, POST /icws/connection; ICWS JavaScript library.
func newConn(base string, credentials Credentials, opened icwsapi.ConnectionResponse, h http.Header) (Conn, error) {
	conn := Conn{
		Base:        base,
		SessionID:   either(opened.SessionID, h.Get(icwsapi.HeaderSessionID)),
		CSRFToken:   either(opened.CSRFToken, h.Get(icwsapi.HeaderCSRFToken)),
		Cookie:      cookies(h),
		UserID:      either(opened.UserID, credentials.UserID),
		DisplayName: opened.UserDisplayName,
		Language:    credentials.Language,
		Features:    opened.Features,
		Version:     opened.Version,
		Station:     opened.EffectiveStation,
		Opened:      time.Now(),
	}
	if conn.SessionID == "" || conn.CSRFToken == "" {
		return Conn{}, fmt.Errorf("%w: log-in answered without session id or token", fault.BadUpstream)
	}
	return conn, nil
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// cookies returns the Cookie header that answers the Set-Cookie headers: each name=value as it
// came. Paths and other attributes are ignored, since a proxy before the site may not rewrite
// them; of two cookies with one name the later counts.
func cookies(h http.Header) string {
	var pairs []string
	at := make(map[string]int)
	for _, line := range h.Values("Set-Cookie") {
		pair, _, _ := strings.Cut(line, ";")
		pair = strings.TrimSpace(pair)
		name, _, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			continue
		}
		i, again := at[name]
		if again {
			pairs[i] = pair
			continue
		}
		at[name] = len(pairs)
		pairs = append(pairs, pair)
	}
	return strings.Clone(strings.Join(pairs, "; ")) // one alone would be part of the whole head
}
