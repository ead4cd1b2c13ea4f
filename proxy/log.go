package proxy

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"portico/proxy/fault"
	"portico/proxy/gateway"
)

// longestRequestID is how long an id may be that a caller gives a request.
const longestRequestID = 64 // bytes

// requestID returns the id that the caller gave the request, if it is one that a log can hold,
// else a new one.
func requestID(r *http.Request) string {
	given := r.Header.Get("X-Request-Id")
	if given == "" || len(given) > longestRequestID {
		return rand.Text()
	}
	for i := range len(given) {
		if !isIDByte(given[i]) {
			return rand.Text()
		}
	}
	return given
}

func isIDByte(b byte) bool {
	return b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b == '.' || b == '_' || b == '-'
}

// A record is what the log says of a request. Nothing in it is a secret: no cookie, password,
// body, or id of a session.
type record struct {
	requestID string
	numbers   *endpoint
	operation operation
	code      int
	began     time.Time
	took      time.Duration
	bytesOut  int
	verdict   int            // statusCode, in either dialect
	agent     *gateway.Agent // nil if there is none
	session   string         // a name of the agent's that leads nobody to its id
	clientIP  string         // only if the settings want it
	err       error
}

// record returns what is known of the call before its end.
func (c *call) record() record {
	r := record{requestID: c.id, numbers: c.numbers, operation: c.operation, began: c.began, verdict: c.verdict, agent: c.agent}
	if c.door.settings.LogClientIP {
		r.clientIP = c.address().String()
	}
	return r
}

// write writes the one record of a call.
func (d *door) write(r record) {
	level := slog.LevelInfo
	if r.code >= http.StatusInternalServerError {
		level = slog.LevelWarn
	}
	ctx := context.Background() // nothing of the request's is logged by its context
	if !d.log.Enabled(ctx, level) {
		return
	}
	if r.agent != nil {
		r.session = d.gateway.ShortName(r.agent)
	}
	d.log.LogAttrs(ctx, level, "request", r.attrs()...)
}

func (r record) attrs() []slog.Attr {
	attrs := make([]slog.Attr, 0, 13)
	attrs = append(attrs,
		slog.String("request_id", r.requestID),
		slog.String("api", r.numbers.api),
		slog.String("route", r.numbers.route),
		slog.String("method", r.numbers.method),
		slog.Int("code", r.code),
		slog.Float64("duration_s", r.took.Seconds()),
		slog.Int("bytes_out", r.bytesOut),
	)
	if r.operation != opNone {
		attrs = append(attrs, slog.String("operation", string(r.operation)), slog.Int("api_status", r.verdict))
	}
	if r.session != "" {
		attrs = append(attrs, slog.String("session", r.session))
	}
	if r.clientIP != "" {
		attrs = append(attrs, slog.String("client_ip", r.clientIP))
	}
	if r.err != nil {
		attrs = append(attrs, slog.String("error", logText(r.err)))
	}
	return attrs
}

// logText returns what the log says of an error. A text that is for the caller may quote what they
// sent, so it is not the log's: the kind stands for it.
func logText(err error) string {
	detailed, ok := errors.AsType[*fault.Error](err)
	if ok && detailed.Err == nil && fault.Status(err) < http.StatusInternalServerError {
		return detailed.Kind.Error()
	}
	return err.Error()
}
