package icwssim

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
)

// decode reads a request's body into v, whatever the content type says: clients send this API's,
// application/json, form types, or none. Properties named in required must be there, spelled as the
// API spells them (a log-in says userID, all else userId), and not null. Other properties may be
// null, but lists and objects may not have null in them: no contract allows that.
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
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if hasNull(properties[name]) {
			return invalidProperty(name, "The property "+name+" has null in it."), true
		}
	}
	err = json.Unmarshal(exact(properties, body, required), v)
	if wrong, isType := errors.AsType[*json.UnmarshalTypeError](err); isType {
		name, _, _ := strings.Cut(wrong.Field, ".")
		return invalidProperty(name, "The property "+name+" has a value of the wrong type."), true
	}
	if err != nil {
		return badRequest("The request body could not be read."), true
	}
	return reply{}, false
}

// exact returns body without what encoding/json takes for a required property though it is spelled in other
// capitals: the last such would count.
func exact(properties map[string]json.RawMessage, body []byte, required []string) []byte {
	before := len(properties)
	maps.DeleteFunc(properties, func(name string, _ json.RawMessage) bool {
		return !slices.Contains(required, name) &&
			slices.ContainsFunc(required, func(one string) bool { return strings.EqualFold(one, name) })
	})
	if len(properties) == before {
		return body
	}
	rest, err := json.Marshal(properties)
	if err != nil {
		panic("icwssim: what was read cannot fail to encode: " + err.Error())
	}
	return rest
}

// has says whether a property is there and not null.
func has(properties map[string]json.RawMessage, name string) bool {
	value, found := properties[name]
	return found && string(value) != "null"
}

// hasNull says whether value is a list or an object with null directly in it.
func hasNull(value json.RawMessage) bool {
	isNull := func(member json.RawMessage) bool { return string(member) == "null" }
	var list []json.RawMessage
	if json.Unmarshal(value, &list) == nil {
		return slices.ContainsFunc(list, isNull)
	}
	var object map[string]json.RawMessage
	_ = json.Unmarshal(value, &object) // what is neither has nothing in it
	return slices.ContainsFunc(slices.Collect(maps.Values(object)), isNull)
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
	return properties[name]
}

// userIDOf returns whom a log-in names, if it can be read.
func userIDOf(body []byte) string {
	var user string
	_ = json.Unmarshal(property(body, "userID"), &user) // a body that is no log-in names nobody
	return user
}
