package proxy

import (
	"errors"

	"portico/proxy/push"
)

// notifications answers CometD: a request of long-polling, which may be held, or the one that begins a
// websocket, which counts as in flight until it ends.
//
// Source: GWS 8.5.2, CometD notifications; cometd.js appends the type of a message to the URL.
func notifications(c *call) (any, error) {
	if c.door.settings.Push == nil {
		return unknownPath(c)
	}
	err := c.checkUpgrade()
	if err != nil {
		return nil, err
	}
	c.setCookie()
	c.place.leave() // it asks no site, and is mostly held
	c.door.metrics.requestsInFlight.Dec()
	c.door.metrics.pushInFlight.Inc()
	defer c.door.metrics.requestsInFlight.Inc()
	err = c.door.settings.Push.ServeUntil(c.Writer, c.Request, c.agent.SessionID(), c.door.metrics.pushInFlight.Dec)
	c.left = errors.Is(err, push.ErrReplaced) || errors.Is(err, push.ErrLeft)
	return streamed, nil
}

// hold counts the call as one that is held, until what it returns is called.
func (c *call) hold() func() {
	c.door.metrics.requestsInFlight.Dec()
	c.door.metrics.pushInFlight.Inc()
	return func() {
		c.door.metrics.pushInFlight.Dec()
		c.door.metrics.requestsInFlight.Inc()
	}
}
