package fault

import (
	"errors"
	"fmt"
	"testing"
)

func TestEveryKindHasAClass(t *testing.T) {
	of := map[string]Kind{}
	for kind := range shown {
		class := Class(fmt.Errorf("no: %w", kind))
		if class == "" || of[class] != "" {
			t.Errorf("the class of %q is %q, which is also that of %q", kind, class, of[class])
		}
		of[class] = kind
	}
	if got := Class(errors.New("boom")); got != "internal" {
		t.Errorf("the class of an error without kind is %q; want internal", got)
	}
	if got := Class(nil); got != "" {
		t.Errorf("the class of no error is %q", got)
	}
}
