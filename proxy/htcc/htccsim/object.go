package htccsim

import (
	"bytes"
	"encoding/json"
	"slices"

	"portico/proxy/simulation"
)

// member is a name and a value of a JSON object; the value is anything that has a JSON form.
type member struct {
	name  string
	value any
}

// object is a JSON object whose members keep their order.
type object []member

// MarshalJSON writes the object.
func (o object) MarshalJSON() ([]byte, error) {
	var text bytes.Buffer
	text.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			text.WriteByte(',')
		}
		text.Write(simulation.Encode(m.name))
		text.WriteByte(':')
		text.Write(simulation.Encode(m.value))
	}
	text.WriteByte('}')
	return text.Bytes(), nil
}

// objectOf takes a value of ours apart into the members it has in JSON.
func objectOf(v any) object {
	if o, is := v.(object); is {
		return o
	}
	decoder := json.NewDecoder(bytes.NewReader(simulation.Encode(v)))
	_, _ = decoder.Token() // the opening brace
	var o object
	for decoder.More() {
		name, _ := decoder.Token() // before a value stands a name
		var value json.RawMessage
		err := decoder.Decode(&value)
		if err != nil {
			panic("htccsim: read an answer back: " + err.Error())
		}
		o = append(o, member{name.(string), value})
	}
	return o
}

// text returns the plain text of a member that is a string, number or flag; false if it is none.
func (o object) text(name string) (string, bool) {
	i := slices.IndexFunc(o, func(m member) bool { return m.name == name })
	if i < 0 {
		return "", false
	}
	value := simulation.Encode(o[i].value)
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text, true
	}
	return string(value), value[0] != '{' && value[0] != '['
}

// objectsOf takes the items of a list apart.
func objectsOf[T any](items []T) []object {
	objects := []object{}
	for _, item := range items {
		objects = append(objects, objectOf(item))
	}
	return objects
}
