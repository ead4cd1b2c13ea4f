package proxy

import "portico/translate/htccapi"

// getAgentStates answers GET /settings/agent-states: the states the agent may choose, always as
// objects.
//
// Source: HTCC 8.5.0, Settings resources (key).
func getAgentStates(c *call) (any, error) {
	states, err := c.door.gateway.AgentStates(c.context(), c.agent)
	if err != nil {
		return nil, err
	}
	query := c.Request.URL.Query()
	states, err = filter(states, query)
	if err != nil {
		return nil, err
	}
	settings, err := bodies(states, selected(query, paramFields))
	answer := htccapi.SettingsAnswer{Verdict: read(c.dialect), Settings: settings}
	if c.dialect == htccapi.DialectStatusCode {
		answer.Key = htccapi.KeyID
	}
	return answer, err
}

// getVersion answers GET /diagnostics/version, which needs no log-in.
//
// Source: GWS 8.5.2, Interpreting a response.
func getVersion(c *call) (any, error) {
	return htccapi.VersionAnswer{Verdict: read(c.dialect), Version: c.door.settings.HTCCVersion}, nil
}
