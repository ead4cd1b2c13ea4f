package proxy

import (
	"log/slog"
	"time"

	"portico/proxy/fault"
	"portico/proxy/logs"
	"portico/translate/htccapi"
)

// MessageAudit is the message of audit records, of which there is one for each operation that a caller
// asked for.
const MessageAudit = "audit"

// audited has the log say who asked for which change of state, and what became of it.
func audited(h handler) handler {
	return func(c *call) (any, error) {
		reply, err := h(c)
		if c.asked != "" {
			c.audit(err)
		}
		return reply, err
	}
}

// audit writes the record. A custom state is named only if it was found to be one: until then its name
// is the caller's.
func (c *call) audit(err error) {
	if !c.door.log.Enabled(c.context(), slog.LevelInfo) {
		return
	}
	line := logs.NewLine()
	c.describe(line, err)
	line.Write(c.context(), c.door.log, time.Now(), slog.LevelInfo, MessageAudit)
}

// Keys of audit records alone.
var (
	keyTarget = logs.NewKey("target")
	keyLogin  = logs.NewKey("login")
	keyState  = logs.NewKey("state")
	keyResult = logs.NewKey("result")
)

func (c *call) describe(line *logs.Line, err error) {
	line.Text(keyRequestID, c.id)
	line.Text(keySession, c.door.gateway.ShortName(c.agent))
	line.Text(keySite, c.agent.Sites())
	line.Text(keyOperation, string(c.operation))
	line.Text(keyTarget, c.target())
	if c.door.settings.LogLogins {
		line.Text(keyLogin, c.agent.Login())
	}
	if c.operation == opCustom && err == nil {
		line.Text(keyState, string(c.asked))
	}
	line.Text(keyResult, c.result(err))
	if err != nil {
		line.Text(keyErrorClass, fault.Class(err))
	}
}

// target returns what the operation was for. A channel or device was found to be the agent's before its
// body was read.
func (c *call) target() string {
	for _, name := range []string{"channel", "id"} {
		if value := c.Param(name); value != "" {
			return name + " " + value
		}
	}
	return "all"
}

// result returns what became of an operation.
func (c *call) result(err error) string {
	switch {
	case err != nil:
		return "refused"
	case c.verdict == htccapi.StatusPartial:
		return "partial"
	default:
		return "ok"
	}
}
