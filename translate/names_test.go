package translate

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

func TestNamesOfCustomStates(t *testing.T) {
	tests := []struct {
		name string
		ids  []string
		want []htccapi.Operation
	}{
		{"words are joined with capitals", []string{"Away from desk"}, []htccapi.Operation{"AwayFromDesk"}},
		{"signs are left out", []string{"Available, No ACD", "On-call (2)"}, []htccapi.Operation{"AvailableNoACD", "OnCall2"}},
		{"letters of every language stay", []string{"über Mittag"}, []htccapi.Operation{"ÜberMittag"}},
		{"an id without letters is Status", []string{"***"}, []htccapi.Operation{"Status"}},
		{"all that collide get digits", []string{"At Lunch", "At-Lunch", "At Play"}, []htccapi.Operation{"AtLunch0b97", "AtLunch2ff9", "AtPlay"}},
		{"case does not keep names apart", []string{"ACW", "a cw"}, []htccapi.Operation{"ACWd964", "ACwa4ec"}},
		{"reserved names collide", []string{"Not Ready", "offline"}, []htccapi.Operation{"NotReady70a1", "Offlinebd71"}},
		{"a name that looks like one with digits collides with it",
			[]string{"At Lunch", "At-Lunch", "AtLunch0b97"}, []htccapi.Operation{"AtLunch0b975648", "AtLunch2ff9", "AtLunch0b97de6e"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range 2 { // the order of the catalogue does not matter
				got := namesOf(tt.ids)
				diff := cmp.Diff(tt.want, got)
				if diff != "" {
					t.Errorf("names of %q differ (-want +got):\n%s", tt.ids, diff)
				}
				slices.Reverse(tt.ids)
				slices.Reverse(tt.want)
			}
		})
	}
}

func namesOf(ids []string) []htccapi.Operation {
	var messages []icwsapi.StatusMessage
	for _, id := range ids {
		messages = append(messages, icwsapi.StatusMessage{StatusID: id})
	}
	catalogue := NewCatalogue(site, messages)
	var names []htccapi.Operation
	for _, id := range ids {
		names = append(names, catalogue.Name(id).Operation)
	}
	return names
}

func TestReservedNamesCannotBeCustomStates(t *testing.T) {
	for _, reserved := range htccapi.Reserved {
		got := namesOf([]string{string(reserved)})[0]
		if got == reserved {
			t.Errorf("the status %q is called %q; want digits behind it", reserved, got)
		}
	}
}

func TestIDsDifferFromSiteToSite(t *testing.T) {
	messages := []icwsapi.StatusMessage{{StatusID: "At Lunch"}}
	one, two := NewCatalogue("one", messages).Name("at lunch"), NewCatalogue("two", messages).Name("at lunch")
	if one.ID == two.ID || one.Operation != two.Operation {
		t.Errorf("named %v and %v; want ids of their own and one operation", one, two)
	}
}

func FuzzNamesAreDistinct(f *testing.F) {
	f.Add("At Lunch", "At-Lunch", "AtLunch0b97")
	f.Add("Ready", "ready ", "READY!")
	f.Add("", " ", "\xff")
	f.Fuzz(func(t *testing.T, one, two, three string) {
		catalogue := NewCatalogue(site, []icwsapi.StatusMessage{{StatusID: one}, {StatusID: two}, {StatusID: three}})
		seen := map[string]string{}
		for _, message := range catalogue.Messages() {
			name := catalogue.Name(message.StatusID)
			for _, taken := range []string{name.ID, fold(string(name.Operation))} {
				if other, known := seen[taken]; known {
					t.Errorf("%q and %q are both %q", message.StatusID, other, taken)
				}
				seen[taken] = fmt.Sprintf("%q", message.StatusID)
			}
			if slices.Contains(htccapi.Reserved, name.Operation) {
				t.Errorf("%q has the reserved name %q", message.StatusID, name.Operation)
			}
		}
	})
}
