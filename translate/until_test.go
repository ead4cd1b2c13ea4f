package translate

import (
	"testing"
	"time"
)

func TestParseUntil(t *testing.T) {
	noon := time.Date(2027, 1, 5, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name, text string
		want       time.Time // zero: refused
	}{
		{"in UTC", "2027-01-05T12:00:00Z", noon},
		{"with an offset", "2027-01-05T13:30:00+01:30", noon},
		{"with a fraction, which is cut off", "2027-01-05T12:00:00.75Z", noon},
		{"in lower case", "2027-01-05t12:00:00z", noon},
		{"in the last second", "9999-12-31T23:59:59Z", time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)},
		{"in the last second, with an offset", "9999-12-31T23:59:59+00:01", time.Date(9999, 12, 31, 23, 58, 59, 0, time.UTC)},
		{"after the last year", "9999-12-31T23:59:59-23:59", time.Time{}},
		{"before the first year", "0000-01-01T00:00:00+23:59", time.Time{}},
		{"without a zone", "2027-01-05T12:00:00", time.Time{}},
		{"with a blank", "2027-01-05 12:00:00Z", time.Time{}},
		{"in words", "noon", time.Time{}},
	} {
		until, err := ParseUntil(test.text)
		switch {
		case test.want.IsZero() && (err == nil || until != nil):
			t.Errorf("%s: ParseUntil(%q) = %v; want an error", test.name, test.text, until)
		case !test.want.IsZero() && (err != nil || !until.Equal(test.want)):
			t.Errorf("%s: ParseUntil(%q) = %v, %v; want %v", test.name, test.text, until, err, test.want)
		}
	}
	until, err := ParseUntil("")
	if until != nil || err != nil {
		t.Errorf("ParseUntil of nothing = %v, %v; want no end", until, err)
	}
}
