package proxy

import (
	"context"
	"errors"
	"net/http"

	"portico/proxy/fault"
	"portico/proxy/native"
)

// unanswered reports whether a call that failed ends without an answer: that of a caller who has left, and of an
// EventSource that would open its stream, where not its request is to blame.
//
// Who has sent all and closed that half alone looks like one who has left: what failed for that, or was carried out all the
// same, would be answered with an error that is none.
func (c *call) unanswered(err error) bool {
	left := errors.Is(err, context.Canceled) && c.context().Err() != nil && !c.paced().gaveUp()
	return left || c.deafens(err)
}

// deafens reports whether an answer would end an EventSource for good, as any status but 200 does. Without one it tries
// again by itself, as it would at a site that is away.
//
// Source: HTML, Server-sent events: "fail the connection" and "reestablish the connection".
func (c *call) deafens(err error) bool {
	return c.native && fault.Status(err) >= http.StatusInternalServerError && native.OpensStream(c.Request)
}

// breakOff counts and logs a call that failed, and ends it without an answer: its connection is closed, or, over
// HTTP/2, its stream reset.
func (c *call) breakOff(err error) {
	c.verdict = fault.Code(err)
	c.Status(fault.Status(err)) // which is counted, and not written
	c.end(err)
	panic(http.ErrAbortHandler)
}
