package config

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// TestStatusesAreKeptApart has each status of a site be another one's too.
func TestStatusesAreKeptApart(t *testing.T) {
	for _, f := range fieldsOf(reflect.TypeFor[Statuses]()) {
		for _, other := range []string{"ready", "do_not_disturb"} {
			if f.name == other {
				continue
			}
			t.Run(f.name+" and "+other, func(t *testing.T) {
				text := strings.ReplaceAll(small, "{kind: icws,", fmt.Sprintf("{kind: icws, statuses: {%s: Busy, %s: busy},", f.name, other))
				_, err := Parse("small.yaml", []byte(text), nil)
				refused := err != nil && strings.Contains(err.Error(), "the two need different statuses")
				if want := !strings.HasPrefix(f.name, "at_"); refused != want {
					t.Errorf("refused: %t; want %t: %v", refused, want, err)
				}
			})
		}
	}
}
