package icws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"portico/proxy/fault"
	"portico/translate/icwsapi"
)

// UserStatus asks which status a user has.
//
// It fails with ErrSessionGone, fault.Forbidden when conn may not see the user, fault.NotFound when
// there is no such user, else with fault.Invalid, fault.Gone, fault.Unreachable, fault.Timeout or
// fault.BadUpstream.
//
// Source: ICWS reference, /icws/{sessionId}/status/user-statuses/{userId}.
func (c *Client) UserStatus(ctx context.Context, conn Conn, userID string) (icwsapi.UserStatus, error) {
	var status icwsapi.UserStatus
	k := call{operation: OpGetUserStatus, method: http.MethodGet, path: "/status/user-statuses/" + segment(userID), repeatable: true}
	err := c.do(ctx, conn, k, &status)
	if err == nil && status.StatusID == "" {
		err = c.garbage(k.operation, errors.New("no statusId"))
	}
	if err != nil {
		return icwsapi.UserStatus{}, fmt.Errorf("icws: get status: %w", err)
	}
	return status, nil
}

// SetUserStatus asks ICWS to give userID another status. It returns once the request is accepted,
// with the id that the completion message will carry; the new status comes later. The completion
// may be received before SetUserStatus returns.
//
// It fails with ErrSessionGone, fault.Missing or fault.Invalid when ICWS refuses the update,
// fault.Forbidden when conn may not set it, else with fault.NotFound, fault.Gone,
// fault.Unreachable, fault.Timeout or fault.BadUpstream. After the last three the status may have
// changed or not.
//
// Source: ICWS reference, PUT /icws/{sessionId}/status/user-statuses/{userId}.
func (c *Client) SetUserStatus(ctx context.Context, conn Conn, userID string, update icwsapi.UserStatusUpdate) (string, error) {
	var accepted icwsapi.Accepted
	k := call{operation: OpSetUserStatus, method: http.MethodPut, path: "/status/user-statuses/" + segment(userID), body: update}
	err := c.do(ctx, conn, k, &accepted)
	if err == nil && accepted.RequestID == "" {
		err = c.garbage(k.operation, errors.New("no requestId"))
	}
	if err != nil {
		return "", fmt.Errorf("icws: set status %q: %w", update.StatusID, naming(err))
	}
	return accepted.RequestID, nil
}

// naming adds to the refusal of a value that the caller gave, such as notes that are too long, which one it was: the
// agent's state has nothing to do with it.
func naming(err error) error {
	refusal, ok := errors.AsType[*Refusal](err)
	if !ok || !errors.Is(err, fault.Invalid) || !slices.Contains([]string{"notes", "until", "forwardNumber"}, refusal.Body.PropertyName) {
		return err
	}
	return &fault.Error{Kind: fault.Invalid, Public: fmt.Sprintf("PureConnect refused %q", refusal.Body.PropertyName), Err: err}
}

// StatusMessages fetches the catalogue: every status of the server, in the session's language and
// in the server's order. It fails with ErrSessionGone, else as every call.
//
// Source: ICWS reference, /icws/{sessionId}/status/status-messages.
func (c *Client) StatusMessages(ctx context.Context, conn Conn) ([]icwsapi.StatusMessage, error) {
	var catalogue icwsapi.StatusMessages
	k := call{operation: OpGetStatusMessages, method: http.MethodGet, path: "/status/status-messages", maxReply: maxCatalogue, repeatable: true}
	err := c.do(ctx, conn, k, &catalogue)
	if err == nil && catalogue.StatusMessageList == nil {
		err = c.garbage(k.operation, errors.New("no statusMessageList"))
	}
	if err != nil {
		return nil, fmt.Errorf("icws: get status messages: %w", err)
	}
	return catalogue.StatusMessageList, nil
}

// UserAccess fetches the ids of the statuses that a user may be given. It fails with
// ErrSessionGone, fault.NotFound when there is no such user, else as every call.
//
// Source: ICWS reference, /icws/{sessionId}/status/status-messages-user-access/{userId}.
func (c *Client) UserAccess(ctx context.Context, conn Conn, userID string) ([]string, error) {
	var access icwsapi.UserAccess
	k := call{operation: OpGetUserAccess, method: http.MethodGet, path: "/status/status-messages-user-access/" + segment(userID), maxReply: maxCatalogue, repeatable: true}
	err := c.do(ctx, conn, k, &access)
	if err != nil {
		return nil, fmt.Errorf("icws: get access: %w", err)
	}
	return access.StatusMessages, nil
}

// garbage is the error of an answer that lacks what the API says is always there.
func (c *Client) garbage(operation string, err error) error {
	c.metrics.APIError(operation, classGarbage)
	return fmt.Errorf("%w: %w", fault.BadUpstream, err)
}
