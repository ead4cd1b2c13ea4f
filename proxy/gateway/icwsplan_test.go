package gateway

import (
	"strings"
	"testing"
	"time"

	"portico/proxy/icws/icwssim"
	"portico/translate/icwsapi"
)

// TestMessagesAreHeardInOrder has a message come while those before it, which were held back, are heard.
func TestMessagesAreHeardInOrder(t *testing.T) {
	w := newWorld(t, &icwssim.Server{})
	anna := w.login("anna")
	w.shows(anna)
	part := anna.parts[0].(*icwsPart)
	said := func(statusID string) icwsapi.Message {
		return icwsapi.UserStatusMessage{UserStatusList: []icwsapi.UserStatus{{UserID: "anna", StatusID: statusID}}}
	}
	w.awaitCurrent(anna) // the first lists would come after what the test says
	began := part.moment().told
	part.holdMessages()
	for range 2000 {
		part.hear(said("At Lunch"))
		part.hear(said("Available, No ACD"))
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		part.letMessagesGo()
	}()
	for deadline := time.Now().Add(10 * time.Second); part.moment().told == began; { // until the first is heard
		if time.Now().After(deadline) {
			t.Fatal("nothing that was held back is heard")
		}
	}
	part.hear(said("In a meeting"))
	<-done
	if shown := w.shows(anna); !strings.Contains(shown, "InAMeeting") && !strings.Contains(shown, "In a meeting") {
		t.Errorf("what came last is not what is shown: %s", shown)
	}
}
