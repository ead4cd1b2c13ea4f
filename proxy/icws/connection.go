package icws

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"portico/proxy/upstream"
	"portico/translate/icwsapi"
)

// ConnectionState asks whether a session is up. A session that has just ended may answer with
// icwsapi.ConnectionDown rather than fail.
//
// It fails with ErrSessionGone when the session is gone, else as every call: fault.Unreachable,
// fault.Timeout, fault.BadUpstream.
//
// Source: ICWS reference, /icws/{sessionId}/connection.
func (c *Client) ConnectionState(ctx context.Context, conn Conn) (icwsapi.ConnectionSettings, error) {
	var state icwsapi.ConnectionSettings
	err := c.do(ctx, conn, call{operation: OpConnection, method: http.MethodGet, path: "/connection", repeatable: true}, &state)
	if err != nil {
		return icwsapi.ConnectionSettings{}, fmt.Errorf("icws: get connection: %w", err)
	}
	return state, nil
}

// Logout ends a session at the site, which frees what it holds there. It fails with ErrSessionGone
// when there was none any more, which is as good, else as every call.
//
// Source: ICWS reference, DELETE /icws/{sessionId}/connection.
func (c *Client) Logout(ctx context.Context, conn Conn) error {
	err := c.do(ctx, conn, call{operation: OpLogout, method: http.MethodDelete, path: "/connection", repeatable: true}, nil)
	if err != nil {
		return fmt.Errorf("icws: log out: %w", err)
	}
	return nil
}

// letGoTimeout bounds the closing of a session that nobody waits for.
const letGoTimeout = 5 * time.Second

// LetGo closes a session for which nobody waits any more, also when ctx has ended. If the site does not answer the
// session ends there by itself.
func (c *Client) LetGo(ctx context.Context, conn Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), letGoTimeout)
	defer cancel()
	_ = c.Logout(upstream.WithCause(ctx, upstream.Session), conn)
}

// Heartbeat tells the site that a session is alive. Older servers do not know it: it then fails
// with fault.NotFound, fault.Gone or fault.BadUpstream, and is not to be tried again.
//
// Source: ICWS JavaScript library, messaging/heartbeat.
func (c *Client) Heartbeat(ctx context.Context, conn Conn) error {
	err := c.do(ctx, conn, call{operation: OpHeartbeat, method: http.MethodPost, path: "/messaging/heartbeat", repeatable: true}, nil)
	if err != nil {
		return fmt.Errorf("icws: heartbeat: %w", err)
	}
	return nil
}
