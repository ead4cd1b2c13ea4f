package proxy

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"portico/proxy/fault"
	"portico/proxy/gateway"
	"portico/proxy/tracing"
)

// longestRequestID is how long an id may be that a caller gives a request.
const longestRequestID = 64 // bytes

// requestID returns the id that the caller gave the request, if it is one that a log can hold,
// else a new one.
func requestID(r *http.Request) string {
	given := r.Header.Get("X-Request-Id")
	if !isRequestID(given) {
		return newRequestID()
	}
	return given
}

func newRequestID() string { return rand.Text() }

// isRequestID reports whether a log can hold an id that a caller gave.
func isRequestID[T string | []byte](given T) bool {
	for i := range len(given) {
		if !isIDByte(given[i]) {
			return false
		}
	}
	return len(given) > 0 && len(given) <= longestRequestID
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
	delayed   time.Duration // for which the answer was kept back, beside
	bytesOut  int
	verdict   int             // statusCode, in either dialect
	looked    string          // what became of looking into the cache; "" if nobody did
	agent     *gateway.Agent  // nil if there is none
	session   string          // a name of the agent's that leads nobody to its id
	sites     string          // that the agent works on, with commas between them
	clientIP  string          // only if the settings want it
	trace     context.Context // the ids of the call's trace, and nothing else of the request's
	span      tracing.Span
	err       error
}

// record returns what is known of the call before its end.
func (c *call) record() record {
	r := record{requestID: c.id, numbers: c.numbers, operation: c.operation, began: c.began, delayed: c.delayed, verdict: c.verdict, looked: c.looked,
		agent: c.agent, trace: tracing.Follow(context.Background(), c.context()), span: c.span}
	if c.door.settings.LogClientIP {
		r.clientIP = c.address().String()
	}
	return r
}

// MessageRequest is the message of the records of requests, of which there is one each.
const MessageRequest = "request"

// write writes the one record of a call.
func (d *door) write(r record) {
	level := r.level()
	if !d.log.Enabled(r.trace, level) {
		return
	}
	if r.agent != nil {
		r.session, r.sites = d.gateway.ShortName(r.agent), r.agent.Sites()
	}
	d.writeLine(r.trace, level, MessageRequest, r.appendAttrs)
}

// writeLine writes a record with the attributes that are added to it.
func (d *door) writeLine(ctx context.Context, level slog.Level, message string, add func([]slog.Attr) []slog.Attr) {
	attrs := manyAttrs.Get().(*[]slog.Attr)
	*attrs = add((*attrs)[:0])
	// As a group without a name they stand for themselves, and are not copied. The Logger would look up, for
	// nobody, which line of ours this is: a microsecond.
	line := slog.NewRecord(time.Now(), level, message, 0)
	line.AddAttrs(slog.Attr{Value: slog.GroupValue(*attrs...)})
	_ = d.log.Handler().Handle(ctx, line) // as the Logger does
	clear(*attrs)
	manyAttrs.Put(attrs)
}

// manyAttrs are slices for the attributes of a record, which is written when the log returns.
var manyAttrs = sync.Pool{New: func() any { return new([]slog.Attr) }}

// level returns how much a call matters. Polls that went well are most of all calls and tell least.
func (r record) level() slog.Level {
	switch {
	case r.code >= http.StatusInternalServerError:
		return slog.LevelWarn
	case r.numbers.held && r.code < http.StatusBadRequest:
		return slog.LevelDebug
	default:
		return slog.LevelInfo
	}
}

func (r record) appendAttrs(attrs []slog.Attr) []slog.Attr {
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
	for _, one := range []struct{ key, value string }{
		{"session", r.session}, {"site", r.sites}, {"cache_result", r.looked}, {"client_ip", r.clientIP}} {
		if one.value != "" {
			attrs = append(attrs, slog.String(one.key, one.value))
		}
	}
	if r.err != nil {
		attrs = append(attrs, failed(r.err)...)
	}
	return attrs
}

// failed returns what the log says of an error. The id is the one that an ICWS site gave it.
func failed(err error) []slog.Attr {
	attrs := []slog.Attr{slog.String("error_class", fault.Class(err)), slog.String("error", logText(err))}
	id := gateway.ErrorID(err)
	if id != "" {
		attrs = append(attrs, slog.String("error_id", id))
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
