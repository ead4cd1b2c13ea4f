package translate

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"portico/translate/icwsapi"
)

// errNoYear is what an end is that no site can be told, such as one in the year 10000 of UTC.
var errNoYear = errors.New("the year in UTC is not one of 0 to 9999")

// ParseUntil reads the end of a status as a caller gives it, in RFC 3339. Nothing is no end. An error, of
// no kind, says that text is not RFC 3339, or a date that cannot be written in UTC.
//
// Source: RFC 3339, 5.6: "T" and "Z" may be lower case.
func ParseUntil(text string) (*icwsapi.Time, error) {
	if text == "" {
		return nil, nil
	}
	end, err := time.Parse(time.RFC3339, strings.ToUpper(text))
	until := icwsapi.NewTime(end)
	if err == nil && !until.Writable() {
		err = errNoYear
	}
	if err != nil {
		return nil, fmt.Errorf("translate: until %q: %w", text, err)
	}
	return &until, nil
}
