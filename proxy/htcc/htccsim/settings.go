package htccsim

import "portico/translate/htccapi"

// getAgentStates answers GET /settings/agent-states: always objects, and the one group whose
// entries are told apart by id. Guess: key.
//
// Source: captured traffic of GWS 8.5.202.96; GWS 8.5.2, SettingsSystem.
func getAgentStates(s *Server, c *call) reply {
	fields := selected(c.request.URL.Query(), fieldsParameter)
	settings := []object{}
	for _, o := range filter(objectsOf(s.AgentStates), c.request.URL.Query()) {
		settings = append(settings, fields.restrict(o))
	}
	return c.success(member{"key", htccapi.KeyID}, member{"settings", settings})
}

// getSettings answers GET /settings: the groups there are.
func getSettings(s *Server, c *call) reply {
	uri := s.uri(c.session.agent, "/settings/agent-states")
	return c.success(member{"settings", []htccapi.SettingsGroup{{DisplayName: "Agent States", URI: uri}}})
}

// getDeviceSettings answers GET .../devices/{deviceId}/settings/{group}: what the switch is told
// about a telephone.
func getDeviceSettings(_ *Server, c *call) reply {
	d := c.session.agent.device(c.params["deviceId"])
	if d == nil || c.params["group"] != "tserver" {
		return c.notFound()
	}
	return c.success(member{"settings", []htccapi.NamedSetting{
		{Name: "TServer.switch", Value: switchName}, {Name: "TServer.dn", Value: d.number},
	}}, member{"key", htccapi.KeyName})
}

// getAllSettings answers GET /internal-api/me/settings, where the agent desktop finds the agent
// states.
//
// Source: captured traffic of GWS 8.5.202.96.
func getAllSettings(s *Server, c *call) reply {
	options := c.session.agent.Settings
	if options == nil {
		options = htccapi.SettingSections{}
	}
	return c.success(member{"resources", object{{"agentStates", s.AgentStates}, {"settings", options}}})
}
