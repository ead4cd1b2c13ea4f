package htcc

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"portico/translate/htccapi"
)

// PathMe is the resource of all channels and devices of an agent.
const PathMe = "/me"

// ChannelPath returns the resource of one channel.
func ChannelPath(channel htccapi.MediaChannel) string {
	return PathMe + "/channels/" + segment(string(channel))
}

// DevicePath returns the resource of one device.
func DevicePath(id string) string { return PathMe + "/devices/" + segment(id) }

// segment escapes one segment of a path. A name of dots is kept from meaning another resource.
func segment(s string) string {
	if s == "." || s == ".." {
		return strings.ReplaceAll(s, ".", "%2E")
	}
	return url.PathEscape(s)
}

// An Outcome is the answer to an operation that was accepted, wholly or in part.
type Outcome struct {
	Partial   bool // only some channels succeeded: statusCode 7
	Succeeded []htccapi.ChannelResult
	Failed    []htccapi.ChannelResult // as the server names them: htccapi.ChannelMultimedia stands for several
	Answer    Object                  // as it came
}

// Operation posts an operation to PathMe, a ChannelPath or a DevicePath. The body goes as it is.
// It returns once the request is accepted; the new state comes as a notification, before the answer
// or after it. An Outcome that is Partial is no error.
//
// It fails with ErrSessionGone; with fault.Missing, fault.Invalid, fault.Forbidden or
// fault.NotFound when the server refuses the operation; with ErrTokenRefused; else with
// fault.Unreachable, fault.Timeout or fault.BadUpstream, after which the state may have changed or
// not. AsRefusal says what the server said.
//
// Source: vendor reference, Set agent states across all channels; GWS 8.5.2, agent-state pages.
func (c *Client) Operation(ctx context.Context, s *Session, path string, body json.RawMessage) (Outcome, error) {
	k := call{operation: operationAt(path), method: http.MethodPost, path: path, body: body}
	answer, err := c.do(ctx, s, k)
	if err != nil {
		return Outcome{}, fmt.Errorf("htcc: post to %s: %w", path, err)
	}
	outcome, err := outcomeOf(answer)
	if err != nil {
		return Outcome{}, fmt.Errorf("htcc: post to %s: %w", path, c.garbage(k.operation, err))
	}
	return outcome, nil
}

// operationAt returns the label of the operations on a resource.
func operationAt(path string) string {
	switch {
	case strings.HasPrefix(path, PathMe+"/channels/"):
		return OpPostChannel
	case strings.HasPrefix(path, PathMe+"/devices/"):
		return OpPostDevice
	default:
		return OpPostMe
	}
}

// outcomeOf reads the lists of an accepted operation.
//
// Source: captured traffic of GWS 8.5.202.96 (succeeded and failed, with 7).
func outcomeOf(answer Object) (Outcome, error) {
	verdict, err := verdictOf(answer)
	if err != nil {
		return Outcome{}, err
	}
	outcome := Outcome{Partial: verdict.code == codePartial, Answer: answer}
	outcome.Succeeded, err = results(answer, "succeeded")
	if err != nil {
		return Outcome{}, err
	}
	outcome.Failed, err = results(answer, "failed")
	return outcome, err
}

// results reads one of the lists.
func results(answer Object, name string) ([]htccapi.ChannelResult, error) {
	entries, err := answer.objects(name)
	if err != nil {
		return nil, err
	}
	var list []htccapi.ChannelResult
	for _, entry := range entries {
		verdict, err := verdictOf(entry)
		if err != nil {
			return nil, fmt.Errorf("member %q: %w", name, err)
		}
		list = append(list, htccapi.ChannelResult{
			StatusCode:    verdict.code,
			StatusMessage: verdict.message,
			Channel:       Channel{entry}.Name(),
		})
	}
	return list, nil
}

// endSession is the body of EndContactCenterSession.
var endSession = []byte(`{"operationName":"EndContactCenterSession"}`)

// EndContactCenterSession logs the agent out of voice and ends the HTTP session; nothing may be
// sent on it afterwards. It fails with ErrSessionGone when there was none any more, though the
// agent may still be logged in, else as Operation does.
//
// Source: GWS 8.5.2, EndContactCenterSession.
func (c *Client) EndContactCenterSession(ctx context.Context, s *Session) error {
	_, err := c.do(ctx, s, call{operation: OpEndSession, method: http.MethodPost, path: PathMe, body: endSession})
	if err != nil {
		return fmt.Errorf("htcc: end session: %w", err)
	}
	return nil
}
