package session

import (
	"strings"
	"unicode"
)

// IsName reports whether a login name may be an account's: it has no characters that control or format text, such
// as a zero-width space. A site may drop them, and would have for one account what counts as many names here.
//
// Source: RFC 8264, 9.12 and 9.13, of what stands in no identifier.
func IsName(login string) bool {
	return !strings.ContainsFunc(login, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf) })
}
