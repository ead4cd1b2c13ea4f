package htcc

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"portico/proxy/fault"
	"portico/proxy/upstream"
	"portico/translate/htccapi"
)

// An AgentState is an entry of the agent-state settings: a state that an agent may choose.
type AgentState struct{ Object }

// Setting returns what is known of such entries.
func (a AgentState) Setting() htccapi.AgentStateSetting {
	return htccapi.AgentStateSetting{
		ID:            a.Text("id"),
		OperationName: htccapi.Operation(a.Text("operationName")),
		DisplayName:   a.Text("displayName"),
		State:         a.Text("state"),
		WorkMode:      a.Text("workMode"),
		Reason:        a.Text("reason"),
	}
}

// AgentStates reads the states that agents may choose, in the server's order. They are the same for
// all agents of a contact centre. It fails as Me does, and with fault.NotFound where the server has
// no such settings.
//
// Source: GWS 8.5.2, Settings; HTCC 8.5.0, Agent-state settings.
func (c *Client) AgentStates(ctx context.Context, s *Session) ([]AgentState, error) {
	list, err := c.list(ctx, s, OpGetAgentStates, "/settings/agent-states", "settings")
	if err != nil {
		return nil, fmt.Errorf("htcc: get agent states: %w", err)
	}
	return wrap(list, func(o Object) AgentState { return AgentState{o} }), nil
}

// list reads a collection, which is a member of its answer. An empty one is not nil.
func (c *Client) list(ctx context.Context, s *Session, operation, path, name string) ([]Object, error) {
	answer, err := c.do(ctx, s, call{operation: operation, method: http.MethodGet, path: path, asked: []string{name}})
	if err != nil {
		return nil, err
	}
	list, err := answer.objects(name)
	if err == nil && list == nil {
		err = fmt.Errorf("member %q: %w", name, errNoMember)
	}
	if err != nil {
		return nil, c.garbage(operation, err)
	}
	return list, nil
}

var errNoVersion = errors.New("no version")

// version asks which release the site runs, and returns the base of the host that answered too. It needs no session
// and fails as Probe does.
//
// Source: GWS 8.5.2, Interpreting a response: /diagnostics/version.
func (c *Client) version(ctx context.Context) (string, string, error) {
	var version string
	base, err := c.eachHost(ctx, func(base string) error {
		var err error
		version, err = c.versionAt(ctx, base)
		return err
	})
	if err != nil {
		return "", "", fmt.Errorf("htcc: get version: %w", err)
	}
	return version, base, nil
}

func (c *Client) versionAt(ctx context.Context, base string) (string, error) {
	req, err := request(ctx, http.MethodGet, base+root+"/diagnostics/version", nil)
	if err != nil {
		return "", err
	}
	reply, err := c.roundTrip(req, call{operation: OpVersion})
	if err != nil {
		return "", err
	}
	answer, err := c.answer(OpVersion, reply, "version")
	if errors.Is(err, ErrSessionGone) { // there is no session that could be gone
		return "", fmt.Errorf("%w: %w", fault.Forbidden, AsRefusal(err))
	}
	if err != nil {
		return "", err
	}
	version := answer.Text("version")
	if version == "" {
		return "", c.garbage(OpVersion, errNoVersion)
	}
	return version, nil
}

// Probe asks whether a host of the site answers, and sets the site's metrics by it. It fails
// with fault.Unreachable or fault.Timeout when no host of the site answers, else with fault.Forbidden, fault.NotFound
// or fault.BadUpstream.
func (c *Client) Probe(ctx context.Context) error {
	version, base, err := c.version(upstream.WithCause(ctx, upstream.Probe))
	c.metrics.Up(err == nil)
	if err != nil {
		return err
	}
	c.metrics.Info(hostOf(base), version)
	return nil
}
