package catalogues

import (
	"fmt"
	"testing"

	"portico/translate/icwsapi"
)

func TestEqualListsAreOneCatalogue(t *testing.T) {
	maker := NewMaker("pureconnect")
	of := func(text string) any {
		return maker.Of([]icwsapi.StatusMessage{{StatusID: "Available", MessageText: "Available"}, {StatusID: "At Lunch", MessageText: text}})
	}
	english, german := of("At lunch"), of("Zu Tisch")
	if of("At lunch") != english || of("Zu Tisch") != german {
		t.Error("an equal list makes another catalogue")
	}
	if english == german {
		t.Error("lists that differ make one catalogue")
	}
	for i := range listsKept {
		of(fmt.Sprint(i))
	}
	if len(maker.made) != listsKept || of("At lunch") == english {
		t.Errorf("%d catalogues are kept, or one of long ago; want the last %d", len(maker.made), listsKept)
	}
}
