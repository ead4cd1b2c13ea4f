package icwsapi

import (
	"bytes"
	"fmt"
	"time"
)

// compact is the form in which the server writes dates, always UTC.
const compact = "20060102T150405Z"

// Time is a point in time with a resolution of one second. It is written in the compact form of
// the server (20260105T081500Z) and read in that form and in RFC 3339, which is what the
// vendor's JavaScript library sends, with a Z.
type Time struct{ time.Time }

// NewTime returns t in UTC, cut to the second.
func NewTime(t time.Time) Time { return Time{t.UTC().Truncate(time.Second)} }

// MarshalJSON writes the compact form.
func (t Time) MarshalJSON() ([]byte, error) {
	return []byte(`"` + t.UTC().Format(compact) + `"`), nil
}

// UnmarshalJSON reads either form. Anything else, null included, is an error.
func (t *Time) UnmarshalJSON(b []byte) error {
	text := string(bytes.Trim(b, `"`))
	for _, layout := range []string{compact, time.RFC3339Nano} {
		parsed, err := time.Parse(layout, text)
		read := Time{parsed.UTC()}
		if err == nil && read.Writable() {
			*t = read
			return nil
		}
	}
	return fmt.Errorf("icwsapi: %s is not a date such as %q", b, compact)
}

// Writable reports whether the compact form has room for the year. A date near the end of time with
// an offset can lie outside of it.
func (t Time) Writable() bool { return t.UTC().Year() >= 0 && t.UTC().Year() <= 9999 }
