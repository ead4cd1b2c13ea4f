package proxy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"portico/proxy/fault"
	"portico/proxy/plainjson"
	"portico/translate"
	"portico/translate/htccapi"
)

const (
	maxDepth     = 32  // of nested JSON
	maxOperation = 256 // bytes of an operationName
	maxChannels  = 100 // named in an operation
)

// byteOrderMark stands before what .NET programs write in UTF-8. It is no JSON, and HTCC takes it.
var byteOrderMark = []byte("\xef\xbb\xbf")

// textSlow is what a caller reads whose body did not come in time.
const textSlow = "the body came too slowly"

// An operationRequest is what a caller posts: decoded, and the whole as it came, which an HTCC site
// gets.
type operationRequest struct {
	htccapi.OperationRequest
	Body json.RawMessage
}

// decode reads the operation that the caller posts. From then on the call is counted under it.
func (c *call) decode() (operationRequest, error) {
	encoding := c.Request.Header.Get("Content-Encoding")
	if encoding != "" && !strings.EqualFold(encoding, "identity") {
		return operationRequest{}, fault.New(fault.Invalid, fmt.Sprintf("the body is encoded, as %q; send it as it is", encoding))
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, c.door.settings.MaxBody))
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	if tooLarge {
		return operationRequest{}, fault.New(fault.TooLarge, fmt.Sprintf("the body is larger than %d bytes", c.door.settings.MaxBody))
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return operationRequest{}, &fault.Error{Kind: fault.Invalid, Public: textSlow, Err: err}
	}
	if err != nil {
		return operationRequest{}, &fault.Error{Kind: fault.Invalid, Public: "the body ended too early", Err: err}
	}
	body = bytes.TrimPrefix(body, byteOrderMark)
	ask, err := decodeOperation(body)
	if err == nil {
		c.operation, c.asked = operationOf(ask.OperationName), ask.OperationName
	}
	return operationRequest{ask, body}, err
}

// decodeOperation reads the body of a POST. Members it does not know are left to others; names are
// compared exactly, and of a name given twice the later counts. It fails with fault.Missing or
// fault.Invalid and a text that says what is wrong.
func decodeOperation(body []byte) (htccapi.OperationRequest, error) {
	ask, plain := plainOperation(body)
	if plain {
		return ask, check(ask)
	}
	return decodeAnyOperation(body)
}

// plainOperation reads an operation that is written as nearly all are; false of others.
func plainOperation(body []byte) (ask htccapi.OperationRequest, plain bool) {
	in := plainjson.Read(body)
	in.Object(func(name []byte) {
		switch string(name) {
		case "operationName":
			ask.OperationName = htccapi.Operation(in.Text())
		case "notes":
			ask.Notes = in.Text()
		case "forwardNumber":
			ask.ForwardNumber = in.Text()
		case "until":
			ask.Until = in.Text()
		default:
			in.Leave()
		}
	})
	return ask, in.End()
}

// decodeAnyOperation is decodeOperation of any body.
func decodeAnyOperation(body []byte) (htccapi.OperationRequest, error) {
	var ask htccapi.OperationRequest
	if len(bytes.TrimSpace(body)) == 0 {
		return ask, fault.New(fault.Missing, `the body is empty; want a JSON object with "operationName"`)
	}
	if depth(body) > maxDepth {
		return ask, fault.New(fault.Invalid, fmt.Sprintf("the JSON is nested deeper than %d levels", maxDepth))
	}
	var members map[string]json.RawMessage
	err := json.Unmarshal(body, &members)
	if err != nil || members == nil {
		return ask, malformed(body, err)
	}
	for _, member := range []struct {
		name string
		into any
		want string
	}{
		{"operationName", &ask.OperationName, "a string"},
		{"channels", &ask.Channels, "an array with nothing but strings"},
		{"notes", &ask.Notes, "a string"},
		{"forwardNumber", &ask.ForwardNumber, "a string"},
		{"until", &ask.Until, "a string"},
	} {
		value, given := members[member.name]
		if given && json.Unmarshal(value, member.into) != nil {
			return ask, fault.New(fault.Invalid, fmt.Sprintf("%q must be %s; %s", member.name, member.want, misfit(value, member.into)))
		}
	}
	return ask, check(ask)
}

// check finds what is wrong with an operation whatever the agent's state is.
func check(ask htccapi.OperationRequest) error {
	_, err := translate.ParseUntil(ask.Until)
	switch {
	case ask.OperationName == "":
		return fault.New(fault.Missing, `"operationName" is missing`)
	case len(ask.OperationName) > maxOperation:
		return fault.New(fault.Invalid, fmt.Sprintf(`"operationName" is longer than %d bytes`, maxOperation))
	case len(ask.Channels) > maxChannels:
		return fault.New(fault.Invalid, fmt.Sprintf(`"channels" names more than %d`, maxChannels))
	case slices.Contains(ask.Channels, ""):
		return fault.New(fault.Invalid, `"channels" names one that is empty or null: name those to work on, such as ["voice"]`)
	case err != nil:
		return fault.New(fault.Invalid, `"until" must be a date and time such as "2026-01-05T08:15:00Z"`)
	case ask.OperationName == htccapi.StartContactCenterSession && len(ask.Channels) == 0:
		return fault.New(fault.Missing, `"channels" is missing: name those to work on, such as ["voice"]`)
	}
	return nil
}

// malformed says why body is no JSON object.
func malformed(body []byte, err error) error {
	syntax, isSyntax := errors.AsType[*json.SyntaxError](err)
	switch {
	case isSyntax && !utf8.Valid(body):
		return fault.New(fault.Invalid, fmt.Sprintf("malformed JSON at byte %d: %s (the body is not UTF-8)", syntax.Offset, syntax.Error()))
	case isSyntax:
		return fault.New(fault.Invalid, fmt.Sprintf("malformed JSON at byte %d: %s", syntax.Offset, syntax.Error()))
	}
	return fault.New(fault.Invalid, "the body must be a JSON object, not "+kindOf(body))
}

// misfit says what does not fit into what a value was for: an element of a list, or all of it.
func misfit(value []byte, into any) string {
	var elements []json.RawMessage
	_, isList := into.(*[]htccapi.MediaChannel)
	if isList && json.Unmarshal(value, &elements) == nil {
		for i, element := range elements {
			if json.Unmarshal(element, new(string)) != nil {
				return fmt.Sprintf("element %d is %s", i+1, kindOf(element))
			}
		}
	}
	return "it is " + kindOf(value)
}

// kindOf says what kind of JSON value it is.
func kindOf(value []byte) string {
	switch bytes.TrimSpace(value)[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

// depth returns how deep arrays and objects are nested. It does not check that they are closed
// properly.
func depth(body []byte) int {
	deepest, now, quoted := 0, 0, false
	for i := 0; i < len(body); i++ {
		switch b := body[i]; {
		case quoted && b == '\\':
			i++
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '{', b == '[':
			now++
			deepest = max(deepest, now)
		case b == '}', b == ']':
			now--
		}
	}
	return deepest
}
