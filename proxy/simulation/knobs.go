package simulation

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Knob is a field of a simulator that can be set while it runs, by GET and POST /_sim/settings.
// The simulator's lock guards it.
type Knob struct {
	name string
	show func() any
	read func(value json.RawMessage) (turn func(), err error)
}

// At returns the knob of that name for the field at. In JSON a duration is a text such as "500ms",
// and null the zero value of a duration or number, which stands for what the simulator does by itself. A value to which
// check objects is refused; nil takes all.
func At[T any](name string, at *T, check func(T) error) Knob {
	return Knob{name: name,
		show: func() any {
			switch value := any(*at).(type) {
			case time.Duration:
				if value != 0 {
					return value.String()
				}
				return nil
			case int:
				if value == 0 {
					return nil
				}
			}
			return *at
		},
		read: func(raw json.RawMessage) (func(), error) {
			var value T
			err := readValue(raw, &value)
			if err == nil && check != nil {
				err = check(value)
			}
			return func() { *at = value }, err
		},
	}
}

func readValue(raw json.RawMessage, value any) error {
	d, isDuration := value.(*time.Duration)
	if !isDuration || string(raw) == "null" {
		return json.Unmarshal(raw, value)
	}
	var text string
	_ = json.Unmarshal(raw, &text) // what is no text is no duration
	parsed, err := time.ParseDuration(text)
	*d = parsed
	if err != nil {
		return fmt.Errorf("want a duration such as %q", "500ms")
	}
	return nil
}

// Knobs are what can be set of one simulator.
type Knobs []Knob

// Values returns how they are set, by name, as GET /_sim/settings shows it.
func (ks Knobs) Values() map[string]any {
	values := make(map[string]any)
	for _, k := range ks {
		values[k.name] = k.show()
	}
	return values
}

// Turn sets those that asked names, or none if one of them does not exist or cannot be set so.
func (ks Knobs) Turn(asked map[string]json.RawMessage) error {
	var turns []func()
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		i := slices.IndexFunc(ks, func(k Knob) bool { return k.name == name })
		if i < 0 {
			return fmt.Errorf("unknown setting %q: want one of %s", name, strings.Join(slices.Sorted(maps.Keys(ks.Values())), ", "))
		}
		turn, err := ks[i].read(asked[name])
		if err != nil {
			return fmt.Errorf("setting %s: %w", name, err)
		}
		turns = append(turns, turn)
	}
	for _, turn := range turns {
		turn()
	}
	return nil
}

// NotNegative is the check of a duration that has no meaning below zero.
func NotNegative(d time.Duration) error {
	if d < 0 {
		return fmt.Errorf("%v: want no negative duration", d)
	}
	return nil
}
