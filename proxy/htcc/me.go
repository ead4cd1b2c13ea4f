package htcc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"portico/proxy/upstream"
	"portico/translate/htccapi"
)

// Me reads the agent: the user object, with the named sub-resources, or all that the server counts
// as such for "*". Devices and Channels read those two.
//
// It fails with ErrSessionGone, fault.Forbidden, else with fault.Unreachable, fault.Timeout or
// fault.BadUpstream, also when devices or channels are there and are none.
//
// Source: HTCC 8.5.0, Query agent state; GWS 8.5.2, Request parameters.
func (c *Client) Me(ctx context.Context, s *Session, subresources ...string) (Object, error) {
	user, err := c.me(ctx, s, subresources)
	if err != nil {
		return Object{}, fmt.Errorf("htcc: get me: %w", err)
	}
	return user, nil
}

func (c *Client) me(ctx context.Context, s *Session, subresources []string) (Object, error) {
	k := call{operation: OpGetMe, method: http.MethodGet, path: mePath(subresources), maxReply: maxMe}
	reply, err := c.send(ctx, s, k)
	if err != nil {
		return Object{}, err
	}
	return c.user(k.operation, reply)
}

// mePath returns the path of the agent. The star stays as it is: servers document it so.
func mePath(subresources []string) string {
	if len(subresources) == 0 {
		return PathMe
	}
	names := make([]string, len(subresources))
	for i, name := range subresources {
		names[i] = strings.ReplaceAll(url.QueryEscape(name), "%2A", "*")
	}
	return PathMe + "?subresources=" + strings.Join(names, ",")
}

var errNoUser = errors.New("no user")

// user reads the answer to GET /me: the member user, or, in the dialect without codes, the whole.
func (c *Client) user(operation string, reply upstream.Reply) (Object, error) {
	answer, err := c.answer(operation, reply, "user", "userName", htccapi.SubDevices, htccapi.SubChannels)
	if err != nil {
		return Object{}, err
	}
	user := answer
	if answer.Get("statusCode") != nil || answer.Get("user") != nil {
		user, err = userIn(answer)
	}
	if err == nil {
		_, err = Devices(user)
	}
	if err == nil {
		_, err = Channels(user)
	}
	if err != nil {
		return Object{}, c.garbage(operation, err)
	}
	return user, nil
}

// userIn returns the member user.
func userIn(answer Object) (Object, error) {
	if !answer.has("user") {
		return Object{}, errNoUser
	}
	var user Object
	err := answer.into("user", &user)
	return user, err
}

// Channel reads one channel of the agent, also one that Me does not list, as it may not voice. It fails with
// fault.NotFound if the agent has no such channel, else as Me does.
//
// Source: vendor reference, Channels API.
func (c *Client) Channel(ctx context.Context, s *Session, name htccapi.MediaChannel) (Channel, error) {
	k := call{operation: OpGetMe, method: http.MethodGet, path: ChannelPath(name), maxReply: maxMe}
	reply, err := c.send(ctx, s, k)
	var answer, channel Object
	if err == nil {
		answer, err = c.answer(k.operation, reply, "channel")
	}
	if err != nil {
		return Channel{}, fmt.Errorf("htcc: get a channel: %w", err)
	}
	err = answer.into("channel", &channel)
	if err != nil {
		return Channel{}, fmt.Errorf("htcc: get a channel: %w", c.garbage(k.operation, err))
	}
	return Channel{channel}, nil
}
