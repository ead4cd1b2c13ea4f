package config

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/translate/htccapi"
)

// A state that settings name after an operation would never be chosen. This room imports no other, so its list of them
// is its own.
func TestReservedAreThoseOfTheAPI(t *testing.T) {
	var want []string
	for _, op := range htccapi.Reserved {
		want = append(want, string(op))
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(reserved))); diff != "" {
		t.Errorf("reserved (-htccapi.Reserved +here):\n%s", diff)
	}
}
