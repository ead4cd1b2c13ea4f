package icwssim

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// decode reads a request's body into v, whatever the content type says: clients send this API's,
// application/json, form types, or none. Properties named in required must be there and not null.
// The returned bool says that the reply is a refusal to send.
func decode(body []byte, v any, required ...string) (reply, bool) {
	body = bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\xef\xbb\xbf"))
	var properties map[string]json.RawMessage
	err := json.Unmarshal(body, &properties)
	if err != nil {
		return badRequest("The request body is not a JSON object."), true
	}
	for _, name := range required {
		if !has(properties, name) {
			return missingProperty(name), true
		}
	}
	err = json.Unmarshal(body, v)
	if wrong, isType := errors.AsType[*json.UnmarshalTypeError](err); isType {
		name, _, _ := strings.Cut(wrong.Field, ".")
		return invalidProperty(name, "The property "+name+" has a value of the wrong type."), true
	}
	if err != nil {
		return badRequest("The request body could not be read."), true
	}
	return reply{}, false
}

// has looks for a property as encoding/json does, without regard to case.
func has(properties map[string]json.RawMessage, name string) bool {
	for key, value := range properties {
		if strings.EqualFold(key, name) && string(value) != "null" {
			return true
		}
	}
	return false
}

// hasProperty is has for a body or a part of one.
func hasProperty(body []byte, name string) bool {
	value := property(body, name)
	return value != nil && string(value) != "null"
}

// property returns the value of a property of body, or nil.
func property(body []byte, name string) json.RawMessage {
	var properties map[string]json.RawMessage
	_ = json.Unmarshal(body, &properties) // what is no object has no properties
	for key, value := range properties {
		if strings.EqualFold(key, name) {
			return value
		}
	}
	return nil
}

// userIDOf returns whom a log-in names, if it can be read.
func userIDOf(body []byte) string {
	var named struct{ UserID string }
	_ = json.Unmarshal(body, &named) // a body that is no log-in names nobody
	return named.UserID
}
