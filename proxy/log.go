package proxy

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"portico/proxy/fault"
	"portico/proxy/gateway"
	"portico/proxy/logs"
	"portico/proxy/tracing"
)

// longestRequestID is how long an id may be that a caller gives a request.
const longestRequestID = 64 // bytes

// requestID returns the id that the caller gave the request, if it is one that a log can hold,
// else a new one.
func requestID[T string | []byte](given T) string {
	if !isRequestID(given) {
		return rand.Text()
	}
	return string(given)
}

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
	over      time.Time
	took      time.Duration // 0: all from began to over, without delayed
	delayed   time.Duration // for which the answer was kept back, or the caller was waited for
	bytesOut  int
	verdict   int             // statusCode, in either dialect
	looked    string          // what became of looking into the cache; "" if nobody did
	errorID   string          // of an error of an ICWS site that was passed through; "" if it named none
	agent     *gateway.Agent  // nil if there is none
	session   string          // a name of the agent's that leads nobody to its id
	login     string          // the agent's, else the one that was presented; only if the settings want it
	sites     string          // that the agent works on, or could not be logged in to, with commas between them; or that ICWS is passed through to
	clientIP  string          // only if the settings want it
	trace     context.Context // the ids of the call's trace, and nothing else of the request's
	span      tracing.Span
	err       error
}

// record returns what is known of the call before its end.
func (c *call) record() record {
	r := record{requestID: c.id, numbers: c.numbers, operation: c.operation, began: c.began, delayed: c.delayed, verdict: c.verdict, looked: c.looked, errorID: c.errorID,
		sites: c.sites, agent: c.agent, trace: tracing.Follow(context.Background(), c.context()), span: c.span}
	if c.door.settings.LogLogins {
		r.login = c.presented
	}
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
		if d.settings.LogLogins {
			r.login = r.agent.Login()
		}
	}
	line := logs.NewLine()
	r.describe(line)
	line.Write(r.trace, d.log, r.over, level, MessageRequest)
}

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

// Keys of what the log says of a request.
var (
	keyRequestID  = logs.NewKey("request_id")
	keyAPI        = logs.NewKey("api")
	keyRoute      = logs.NewKey("route")
	keyMethod     = logs.NewKey("method")
	keyCode       = logs.NewKey("code")
	keyDuration   = logs.NewKey("duration_s")
	keyBytesOut   = logs.NewKey("bytes_out")
	keyOperation  = logs.NewKey("operation")
	keyAPIStatus  = logs.NewKey("api_status")
	keySession    = logs.NewKey("session")
	keySite       = logs.NewKey("site")
	keyLooked     = logs.NewKey("cache_result")
	keyClientIP   = logs.NewKey("client_ip")
	keyErrorClass = logs.NewKey("error_class")
	keyError      = logs.NewKey("error")
	keyErrorID    = logs.NewKey("error_id") // that an ICWS site gave the error
)

func (r *record) describe(line *logs.Line) {
	line.Text(keyRequestID, r.requestID)
	line.Text(keyAPI, r.numbers.api)
	line.Text(keyRoute, r.numbers.route)
	line.Text(keyMethod, r.numbers.method)
	line.Int(keyCode, r.code)
	line.Float(keyDuration, r.took.Seconds())
	line.Int(keyBytesOut, r.bytesOut)
	if r.operation != opNone {
		line.Text(keyOperation, string(r.operation))
		line.Int(keyAPIStatus, r.verdict)
	}
	line.Some(keySession, r.session)
	line.Some(keyLogin, r.login)
	line.Some(keySite, r.sites)
	line.Some(keyLooked, r.looked)
	line.Some(keyClientIP, r.clientIP)
	if r.err != nil {
		r.describeFailure(line)
	}
	line.Some(keyErrorID, cmp.Or(r.errorID, gateway.ErrorID(r.err)))
}

// describeFailure says what became of a request that failed. That a caller left is nobody's fault, so it has no class.
func (r *record) describeFailure(line *logs.Line) {
	if r.code != codeClientGone {
		line.Text(keyErrorClass, fault.Class(r.err))
	}
	line.Text(keyError, logText(r.err))
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
