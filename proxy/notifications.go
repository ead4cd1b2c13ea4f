package proxy

import (
	"errors"
	"strings"

	"portico/proxy/push"
)

// notifications answers CometD: a request of long-polling, which may be held, or the one that begins a
// websocket. Both count as in flight until they end, which may be when this has returned.
//
// Source: GWS 8.5.2, CometD notifications; cometd.js appends the type of a message to the URL.
func notifications(c *call) (any, error) {
	if c.door.settings.Push == nil {
		return unknownPath(c)
	}
	c.setCookie()
	c.place.leave() // it asks no site, and is mostly held
	c.door.metrics.requestsInFlight.Dec()
	c.door.metrics.pushInFlight.Inc()
	defer c.door.metrics.requestsInFlight.Inc()
	door, r := c.door, c.record()
	r.requestID = strings.Clone(r.requestID) // or all headers of the request are kept while it is held
	err := door.settings.Push.ServeUntil(c.Writer, c.Request, c.agent.SessionID(), func(end push.Ending) {
		if end == (push.Ending{}) {
			door.metrics.pushInFlight.Dec()
			return
		}
		door.pushed(r, end)
	})
	c.left = gaveUp(err)
	c.later = errors.Is(err, push.ErrParked)
	return streamed, nil
}

// pushed counts and logs a request that ended after its handler had returned.
func (d *door) pushed(r record, end push.Ending) {
	d.metrics.pushInFlight.Dec()
	r.code, r.bytesOut = end.Status, end.Bytes
	if gaveUp(end.Err) {
		r.code = codeClientGone
	}
	d.ended(r)
}

// gaveUp reports whether a connect ended because its caller left, or made a newer one.
func gaveUp(err error) bool { return errors.Is(err, push.ErrReplaced) || errors.Is(err, push.ErrLeft) }

// hold counts the call as one that is held, until what it returns is called.
func (c *call) hold() func() {
	c.door.metrics.requestsInFlight.Dec()
	c.door.metrics.pushInFlight.Inc()
	return func() {
		c.door.metrics.pushInFlight.Dec()
		c.door.metrics.requestsInFlight.Inc()
	}
}
