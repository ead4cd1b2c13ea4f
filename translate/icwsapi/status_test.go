package icwsapi

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAnEndThatIsNullIsNotOneThatIsAbsent(t *testing.T) {
	tests := []struct {
		name, body string
		present    bool
		value      bool
	}{
		{"absent: unchanged", `{"userId":"anna","statusId":"At Lunch"}`, false, false},
		{"null: the status has no end", `{"userId":"anna","statusId":"At Lunch","until":null}`, true, false},
		{"a value", `{"userId":"anna","statusId":"At Lunch","until":{"untilDateTime":"20260105T114500Z","hasDate":false,"hasTime":true}}`, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var status UserStatus
			err := json.Unmarshal([]byte(tt.body), &status)
			if err != nil {
				t.Fatal(err)
			}
			if status.Until.Present != tt.present || (status.Until.Value != nil) != tt.value {
				t.Errorf("until = %+v; want present %t, value %t", status.Until, tt.present, tt.value)
			}
			encoded, err := json.Marshal(status)
			if err != nil || string(encoded) != tt.body {
				t.Errorf("encoded as %s, %v; want %s", encoded, err, tt.body)
			}
		})
	}
}

func TestAnUpdateCarriesOnlyWhatIsSet(t *testing.T) {
	encoded, err := json.Marshal(UserStatusUpdate{StatusID: "Available"})
	if want := `{"statusId":"Available"}`; err != nil || string(encoded) != want {
		t.Errorf("encoded as %s, %v; want %s", encoded, err, want)
	}
}

func FuzzUserStatus(f *testing.F) {
	for _, name := range []string{"user-status", "user-status-no-end", "user-status-required"} {
		f.Add(reply(f, name))
	}
	f.Add([]byte(`{"until":{"untilDateTime":"9999-12-31T23:59:59-01:00"},"stations":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var once, again UserStatus
		if json.Unmarshal(body, &once) != nil {
			return
		}
		encoded, err := json.Marshal(once)
		if err != nil {
			t.Fatalf("read from %q, it cannot be written: %v", body, err)
		}
		err = json.Unmarshal(encoded, &again)
		if err != nil {
			t.Fatalf("written as %q, it cannot be read: %v", encoded, err)
		}
		twice, err := json.Marshal(again)
		diff := cmp.Diff(string(encoded), string(twice))
		if err != nil || diff != "" {
			t.Errorf("differs after a round trip: %v (-want +got):\n%s", err, diff)
		}
	})
}
