package proxy

import (
	"log/slog"

	"portico/proxy/fault"
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
	if c.door.log.Enabled(c.context(), slog.LevelInfo) {
		c.door.writeLine(c.context(), slog.LevelInfo, MessageAudit, func(attrs []slog.Attr) []slog.Attr { return c.appendAudit(attrs, err) })
	}
}

func (c *call) appendAudit(attrs []slog.Attr, err error) []slog.Attr {
	attrs = append(attrs,
		slog.String("request_id", c.id),
		slog.String("session", c.door.gateway.ShortName(c.agent)),
		slog.String("site", c.agent.Sites()),
		slog.String("operation", string(c.operation)),
		slog.String("target", c.target()),
	)
	if c.door.settings.LogLogins {
		attrs = append(attrs, slog.String("login", c.agent.Login()))
	}
	if c.operation == opCustom && err == nil {
		attrs = append(attrs, slog.String("state", string(c.asked)))
	}
	attrs = append(attrs, slog.String("result", c.result(err)))
	if err != nil {
		attrs = append(attrs, slog.String("error_class", fault.Class(err)))
	}
	return attrs
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
