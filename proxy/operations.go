package proxy

import (
	"context"
	"fmt"
	"strings"

	"portico/proxy/fault"
	"portico/proxy/gateway"
	"portico/translate"
	"portico/translate/htccapi"
)

// uncancelled returns the context of a change of state. One that has come is carried out, whether or not its caller waits
// for the answer: a page that sends it while it closes does not, and net/http takes who has only ended their half of
// the connection for gone. Package quick, which learns of neither, does the same.
func (c *call) uncancelled() context.Context { return context.WithoutCancel(c.context()) }

// postMe answers POST /me: an operation on all channels, or on the session.
func postMe(c *call) (any, error) {
	ask, err := c.decode()
	if err != nil {
		return nil, err
	}
	switch ask.OperationName {
	case htccapi.StartContactCenterSession:
		outcome, err := c.door.gateway.StartContactCenterSession(c.uncancelled(), c.agent, ask.Channels, gateway.Ask{Body: ask.Body, Password: c.password()})
		return c.answer(outcome), err
	case htccapi.EndContactCenterSession:
		err = c.door.gateway.EndContactCenterSession(c.uncancelled(), c.agent)
		if err == nil {
			c.cookie = expireCookie
		}
		return done(c.dialect), err
	}
	return setState(c, ask, "")
}

// postChannel answers POST /me/channels/{channel}. Whether there is such a channel is checked
// before the body is.
func postChannel(c *call) (any, error) {
	channel := htccapi.MediaChannel(c.Param("channel"))
	err := c.door.gateway.CheckChannel(c.agent, channel)
	if err != nil {
		return nil, err
	}
	ask, err := c.decode()
	if err != nil {
		return nil, err
	}
	switch ask.OperationName {
	case htccapi.StartContactCenterSession, htccapi.EndContactCenterSession:
		return nil, fault.New(fault.Invalid, fmt.Sprintf("%q is for the whole session: post it to /me", ask.OperationName))
	}
	return setState(c, ask, channel)
}

// postDevice answers POST /me/devices/{id} in the same order.
func postDevice(c *call) (any, error) {
	device := c.Param("id")
	err := c.door.gateway.CheckDevice(c.uncancelled(), c.agent, device)
	if err != nil {
		return nil, err
	}
	ask, err := c.decode()
	if err != nil {
		return nil, err
	}
	request, err := requestOf(ask, "")
	if err != nil {
		return nil, err
	}
	outcome, err := c.door.gateway.SetDeviceState(c.uncancelled(), c.agent, device, request)
	return c.answer(outcome), err
}

// setState carries out a state operation on one channel, or on all if channel is "".
func setState(c *call, ask operationRequest, channel htccapi.MediaChannel) (any, error) {
	request, err := requestOf(ask, channel)
	if err != nil {
		return nil, err
	}
	outcome, err := c.door.gateway.SetAgentState(c.uncancelled(), c.agent, request)
	return c.answer(outcome), err
}

func requestOf(ask operationRequest, channel htccapi.MediaChannel) (gateway.Ask, error) {
	until, err := translate.ParseUntil(ask.Until)
	return gateway.Ask{Body: ask.Body, Request: translate.Request{Operation: ask.OperationName, Channel: channel, Notes: ask.Notes,
		ForwardNumber: ask.ForwardNumber, Until: until}}, err
}

// answer says what became of an operation: what the agent's only site said where that is an HTCC
// one, partial success, or success with what was substituted.
//
// Source: captured traffic of GWS 8.5.202.96 (partial success).
func (c *call) answer(outcome gateway.Outcome) any {
	switch {
	case len(outcome.Failed) > 0:
		c.verdict = htccapi.StatusPartial
		return partlyDone(c.dialect, outcome.Succeeded, outcome.Failed)
	case outcome.Answer != nil && c.dialect == htccapi.DialectStatusCode:
		return outcome.Answer
	case len(outcome.Substituted) > 0:
		return substituted(c.dialect, outcome.Substituted)
	}
	return done(c.dialect)
}

// substituted answers an operation for which a site had no state of that name. Dialect Status says
// so in its description.
func substituted(dialect htccapi.Dialect, list []gateway.Substitution) any {
	if dialect == htccapi.DialectStatusCode {
		return substitutedAnswer{done(dialect), list}
	}
	var texts []string
	for _, one := range list {
		texts = append(texts, fmt.Sprintf("%s has no such state: it is %s", one.Channel, one.OperationName))
	}
	answer := done(dialect)
	answer.ErrorDescription = strings.Join(texts, "; ")
	return answer
}

// substitutedAnswer is Portico's own addition to the answer to a POST.
type substitutedAnswer struct {
	htccapi.OperationAnswer
	Substituted []gateway.Substitution `json:"substituted"`
}
