package icwsapi

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// replies names what each file of testdata is. The first line of a file tells its source.
var replies = map[string]any{
	"accepted":                new(Accepted),
	"activations":             new(UserActivationSets),
	"completed":               new(AsyncOperationCompletedMessage),
	"completed-failed":        new(AsyncOperationCompletedMessage),
	"connection":              new(ConnectionResponse),
	"connection-down":         new(ConnectionSettings),
	"error-property":          new(Error),
	"features":                new(FeatureInfoList),
	"message-activation":      new(UserActivationMessage),
	"message-connection":      new(ConnectionStateChangeMessage),
	"message-station":         new(EffectiveStationChangeMessage),
	"message-station-none":    new(EffectiveStationChangeMessage),
	"message-status-messages": new(StatusMessagesMessage),
	"message-subscription":    new(SubscriptionStateMessage),
	"message-user-access":     new(UserAccessMessage),
	"message-user-status":     new(UserStatusMessage),
	"status-messages":         new(StatusMessages),
	"status-update":           new(UserStatusUpdate),
	"user-access":             new(UserAccess),
	"user-access-none":        new(UserAccess),
	"user-status":             new(UserStatus),
	"user-status-no-end":      new(UserStatus),
	"user-status-required":    new(UserStatus),
}

func TestRoundTripsLoseNothing(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) != len(replies) {
		t.Fatalf("found %d files (%v); want %d", len(files), err, len(replies))
	}
	for name, value := range replies {
		t.Run(name, func(t *testing.T) {
			body := reply(t, name)
			decoder := json.NewDecoder(bytes.NewReader(body))
			decoder.DisallowUnknownFields()
			err := decoder.Decode(value)
			if err != nil {
				t.Fatal(err)
			}
			encoded, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			diff := cmp.Diff(anyOf(t, body), anyOf(t, encoded))
			if diff != "" {
				t.Errorf("differs after a round trip (-want +got):\n%s", diff)
			}
		})
	}
}

// reply returns the body in a file of testdata.
func reply(tb testing.TB, name string) []byte {
	tb.Helper()
	file, err := os.ReadFile(filepath.Join("testdata", name+".txt"))
	if err != nil {
		tb.Fatal(err)
	}
	source, body, found := bytes.Cut(file, []byte("\n"))
	if !found || !bytes.HasPrefix(source, []byte("# Source: ")) {
		tb.Fatalf("%s does not begin with its source", name)
	}
	return body
}

func anyOf(tb testing.TB, body []byte) any {
	tb.Helper()
	var value any
	err := json.Unmarshal(body, &value)
	if err != nil {
		tb.Fatal(err)
	}
	return value
}
