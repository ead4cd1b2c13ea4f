package icws

import (
	"context"
	"fmt"
	"net/http"

	"portico/translate/icwsapi"
)

// SubscribeUserStatuses asks for icwsapi.UserStatusMessage about these users, at least one, with all properties of a
// user status.
//
// Like every Subscribe it replaces what the session was subscribed to on that resource, and is answered by a message
// with isDelta false that holds all there is, then by deltas. Each fails with ErrSessionGone, fault.Forbidden,
// fault.NotFound when a user is not known, else as every call.
//
// Source: ICWS, Getting started: Messaging; ICWS reference, /icws/{sessionId}/messaging/subscriptions.
func (c *Client) SubscribeUserStatuses(ctx context.Context, conn Conn, userIDs []string) error {
	body := icwsapi.UserStatusSubscription{UserIDs: userIDs}
	return c.subscribe(ctx, conn, "/status/user-statuses", body)
}

// SubscribeStatusMessages asks for icwsapi.StatusMessagesMessage: the catalogue and its changes. It
// replaces, and fails, as SubscribeUserStatuses does.
func (c *Client) SubscribeStatusMessages(ctx context.Context, conn Conn) error {
	return c.subscribe(ctx, conn, "/status/status-messages", nil)
}

// SubscribeUserAccess asks for icwsapi.UserAccessMessage about these users. It replaces, and
// fails, as SubscribeUserStatuses does.
func (c *Client) SubscribeUserAccess(ctx context.Context, conn Conn, userIDs []string) error {
	body := icwsapi.UserAccessSubscription{UserIDs: userIDs}
	return c.subscribe(ctx, conn, "/status/status-messages-user-access", body)
}

// SubscribeActivations asks for icwsapi.UserActivationMessage about all workgroups of one user. The messages carry id, which names the subscription: a session
// may have one for each of several users. It replaces, and fails, as SubscribeUserStatuses
// does.
func (c *Client) SubscribeActivations(ctx context.Context, conn Conn, id, userID string) error {
	body := icwsapi.UserActivationSubscription{UserID: userID, WorkgroupIDs: []string{"*"}}
	return c.subscribe(ctx, conn, "/activations/users/"+segment(id), body)
}

func (c *Client) subscribe(ctx context.Context, conn Conn, path string, body any) error {
	k := call{
		operation: OpSubscribe,
		method:    http.MethodPut,
		path:      "/messaging/subscriptions" + path,
		body:      body,
	}
	err := c.do(ctx, conn, k, nil)
	if err != nil {
		return fmt.Errorf("icws: subscribe to %s: %w", path, err)
	}
	return nil
}
