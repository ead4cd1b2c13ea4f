package proxy

import (
	"fmt"

	"portico/proxy/fault"
	"portico/translate"
	"portico/translate/htccapi"
)

// postMe answers POST /me: an operation on all channels, or on the session.
func postMe(c *call) (any, error) {
	ask, err := c.decode()
	if err != nil {
		return nil, err
	}
	switch ask.OperationName {
	case htccapi.StartContactCenterSession:
		return start(c, ask.Channels)
	case htccapi.EndContactCenterSession:
		err = c.door.gateway.EndContactCenterSession(c.context(), c.agent)
		c.cookie = expireCookie
	default:
		err = setState(c, ask, "")
	}
	return done(c.dialect), err
}

// postChannel answers POST /me/channels/{channel}. Whether there is such a channel is checked
// before the body is.
func postChannel(c *call) (any, error) {
	channel := htccapi.MediaChannel(c.Param("channel"))
	err := c.door.gateway.CheckChannel(c.context(), c.agent, channel)
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
	return done(c.dialect), setState(c, ask, channel)
}

// postDevice answers POST /me/devices/{id} in the same order.
func postDevice(c *call) (any, error) {
	device := c.Param("id")
	err := c.door.gateway.CheckDevice(c.context(), c.agent, device)
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
	return done(c.dialect), c.door.gateway.SetDeviceState(c.context(), c.agent, device, request)
}

// setState carries out a state operation on one channel, or on all if channel is "".
func setState(c *call, ask htccapi.OperationRequest, channel htccapi.MediaChannel) error {
	request, err := requestOf(ask, channel)
	if err != nil {
		return err
	}
	return c.door.gateway.SetAgentState(c.context(), c.agent, request)
}

func requestOf(ask htccapi.OperationRequest, channel htccapi.MediaChannel) (translate.Request, error) {
	until, err := translate.ParseUntil(ask.Until)
	return translate.Request{Operation: ask.OperationName, Channel: channel, Notes: ask.Notes,
		ForwardNumber: ask.ForwardNumber, Until: until}, err
}

// start answers StartContactCenterSession. When no channel can be had, the first's error is the
// answer's.
//
// Source: GWS 8.5.2, StartContactCenterSession; captured traffic of GWS 8.5.202.96 (partial success).
func start(c *call, channels []htccapi.MediaChannel) (any, error) {
	outcome, err := c.door.gateway.StartContactCenterSession(c.context(), c.agent, channels)
	if err != nil {
		return nil, err
	}
	if len(outcome.Failed) == 0 {
		return done(c.dialect), nil
	}
	if len(outcome.Succeeded) == 0 {
		return nil, fault.New(fault.NotFound, outcome.Failed[0].StatusMessage)
	}
	c.verdict = htccapi.StatusPartial
	return partlyDone(c.dialect, outcome.Succeeded, outcome.Failed), nil
}
