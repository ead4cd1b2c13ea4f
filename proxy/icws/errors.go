package icws

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"portico/proxy/fault"
	"portico/proxy/upstream"
	"portico/translate/icwsapi"
)

// ErrSessionGone says that a Conn has ended, as fault.Unauthenticated does, and that it was not
// credentials that were refused. Nothing works on the Conn any more; there is no way to resume.
//
// Source: ICWS reference, 401 of every session resource.
var ErrSessionGone = fmt.Errorf("the session is gone: %w", fault.Unauthenticated)

// The classes of API errors, for metrics.
const (
	classAuth           = "auth" // credentials refused
	classSession        = "session"
	classForbidden      = "forbidden"
	classNotFound       = "not_found"
	classRemoved        = "removed" // the API no longer has this
	classInvalidRequest = "invalid_request"
	classNotAccepting   = "not_accepting" // the host takes no sessions
	classServer         = "server"
	classGarbage        = "garbage" // an answer that is not what the API says
	classOther          = "other"
)

var classes = []string{
	classAuth, classSession, classForbidden, classNotFound, classRemoved, classInvalidRequest,
	classNotAccepting, classServer, classGarbage,
}

// codeAuthenticationFailure is the errorCode of refused credentials, all there is of a refusal on
// servers before 4.0 SU6, which send no errorId.
const codeAuthenticationFailure = -2147221503

// maxMessage is how much of a server's message goes into an error, in bytes.
const maxMessage = 300

// A Refusal is an error answer of ICWS. It is for the log: callers see only its kind.
type Refusal struct {
	Status int           // HTTP
	Body   icwsapi.Error // zero if the body was something else
}

// Error returns what the server said.
func (r *Refusal) Error() string {
	text := fmt.Sprintf("HTTP %d", r.Status)
	if r.Body.ErrorID != "" {
		text += " " + r.Body.ErrorID
	}
	if r.Body.ErrorCode != 0 {
		text += fmt.Sprintf(" (%d)", r.Body.ErrorCode)
	}
	if r.Body.PropertyName != "" {
		text += fmt.Sprintf(" property %q", r.Body.PropertyName)
	}
	if r.Body.Message != "" {
		text += ": " + strings.ToValidUTF8(r.Body.Message[:min(len(r.Body.Message), maxMessage)], "")
	}
	return text
}

// ErrorID returns the raw errorId of the ICWS answer that err wraps, "" if there was none.
func ErrorID(err error) string {
	refusal, ok := errors.AsType[*Refusal](err)
	if !ok {
		return ""
	}
	return refusal.Body.ErrorID
}

// refusalOf reads an error answer. A body that is no ICWS error, such as a proxy's page, leaves
// only the status.
func refusalOf(reply upstream.Reply) *Refusal {
	refusal := &Refusal{Status: reply.Status}
	err := json.Unmarshal(reply.Body, &refusal.Body)
	if err != nil {
		refusal.Body = icwsapi.Error{}
	}
	return refusal
}

// credentials reports that it was the credentials that were refused.
func (r *Refusal) credentials() bool {
	refused := r.Body.ErrorID == icwsapi.ErrorAuthenticationFailure ||
		r.Body.ErrorID == "" && r.Body.ErrorCode == codeAuthenticationFailure
	return refused && (r.Status == http.StatusBadRequest || r.Status == http.StatusUnauthorized)
}

// class returns the class to count: by status, then by the prefix of the id, never by message.
func (r *Refusal) class() string {
	switch {
	case r.Status == http.StatusUnauthorized:
		return classSession
	case r.credentials():
		return classAuth
	case r.Status == http.StatusForbidden:
		return classForbidden
	case r.Status == http.StatusNotFound, r.Body.ErrorID == icwsapi.ErrorStationNotFound:
		return classNotFound
	case r.Status == http.StatusGone:
		return classRemoved
	case r.Status == http.StatusServiceUnavailable && slices.Contains(notAccepting, r.Body.ErrorID):
		return classNotAccepting
	case r.Status == http.StatusBadRequest, strings.HasPrefix(r.Body.ErrorID, "error.request."):
		return classInvalidRequest
	case r.Status >= http.StatusInternalServerError:
		return classServer
	default:
		return classOther
	}
}

var notAccepting = []string{icwsapi.ErrorNotAcceptingConnections, icwsapi.ErrorUnavailable}

// sentElsewhere reports the answer of a host that takes no sessions: a backup is not broken, and serves the
// sessions it may have. So answered is a call of a session by a host that cannot serve it, as by any other 5xx.
//
// Source: ICWS, Getting started: Connecting; ICWS SDK, 503 of POST /icws/connection and of nothing else.
func sentElsewhere(operation string, reply upstream.Reply) bool {
	login := operation == OpLogin || operation == OpPassthrough // of which log-ins alone are read here
	return login && refusalOf(reply).class() == classNotAccepting
}

// answers reports an error that ICWS itself names. Whatever else says 500, such as a page, stands for a host
// that fails.
func answers(reply upstream.Reply) bool {
	named := refusalOf(reply).Body
	return named.ErrorID != "" || named.ErrorCode != 0
}

// kind returns the error that a refusal of a session's call is.
func (r *Refusal) kind() error {
	switch r.Status {
	case http.StatusBadRequest:
		if r.Body.Type == icwsapi.TypeMissingProperty {
			return fault.Missing
		}
		return fault.Invalid
	case http.StatusUnauthorized:
		return ErrSessionGone
	case http.StatusForbidden:
		return fault.Forbidden
	case http.StatusNotFound:
		return fault.NotFound
	case http.StatusGone:
		return fault.Gone
	}
	if r.class() == classNotAccepting { // the session manager is there, and nobody behind it
		return fault.Unreachable
	}
	return fault.BadUpstream
}
