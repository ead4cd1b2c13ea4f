package icws

import (
	"context"
	"fmt"
	"net/http"

	"portico/translate/icwsapi"
)

// Activations asks for which of the workgroups that a user belongs to, which are in the answer, they take
// interactions. It fails with ErrSessionGone, fault.Forbidden, fault.NotFound when there is no such user,
// else as every call.
//
// Source: ICWS reference, /icws/{sessionId}/activations/users/{userId}.
func (c *Client) Activations(ctx context.Context, conn Conn, userID string) (map[string]bool, error) {
	var set icwsapi.UserActivationSet
	k := call{operation: OpGetActivations, method: http.MethodGet, path: "/activations/users/" + segment(userID), repeatable: true}
	err := c.do(ctx, conn, k, &set)
	if err != nil {
		return nil, fmt.Errorf("icws: get activations: %w", err)
	}
	return set.Activations, nil
}

// SetActivations changes the activations that are listed and leaves the others. It fails with
// ErrSessionGone, fault.Forbidden when conn may not change them, fault.Invalid, else as every call;
// after fault.Unreachable, fault.Timeout or fault.BadUpstream they may have changed or not.
//
// Source: ICWS reference, PUT /icws/{sessionId}/activations/users/{userId}: 200, not 202.
func (c *Client) SetActivations(ctx context.Context, conn Conn, userID string, activations map[string]bool) error {
	k := call{
		operation: OpSetActivations,
		method:    http.MethodPut,
		path:      "/activations/users/" + segment(userID),
		body:      icwsapi.UserActivations{Activations: activations},
	}
	err := c.do(ctx, conn, k, nil)
	if err != nil {
		return fmt.Errorf("icws: set activations: %w", err)
	}
	return nil
}
