package translate

import (
	"fmt"
	"time"

	"portico/translate/icwsapi"
)

// ParseUntil reads the end of a status as a caller gives it, in RFC 3339. Nothing is no end. An error, of
// no kind, says that text is not RFC 3339.
func ParseUntil(text string) (*icwsapi.Time, error) {
	if text == "" {
		return nil, nil
	}
	end, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return nil, fmt.Errorf("translate: until %q: %w", text, err)
	}
	until := icwsapi.NewTime(end)
	return &until, nil
}
