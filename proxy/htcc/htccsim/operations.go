package htccsim

import (
	"bytes"
	"encoding/json"

	"portico/translate/htccapi"
)

// operation is the body of a POST, as far as it could be read: members of a wrong type are as if
// they were not there, but for those that make it senseless.
type operation struct {
	name       htccapi.Operation
	workMode   string
	wrapUpTime string
	members    map[string]json.RawMessage
}

// readOperation reads the call's body, whatever its content type says. Members are looked up as
// they are spelled; those that are not known have no effect.
func (c *call) readOperation() (operation, refusal) {
	var asked operation
	body := bytes.TrimPrefix(bytes.TrimSpace(c.body), []byte("\xef\xbb\xbf"))
	err := json.Unmarshal(body, &asked.members)
	if err != nil || asked.members == nil {
		return asked, refusal{codeInvalid, "The request body is not a JSON object"}
	}
	c.written = masked(asked.members)
	raw, isThere := asked.members["operationName"]
	if isThere && json.Unmarshal(raw, &asked.name) != nil {
		return asked, refusal{codeInvalid, "Parameter 'operationName' must be a string"}
	}
	asked.workMode = asked.text("workmode")
	asked.wrapUpTime = asked.text("wrapUpTime")
	return asked, refusal{}
}

// text returns a member that is a string or a number, or nothing.
func (asked operation) text(name string) string {
	raw := asked.members[name]
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var number json.Number
	if json.Unmarshal(raw, &number) == nil {
		return number.String()
	}
	return ""
}

// postMe answers POST /me: operations on all devices and channels, and the contact-centre session.
//
// Source: vendor reference, Set agent states across all channels.
func postMe(s *Server, c *call) reply {
	asked, wrong := c.readOperation()
	if wrong.code != codeOK {
		return c.refuse(wrong.code, wrong.message)
	}
	a := c.session.agent
	c.target = a
	s.pace(c)
	switch asked.name {
	case htccapi.StartContactCenterSession:
		return s.startSession(c, a, asked)
	case htccapi.EndContactCenterSession:
		return s.endSession(c, a)
	case htccapi.DoNotDisturbOn, htccapi.DoNotDisturbOff:
		return s.setAllDND(c, a, asked.name == htccapi.DoNotDisturbOn)
	}
	to := s.setting(asked.name)
	if to == nil {
		unknown := s.unknownOperation(asked.name, htccapi.DoNotDisturbOn, htccapi.DoNotDisturbOff,
			htccapi.StartContactCenterSession, htccapi.EndContactCenterSession)
		return c.refuse(unknown.code, unknown.message)
	}
	return s.setAll(c, a, *to)
}

// postMyChannel answers POST /me/channels/{channel}.
func postMyChannel(s *Server, c *call) reply { return s.postChannel(c, c.session.agent) }

// postTheirChannel answers POST /users/{userId}/channels/{channel}, by which supervisors change
// their agents.
//
// Source: GWS 8.5.2, AgentStateControlReady.
func postTheirChannel(s *Server, c *call) reply {
	if !c.session.agent.isSupervisor() {
		return c.refuse(codePermission, "The user does not have the permission for this operation")
	}
	a := s.agentByID(c.params["userId"])
	if a == nil {
		return c.notFound()
	}
	return s.postChannel(c, a)
}

func (s *Server) postChannel(c *call, a *agent) reply {
	asked, wrong := c.readOperation()
	if wrong.code != codeOK {
		return c.refuse(wrong.code, wrong.message)
	}
	c.target = a
	s.pace(c)
	name := htccapi.MediaChannel(c.params["channel"])
	if name == htccapi.Voice && a.phone() == nil || name != htccapi.Voice && a.channel(name) == nil {
		return c.refuse(codeNotFound, "Channel '"+string(name)+"' is not found")
	}
	to := s.setting(asked.name)
	if to == nil {
		unknown := s.unknownOperation(asked.name)
		return c.refuse(unknown.code, unknown.message)
	}
	if name == htccapi.Voice {
		wrong = s.setVoice(c, a, asked, *to)
	} else {
		wrong = s.setMedia(c, a, []*channel{a.channel(name)}, *to)
	}
	if wrong.code != codeOK {
		return c.refuse(wrong.code, wrong.message)
	}
	return c.done()
}

// postMyDevice answers POST /me/devices/{deviceId}: do-not-disturb and forwarding.
func postMyDevice(s *Server, c *call) reply {
	asked, wrong := c.readOperation()
	if wrong.code != codeOK {
		return c.refuse(wrong.code, wrong.message)
	}
	a := c.session.agent
	c.target = a
	s.pace(c)
	d := a.device(c.params["deviceId"])
	if d == nil {
		return c.refuse(codeNotFound, "Device '"+c.params["deviceId"]+"' is not found")
	}
	switch asked.name {
	case htccapi.DoNotDisturbOn, htccapi.DoNotDisturbOff:
		wrong = s.setDeviceDND(c, a, d, asked.name == htccapi.DoNotDisturbOn)
	case htccapi.ForwardCallsOn, htccapi.ForwardCallsOff:
		wrong = s.forward(c, a, d, asked)
	case "":
		wrong = s.unknownOperation("")
	default:
		wrong = refusal{codeInvalid, "Operation '" + string(asked.name) +
			"' is not valid: expected one of DoNotDisturbOn, DoNotDisturbOff, ForwardCallsOn, ForwardCallsOff"}
	}
	if wrong.code != codeOK {
		return c.refuse(wrong.code, wrong.message)
	}
	return c.done()
}
