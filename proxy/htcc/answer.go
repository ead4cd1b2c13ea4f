package htcc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"portico/proxy/upstream"
	"portico/translate/htccapi"
)

var (
	errNoVerdict = errors.New("no statusCode")
	errRedirect  = errors.New("a redirect, which is not followed")
)

// A verdict is what an answer says of itself.
type verdict struct {
	given   bool // it says something
	failed  bool
	code    int    // statusCode, 0 in the dialect without
	message string // of a failure
}

// parse reads the body of an answer.
func parse(body []byte) (Object, error) {
	var o Object
	err := json.Unmarshal(body, &o)
	if err != nil {
		return Object{}, fmt.Errorf("body is no JSON object: %w", err)
	}
	return o, nil
}

// verdictOf reads the verdict of either dialect. Real servers send statusCode as a number; the
// vendor's own samples have it as a string too.
//
// Source: GWS 8.5.2, ReturnValues; HTCC 8.5.0, Setting agent state.
func verdictOf(o Object) (verdict, error) {
	if o.Get("statusCode") != nil {
		code, err := codeOf(o.Get("statusCode"))
		if err != nil {
			return verdict{}, err
		}
		failed := code != 0 && code != codePartial
		return verdict{given: true, failed: failed, code: code, message: o.Text("statusMessage")}, nil
	}
	switch o.Text("status") {
	case htccapi.StatusOK:
		return verdict{given: true}, nil
	case htccapi.StatusError:
		return verdict{given: true, failed: true, message: description(o)}, nil
	default:
		return verdict{}, nil
	}
}

// codeOf reads a statusCode.
func codeOf(value json.RawMessage) (int, error) {
	code, err := strconv.Atoi(string(bytes.Trim(value, `"`)))
	if err != nil {
		return 0, fmt.Errorf("statusCode that is no number: %w", err)
	}
	return code, nil
}

// description returns errorDescription, whose type is nowhere said.
func description(o Object) string {
	text := o.Text("errorDescription")
	if text != "" {
		return text
	}
	return string(o.Get("errorDescription"))
}

// answer reads what a call was answered with. An answer without a verdict is one only if it has
// a member that was asked for: in the dialect without codes, what is read has no verdict.
func (c *Client) answer(operation string, reply upstream.Reply, asked ...string) (Object, error) {
	switch {
	case reply.Status/100 == 3:
		return Object{}, c.garbage(operation, fmt.Errorf("HTTP %d: %w", reply.Status, errRedirect))
	case reply.Status/100 != 2:
		return Object{}, c.refused(operation, refusalOf(reply))
	}
	body, verdict, err := read(reply.Body, asked)
	if err != nil {
		return Object{}, c.garbage(operation, fmt.Errorf("HTTP %d: %w", reply.Status, err))
	}
	if verdict.failed {
		return Object{}, c.refused(operation, &Refusal{Status: reply.Status, Code: verdict.code, Message: verdict.message})
	}
	return body, nil
}

// read parses a body and its verdict.
func read(b []byte, asked []string) (Object, verdict, error) {
	body, err := parse(b)
	if err != nil {
		return Object{}, verdict{}, err
	}
	said, err := verdictOf(body)
	if err != nil {
		return Object{}, verdict{}, err
	}
	if said.given {
		return body, said, nil
	}
	for _, name := range asked {
		if body.has(name) {
			return body, said, nil
		}
	}
	return Object{}, verdict{}, errNoVerdict
}
