package htcc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"portico/translate/htccapi"
)

// An Object is a JSON object as a server sent it: all its members, known here or not, in their
// order. It is never changed; With and Without return another one. The zero Object is {}.
type Object struct {
	members []member
}

type member struct {
	name  string
	value json.RawMessage
}

var errNoObject = errors.New("no JSON object")

// UnmarshalJSON reads an object and refuses all else, null included. Of two members with one name
// the later counts.
func (o *Object) UnmarshalJSON(b []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(b))
	open, err := decoder.Token()
	if err != nil {
		return err
	}
	if open != json.Delim('{') {
		return errNoObject
	}
	var members []member
	at := make(map[string]int)
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		m := member{name: name.(string)} // the decoder allows nothing else here
		err = decoder.Decode(&m.value)
		if err != nil {
			return err
		}
		i, again := at[m.name]
		if again {
			members[i] = m
			continue
		}
		at[m.name] = len(members)
		members = append(members, m)
	}
	o.members = members
	return nil
}

// MarshalJSON writes the members in their order.
func (o Object) MarshalJSON() ([]byte, error) {
	text := []byte{'{'}
	for i, m := range o.members {
		if i > 0 {
			text = append(text, ',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		text = append(append(append(text, name...), ':'), m.value...)
	}
	return append(text, '}'), nil
}

// Get returns the value of a member, nil if there is none.
func (o Object) Get(name string) json.RawMessage {
	i := o.index(name)
	if i < 0 {
		return nil
	}
	return o.members[i].value
}

// Text returns the value of a member that is a string, else "".
func (o Object) Text(name string) string {
	var text string
	if o.into(name, &text) != nil {
		return ""
	}
	return text
}

// With returns the object with another value of a member: in its place, or at the end if it has
// none.
func (o Object) With(name string, value json.RawMessage) Object {
	members := slices.Clone(o.members)
	i := o.index(name)
	if i < 0 {
		return Object{append(members, member{name, value})}
	}
	members[i].value = value
	return Object{members}
}

// Without returns the object without some members.
func (o Object) Without(names ...string) Object {
	return Object{slices.DeleteFunc(slices.Clone(o.members), func(m member) bool { return slices.Contains(names, m.name) })}
}

// Equal reports whether two objects have the same members in the same order and with the same text.
// Tests compare what holds objects by it.
func (o Object) Equal(other Object) bool {
	return slices.EqualFunc(o.members, other.members, func(a, b member) bool {
		return a.name == b.name && bytes.Equal(a.value, b.value)
	})
}

func (o Object) index(name string) int {
	return slices.IndexFunc(o.members, func(m member) bool { return m.name == name })
}

// has reports a member that is not null.
func (o Object) has(name string) bool {
	value := o.Get(name)
	return value != nil && !bytes.Equal(value, []byte("null"))
}

var errNoMember = errors.New("missing")

// into decodes a member.
func (o Object) into(name string, v any) error {
	value := o.Get(name)
	if value == nil {
		return fmt.Errorf("member %q: %w", name, errNoMember)
	}
	err := json.Unmarshal(value, v)
	if err != nil {
		return fmt.Errorf("member %q: %w", name, err)
	}
	return nil
}

// objects decodes a member that is a list of objects; nil if it is missing or null.
func (o Object) objects(name string) ([]Object, error) {
	if !o.has(name) {
		return nil, nil
	}
	var list []Object
	err := o.into(name, &list)
	return list, err
}

// userState decodes the userState of a device or channel.
func (o Object) userState() (htccapi.UserState, bool) {
	var state htccapi.UserState
	if !o.has("userState") || o.into("userState", &state) != nil {
		return htccapi.UserState{}, false
	}
	return state, true
}
