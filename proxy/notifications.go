package proxy

import (
	"errors"

	"portico/proxy/push"
)

// notifications answers CometD: a request of long-polling, which may be held, or a websocket until it
// ends.
//
// Source: GWS 8.5.2, CometD notifications; cometd.js appends the type of a message to the URL.
func notifications(c *call) (any, error) {
	if c.door.settings.Push == nil {
		return unknownPath(c)
	}
	c.setCookie()
	c.door.metrics.requestsInFlight.Dec()
	c.door.metrics.pushInFlight.Inc()
	defer func() {
		c.door.metrics.pushInFlight.Dec()
		c.door.metrics.requestsInFlight.Inc()
	}()
	err := c.door.settings.Push.Serve(c.Writer, c.Request, c.agent.SessionID())
	c.left = errors.Is(err, push.ErrReplaced) || errors.Is(err, push.ErrLeft)
	return streamed, nil
}
