package htcc

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"portico/proxy/fault"
	"portico/proxy/upstream"
)

// ErrSessionGone says that the HTTP session behind a Conn has ended, as fault.Unauthenticated does,
// and that it was not credentials that were refused. Nothing works on the Conn any more.
//
// Source: captured traffic of GWS 8.5.202.96: 403 with statusCode 20.
var ErrSessionGone = fmt.Errorf("the session is gone: %w", fault.Unauthenticated)

// ErrTokenRefused says that the server did not accept the token against cross-site requests.
// RefreshToken fetches another.
//
// Source: GWS, CSRFProtection.
var ErrTokenRefused = fmt.Errorf("the CSRF token was refused: %w", fault.BadUpstream)

// Values of statusCode that decide something.
//
// Source: GWS 8.5.2, ReturnValues.
const (
	codeMissing    = 1
	codeInvalid    = 2
	codeForbidden  = 3
	codePermission = 5
	codeNotFound   = 6
	codePartial    = 7
	codeRange      = 10
	codeReadOnly   = 11
	codeNotAuth    = 20
	lastCode       = 20
)

// Classes of API errors for metrics: beside these each statusCode from 1 to 20 is one.
const (
	classGarbage = "garbage" // an answer that is not what the API says
	classCSRF    = "csrf"    // the token was refused
	classOther   = "other"   // an error without a statusCode, or with another
)

var classes = func() []string {
	list := []string{classGarbage, classCSRF}
	for code := 1; code <= lastCode; code++ {
		list = append(list, strconv.Itoa(code))
	}
	return list
}()

// maxMessage is how much of a server's message goes into an error, in bytes.
const maxMessage = 300

// A Refusal is an error answer of HTCC. It is for the log: callers see only its kind.
type Refusal struct {
	Status  int    // HTTP
	Code    int    // statusCode, 0 if the answer had none
	Message string // statusMessage or errorDescription
	csrf    bool
}

// Error returns what the server said.
func (r *Refusal) Error() string {
	text := fmt.Sprintf("HTTP %d", r.Status)
	if r.Code != 0 {
		text += fmt.Sprintf(" statusCode %d", r.Code)
	}
	if r.Message != "" {
		text += ": " + strings.ToValidUTF8(r.Message[:min(len(r.Message), maxMessage)], "")
	}
	return text
}

// refusalOf reads an error answer. A body that is none of HTCC's, such as a proxy's page, leaves
// only the status.
func refusalOf(reply upstream.Reply) *Refusal {
	refusal := &Refusal{Status: reply.Status}
	body, err := parse(reply.Body)
	if err == nil {
		verdict, err := verdictOf(body)
		if err == nil {
			refusal.Code, refusal.Message = verdict.code, verdict.message
		}
	}
	refusal.csrf = refusal.Code != codeNotAuth && namesToken(reply.Status, reply.Body)
	return refusal
}

// namesToken reports an answer that refuses a token. It is told by a text; whether that stands in
// JSON is not documented.
//
// Source: GWS, CSRFProtection: 403 "Missing or invalid Csrf token".
func namesToken(status int, body []byte) bool {
	return status == http.StatusForbidden && bytes.Contains(bytes.ToLower(body), []byte("csrf token"))
}

// refusesToken reports that a call was refused for its token, and not for its session.
func refusesToken(reply upstream.Reply) bool {
	return namesToken(reply.Status, reply.Body) && refusalOf(reply).csrf
}

// denied reports that the caller is not known: by statusCode, by the text that stands for it in
// the dialect without codes, or by the status that HTTP has for it, which a proxy may send.
//
// Source: captured traffic of GWS 8.5.202.96 (403, 20, "Access denied").
func (r *Refusal) denied() bool {
	inWords := r.Code == 0 && strings.EqualFold(strings.TrimSuffix(r.Message, "."), fault.Unauthenticated.Error())
	return r.Code == codeNotAuth || r.Status == http.StatusUnauthorized || inWords
}

// class returns the class to count.
func (r *Refusal) class() string {
	switch {
	case r.csrf:
		return classCSRF
	case r.Code > 0 && r.Code <= lastCode:
		return strconv.Itoa(r.Code)
	default:
		return classOther
	}
}

// kind returns the error that the refusal of a session's call is.
func (r *Refusal) kind() error {
	switch {
	case r.csrf:
		return ErrTokenRefused
	case r.denied():
		return ErrSessionGone
	case r.Status == http.StatusServiceUnavailable:
		return fault.Unreachable
	case r.Code != 0:
		return kindOfCode(r.Code)
	default:
		return kindOfStatus(r.Status)
	}
}

func kindOfCode(code int) error {
	switch code {
	case codeMissing:
		return fault.Missing
	case codeInvalid, codeRange, codeReadOnly:
		return fault.Invalid
	case codeForbidden, codePermission:
		return fault.Forbidden
	case codeNotFound:
		return fault.NotFound
	default:
		return fault.BadUpstream
	}
}

// kindOfStatus goes by HTTP alone: for the dialect without codes, and for proxies before the site.
func kindOfStatus(status int) error {
	switch status {
	case http.StatusBadRequest:
		return fault.Invalid
	case http.StatusForbidden:
		return fault.Forbidden
	case http.StatusNotFound:
		return fault.NotFound
	case http.StatusBadGateway:
		return fault.Unreachable
	case http.StatusGatewayTimeout:
		return fault.Timeout
	default:
		return fault.BadUpstream
	}
}

// answers reports an answer with a verdict of HTCC, in either dialect. With 500 it tells of what stands behind
// the host, such as an Interaction Server that is away: agents without chat and email miss nothing then.
//
// Source: GWS 8.5.2, ReturnValues: 4; captured traffic of GWS 8.5.202.96: its 500s.
func answers(reply upstream.Reply) bool {
	body, err := parse(reply.Body)
	if err != nil {
		return false
	}
	verdict, err := verdictOf(body)
	return err == nil && verdict.given
}

// refused counts a refusal and returns it with its kind.
func (c *Client) refused(operation string, refusal *Refusal) error {
	c.metrics.APIError(operation, refusal.class())
	return fmt.Errorf("%w: %w", refusal.kind(), refusal)
}

// garbage counts and returns the error of an answer that is not what the API says.
func (c *Client) garbage(operation string, err error) error {
	c.metrics.APIError(operation, classGarbage)
	return fmt.Errorf("%w: %w", fault.BadUpstream, err)
}

// AsRefusal returns the answer of HTCC that err wraps, nil if there was none.
func AsRefusal(err error) *Refusal {
	refusal, _ := errors.AsType[*Refusal](err)
	return refusal
}
