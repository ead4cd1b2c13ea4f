package fault

import (
	"errors"
	"strings"
	"testing"
)

func TestGuardedMakesAnErrorOfAPanic(t *testing.T) {
	refused := errors.New("refused")
	for _, c := range []struct {
		name string
		do   func() (int, error)
		want string // in the error; "" for none
	}{
		{"what succeeds is left alone", func() (int, error) { return 7, nil }, ""},
		{"so is an error", func() (int, error) { return 7, refused }, "refused"},
		{"our own words are told", func() (int, error) { panic("no such plan") }, "panic: no such plan\n"},
		{"so are those of the runtime", func() (int, error) { return len([]int{}[beyond:]), nil }, "out of range"},
		{"what a stranger may have sent is not", func() (int, error) { panic(errors.New("s3cret")) }, "panic: a *errors.errorString\n"},
		{"the stack says where", func() (int, error) { panic("here") }, "panic_test.go"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Guarded(c.do)
			switch {
			case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("Guarded = %v; want %q", err, c.want)
			case err != nil && strings.Contains(err.Error(), "s3cret"):
				t.Errorf("Guarded = %v; want nothing of what was sent", err)
			}
		})
	}
}

var beyond = 1
