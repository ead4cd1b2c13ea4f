package simulation

import (
	"encoding/json"
	"errors"
	"testing"
	"time"
)

func TestKnobs(t *testing.T) {
	type lab struct {
		Pause  time.Duration
		Hosts  []string
		Strict bool
		Code   int
	}
	const others = `unknown setting "mood": want one of code, hosts, pause, strict`
	for _, test := range []struct{ name, asked, err, want string }{
		{"one", `{"pause":"1.5s"}`, "", `{"code":7,"hosts":["a"],"pause":"1.5s","strict":false}`},
		{"several", `{"hosts":["b","c"],"strict":true,"code":3}`, "", `{"code":3,"hosts":["b","c"],"pause":"1s","strict":true}`},
		{"none", `{}`, "", `{"code":7,"hosts":["a"],"pause":"1s","strict":false}`},
		{"null is the simulator's own", `{"pause":null,"hosts":null,"code":null}`, "", `{"code":null,"hosts":null,"pause":null,"strict":false}`},
		{"one that does not exist, and nothing changes", `{"code":1,"mood":"x"}`, others, `{"code":7,"hosts":["a"],"pause":"1s","strict":false}`},
		{"a duration that is none", `{"code":1,"pause":"long"}`, `setting pause: want a duration such as "500ms"`, `{"code":7,"hosts":["a"],"pause":"1s","strict":false}`},
		{"a number for a duration", `{"pause":5}`, `setting pause: want a duration such as "500ms"`, `{"code":7,"hosts":["a"],"pause":"1s","strict":false}`},
		{"a duration that makes no sense", `{"pause":"-1s"}`, "setting pause: -1s: want no negative duration", `{"code":7,"hosts":["a"],"pause":"1s","strict":false}`},
		{"a wrong type", `{"strict":"yes"}`, "setting strict: json: cannot unmarshal string into Go value of type bool", `{"code":7,"hosts":["a"],"pause":"1s","strict":false}`},
		{"what the simulator objects to", `{"code":13}`, "setting code: unlucky", `{"code":7,"hosts":["a"],"pause":"1s","strict":false}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := lab{Pause: time.Second, Hosts: []string{"a"}, Code: 7}
			knobs := Knobs{At("pause", &l.Pause, NotNegative), At("hosts", &l.Hosts, nil), At("strict", &l.Strict, nil),
				At("code", &l.Code, func(code int) error {
					if code == 13 {
						return errors.New("unlucky")
					}
					return nil
				})}
			var asked map[string]json.RawMessage
			err := json.Unmarshal([]byte(test.asked), &asked)
			if err != nil {
				t.Fatal(err)
			}
			err = knobs.Turn(asked)
			if err == nil && test.err != "" || err != nil && err.Error() != test.err {
				t.Errorf("Turn(%s) = %v; want %q", test.asked, err, test.err)
			}
			if got := string(Encode(knobs.Values())); got != test.want {
				t.Errorf("values = %s; want %s", got, test.want)
			}
		})
	}
}
