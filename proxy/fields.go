package proxy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"portico/proxy/gateway"
)

// Names of query parameters that are not filters.
const (
	paramFields       = "fields"
	paramSubresources = "subresources"
)

// A selection is a list of names from the query, such as fields=id,channel or subresources=*.
// Unknown names select nothing.
type selection struct {
	given bool
	all   bool
	names []string
}

func selected(query url.Values, parameter string) selection {
	s := selection{given: query.Has(parameter)}
	for _, value := range query[parameter] {
		for name := range strings.SplitSeq(value, ",") {
			name = strings.TrimSpace(name)
			s.all = s.all || name == "*"
			s.names = append(s.names, name)
		}
	}
	return s
}

func (s selection) named(name string) bool { return slices.Contains(s.names, name) }

// whole reports whether every field is wanted.
func (s selection) whole() bool { return !s.given || s.all }

// A member is a name and value of a JSON object.
type member struct {
	name  string
	value json.RawMessage
}

// An object is a JSON object whose members keep their order.
type object []member

// MarshalJSON writes the object.
func (o object) MarshalJSON() ([]byte, error) {
	var text bytes.Buffer
	text.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			text.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		text.Write(name)
		text.WriteByte(':')
		text.Write(m.value)
	}
	text.WriteByte('}')
	return text.Bytes(), nil
}

// extended is an object and members that follow its own.
type extended struct {
	object any
	more   object
}

// MarshalJSON writes all members.
func (e extended) MarshalJSON() ([]byte, error) {
	text, err := json.Marshal(e.object)
	if err != nil || len(e.more) == 0 {
		return text, err
	}
	more, err := e.more.MarshalJSON()
	if err != nil {
		return nil, err
	}
	text = text[:len(text)-1]
	if len(text) > 1 {
		text = append(text, ',')
	}
	return append(text, more[1:]...), nil
}

// objectOf takes a struct apart as it is written in JSON.
func objectOf(v any) (object, error) {
	encoded, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("proxy: encode %T: %w", v, err)
	}
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	_, err = decoder.Token() // the opening brace
	if err != nil {
		return nil, fmt.Errorf("proxy: read %T back: %w", v, err)
	}
	var o object
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, fmt.Errorf("proxy: read %T back: %w", v, err)
		}
		var value json.RawMessage
		err = decoder.Decode(&value)
		if err != nil {
			return nil, fmt.Errorf("proxy: read %T back: %w", v, err)
		}
		o = append(o, member{name.(string), value})
	}
	return o, nil
}

// restrict cuts an object down to the fields that are wanted, in their order. It returns v itself
// if that is all of them.
func restrict(v any, fields selection) (any, error) {
	if fields.whole() {
		return v, nil
	}
	whole, err := objectOf(v)
	if err != nil {
		return nil, err
	}
	kept := object{}
	for _, m := range whole {
		if fields.named(m.name) {
			kept = append(kept, m)
		}
	}
	return kept, nil
}

// bodies returns the objects of a list, each cut down to the fields that are wanted.
func bodies(items []gateway.Resource, fields selection) ([]any, error) {
	list := make([]any, len(items))
	for i, item := range items {
		one, err := restrict(item.Body, fields)
		if err != nil {
			return nil, err
		}
		list[i] = one
	}
	return list, nil
}

// filter returns the items whose fields have the values that the query names, such as
// channel=voice. Of a field given several times any value will do; parameters that are no field of
// any item are passed over, since applications add some of their own.
//
// Source: HTCC 8.5.0, Request parameters.
func filter(items []gateway.Resource, query url.Values) ([]gateway.Resource, error) {
	if len(query) == 0 || len(query) == 1 && query.Has(paramFields) {
		return items, nil
	}
	objects := make([]object, len(items))
	for i, item := range items {
		var err error
		objects[i], err = objectOf(item.Body)
		if err != nil {
			return nil, err
		}
	}
	wanted := filters(objects, query)
	kept := []gateway.Resource{}
	for i, item := range items {
		if objects[i].fits(wanted) {
			kept = append(kept, item)
		}
	}
	return kept, nil
}

// filters returns the parameters that are fields of some item.
func filters(items []object, query url.Values) url.Values {
	wanted := url.Values{}
	for _, item := range items {
		for _, m := range item {
			if m.name != paramFields && m.name != paramSubresources && query.Has(m.name) {
				wanted[m.name] = query[m.name]
			}
		}
	}
	return wanted
}

func (o object) fits(wanted url.Values) bool {
	for name, values := range wanted {
		at := slices.IndexFunc(o, func(m member) bool { return m.name == name })
		if at < 0 || !slices.ContainsFunc(values, func(value string) bool { return has(o[at].value, value) }) {
			return false
		}
	}
	return true
}

// has reports whether a field is a value, or a list with it.
func has(field json.RawMessage, value string) bool {
	var list []json.RawMessage
	err := json.Unmarshal(field, &list)
	if err != nil {
		return plainText(field) == value
	}
	return slices.ContainsFunc(list, func(one json.RawMessage) bool { return plainText(one) == value })
}

// plainText returns a JSON string without its quotes, and anything else as it is written.
func plainText(value json.RawMessage) string {
	var text string
	err := json.Unmarshal(value, &text)
	if err != nil {
		return string(value)
	}
	return text
}
