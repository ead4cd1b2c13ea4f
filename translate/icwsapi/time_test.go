package icwsapi

import (
	"encoding/json"
	"testing"
	"time"
)

func TestDates(t *testing.T) {
	noon := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name, text string
		want       time.Time // zero: refused
	}{
		{"the server's compact form", `"20260105T120000Z"`, noon},
		{"the vendor's library's extended form", `"2026-01-05T12:00:00Z"`, noon},
		{"with milliseconds", `"2026-01-05T12:00:00.250Z"`, noon.Add(250 * time.Millisecond)},
		{"with an offset", `"2026-01-05T13:00:00+01:00"`, noon},
		{"without a zone", `"2026-01-05T12:00:00"`, time.Time{}},
		{"without seconds", `"2026-01-05T12:00Z"`, time.Time{}},
		{"a day that is not", `"20260230T120000Z"`, time.Time{}},
		{"a year that cannot be written", `"9999-12-31T23:59:59-01:00"`, time.Time{}},
		{"a year before the first", `"0000-01-01T00:00:00+01:00"`, time.Time{}},
		{"a number", `1767614400`, time.Time{}},
		{"null", `null`, time.Time{}},
		{"nothing", `""`, time.Time{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got Time
			err := json.Unmarshal([]byte(tt.text), &got)
			if (err != nil) != tt.want.IsZero() || !got.Equal(tt.want) || got.Location() != time.UTC {
				t.Errorf("read %s as %v, %v; want %v", tt.text, got, err, tt.want)
			}
		})
	}
}

func TestDatesAreWrittenCompactInUTC(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	encoded, err := json.Marshal(NewTime(time.Date(2026, 1, 5, 13, 0, 0, 999, berlin)))
	if want := `"20260105T120000Z"`; err != nil || string(encoded) != want {
		t.Errorf("written as %s, %v; want %s", encoded, err, want)
	}
}

func FuzzTime(f *testing.F) {
	for _, text := range []string{`"20260105T120000Z"`, `"2026-01-05T12:00:00.250Z"`, `"9999-12-31T23:59:59-01:00"`, `null`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var once, again Time
		if json.Unmarshal(text, &once) != nil {
			return
		}
		encoded, err := json.Marshal(once)
		if err != nil {
			t.Fatal(err)
		}
		err = json.Unmarshal(encoded, &again)
		if err != nil || !again.Equal(once.Truncate(time.Second)) {
			t.Errorf("%q is read as %v, written as %s, and read again as %v, %v", text, once, encoded, again, err)
		}
	})
}
