package icws

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"portico/proxy/fault"
	"portico/proxy/upstream"
	"portico/translate/icwsapi"
)

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
	return c.nativeLogin(req, &nativeLogin{})
}

// NativeTokenLogin is NativeLogin with a token that a session was given, and that its host alone knows: where one refuses
// it, the next is tried, beginning with the one at first. If all do, it is the answer of the first of them that decides.
//
// Source: ICWS reference, /icws/{sessionId}/connection/unique-auth-token.
func (c *Client) NativeTokenLogin(req *http.Request, first string) (*http.Response, Conn, error) {
	return c.nativeLogin(req, &nativeLogin{token: true, first: first})
}

// A nativeLogin is one on its way from host to host. One goroutine uses it.
type nativeLogin struct {
	token bool   // of a session
	first string // the host to begin with; "" for where log-ins go

	last    upstream.Reply
	at      string // the host that gave it
	refused *nativeRefusal
}

// A nativeRefusal is what the first host said that refused a token.
type nativeRefusal struct {
	reply upstream.Reply
	at    string
	err   error
}

func (c *Client) nativeLogin(req *http.Request, login *nativeLogin) (*http.Response, Conn, error) {
	body, err := readLogin(req)
	if err != nil {
		return nil, Conn{}, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(req.Context()), nativeLoginTimeout)
	defer cancel()
	hosts := c.hosts.order()
	if login.first != "" {
		hosts = append([]string{login.first}, hosts...)
	}
	_, err = c.hostAmong(ctx, hosts, func(base string) ([]string, error) {
		reply, err := c.nativeLoginAt(ctx, req, body, base)
		if err != nil {
			return nil, err
		}
		return c.heard(login, reply, base)
	})
	if err != nil && login.refused != nil { // what others say who do not know the token is nothing to go by
		login.last, login.at, err = login.refused.reply, login.refused.at, login.refused.err
	}
	c.countNativeLogin(login.last.Status, err)
	if login.last.Status == 0 {
		return nil, Conn{}, fmt.Errorf("icws: pass a log-in through: %w", err)
	}
	conn := c.nativeConn(req, login)
	if req.Context().Err() != nil && conn.SessionID != "" {
		_ = c.Logout(upstream.WithCause(ctx, upstream.Session), conn) // else it ends there by itself
		return nil, Conn{}, fmt.Errorf("icws: pass a log-in through: %w", req.Context().Err())
	}
	res := response(req, login.last)
	_, err = c.readdress(res, login.at, true)
	return res, conn, err
}

// heard takes what a host said to a log-in, and returns why another is to be tried, and those that it named; nil if it
// opened a session.
func (c *Client) heard(login *nativeLogin, reply upstream.Reply, base string) ([]string, error) {
	login.last, login.at = reply, base
	if reply.Status/100 == 2 {
		return nil, nil
	}
	named, err := c.notLoggedIn(OpPassthrough, refusalOf(reply))
	if !login.token || !refusesToken(reply.Status) {
		return named, err
	}
	if login.refused == nil {
		login.refused = &nativeRefusal{reply, base, err}
	}
	return named, fmt.Errorf("%w: %w", errNextHost, err)
}

// refusesToken reports the status of a host that may not know a token.
func refusesToken(status int) bool {
	return status == http.StatusBadRequest || status == http.StatusUnauthorized
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
		return nil, fmt.Errorf("icws: read a log-in: %w", upstream.BrokenBody(req.Context(), err))
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
func (c *Client) nativeConn(req *http.Request, login *nativeLogin) Conn {
	if login.last.Status/100 != 2 {
		return Conn{}
	}
	var opened icwsapi.ConnectionResponse
	_ = json.Unmarshal(login.last.Body, &opened) // what it does not say, headers may
	if !login.token {                            // which says where its session is, and not where others are opened
		c.took(login.at, opened)
	}
	conn, err := newConn(login.at, Credentials{Language: strings.Join(req.Header.Values("Accept-Language"), ",")}, opened, login.last.Header())
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
		c.metrics.LoggedIn(err)
	}
}

// response makes an answer of a reply that was read.
func response(req *http.Request, reply upstream.Reply) *http.Response {
	return &http.Response{
		StatusCode: reply.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: reply.Header(), Request: req,
		Body: io.NopCloser(bytes.NewReader(reply.Body)), ContentLength: int64(len(reply.Body)),
	}
}
