// Package fault is the short list of what can go wrong, each with the HTTP status and the HTCC
// statusCode that a caller of /me is shown. Every room wraps one of these kinds; the door asks
// the table.
package fault

import (
	"errors"
	"net/http"
	"time"
)

// A Kind is itself an error, so a caller asks errors.Is(err, fault.Unauthenticated).
type Kind string

// Error returns the text that a caller may read when nothing better is known.
func (k Kind) Error() string { return string(k) }

// The kinds. The text is public.
const (
	Missing         Kind = "a required parameter is missing"
	Invalid         Kind = "the request is not valid in the current state"
	WrongMethod     Kind = "method not allowed"
	Forbidden       Kind = "no permission"
	CrossSite       Kind = "cross-site request refused"
	NotFound        Kind = "resource not found"
	TooLarge        Kind = "the request is too large"
	Unauthenticated Kind = "Access denied"
	Throttled       Kind = "too many failed log-ins"
	BadUpstream     Kind = "the contact centre answered with an error"
	Gone            Kind = "the contact centre no longer offers this"
	Unreachable     Kind = "the contact centre cannot be reached"
	Timeout         Kind = "the contact centre did not answer in time"
	Overloaded      Kind = "too busy, try again later"
	Internal        Kind = "internal error"
)

// shown is what callers see of a kind. Statuses other than 200, 403 and 500 are not seen on a
// real HTCC wire; they are the closest HTTP has.
//
// Source: GWS, ReturnValues (statusCode); captured traffic of GWS 8.5.202.96 (500 for 4, 403 for 20).
var shown = map[Kind]struct{ status, code int }{
	Missing:         {http.StatusBadRequest, 1},
	Invalid:         {http.StatusBadRequest, 2},
	WrongMethod:     {http.StatusMethodNotAllowed, 3},
	Forbidden:       {http.StatusForbidden, 5},
	CrossSite:       {http.StatusForbidden, 3},
	NotFound:        {http.StatusNotFound, 6},
	TooLarge:        {http.StatusRequestEntityTooLarge, 10},
	Unauthenticated: {http.StatusForbidden, 20},
	Throttled:       {http.StatusTooManyRequests, 20},
	BadUpstream:     {http.StatusInternalServerError, 4},
	Gone:            {http.StatusInternalServerError, 12},
	Unreachable:     {http.StatusServiceUnavailable, 4},
	Timeout:         {http.StatusGatewayTimeout, 4},
	Overloaded:      {http.StatusServiceUnavailable, 4},
	Internal:        {http.StatusInternalServerError, 4},
}

// An Error is a kind with more to say. Public is what the caller may read, without host names,
// ids or upstream bodies; empty means the kind's own text. Err is for the log. RetryAfter, if not
// zero, is when it is worth trying again.
type Error struct {
	Kind       Kind
	Public     string
	Err        error
	RetryAfter time.Duration
}

// Error returns the whole chain, for the log.
func (e *Error) Error() string {
	text := e.Public
	if text == "" {
		text = e.Kind.Error()
	}
	if e.Err == nil {
		return text
	}
	return text + ": " + e.Err.Error()
}

// Unwrap gives errors.Is both the kind and the cause.
func (e *Error) Unwrap() []error { return []error{e.Kind, e.Err} }

// New returns an error of a kind whose public text says what was wrong and what would be right.
func New(kind Kind, public string) error { return &Error{Kind: kind, Public: public} }

// KindOf returns the kind err wraps, else Internal.
func KindOf(err error) Kind {
	kind, ok := errors.AsType[Kind](err)
	if !ok {
		return Internal
	}
	return kind
}

// Status returns the HTTP status for err: that of the kind it wraps, else 500.
func Status(err error) int { return shown[KindOf(err)].status }

// Code returns the HTCC statusCode for err: that of the kind it wraps, else 4.
func Code(err error) int { return shown[KindOf(err)].code }

// Public returns what the caller may read of err.
func Public(err error) string {
	detailed, ok := errors.AsType[*Error](err)
	if ok && detailed.Public != "" {
		return detailed.Public
	}
	return KindOf(err).Error()
}

// RetryAfter returns when it is worth trying again, 0 if unknown.
func RetryAfter(err error) time.Duration {
	detailed, ok := errors.AsType[*Error](err)
	if !ok {
		return 0
	}
	return detailed.RetryAfter
}
